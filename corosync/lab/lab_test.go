//go:build linux

package lab_test

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

func TestMain(m *testing.M) {
	lab.Main()
	if dir := os.Getenv(victimEnv); dir != "" {
		victim(dir)
	}
	os.Exit(m.Run())
}

// TestCut forms a real cluster of three, cuts one site off, and lets it come back.
func TestCut(t *testing.T) {
	lab.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l, err := lab.New(ctx, lab.Spec{
		Sites: []lab.Site{{Name: "a", Nodes: 2}, {Name: "b", Nodes: 1}},
		Totem: []lab.Option{{Key: "token", Value: "1000"}},
		Rules: []impair.Rule{{Name: "base", Delay: 5 * time.Millisecond}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitSettled(ctx); err != nil {
		for _, n := range l.Nodes() {
			t.Log(n.Name(), n.Corosync().Output())
		}
		t.Fatal(err)
	}
	l.MarkQuality()
	cut := impair.Rule{
		Name: "cut", From: []string{"a"}, To: []string{"b"}, Both: true, Blackout: true,
		Start: l.Hub().Now() + impair.Instant(500*time.Millisecond),
	}
	at := l.Hub().Time(cut.Start)
	if err := l.Hub().Add(cut); err != nil {
		t.Fatal(err)
	}
	watchSplit(ctx, t, l, at)
	first, ok, err := l.Hub().FirstDrop("cut", impair.Corosync)
	if err != nil || !ok || first.First < cut.Start || first.First > cut.Start+impair.Instant(time.Second) {
		t.Errorf("first lost packet of corosync: %+v, %v, %v; cut at %v", first, ok, err, cut.Start)
	}
	if _, ok, err := l.Hub().FirstDrop("cut", impair.Probe); ok || err != nil {
		t.Errorf("a probe was lost, and nobody sent one: %v", err)
	}
	heal := time.Now()
	if err := l.Hub().Remove("cut"); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Node("b1").Log().Wait(ctx, heal, func(line lab.Line) bool { return len(line.Join) == 2 }); err != nil {
		t.Error(err)
	}
	if drops, err := l.Hub().Drops("cut"); err != nil || len(drops) == 0 {
		t.Errorf("the records of a rule that is gone: %v, %v", drops, err)
	}
	t.Log(l.Quality())
	if t.Failed() {
		for _, line := range l.Lines(at) {
			t.Log(line)
		}
	}
}

// watchSplit follows what the three nodes log from the cut on. T is 1000 + 1 * 125 ms.
func watchSplit(ctx context.Context, t *testing.T, l *lab.Lab, at time.Time) {
	t.Helper()
	a1, a2, b1 := l.Node("a1"), l.Node("a2"), l.Node("b1")
	wait := func(n *lab.Node, low, high time.Duration, what string, match func(lab.Line) bool) {
		t.Helper()
		line, err := n.Log().Wait(ctx, at, match)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if d := line.At.Sub(at); d < low || d > high {
			t.Errorf("%s: %s %v after the cut, want %v to %v", n.Name(), what, d, low, high)
		}
	}
	is := func(e lab.Event) func(lab.Line) bool { return func(line lab.Line) bool { return line.Event == e } }
	second := time.Second
	wait(b1, 0, second, "link down", func(line lab.Line) bool { return line.Event == lab.EventLinkDown && line.Peer == a1.ID() })
	wait(b1, second/2, 3*second/2, "token warning", is(lab.EventTokenWarning))
	wait(b1, second/2, 3*second/2, "token lost", is(lab.EventTokenLost))
	wait(b1, 2*second, 4*second, "split", func(line lab.Line) bool { return line.Event == lab.EventMembership && len(line.Left) == 2 })
	wait(b1, 2*second, 4*second, "no quorum", is(lab.EventInquorate))
	wait(a1, 2*second, 4*second, "split", func(line lab.Line) bool {
		return line.Event == lab.EventMembership && len(line.Left) == 1 && line.Left[0] == b1.ID()
	})
	if err := l.WaitMembers(ctx, a1, a2); err != nil {
		t.Error(err)
	}
	if m, err := b1.Membership(ctx); err != nil || m.Quorate || len(m.Members) != 1 {
		t.Errorf("b1: %v, %v", m, err)
	}
}

func TestSingle(t *testing.T) {
	lab.Require(t)
	conf := `totem {
  version: 2
  cluster_name: x
  token: 1234
  secauth: off
}
logging {
  to_stderr: yes
}
nodelist {
  node {
    name: n1
    nodeid: 7
    ring0_addr: 10.9.0.1
  }
}
quorum {
  provider: corosync_votequorum
}
`
	begin := time.Now()
	r, err := lab.Single(t.Context(), lab.SingleSpec{Conf: []byte(conf), Hostname: "n1", Addrs: []netip.Addr{netip.MustParseAddr("10.9.0.1")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("answer in %v", time.Since(begin))
	if !r.Accepted || !strings.Contains(string(r.Cmap), "runtime.config.totem.token (u32) = 1234") || !strings.Contains(string(r.Quorum), "Quorate:          Yes") {
		t.Errorf("good configuration: %+v", r)
	}
	begin = time.Now()
	r, err = lab.Single(t.Context(), lab.SingleSpec{Conf: []byte(strings.Replace(conf, "version: 2", "version: 3", 1)), Hostname: "n1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("refusal in %v: exit %d: %s", time.Since(begin), r.Exit, r.Output)
	if r.Accepted || r.Exit != 8 || !strings.Contains(r.Output, "version") {
		t.Errorf("bad configuration: %+v", r)
	}
}
