package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

var stretched = []string{"a1", "a2", "a3", "b1", "b2"}

// TestSiteCut is the main job: the only path to the other site dies. Both tokens that Proxmox clusters have in the field.
func TestSiteCut(t *testing.T) {
	for _, token := range []time.Duration{time.Second, 3375 * time.Millisecond} {
		t.Run(token.String(), func(t *testing.T) {
			s := newScene(t, token, 1, stretched...)
			s.run(30*time.Second + 350*time.Millisecond)
			if w := s.worst(0); w > checker.Info {
				t.Fatalf("healthy cluster: %v\n%s", w, s.log())
			}
			cut := s.now
			s.cutSite()
			s.run(3 * token)

			if at := s.first("path-gap:b1/link0", checker.Info); at < 0 || at-cut > 3*interval+rtt {
				t.Errorf("gap told after %v, want within %v\n%s", at-cut, 3*interval+rtt, s.log())
			}
			at := s.first("site-cut:b", checker.Warning)
			if at < 0 || at-cut > token/2 {
				t.Errorf("warning after %v\n%s", at-cut, s.log())
			}
			at = s.first("site-cut:b", checker.Critical)
			if at < 0 || at-cut > 3*token/2 {
				t.Errorf("critical after %v, want well before the membership changes at 2.1 T\n%s", at-cut, s.log())
			}
			o := s.last.Outcome
			if o == nil || !o.Happened || o.Text != "the cluster has split: a1 a2 a3 have quorum with 3 of 5 votes; b1 b2 have not (2 of 5, 3 needed)" {
				t.Errorf("outcome after the membership changed: %+v", o)
			}
			if f, ok := s.finding("member-missing:b1"); !ok || f.Cause != "site-cut:b" {
				t.Errorf("member-missing: %+v", f)
			}
		})
	}
}

// TestWouldSplit: the wording before and after Corosync's own membership says so.
func TestWouldSplit(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(3 * time.Second)
	o := s.last.Outcome
	want := "if this lasts: a1 a2 a3 keep quorum with 3 of 5 votes; b1 b2 lose it (2 of 5, 3 needed)"
	if o == nil || o.Happened || o.Text != want {
		t.Fatalf("got %+v, want %q", o, want)
	}
	if o.MembershipIn <= 0 || o.MembershipIn.Duration() > 2200*3375*time.Microsecond-3*time.Second {
		t.Errorf("membership in %v", o.MembershipIn)
	}
	if s.last.Severity != checker.Critical {
		t.Errorf("severity %v\n%s", s.last.Severity, s.log())
	}
}

// TestShortBlackout: Corosync survives it; no split is claimed, and all clears after the stable period.
func TestShortBlackout(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	cut := s.now
	s.cutSite()
	s.run(700 * time.Millisecond)
	s.healSite()
	s.run(time.Second)
	if s.first("path-gap:b1/link0", checker.Info) < 0 || s.worst(cut) > checker.Warning {
		t.Errorf("want a finding, at most a warning\n%s", s.log())
	}
	for _, e := range s.seen {
		if strings.Contains(e.title, "has split") {
			t.Errorf("false claim of a split: %s", e.title)
		}
	}
	if f, ok := s.finding("site-cut:b"); !ok || !f.Clearing {
		t.Errorf("site-cut: %+v %v, want clearing\n%s", f, ok, s.log())
	}
	s.run(15 * time.Second)
	if s.last.Severity > checker.Info {
		t.Errorf("not cleared\n%s", s.log())
	}
}

// TestLinkDown: link0 cut with a healthy link1 is a warning and never more; both cut is critical.
func TestLinkDown(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 2, stretched...)
	s.run(30 * time.Second)
	cut := s.now
	s.cut("b1 b2", 0)
	s.run(30 * time.Second)
	if w := s.worst(cut); w != checker.Warning {
		t.Errorf("one link: %v, want warning\n%s", w, s.log())
	}
	if at := s.first("link-down:link0", checker.Warning); at < 0 || at-cut > 2*time.Second {
		t.Errorf("link-down after %v\n%s", at-cut, s.log())
	}
	if s.last.Outcome != nil {
		t.Errorf("outcome of a cut that is none: %+v", s.last.Outcome)
	}
	both := s.now
	s.cut("b1 b2", 1)
	s.run(6 * time.Second)
	if at := s.first("site-cut:b", checker.Critical); at < 0 || at-both > 5*time.Second {
		t.Errorf("both links: critical after %v\n%s", at-both, s.log())
	}
}

// TestIsolated: all peers in the same moment is this node's own trouble, one incident.
func TestIsolated(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cut("a2 a3 b1 b2")
	s.run(6 * time.Second)
	if s.first("isolated:a1", checker.Critical) < 0 {
		t.Errorf("not named\n%s", s.log())
	}
	roots := 0
	for _, f := range s.last.Findings {
		if f.Severity >= checker.Warning && f.Cause == "" {
			roots++
		}
	}
	if roots != 1 {
		t.Errorf("%d findings without a cause, want one incident\n%s", roots, s.log())
	}
	want := "if this lasts: a1 loses it (1 of 5, 3 needed); a2 a3 b1 b2 keep quorum with 4 of 5 votes"
	if o := s.last.Outcome; o == nil || o.Text != want {
		t.Errorf("outcome %+v, want %q", o, want)
	}
	s.run(3 * time.Second)
	if f, ok := s.finding("not-quorate:a1"); !ok || f.Severity != checker.Critical || f.Cause != "isolated:a1" {
		t.Errorf("not-quorate: %+v", f)
	}
}

// TestOneDirection: we still hear the peer, nothing gets to it.
func TestOneDirection(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cut("b1")
	s.linesTo("b1", nil)[0].backwardAlive = true
	s.run(4 * time.Second)
	f, ok := s.finding("peer-cut:b1")
	if !ok || f.Evidence["direction"] != "forward" || !strings.Contains(f.Title, "we still hear it") {
		t.Errorf("%+v\n%s", f, s.log())
	}
}

// TestBadPair: only this node has lost b1; the others still reach it.
func TestBadPair(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cut("b1")
	s.run(4 * time.Second)
	o := s.last.Outcome
	if o == nil || o.Transitive || !strings.Contains(o.Text, "still reach both sides") {
		t.Errorf("outcome %+v", o)
	}
	if f, _ := s.finding("peer-cut:b1"); !strings.Contains(f.Evidence["other_nodes"], "a2 a3 b2 still reach b1") {
		t.Errorf("evidence %v", f.Evidence)
	}
}

// TestRemoteCut: two others have lost each other.
func TestRemoteCut(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	a2 := s.node("a2")
	a2.others[4], a2.knetDown[4] = mesh.Down, true
	s.run(5 * time.Second)
	if f, ok := s.finding("remote-cut:a2-b1"); !ok || f.Severity != checker.Warning {
		t.Errorf("%+v\n%s", f, s.log())
	}
}
