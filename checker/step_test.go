package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/stats"
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

// TestAgentGone: whatever way an agent goes while its node lives, it is unknown and never a cut.
func TestAgentGone(t *testing.T) {
	tests := []struct {
		name  string
		stop  func(*nodeSim)
		worst checker.Severity
		want  string
	}{
		{"clean stop", func(n *nodeSim) { n.leaving = true }, checker.Info, "agent-stopped:b1"},
		{"killed, host says port closed", func(n *nodeSim) { n.refused = true }, checker.Info, "agent-silent:b1"},
		{"killed, firewall drops", func(*nodeSim) {}, checker.Warning, "agent-silent:b1"},
	}
	for _, tt := range tests {
		for _, token := range []time.Duration{time.Second, 3375 * time.Millisecond} {
			t.Run(tt.name+" "+token.String(), func(t *testing.T) {
				s := newScene(t, token, 1, stretched...)
				s.run(30 * time.Second)
				stop := s.now
				tt.stop(s.node("b1"))
				s.run(600 * time.Millisecond) // the last bulletin gets through
				s.node("b1").agentDead = s.now
				s.run(20 * time.Second)
				if w := s.worst(stop); w > tt.worst {
					t.Errorf("worst %v, want %v\n%s", w, tt.worst, s.log())
				}
				f, ok := s.finding(tt.want)
				if !ok || f.Severity != checker.Info || s.last.Severity != checker.Info {
					t.Errorf("want %s as info and nothing worse\n%s", tt.want, s.log())
				}
				if p := s.last.Paths[2]; p.State != checker.PathUnknown {
					t.Errorf("path to b1 is %v, want unknown", p.State)
				}
				if g, ok := s.finding("path-gap:b1/link0"); !ok || g.Cause != tt.want {
					t.Errorf("gap's cause %q, want %q", g.Cause, tt.want)
				}
			})
		}
	}
}

// TestTwoAgentsKilled: two agents die in the same moment without a word: still not critical, as knet can be asked.
func TestTwoAgentsKilled(t *testing.T) {
	for _, token := range []time.Duration{time.Second, 3375 * time.Millisecond} {
		s := newScene(t, token, 1, stretched...)
		s.run(30 * time.Second)
		s.node("b1").agentDead, s.node("b2").agentDead = s.now, s.now
		s.run(20 * time.Second)
		if w := s.worst(0); w > checker.Warning || s.last.Severity > checker.Info {
			t.Errorf("T=%v: worst %v, last %v\n%s", token, w, s.last.Severity, s.log())
		}
	}
}

// TestStoppedThenCut: a peer whose agent was stopped can still be cut off; then knet alone tells.
func TestStoppedThenCut(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.node("b1").leaving = true
	s.run(600 * time.Millisecond)
	s.node("b1").agentDead = s.now
	s.run(20 * time.Second)
	cut := s.now
	s.cut("b1")
	s.run(8 * time.Second)
	if at := s.first("peer-cut:b1", checker.Critical); at < 0 || at-cut > 6*time.Second {
		t.Errorf("critical after %v\n%s", at-cut, s.log())
	}
}

// TestNodeShutdown: agent stops, Corosync leaves, the host goes dark. Nothing pages.
func TestNodeShutdown(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	n := s.node("b1")
	n.leaving = true
	s.run(600 * time.Millisecond)
	n.agentDead = s.now
	s.run(300 * time.Millisecond)
	n.left = true
	s.run(500 * time.Millisecond)
	s.cut("b1")
	s.run(30 * time.Second)
	if w := s.worst(0); w > checker.Warning {
		t.Errorf("worst %v\n%s", w, s.log())
	}
	if f, ok := s.finding("member-missing:b1"); !ok || !strings.Contains(f.Title, "in peace") {
		t.Errorf("member-missing: %+v\n%s", f, s.log())
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

// TestNoCorosync: probes only; a cut of several at once is still called, a single silent peer stays a warning.
func TestNoCorosync(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.knetOff = true
	s.in.Status = corosync.Status{Daemon: corosync.DaemonDenied}
	s.edit = func(in *checker.Input) { in.Status = s.in.Status }
	s.run(30 * time.Second)
	s.cutSite()
	s.run(2 * time.Second)
	if s.first("site-cut:b", checker.Critical) < 0 {
		t.Errorf("site cut not critical\n%s", s.log())
	}
	s.healSite()
	s.run(20 * time.Second)
	since := s.now
	s.cut("b1")
	s.run(20 * time.Second)
	if w := s.worst(since); w != checker.Warning {
		t.Errorf("a single silent peer: %v, want warning\n%s", w, s.log())
	}
}

// TestNeverHeard: a peer without an agent is unknown; knet alone tells of its cut.
func TestNeverHeard(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.node("b2").noAgent = true
	s.run(30 * time.Second)
	if w := s.worst(0); w > checker.Info {
		t.Fatalf("worst %v\n%s", w, s.log())
	}
	if f, ok := s.finding("agent-silent:b2"); !ok || f.Severity != checker.Info {
		t.Errorf("agent-silent: %+v", f)
	}
	cut := s.now
	s.cut("b2")
	s.run(8 * time.Second)
	if at := s.first("peer-cut:b2", checker.Critical); at < 0 || at-cut > 2100*3375*time.Microsecond+time.Second {
		t.Errorf("critical after %v\n%s", at-cut, s.log())
	}
}

// TestFlicker: a path that comes and goes stays one incident under one name.
func TestFlicker(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	since := s.now
	for range 6 {
		s.cut("b1 b2")
		s.run(800 * time.Millisecond)
		s.heal("b1")
		s.run(200 * time.Millisecond)
		s.heal("b2")
		s.run(1500 * time.Millisecond)
	}
	for _, e := range s.seen {
		if e.at > since && (strings.HasPrefix(e.key, "peer-cut") || strings.HasPrefix(e.key, "group-cut")) {
			t.Errorf("renamed to %s at %v\n%s", e.key, e.at, s.log())
			break
		}
	}
}

// TestStallInOutage: this host stalls for a moment while a cut goes on; the cut stays critical.
func TestStallInOutage(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(4 * time.Second)
	since := s.now
	s.edit = func(in *checker.Input) {
		for i := range in.Paths {
			o := &in.Paths[i].Summary.Outage
			o.HostPaused = in.Paths[i].Summary.Unanswered > 0
			o.Since = o.Since.Add(30 * time.Microsecond) // the kernel has corrected when that probe left
		}
	}
	s.run(300 * time.Millisecond)
	if f, ok := s.finding("site-cut:b"); !ok || f.Severity != checker.Critical || f.Clearing {
		t.Errorf("after %v: %+v\n%s", s.now-since, f, s.log())
	}
}

// TestBackOff: knet took the link down a moment ago, so it is ten times slower to see it die; what it says is no proof of life.
func TestBackOff(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	blind := false
	s.edit = func(in *checker.Input) {
		links := append([]corosync.LinkStatus(nil), in.Status.Links...)
		for i := range links {
			if links[i].Node == 4 && s.now > 30*time.Second {
				links[i].DownCount = 1 // one quick flap that no poll has seen
			}
			if blind {
				links[i].Connected = true
			}
		}
		in.Status.Links = links
	}
	s.run(3 * time.Second)
	blind = true
	s.cut("b1")
	s.run(6 * time.Second)
	if f, ok := s.finding("peer-cut:b1"); !ok || f.Severity < checker.Warning || f.Clearing {
		t.Errorf("%+v\n%s", f, s.log())
	}
	if _, ok := s.finding("agent-silent:b1"); ok {
		t.Errorf("knet was believed too early\n%s", s.log())
	}
	s.run(3 * time.Second) // Corosync's membership has lost it
	if f, ok := s.finding("peer-cut:b1"); !ok || f.Severity != checker.Critical {
		t.Errorf("%+v\n%s", f, s.log())
	}
}

// TestClockStepped: the wall clock jumps by an hour either way; instants carry a monotonic reading, so nothing happens.
func TestClockStepped(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		s := newScene(t, 3375*time.Millisecond, 1, stretched...)
		s.run(20 * time.Second)
		seen := len(s.seen)
		s.edit = func(in *checker.Input) { // only what comes from logs follows the wall clock
			in.Status.Since = in.Now.Add(by)
			in.Status.TokenAt = corosync.TokenEvents{}
		}
		s.run(20 * time.Second)
		if len(s.seen) > seen+1 {
			t.Errorf("%v: %s", by, s.log())
		}
	}
}

// TestPeerRestartsAgent: a restart without a word is over before anybody can tell; it does not count as loss or gap of the path.
func TestPeerRestartsAgent(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	for _, l := range s.lines {
		l.windows = windows(1200, 0)
	}
	s.run(70 * time.Second)
	b1 := s.node("b1")
	b1.agentDead = s.now
	s.run(1500 * time.Millisecond)
	b1.agentDead = -1
	b1.restarts = s.now
	bad := windows(1200, 30)
	bad[3].WorstGap = 1500 * time.Millisecond
	s.linesTo("b1", nil)[0].windows = bad
	since := s.now
	s.run(30 * time.Second)
	for _, code := range []string{"path-loss:b1/link0", "low-margin:b1"} {
		if at := s.first(code, checker.Info); at > since {
			t.Errorf("%s at %v\n%s", code, at, s.log())
		}
	}
}

// TestFlickerAfterSplit: a probe that gets through after the membership has changed does not end the incident.
func TestFlickerAfterSplit(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(9 * time.Second)
	for _, l := range s.linesTo("b1 b2", nil) {
		l.flash = s.now + 100*time.Millisecond
	}
	s.run(3 * time.Second)
	if f, ok := s.finding("site-cut:b"); !ok || f.Severity != checker.Critical || f.Clearing {
		t.Errorf("%+v\n%s", f, s.log())
	}
	if o := s.last.Outcome; o == nil || !o.Happened {
		t.Errorf("outcome %+v", o)
	}
}

// TestMuted: the blackout is over, but knet keeps the pair mute until three pongs are back: not the all-clear yet, and what the
// muted ones say of others is no news.
func TestMuted(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(1800 * time.Millisecond)
	s.healSite()
	s.node("b1").others[2], s.node("b1").knetDown[2] = mesh.Up, true
	s.run(1500 * time.Millisecond)
	f, ok := s.finding("site-cut:b")
	if !ok || f.Clearing || f.Severity != checker.Warning || !strings.Contains(f.Title, "still mute") {
		t.Errorf("%+v\n%s", f, s.log())
	}
	for _, e := range s.seen {
		if strings.HasPrefix(e.key, "remote-cut") {
			t.Errorf("%s at %v", e.key, e.at)
		}
	}
	s.run(15 * time.Second)
	if s.last.Severity > checker.Warning {
		t.Errorf("not cleared\n%s", s.log())
	}
}

// TestStallAtHeal: as a cut ends this host stalls, so that the next probes are late for another reason; the incident still ends by
// the rules: mute until knet has taken the links up.
func TestStallAtHeal(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(10 * time.Second)
	s.cutSite() // an earlier outage, long over
	s.run(300 * time.Millisecond)
	s.healSite()
	s.run(30 * time.Second)
	s.cutSite()
	s.run(3 * time.Second)
	s.healSite()
	s.edit = func(in *checker.Input) {
		for i := range in.Paths {
			in.Paths[i].Summary.Unanswered = 3
			in.Paths[i].Summary.Outage = stats.Outage{Since: in.Now.Add(-150 * time.Millisecond), For: 150 * time.Millisecond, HostPaused: true}
		}
	}
	s.run(100 * time.Millisecond)
	s.edit = nil
	healed := s.now
	s.run(2 * time.Second)
	if f, ok := s.finding("site-cut:b"); !ok || f.Clearing || f.Severity != checker.Warning {
		t.Errorf("%+v\n%s", f, s.log())
	}
	if at := s.first("knet-down:b1", checker.Info); at > healed {
		t.Errorf("knet-down at %v\n%s", at, s.log())
	}
}

// TestBlipInOutage: in a cut of the other site this host's own site flickers for a moment; that does not rename the cut.
func TestBlipInOutage(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(4 * time.Second)
	s.cut("a2 a3")
	s.run(120 * time.Millisecond)
	s.heal("a2 a3")
	s.run(3 * time.Second)
	if f, ok := s.finding("site-cut:b"); !ok || f.Severity != checker.Critical || f.Clearing {
		t.Errorf("%+v\n%s", f, s.log())
	}
}
