package corosync_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

func TestMain(m *testing.M) {
	lab.Main()
	os.Exit(m.Run())
}

// TestParity gives every file of the corpus to the real Corosync of this machine: `corosync -t` and Parse, Resolve and
// LocalNode agree on who starts; and each file that starts is run by a daemon, alone in its own namespaces, whose cmap and
// quorumtool show what the parser says.
func TestParity(t *testing.T) {
	lab.Require(t)
	if testing.Short() && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED: -short, and this starts more than a hundred daemons")
	}
	out, err := exec.CommandContext(t.Context(), "corosync", "-v").Output()
	if err != nil {
		t.Fatal(err)
	}
	version := corosync.ParseVersion(out)
	p := &parity{version: version, dir: t.TempDir()}
	for _, f := range corpus(t) {
		t.Run(f.name, func(t *testing.T) { p.file(t, f) })
	}
	t.Logf("corosync %s: %d files, %d refused and %d accepted alike; %d daemons ran, %d refused late as foretold; %d values compared",
		version, p.refused+p.accepted, p.refused, p.accepted, p.ran, p.late, p.values)
}

type parity struct {
	version                              string
	dir                                  string
	refused, accepted, ran, late, values int
}

func (p *parity) file(t *testing.T, f corpusFile) {
	v := f.judge(t.Context())
	reason := v.refused()
	for note, refuses := range map[string]func(c int) bool{
		"refused-since":  func(c int) bool { return c >= 0 },
		"accepted-since": func(c int) bool { return c < 0 },
	} {
		if since := f.notes[note]; since != nil && reason == "" && refuses(compareVersions(p.version, since[0])) {
			reason = note + " " + since[0]
		}
	}
	ok, output := p.test(t, f, v.config)
	if ok != (reason == "") {
		t.Fatalf("corosync -t accepts: %v; the parser: %q; corosync says: %s", ok, reason, output)
	}
	if !ok {
		p.refused++
		return
	}
	p.accepted++
	p.daemon(t, f, v)
}

// test runs corosync -t in namespaces of its own.
func (p *parity) test(t *testing.T, f corpusFile, c *corosync.Config) (accepted bool, output string) {
	t.Helper()
	hostname, addrs := f.machine(c)
	hosts := "127.0.0.1 localhost\n"
	for name, list := range f.hosts {
		for _, a := range list {
			hosts += fmt.Sprintf("%v %s\n", a, name)
		}
	}
	hostsFile := filepath.Join(p.dir, "hosts")
	if err := os.WriteFile(hostsFile, []byte(hosts), 0o644); err != nil {
		t.Fatal(err)
	}
	script := "set -e\nhostname " + hostname + "\nip link set lo up\n"
	for _, a := range addrs {
		script += fmt.Sprintf("ip addr add %s/%d dev lo\n", a, a.BitLen())
	}
	script += "mount --bind " + hostsFile + " /etc/hosts\nmount -t tmpfs none /etc/corosync\nhead -c 256 /dev/zero > /etc/corosync/authkey\n" +
		"mount -t tmpfs none /run\nset +e\ncorosync -t -c " + f.absolute(t) + " 2>&1\necho exit=$?\n"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "unshare", "--net", "--mount", "--uts", "--ipc", "--propagation", "private", "sh", "-c", script).CombinedOutput()
	output = string(out)
	_, code, found := strings.Cut(output, "exit=")
	if err != nil || !found {
		t.Fatalf("corosync -t: %v: %s", err, output)
	}
	return strings.TrimSpace(code) == "0", output
}

func (f corpusFile) absolute(t *testing.T) string {
	path, err := filepath.Abs(f.path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// daemon starts the file's own daemon and compares what it shows.
func (p *parity) daemon(t *testing.T, f corpusFile, v verdict) {
	hostname, addrs := f.machine(v.config)
	conf := append(slices.Clone(f.raw), "\nsystem {\n  sched_rr: no\n}\n"...) // one realtime daemon starves two cores
	spec := lab.SingleSpec{Conf: conf, Hostname: hostname, Addrs: addrs, Dir: p.dir}
	spec.Hosts = map[string]netip.Addr{}
	for name, list := range f.hosts {
		spec.Hosts[name] = list[0] // a name of two families keeps one: what -t has judged is the choice
		if v.config.IPVersion == "ipv6-4" {
			spec.Hosts[name] = list[len(list)-1]
		}
	}
	r, err := lab.Single(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if since := f.notes["late-refusal"]; since != nil && compareVersions(p.version, since[0]) >= 0 {
		if r.Accepted {
			t.Fatal("the daemon runs, but its end was foretold")
		}
		p.late++
		return
	}
	if since := f.notes["late-refusal-perhaps"]; since != nil && !r.Accepted && compareVersions(p.version, since[0]) >= 0 {
		p.late++
		return
	}
	if !r.Accepted {
		t.Fatalf("the daemon ended with %d: %s", r.Exit, r.Output)
	}
	p.ran++
	cmap, err := corosync.ParseMap(r.Cmap)
	if err != nil {
		t.Fatal(err)
	}
	d := &daemonView{T: t, p: p, f: f, verdict: v, cmap: cmap}
	d.runtimeValues()
	d.parsedValues()
	d.localNode()
	d.votequorum()
	d.quorumtool(r.Quorum)
}

// compareVersions orders dotted versions.
func compareVersions(a, b string) int {
	number := func(s string) []int {
		var n []int
		for part := range strings.SplitSeq(s, ".") {
			digits := strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyz-+~")
			v, _ := strconv.Atoi(digits)
			n = append(n, v)
		}
		return n
	}
	return slices.Compare(number(a), number(b))
}
