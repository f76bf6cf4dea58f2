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
	begin := time.Now()
	if err := l.WaitFormed(ctx); err != nil {
		for _, n := range l.Nodes() {
			t.Log(n.Name(), n.Corosync().Output())
		}
		t.Fatal(err)
	}
	t.Logf("formed in %v", time.Since(begin))
	l.MarkQuality()

	cut := l.Hub().Now() + impair.Instant(500*time.Millisecond)
	at := l.Hub().Time(cut)
	if err := l.Hub().Add(impair.Rule{Name: "cut", From: []string{"a"}, To: []string{"b"}, Both: true, Blackout: true, Start: cut}); err != nil {
		t.Fatal(err)
	}
	a1, a2, b1 := l.Node("a1"), l.Node("a2"), l.Node("b1")
	split, err := a1.Log().Wait(ctx, at, func(line lab.Line) bool { return line.Event == lab.EventMembership && len(line.Left) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	if split.Left[0] != b1.ID() {
		t.Errorf("a1: %v left, want %d", split.Left, b1.ID())
	}
	if _, err := b1.Log().WaitEvent(ctx, at, lab.EventInquorate); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitMembers(ctx, a1, a2); err != nil {
		t.Fatal(err)
	}
	// T = 1000 + 1 * 125; the membership is new at about 2.2 T after the last token.
	if d := split.At.Sub(at); d < 2*time.Second || d > 4*time.Second {
		t.Errorf("split %v after the cut, want about 2.5 s", d)
	}
	first, ok, err := l.Hub().FirstDrop("cut", impair.Corosync)
	if err != nil || !ok || first.First < cut || first.First > cut+impair.Instant(time.Second) {
		t.Errorf("first lost packet of corosync: %+v, %v, %v; cut at %v", first, ok, err, cut)
	}
	if err := l.Hub().Remove("cut"); err != nil {
		t.Fatal(err)
	}
	if err := l.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
	for _, line := range l.Lines(at) {
		t.Log(line)
	}
	t.Log(l.Quality())
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
