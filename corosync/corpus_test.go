package corosync_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// corpusFile is one file of testdata/conf. Lines that begin with `#:` say what the file needs to be judged:
//
//	#: host NAME              host name of the machine; default: the first node's name
//	#: addrs A B              the machine's addresses; default: the literal addresses of the first node
//	#: hosts ADDRESS NAME...  a line of /etc/hosts
//	#: refused-since V        Parse takes it with a warning, Corosync V and later refuse it
//	#: accepted-since V       Parse takes it with a warning, Corosync before V refuses it
//	#: late-refusal V         `corosync -t` takes it, the daemon of V and later ends while it starts
//	#: late-refusal-perhaps V  the same, where libknet (1.27) or the kernel (SCTP) refuses it
//	#: cmap-differs KEY       the daemon's version decides on this key's type
type corpusFile struct {
	name  string // without .conf
	path  string
	raw   []byte
	notes map[string][]string // arguments of each kind of note, all lines together
	hosts map[string][]netip.Addr
}

// corpus reads all files.
func corpus(t testing.TB) []corpusFile {
	t.Helper()
	paths, err := filepath.Glob("testdata/conf/*.conf")
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d files in testdata/conf (%v)", len(paths), err)
	}
	files := make([]corpusFile, 0, len(paths))
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := corpusFile{name: strings.TrimSuffix(filepath.Base(path), ".conf"), path: path, raw: raw, notes: map[string][]string{}, hosts: map[string][]netip.Addr{}}
		for line := range strings.Lines(string(raw)) {
			if note, ok := strings.CutPrefix(line, "#: "); ok {
				words := strings.Fields(note)
				f.notes[words[0]] = append(f.notes[words[0]], words[1:]...)
				if words[0] == "hosts" {
					for _, name := range words[2:] {
						f.hosts[name] = append(f.hosts[name], netip.MustParseAddr(words[1]))
					}
				}
			}
		}
		files = append(files, f)
	}
	return files
}

func (f corpusFile) parse() (*corosync.Config, error) {
	return corosync.Parse(f.name+".conf", strings.NewReader(string(f.raw)))
}

// LookupNetIP answers from the file's own hosts.
func (f corpusFile) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	var found []netip.Addr
	for _, a := range f.hosts[host] {
		if network == "ip" || network == "ip4" && a.Is4() || network == "ip6" && a.Is6() {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return found, nil
}

// machine is what the file is judged on.
func (f corpusFile) machine(c *corosync.Config) (hostname string, addrs []netip.Addr) {
	hostname = "single"
	if c != nil && len(c.Nodes) > 0 && c.Nodes[0].Name != "" {
		hostname = c.Nodes[0].Name
	}
	if host := f.notes["host"]; len(host) > 0 {
		hostname = host[0]
	}
	for _, a := range f.notes["addrs"] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	if addrs == nil && c != nil && len(c.Nodes) > 0 {
		for _, text := range c.Nodes[0].Addrs {
			if a, err := netip.ParseAddr(text); err == nil {
				addrs = append(addrs, a)
			}
			addrs = append(addrs, f.hosts[text]...)
		}
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	return hostname, addrs
}

// verdict is everything that decides whether Corosync would start: the file, the names in it and the machine.
type verdict struct {
	config   *corosync.Config
	err      error
	local    corosync.Node
	resolved []corosync.Address
	problems []corosync.Problem
	localErr error
}

func (f corpusFile) judge(ctx context.Context) verdict {
	var v verdict
	v.config, v.err = f.parse()
	if v.err != nil {
		return v
	}
	v.resolved, v.problems = corosync.Resolve(ctx, f, v.config)
	hostname, addrs := f.machine(v.config)
	v.local, v.localErr = corosync.LocalNode(v.config, hostname, addrs, v.resolved)
	return v
}

// refused says why Corosync would not start, "" if it would.
func (v verdict) refused() string {
	if v.err != nil {
		return v.err.Error()
	}
	for _, p := range v.problems {
		if strings.Contains(p.Reason, "does not resolve") || strings.Contains(p.Reason, "IP families") {
			return p.Error()
		}
	}
	if v.localErr != nil {
		return v.localErr.Error()
	}
	return ""
}

// describe writes a verdict down for a golden file.
func (v verdict) describe() string {
	var b strings.Builder
	problem := func(kind string, p corosync.Problem) {
		fmt.Fprintf(&b, "%s: %s\n", kind, p.Error())
		if p.Hint != "" {
			fmt.Fprintf(&b, "  hint: %s\n", p.Hint)
		}
	}
	if v.err != nil {
		for _, p := range v.err.(*corosync.ParseError).Problems {
			problem("refused", p)
		}
		return b.String()
	}
	c := v.config
	fmt.Fprintf(&b, "cluster %q version %d transport %s mode %s ip %s crypto %v key %s mtu %d\n", c.ClusterName, c.Version, c.Transport, c.LinkMode, c.IPVersion, c.Crypto, c.KeyFile, c.NetMTU)
	if c.DSCP != nil {
		fmt.Fprintf(&b, "dscp %d\n", *c.DSCP)
	}
	fmt.Fprintf(&b, "nodes counted %d, timeouts %+v\n", c.Totem.Nodes, c.Timeouts())
	for _, l := range c.Links {
		fmt.Fprintf(&b, "link %d %s port %d priority %d %+v\n", l.Number, l.Transport, l.Port, l.Priority, l.Params.Timeouts(c.Timeouts().Token))
	}
	for _, n := range c.Nodes {
		fmt.Fprintf(&b, "node %d id %d name %q votes %d %v\n", n.Position, n.ID, n.Name, n.Votes, n.Addrs)
	}
	device := "none"
	if c.Quorum.Device != nil {
		device = fmt.Sprintf("%+v", *c.Quorum.Device)
	}
	q := c.Quorum
	q.Device = nil
	fmt.Fprintf(&b, "quorum %+v device %s\n", q, device)
	fmt.Fprintf(&b, "resolved %v\n", v.resolved)
	for _, p := range c.Warnings {
		problem("warning", p)
	}
	for _, p := range v.problems {
		problem("resolve", p)
	}
	if p, ok := v.localErr.(corosync.Problem); ok {
		problem("local", p)
	} else {
		fmt.Fprintf(&b, "local node %d\n", v.local.Position)
	}
	return b.String()
}
