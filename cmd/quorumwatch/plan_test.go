package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// runPlanWith runs the command in this process.
func runPlanWith(t *testing.T, args ...string) (out, errs string, status int) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), append([]string{"plan"}, args...), &process{in: strings.NewReader(""), out: &o, err: &e})
	return o.String(), e.String(), status
}

// TestPlanExample: the example is read, and what docs/plan.md does with it works.
func TestPlanExample(t *testing.T) {
	args := []string{
		"--config", "../../examples/plan-corosync.conf", "--site", "a=pve1,pve2,pve3", "--site", "b=pve4,pve5",
	}
	out, errs, status := runPlanWith(t, args...)
	if status != exitError || errs != "" || !strings.HasPrefix(out, "WEAK  1 weak point: site a\n") {
		t.Errorf("status %d\n%s%s", status, errs, out)
	}
	out, errs, status = runPlanWith(t, append(args, "--add-node", "pve6:b", "--qdevice", "192.0.2.9", "--coefficient", "125", "--rtt", "4ms", "--rtt", "/1=20ms")...)
	if status != 0 || errs != "" || !strings.HasPrefix(out, "GOOD  ") {
		t.Errorf("status %d\n%s%s", status, errs, out)
	}
}

// TestPlanDocumented: docs/plan.md has every flag.
func TestPlanDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	newPlanCommand(&process{}).Flags().VisitAll(func(f *pflag.Flag) {
		if !strings.Contains(string(text), "--"+f.Name) {
			t.Errorf("docs/plan.md does not mention --%s", f.Name)
		}
	})
}

// FuzzPlanFlags: whatever stands in the flags with a form of their own, there is an answer or an error with status 2.
func FuzzPlanFlags(f *testing.F) {
	f.Add("a:3,b:2", "a-b/0=5ms", "within=1%", "w:lms", "a1=2", "a1,b1", "x:a")
	f.Add("a=1,b=1", "/0=1ms", "0.01", "[::1]:ffsplit", "", "none", "")
	f.Add("a:1,a-b:1", "a-a-b=1ms", "/=1", ":", "=", ",", ":")
	f.Fuzz(func(t *testing.T, site, rtt, loss, device, votes, ha, add string) {
		args := []string{}
		for _, a := range [][2]string{
			{"--site", site}, {"--rtt", rtt}, {"--loss", loss}, {"--qdevice", device}, {"--votes", votes}, {"--ha", ha}, {"--add-node", add},
		} {
			if a[1] != "" {
				args = append(args, a[0]+"="+a[1])
			}
		}
		if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--site=") }) {
			return // would read this machine's configuration
		}
		if out, errs, status := runPlanWith(t, args...); status == exitUsage && (out != "" || errs == "") || status != exitUsage && errs != "" {
			t.Errorf("%q: status %d\n%s", args, status, errs)
		}
	})
}
