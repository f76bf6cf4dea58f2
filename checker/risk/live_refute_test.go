package risk

import (
	"slices"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// TestLiveWarned: rings in hindsight of which the path makes a gap beyond 0.75 of the token, and a real one that did not warn of it, or did. Of a log
// that nobody reads silence says nothing.
func TestLiveWarned(t *testing.T) {
	for _, c := range []struct {
		name   string
		read   bool // its log
		warned bool
		outage time.Duration
		rings  bool    // in the middle told so too
		lo, hi float64 // the gap, of the token
	}{
		{"silent", true, false, 1500 * time.Millisecond, true, 0, 0.75},
		{"not read", false, false, 1500 * time.Millisecond, true, 0.75, 0.95},
		{"warned, and so it was", true, true, 1500 * time.Millisecond, true, 0.75, 0.95},
		{"warned of what no ring saw", true, true, 0, false, 0.749, 0.75},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, stretched(t, 1, 0), 4, "1.25", sick{every: 60 * time.Second, length: c.outage}.weather)
			if c.read {
				w.status.LogSince = w.trace.Start
			}
			w.run(60 * time.Second)
			full := w.cluster.Timeouts.Token
			w.run(full * 3 / 4)
			if c.warned {
				w.status.TokenAt.Warned = w.reality().Now
			}
			w.run(30 * time.Second)
			m := w.margin.Ten
			in := func(d time.Duration) bool {
				return d >= time.Duration(c.lo*float64(full)) && d <= time.Duration(c.hi*float64(full))
			}
			if !in(m.Gap()) || in(m.Median) != c.rings || m.Real.Warnings != map[bool]int{true: 1}[c.warned] {
				t.Errorf("token %v: told %v, ring in the middle %v, Corosync %+v", full, m.Gap(), m.Median, m.Real)
			}
		})
	}
}

// TestLiveRefutedAll: when all rings in hindsight were wrong, what Corosync said still holds, until they have begun anew and after: at no time do the
// free ones, which are as wrong, speak for them.
func TestLiveRefutedAll(t *testing.T) {
	for _, c := range []struct {
		name  string
		token time.Duration
		dark  time.Duration
		deaf  bool
		most  float64 // of the token
	}{
		{"a blackout", 0, 1800 * time.Millisecond, false, 0.75},
		{"a blackout, a long token", 10 * time.Second, 10 * time.Second, false, survived}, // too long for rings that are four seconds behind to wait for a warning
		{"probes alone are lost", 0, 30 * time.Second, false, 0.75},
		{"probes alone are lost, and no knet is heard", 0, 30 * time.Second, true, 0.75},
	} {
		w := newWorld(t, stretched(t, 1, c.token), 1, "1.25", sick{}.weather)
		w.probed = sick{every: 100 * time.Second, length: c.dark}.weather
		w.status.LogSince, w.deaf = w.trace.Start, c.deaf
		full := w.cluster.Timeouts.Token
		w.run(100 * time.Second)
		worst := time.Duration(0)
		for range 90 {
			w.run(time.Second)
			if w.margin.At.Sub(w.trace.Start) > 100*time.Second+hindsight+full { // before, the rings are not there
				worst = max(worst, w.margin.Now.Median)
			}
		}
		most := time.Duration(c.most * float64(full))
		if m := w.margin; worst > most || m.Ten.Median > most || m.Ten.Losses < 0.5 {
			t.Errorf("%s, token %v: told %v, of ten minutes %v; the free rings lost %v", c.name, full, worst, m.Ten.Median, m.Ten.Losses)
		}
	}
}

// TestLiveEarly: if Corosync warned, the rings that did too speak for those that did not.
func TestLiveEarly(t *testing.T) {
	told := func(seed uint64, warned bool) (Window, time.Duration, []time.Duration) {
		w := newWorld(t, stretched(t, 1, 0), seed, "1.25", sick{every: 60 * time.Second, length: 700 * time.Millisecond}.weather)
		w.run(60 * time.Second)
		full := w.cluster.Timeouts.Token
		w.run(full * 3 / 4)
		if warned {
			w.status.TokenAt.Warned = w.reality().Now
		}
		w.run(20 * time.Second)
		var sum bucket
		w.live.history.recent.add(&sum, w.live.when(w.live.at), recentFor+1)
		return w.margin.Ten, full * 3 / 4, slices.Sorted(slices.Values(sum.held[:sum.heldRings]))
	}
	for seed := uint64(16); seed < 50; seed++ { // they seldom differ
		m, late, held := told(seed, false)
		if m.Median >= late || held[len(held)-1] < late {
			continue
		}
		if m, _, held = told(seed, true); m.Median < late || held[0] < late {
			t.Errorf("seed %d: told %v, rings %v", seed, m.Median, held)
		}
		return
	}
	t.Fatal("in no run did the rings differ")
}

// TestLiveAgain: a new ring of the same members lost its token, even if this node's Corosync did not count that; one that was left or joined need not have.
func TestLiveAgain(t *testing.T) {
	nothing := func(*world) {}
	leaves := func(w *world) { w.status.Members[4].Joined = false }
	unvoted := func(w *world) { w.status.Quorum.Votes = w.status.Quorum.Votes[:4] }
	for _, c := range []struct {
		name          string
		before, after func(*world) // the ring is told of
		lost          bool
	}{
		{"all stayed", nothing, nothing, true},
		{"one was away for a moment", func(w *world) { w.status.Members[2].JoinCount++ }, nothing, false},
		{"one left, told at once", leaves, nothing, false},
		{"one left, told later", unvoted, leaves, false},
		{"a ring was missed", func(w *world) { w.skip = oneRing }, nothing, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, stretched(t, 1, 0), 4, "1.25", sick{}.weather)
			w.run(40 * time.Second)
			c.before(w)
			w.run(200 * time.Millisecond)
			w.status.RingID.Seq += oneRing + w.skip
			w.run(200 * time.Millisecond)
			c.after(w)
			w.run(20 * time.Second)
			m := w.margin
			if lost := m.Ten.Gap() >= m.Token; !m.Known || lost != c.lost || m.Ten.Real.Losses > 0 {
				t.Errorf("%+v", m.Ten)
			}
		})
	}
}

// TestSaid: what silence says, and when.
func TestSaid(t *testing.T) {
	start := time.Unix(1e9, 0)
	st := corosync.Status{Daemon: corosync.DaemonRunning, SRP: corosync.SRPStats{Known: true}, LogSince: start.Add(-time.Minute)}
	st.TokenAt.Warned = start.Add(20 * time.Second)
	var s said
	s.hear(start.Add(20*time.Second), start, st, news{warnings: 1})
	s.hear(start.Add(40*time.Second), start, st, news{losses: 1})
	s.hear(start.Add(60*time.Second), start, st, news{})
	const token, slack = 3 * time.Second, 2 * time.Second
	for _, c := range []struct {
		at          time.Duration
		kept, quiet bool
	}{
		{10 * time.Second, true, true},
		{19 * time.Second, true, false},
		{22 * time.Second, true, false},
		{23 * time.Second, true, true},
		{37 * time.Second, false, true},
		{42 * time.Second, false, true},
		{50 * time.Second, true, true},
		{59 * time.Second, false, true}, // of a loss it might not have told yet
		{61 * time.Second, false, false},
	} {
		if s.kept(c.at, token) != c.kept || s.quiet(c.at, slack) != c.quiet {
			t.Errorf("%v: kept %v, quiet %v", c.at, s.kept(c.at, token), s.quiet(c.at, slack))
		}
	}
	st.TokenAt.Warned = start.Add(-time.Hour) // by a clock that was set since
	other := said{}
	other.hear(start.Add(20*time.Second), start, st, news{warnings: 1})
	if at, is := other.due(20 * time.Second); !is || at != 20*time.Second {
		t.Errorf("of another clock: %v %v", at, is)
	}
	if _, is := s.due(19 * time.Second); is {
		t.Error("held to a warning before it came")
	}
	if at, is := s.due(20 * time.Second); !is || at != 20*time.Second {
		t.Errorf("due %v %v", at, is)
	}
	if _, is := s.due(time.Hour); is {
		t.Error("held to one warning twice")
	}
	for i := range 2 * lastFew {
		st.TokenAt.Warned = start.Add(time.Minute + time.Duration(i)*time.Second)
		s.hear(start.Add(2*time.Minute), start, st, news{warnings: 1})
	}
	n := 0
	for _, is := s.due(time.Hour); is; _, is = s.due(time.Hour) {
		n++
	}
	if n != lastFew || len(s.warned) != lastFew {
		t.Errorf("%d of the last %d warnings, %d kept", n, lastFew, len(s.warned))
	}
}
