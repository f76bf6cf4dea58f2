package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
)

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
