package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// deadNode cuts a node off as by loss of power, and lets the cluster live without it for a while.
func (s *scene) deadNode(name string, d time.Duration) {
	s.cut(name)
	for _, n := range s.nodes[1:] {
		n.others[s.node(name).id] = mesh.Down
	}
	s.run(d)
}

// TestBlipBesideDeadNode: a node has been dead for long; a blip on another one is a trouble of its own, and a small one.
func TestBlipBesideDeadNode(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.deadNode("b1", 5*time.Minute)
	blip := s.now
	s.cut("b2")
	s.run(350 * time.Millisecond)
	s.heal("b2")
	s.run(20 * time.Second)
	for _, e := range s.seen {
		if e.at > blip && strings.Contains(e.key, "-cut:") && strings.Contains(e.key+e.title, "b2") && e.severity > checker.Warning {
			t.Errorf("at %v: %s %v: %s", e.at, e.key, e.severity, e.title)
		}
		if e.at > blip && strings.HasPrefix(e.key, "site-cut") {
			t.Errorf("at %v: %s", e.at, e.key)
		}
	}
	if f, ok := s.finding("peer-cut:b1"); !ok || f.Severity != checker.Critical {
		t.Errorf("the dead node is forgotten: %+v\n%s", f, s.log())
	}
}

// TestCutBesideDeadNode: a node has been dead for long, and now the other site is cut: its own incident, with its own countdown,
// and partitions of those that were left.
func TestCutBesideDeadNode(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.deadNode("a3", 5*time.Minute)
	cut := s.now
	s.cutSite()
	s.run(2 * time.Second)
	f, ok := s.finding("site-cut:b")
	if !ok || f.Since.Before(s.start.Add(cut)) || f.Severity != checker.Critical {
		t.Fatalf("%+v\n%s", f, s.log())
	}
	o := s.last.Outcome

	if o == nil || o.Happened || o.TokenLossIn <= 0 || o.MembershipIn.Duration() < 4*time.Second || strings.Contains(o.Text, "a3") {
		t.Errorf("outcome %+v", o)
	}
	if _, ok := s.finding("peer-cut:a3"); !ok {
		t.Errorf("the dead node is forgotten\n%s", s.log())
	}
	s.run(8 * time.Second)
	if o := s.last.Outcome; o == nil || !o.Happened {
		t.Errorf("outcome after the membership changed: %+v", o)
	}
	if f, ok := s.finding("not-quorate:a1"); !ok || f.Cause != "site-cut:b" {
		t.Errorf("not-quorate: %+v", f)
	}
}

// TestCutUnderStalls: this host stalls again and again, so that every silence is laid on it, while the other site is cut: knet
// tells, and no word is said of probes that pass.
func TestCutUnderStalls(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.edit = func(in *checker.Input) {
		for i := range in.Paths {
			in.Paths[i].Summary.Outage.HostPaused = true
		}
	}
	cut := s.now
	s.cutSite()
	s.run(6 * time.Second)
	if at := s.first("site-cut:b", checker.Critical); at < 0 || at-cut > 5*time.Second {
		t.Errorf("critical after %v\n%s", at-cut, s.log())
	}
	for _, e := range s.seen {
		if strings.Contains(e.title, "but probes pass") {
			t.Errorf("at %v: %s", e.at, e.title)
		}
	}
}

// TestReloadInCut: in a cut a reload gives every path a new account, which never heard anybody; the cut goes on.
func TestReloadInCut(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(4 * time.Second)
	reload := s.now
	s.edit = func(in *checker.Input) {
		for i := range in.Paths {
			if sum := &in.Paths[i].Summary; sum.Unanswered > 0 {
				sum.EverHeard, sum.Total.Received, sum.LastHeard = false, 0, time.Time{}
				sum.Unanswered = int((s.now - reload) / interval)
				sum.Outage.Since = in.Now.Add(-(s.now - reload))
			}
		}
	}
	s.stays("site-cut:b", checker.Critical, 8*time.Second)
	if f, _ := s.finding("site-cut:b"); s.start.Add(reload).Before(f.Since) {
		t.Errorf("its age is forgotten: %v", f.Since)
	}
}

// TestRemoteCutLasts: two others have lost each other on the only link, as knet at both ends says: that stops the ring. One view that
// says otherwise does not begin it anew, and from one end alone it stays a warning.
func TestRemoteCutLasts(t *testing.T) {
	for _, both := range []bool{true, false} {
		s := newScene(t, t125, 1, stretched...)
		s.run(30 * time.Second)
		a2, b1 := s.node("a2"), s.node("b1")
		lose := func() {
			a2.others[4], a2.knetDown[4] = mesh.Down, true
			if both {
				b1.others[2], b1.knetDown[2] = mesh.Down, true
			}
		}
		lose()
		s.run(3 * time.Second)
		clear(a2.others)
		clear(a2.knetDown)
		clear(b1.others)
		clear(b1.knetDown)
		s.run(500 * time.Millisecond)
		lose()
		s.run(3500 * time.Millisecond)
		f, ok := s.finding("remote-cut:a2-b1")
		want := checker.Warning
		if both {
			want = checker.Critical
		}
		if !ok || f.Severity != want || f.Clearing || s.start.Add(31*time.Second).Before(f.Since) {
			t.Errorf("both %v: %+v\n%s", both, f, s.log())
		}
	}
}
