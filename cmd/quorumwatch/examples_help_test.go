package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// example is a line of a command's help, as words without the name of the program.
type example struct {
	command *cobra.Command
	line    string
	words   []string
}

// examples are all lines of all help texts that call quorumwatch; of a pipe each call.
func examples(t *testing.T) []example {
	t.Helper()
	var out []example
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			command, _, _ := strings.Cut(line, " #")
			for part := range strings.SplitSeq(command, "|") {
				words := strings.Fields(part)
				for len(words) > 0 && (words[0] == "sudo" || strings.Contains(words[0], "=")) {
					words = words[1:]
				}
				if len(words) > 0 && words[0] == "quorumwatch" {
					out = append(out, example{cmd, strings.TrimSpace(line), words[1:]})
				}
			}
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRootCommand(&process{}))
	return out
}

// TestExamplesParse: each example of every help text calls a command that exists, with flags and arguments that it takes.
func TestExamplesParse(t *testing.T) {
	all := examples(t)
	if len(all) < 20 {
		t.Fatalf("%d examples: are they still read?", len(all))
	}
	for _, e := range all {
		words := e.words
		for i, w := range words { // a shell would have taken what comes after
			if strings.ContainsAny(w, "><;&") {
				words = words[:i]
				break
			}
		}
		cmd, args, err := newRootCommand(&process{out: &bytes.Buffer{}, err: &bytes.Buffer{}}).Find(words)
		if err != nil {
			t.Errorf("%s: %v", e.line, err)
			continue
		}
		if err := cmd.ParseFlags(args); err != nil && !errors.Is(err, pflag.ErrHelp) {
			t.Errorf("%s: %v", e.line, err)
			continue
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", e.line, err)
		}
	}
}

// TestPlanExamplesRun: those of plan that need no file give an answer.
func TestPlanExamplesRun(t *testing.T) {
	ran := 0
	for _, e := range examples(t) {
		if e.command.Name() != "plan" || !strings.Contains(e.line, ":") || strings.Contains(e.line, "--config") {
			continue
		}
		out, errs, status := runPlanWith(t, e.words[1:]...)
		if status == exitUsage || out == "" || errs != "" {
			t.Errorf("%s: status %d, %s", e.line, status, errs)
		}
		ran++
	}
	if ran < 3 {
		t.Errorf("%d examples ran", ran)
	}
}

// full is a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestPlanNotWritten: an answer that nobody can read is none.
func TestPlanNotWritten(t *testing.T) {
	for _, form := range []string{"--json=false", "--json"} {
		var errs bytes.Buffer
		args := []string{"plan", "--site", "a:2,b:1", form}
		if status := run(t.Context(), args, &process{in: strings.NewReader(""), out: full{}, err: &errs}); status != exitUsage || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("%s: status %d, %q", form, status, errs.String())
		}
	}
}

// TestPlanCompletion: flags are completed with names of the configuration, and never with those of files.
func TestPlanCompletion(t *testing.T) {
	const example = "../../examples/plan-corosync.conf"
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--config", example, "--remove-node", ""}, "pve1 pve2 pve3 pve4 pve5"},
		{[]string{"--config", example, "--ha", ""}, "all none pve1 pve2 pve3 pve4 pve5"},
		{[]string{"--site", "a:2,b:1", "--qdevice-site", ""}, "a b"},
		{[]string{"--site", "a:2,b:1", "--remove-node", ""}, "a1 a2 b1"},
		{[]string{"--config", "nowhere.conf", "--remove-node", ""}, ""},
		{[]string{"--token", ""}, ""},
		{[]string{""}, ""},
	} {
		if got, files := completed(t, test.args...); got != test.want || files {
			t.Errorf("%q: %q, want %q; files: %v", test.args, got, test.want, files)
		}
	}
	newPlanCommand(&process{}).Flags().VisitAll(func(f *pflag.Flag) {
		if _, files := completed(t, "--"+f.Name, ""); files != (f.Name == "config") {
			t.Errorf("--%s is completed with files: %v", f.Name, files)
		}
	})
}

// completed is what the shell is offered, and whether it is to offer files.
func completed(t *testing.T, args ...string) (words string, files bool) {
	t.Helper()
	var out bytes.Buffer
	run(t.Context(), append([]string{cobra.ShellCompRequestCmd, "plan"}, args...), &process{in: strings.NewReader(""), out: &out, err: &bytes.Buffer{}})
	all := strings.Fields(out.String())
	last := len(all) - 1
	return strings.Join(all[:last], " "), all[last] != ":4" // ShellCompDirectiveNoFileComp
}
