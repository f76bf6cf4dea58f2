//go:build linux

package lab_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// TestPlays: what the plays ask of the real daemons has one right answer: chance decides nowhere.
func TestPlays(t *testing.T) {
	for _, p := range plays(true) {
		c, err := corosync.Parse("corosync.conf", strings.NewReader(p.conf()))
		if err != nil {
			t.Fatal(err)
		}
		cfg, _, err := c.Quorum.Effective()
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		cl := cfg.Cluster()
		for i, a := range p.acts {
			cl = a.follow(cl)
			if slices.ContainsFunc(cl.Running(), func(n uint32) bool { r, _ := cl.Result(n); return r.Chance }) {
				t.Errorf("%s, act %d, %v: left to chance", p.name, i+1, a)
			}
		}
	}
}

// conf is the part of corosync.conf that votequorum reads.
func (p play) conf() string {
	var b strings.Builder
	b.WriteString("totem {\nversion: 2\n}\nnodelist {\n")
	for i := range p.nodes {
		votes := 1
		if i < len(p.votes) {
			votes = p.votes[i]
		}
		fmt.Fprintf(&b, "node {\nnodeid: %d\nname: n%d\nring0_addr: 10.50.1.%d\nquorum_votes: %d\n}\n", i+1, i+1, i+1, votes)
	}
	b.WriteString("}\nquorum {\nprovider: corosync_votequorum\n" + lines(p.quorum))
	if d := p.device; d != nil {
		fmt.Fprintf(&b, "device {\nmodel: net\n%s", lines(d.Options))
		if d.Votes > 0 {
			fmt.Fprintf(&b, "votes: %d\n", d.Votes)
		}
		fmt.Fprintf(&b, "net {\nhost: 127.0.0.1\n%s}\n}\n", lines(d.Net))
	}
	return b.String() + "}\n"
}

func lines(options []lab.Option) string {
	var b strings.Builder
	for _, o := range options {
		fmt.Fprintf(&b, "%s: %s\n", o.Key, o.Value)
	}
	return b.String()
}

// follow is what the act does to the package's account.
func (a act) follow(c votequorum.Cluster) votequorum.Cluster {
	switch a.kind {
	case "split":
		return c.Split(a.parts...)
	case "reach":
		return c.Reach(a.nodes...)
	case "window":
		return c.Window()
	case "kill":
		return c.Split(without(c.Partitions(), a.nodes[0])...)
	case "leave":
		return c.Leave(a.nodes[0])
	}
	return c.Split(append(slices.Concat(c.Partitions()...), a.nodes[0])) // start: only ever in a cluster without a cut
}
