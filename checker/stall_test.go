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

// TestMuted: the blackout is over, but knet keeps the pair mute until three pongs are back: not the all-clear yet, as bad as it was, and what
// the muted ones say of others is no news.
func TestMuted(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(1800 * time.Millisecond)
	s.healSite()
	s.node("b1").others[2], s.node("b1").knetDown[2] = mesh.Up, true
	s.run(1500 * time.Millisecond)
	f, ok := s.finding("site-cut:b")
	if !ok || f.Clearing || f.Severity != checker.Critical || !strings.Contains(f.Title, "still mute") {
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
	if f, ok := s.finding("site-cut:b"); !ok || f.Clearing || f.Severity != checker.Critical {
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
