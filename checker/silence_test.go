package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
)

const t125 = 3375 * time.Millisecond // token 3000 with a coefficient of 125 and five nodes

// stop takes a peer's agent away; told: it says so before.
func (s *scene) stop(name string, told bool) {
	s.node(name).leaving = told
	s.run(600 * time.Millisecond) // the last bulletin gets through
	s.node(name).agentDead = s.now
}

// sayKnet makes the local Corosync say of knet's links to these nodes what it is told to, read an instant ago.
func (s *scene) sayKnet(connected bool, names ...string) {
	s.edit = func(in *checker.Input) {
		links := append([]corosync.LinkStatus(nil), in.Status.Links...)
		for i := range links {
			for _, name := range names {
				if links[i].Node == s.node(name).id {
					links[i].Connected = connected
				}
			}
		}
		in.Status.Links, in.Status.LinksAt = links, in.Now
	}
}

// atMost fails if anything worse than most has stood since.
func (s *scene) atMost(since time.Duration, most checker.Severity) {
	s.t.Helper()
	if w := s.worst(since); w > most {
		s.t.Errorf("worst %v, want at most %v\n%s", w, most, s.log())
	}
}

// stays fails if the finding with that key does not stand with this severity through the next d.
func (s *scene) stays(key string, severity checker.Severity, d time.Duration) {
	s.t.Helper()
	for end := s.now + d; s.now < end; {
		s.run(frame)
		if f, ok := s.finding(key); !ok || f.Severity != severity || f.Clearing {
			s.t.Errorf("at %v %s is %v (clearing %v, stands %v), want %v\n%s", s.now, key, f.Severity, f.Clearing, ok, severity, s.log())
			return
		}
	}
}

// TestReplyInBlackout: in a steady blackout one probe gets through now and then; the outage goes on, with its age.
func TestReplyInBlackout(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	cut := s.now
	s.cutSite()
	s.run(5 * time.Second)
	for range 4 {
		for _, l := range s.linesTo("b1 b2", nil) {
			l.flash = s.now + 60*time.Millisecond
		}
		s.stays("site-cut:b", checker.Critical, 1100*time.Millisecond)
	}
	for _, e := range s.seen {
		if e.at > cut && strings.Contains(e.title, "paths are back") {
			t.Errorf("at %v: %s", e.at, e.title)
		}
	}
	if f, _ := s.finding("path-gap:b1/link0"); s.start.Add(cut + 200*time.Millisecond).Before(f.Since) {
		t.Errorf("the gap began at %v, want %v", f.Since.Sub(s.start), cut)
	}
}

// TestExcusedStallInBlackout: a stall of this host in a steady blackout, which the probes' account puts into an outage of its
// own, is no sign that the paths are back.
func TestExcusedStallInBlackout(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(5 * time.Second)
	s.edit = func(in *checker.Input) {
		for i := range in.Paths {
			if sum := &in.Paths[i].Summary; sum.Unanswered > 0 {
				sum.Unanswered, sum.Outage.HostPaused = 3, true
				sum.Outage.Since, sum.Outage.For = in.Now.Add(-150*time.Millisecond), 150*time.Millisecond
			}
		}
	}
	s.stays("site-cut:b", checker.Critical, 500*time.Millisecond)
	s.edit = nil
	s.stays("site-cut:b", checker.Critical, 5*time.Second)
}

// TestBackAfterSplit: after a split probes pass again; until the membership takes the nodes back the split goes on.
func TestBackAfterSplit(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(9 * time.Second)
	s.healSite()
	s.node("b1").left, s.node("b2").left = true, true // not merged yet
	s.stays("site-cut:b", checker.Critical, 8*time.Second)
	s.node("b1").left, s.node("b2").left = false, false
	s.run(20 * time.Second)
	if s.last.Severity > checker.Info {
		t.Errorf("not cleared\n%s", s.log())
	}
}

// TestFlapWithoutAgent: the agent of a peer has been gone for long; a knet flap of 1.6 s is no cut.
func TestFlapWithoutAgent(t *testing.T) {
	for _, told := range []bool{true, false} {
		s := newScene(t, t125, 1, stretched...)
		s.run(30 * time.Second)
		s.stop("b1", told)
		s.run(10 * time.Minute)
		flap := s.now
		s.sayKnet(false, "b1")
		s.run(1600 * time.Millisecond)
		s.edit = nil
		s.run(20 * time.Second)
		s.atMost(flap, checker.Warning)
		if s.last.Severity > checker.Info {
			t.Errorf("told %v: not cleared\n%s", told, s.log())
		}
		for _, e := range s.seen {
			if e.at > flap && strings.Contains(e.title, "out of reach for 10") {
				t.Errorf("told %v: old silence counts: %s", told, e.title)
			}
		}
	}
}

// TestStatusLostWithoutAgent: agents were gone for long, and then Corosync's answers are old: their silence is no news.
func TestStatusLostWithoutAgent(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.node("b1").agentDead, s.node("b2").agentDead = s.now, s.now
	s.run(5 * time.Minute)
	s.in.Status.TokenAt.Warned = s.start.Add(s.now) // unrelated
	s.edit = func(in *checker.Input) { in.Status.TokenAt.Warned = s.in.Status.TokenAt.Warned }
	s.run(5 * time.Minute)
	lost, warned := s.now, s.in.Status.TokenAt.Warned
	s.edit = func(in *checker.Input) { in.Status.Stale, in.Status.TokenAt.Warned = true, warned }
	s.run(10 * time.Second)
	for _, e := range s.seen {
		if e.at > lost && strings.Contains(e.key, "-cut:") && !e.gone {
			t.Errorf("%s %v at %v: %s", e.key, e.severity, e.at, e.title)
		}
	}
	if _, ok := s.finding("agent-silent:b1"); !ok {
		t.Errorf("agent-silent is gone\n%s", s.log())
	}
}

// TestOldEvidence: a token warning long after a peer went silent tells nothing of it.
func TestOldEvidence(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.knetOff = true
	s.edit = func(in *checker.Input) { in.Status = s.in.Status }
	s.run(30 * time.Second)
	s.node("b1").agentDead = s.now
	s.run(time.Minute)
	late := s.now
	s.in.Status.TokenAt.Warned = s.start.Add(s.now)
	s.run(10 * time.Second)
	s.atMost(late, checker.Warning)
}

// TestSplitThenStale: Corosync's answers get old after a split; the cut does not go away for that.
func TestSplitThenStale(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.run(30 * time.Second)
	s.cutSite()
	s.run(9 * time.Second)
	for _, l := range s.linesTo("b1 b2", nil) {
		l.flash = s.now + 400*time.Millisecond // the outage begins anew, with no member
	}
	s.run(time.Second)
	s.edit = func(in *checker.Input) { in.Status.Stale = true }
	s.stays("site-cut:b", checker.Critical, 10*time.Second)
}

// TestAloneWithoutCorosync: no Corosync here, no route, and nobody was ever heard: this node is no member of anything.
func TestAloneWithoutCorosync(t *testing.T) {
	s := newScene(t, t125, 1, stretched...)
	s.knetOff = true
	for _, l := range s.lines {
		l.err, l.unheard = "network is unreachable", true
	}
	s.edit = func(in *checker.Input) {
		in.Status, in.Views = corosync.Status{Daemon: corosync.DaemonStopped}, nil
	}
	s.run(20 * time.Second)
	for _, e := range s.seen {
		if strings.HasPrefix(e.key, "isolated") && e.severity > checker.Warning {
			t.Errorf("critical at %v: %s", e.at, e.title)
		}
		if strings.Contains(e.title, "still hear it") {
			t.Errorf("at %v: %s", e.at, e.title)
		}
	}
}

// TestNoConfigYet: nothing stays in force when there never was a good file.
func TestNoConfigYet(t *testing.T) {
	_, r := checker.Step(checker.State{}, checker.Input{Now: time.Unix(1e9, 0), ConfigErr: "corosync.conf: no such file"})
	if len(r.Findings) == 0 || strings.Contains(r.Findings[0].Title, "stays in force") {
		t.Errorf("%+v", r.Findings)
	}
}

// TestTwoAgentsAfterStart: this agent has only just begun when two others go without a word; knet says connected throughout.
func TestTwoAgentsAfterStart(t *testing.T) {
	for _, token := range []time.Duration{time.Second, t125} {
		s := newScene(t, token, 1, stretched...)
		s.run(3 * time.Second)
		s.node("b1").agentDead, s.node("b2").agentDead = s.now, s.now
		s.run(30 * time.Second)
		s.atMost(0, checker.Warning)
	}
}
