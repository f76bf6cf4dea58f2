package stats

import (
	"testing"
	"time"
)

// Probes that were on their way when this host stalled are excused when they stay without an answer; others are not.
func TestHostPauseExcuses(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	d.probes(2, loseForward) // real loss, before
	d.probes(100, pass)
	from := d.at()
	d.probe(loseBackward) // its reply would have come into the stall
	d.now = from.Sub(start) + time.Second
	d.p.HostPause(from.Add(time.Millisecond), d.at())
	d.probes(100, pass)
	d.probes(1, loseForward)
	d.probes(40, pass)
	s := d.summary()
	w := s.Windows[2]
	if c := s.Total; c.Lost != 3 || c.LostForward != 3 || c.HostPaused != 1 || c.Sent != c.Received+4 {
		t.Errorf("%+v", c)
	}
	if w.WorstGap != 2*every || w.WorstGapForward != 2*every || w.WorstGapBackward != 0 {
		t.Errorf("gaps %v %v %v, want those of the loss before", w.WorstGap, w.WorstGapForward, w.WorstGapBackward)
	}
}

// A stall that is told after its probes were already called lost takes that back.
func TestHostPauseToldLate(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	from := d.at()
	d.probes(2, loseBackward)
	d.now += 5 * time.Second
	if s := d.summary(); s.Total.Lost != 2 || s.Outage.For < 5*time.Second {
		t.Errorf("before the stall is known: %+v %+v", s.Total, s.Outage)
	}
	d.p.HostPause(from, d.at())
	if s := d.summary(); s.Total.Lost != 0 || s.Total.HostPaused != 2 || s.Outage.For != 0 || s.Unanswered != 0 || s.Forward.Gap > every {
		t.Errorf("after: %+v %+v %v", s.Total, s.Outage, s.Forward.Gap)
	}
	d.probes(100, pass)
	if s := d.summary(); s.Total.Lost != 0 || s.Windows[1].WorstGap != 0 || s.Windows[1].Bursts[1] != 0 {
		t.Errorf("later: %+v %+v", s.Total, s.Windows[1])
	}
}

// Many short stalls in a long outage do not hide it: probes between them go unanswered.
func TestShortStallsDoNotHideAnOutage(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	since := d.at()
	for range 10 {
		d.probes(10, loseForward)
		d.p.HostPause(d.at().Add(-40*time.Millisecond), d.at())
	}
	s := d.summary()
	if !s.Outage.Since.Equal(since) || s.Outage.For != 5*time.Second || s.Total.HostPaused+s.Total.Lost > 100 {
		t.Errorf("%+v %+v", s.Outage, s.Total)
	}
	if g := s.Windows[1].WorstGap; g < 4800*time.Millisecond {
		t.Errorf("open gap %v", g)
	}
	d.probes(30, pass)
	if g := d.summary().Windows[1].WorstGap; g < 4800*time.Millisecond || g > 5*time.Second {
		t.Errorf("closed gap %v", g)
	}
}

func TestPeerPause(t *testing.T) {
	for _, c := range []struct {
		longest time.Duration
		excused bool
	}{
		{0, false}, {200 * time.Millisecond, false}, {time.Second, true}, {-time.Second, false},
	} {
		d := newDriver(1)
		d.probes(200, pass)
		d.probes(20, loseForward) // a second
		d.probes(40, pass)
		d.p.PeerPause(d.at().Add(-10*time.Second), d.at(), c.longest)
		s := d.summary()
		if got := s.Total.Lost == 0 && s.Total.HostPaused == 20 && s.Windows[2].WorstGap == 0; got != c.excused {
			t.Errorf("%v: %+v, worst gap %v", c.longest, s.Total, s.Windows[2].WorstGap)
		}
		if s.Total.LostForward > s.Total.Lost {
			t.Errorf("%v: %+v", c.longest, s.Total)
		}
	}
}

// A peer's stall explains what was lost then, and nothing else.
func TestPeerPauseIsLocated(t *testing.T) {
	d := newDriver(1)
	d.probes(200, pass)
	d.probes(1, loseForward) // real
	d.probes(40, pass)
	from := d.at()
	d.probes(5, loseForward) // the stall
	to := d.at()
	d.probes(40, pass)
	d.probes(1, loseForward) // real
	d.probes(40, pass)
	d.p.PeerPause(from, to, to.Sub(from))
	if s := d.summary(); s.Total.Lost != 2 || s.Total.HostPaused != 5 || s.Windows[2].WorstGap != every {
		t.Errorf("%+v, worst gap %v", s.Total, s.Windows[2].WorstGap)
	}
}

// However long a stall a peer tells of, it explains no more than some seconds, and no longer loss.
func TestPeerPauseIsBounded(t *testing.T) {
	d := newDriver(1)
	d.probes(200, pass)
	d.probes(1, loseForward)
	d.probes(150, pass)
	d.probes(1, loseForward)
	d.probes(40, pass)
	d.p.PeerPause(start, d.at(), time.Hour)
	if s := d.summary(); s.Total.Lost != 1 || s.Total.HostPaused != 1 {
		t.Errorf("%+v", s.Total)
	}
	d.probes(140, loseForward) // 7 s
	d.probes(40, pass)
	d.p.PeerPause(d.at().Add(-time.Hour), d.at(), time.Hour)
	if s := d.summary(); s.Total.Lost != 141 || s.Windows[2].WorstGap != 140*every {
		t.Errorf("%+v, worst gap %v", s.Total, s.Windows[2].WorstGap)
	}
}

// A short stall of a peer loses nothing: what was lost is the network's.
func TestShortPeerPause(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	d.probes(2, loseForward)
	d.probes(40, pass)
	d.p.PeerPause(d.at().Add(-10*time.Second), d.at(), 150*time.Millisecond)
	if s := d.summary(); s.Total.Lost != 2 || s.Windows[2].WorstGap != 2*every {
		t.Errorf("%+v", s.Total)
	}
}

// A peer whose process stalled while its kernel went on answers late, but its residence tells.
func TestResidenceIsNoGap(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	begin := d.now
	for i := range 10 {
		d.p.Sent(d.seq+uint32(i), start.Add(begin+time.Duration(i)*every))
	}
	resume := start.Add(begin + 10*every)
	if s := d.p.Summary(resume); s.Outage.For < 9*every {
		t.Errorf("while nothing is answered: %+v", s.Outage)
	}
	for range 10 {
		d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: resume.Add(trip), RTT: trip})
		d.seq++
		d.reflector++
	}
	d.now = begin + 10*every
	d.probes(100, pass)
	s := d.summary()
	if w := s.Windows[1]; w.WorstGap != 0 || w.Lost != 0 || w.RTT.Max != trip || s.Outage.For != 0 {
		t.Errorf("%v %+v %+v %+v", w.WorstGap, w.Counters, w.RTT, s.Outage)
	}
}

// A probe that this host was slow to send did not take long: what counts is when the kernel sent it.
func TestDeparted(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	left := d.at().Add(400 * time.Millisecond)
	d.p.Sent(d.seq, d.at())
	d.p.Departed(d.seq, left)
	if at, ok := d.p.SentAt(d.seq); !ok || !at.Equal(left) {
		t.Errorf("sent at %v %v", at, ok)
	}
	if s := d.p.Summary(left.Add(time.Millisecond)); s.Outage.For != 0 || s.Unanswered != 0 {
		t.Errorf("%+v", s.Outage)
	}
	d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: left.Add(trip), RTT: trip})
	if w := d.p.Summary(left.Add(time.Second)).Windows[1]; w.WorstGap != 0 || w.RTT.Max != trip {
		t.Errorf("%v %+v", w.WorstGap, w.RTT)
	}
}

// hears tells of n requests of the peer, every interval, of which some are lost.
func (d *driver) hears(seq *uint32, n int, lost bool) {
	for range n {
		if !lost {
			d.p.Heard(Heard{Session: 9, Seq: *seq, At: d.at()})
		}
		*seq++
		d.now += every
	}
}

// The peer's own requests tell the way back apart, also while this end does not probe.
func TestHeard(t *testing.T) {
	d := newDriver(1)
	seq := ^uint32(0) - 50
	d.hears(&seq, 100, false)
	d.hears(&seq, 6, true)
	d.hears(&seq, 100, false)
	w := d.summary().Windows[2]
	if w.WorstGapBackward != 6*every || w.WorstGapForward != 0 || w.WorstGap != 0 {
		t.Errorf("gaps %v %v %v", w.WorstGap, w.WorstGapForward, w.WorstGapBackward)
	}
	// A peer that sends nothing for a while leaves no hole in its numbers.
	d.now += 3 * time.Second
	d.hears(&seq, 100, false)
	if w := d.summary().Windows[2]; w.WorstGapBackward != 6*every {
		t.Errorf("the peer's pause: %v", w.WorstGapBackward)
	}
	// Nor does such a pause make a loss after it longer than it was.
	d.now += 3 * time.Second
	seq++
	d.hears(&seq, 100, false)
	if w := d.summary().Windows[2]; w.WorstGapBackward != 6*every {
		t.Errorf("a loss in the peer's pause: %v", w.WorstGapBackward)
	}
	// A new session begins a new numbering.
	d.p.Heard(Heard{Session: 10, Seq: 5, At: d.at()})
	d.now += every
	d.p.Heard(Heard{Session: 10, Seq: 6, At: d.at()})
	s := d.summary()
	if s.Windows[2].WorstGapBackward != 6*every || !s.LastHeard.Equal(d.at()) || !s.EverHeard {
		t.Errorf("new session: %v %v", s.Windows[2].WorstGapBackward, s.LastHeard)
	}
}

// hearsBoth tells of n requests of each 50 ms, and of a full-size one in between each half second; those of the times in lost don't come.
func (d *driver) hearsBoth(n int, lost func(i int, full bool) bool) {
	for i := range n {
		if !lost(i, false) {
			d.p.Heard(Heard{Session: 9, Seq: uint32(i), At: d.at()})
		}
		if i%10 == 5 && !lost(i, true) {
			d.p.Heard(Heard{Session: 8, Seq: uint32(i / 10), At: d.at().Add(20 * time.Millisecond)})
		}
		d.now += every
	}
}

// A peer has two sessions, whose numbers are apart.
func TestHeardSessions(t *testing.T) {
	within := func(from, to int) func(int, bool) bool {
		return func(i int, _ bool) bool { return i >= from && i < to }
	}
	for name, c := range map[string]struct {
		lost func(i int, full bool) bool
		want time.Duration
	}{
		"nothing":                    {within(0, 0), 0},
		"between full-size probes":   {within(208, 212), 4 * every},
		"up to a full-size probe":    {within(202, 205), 3 * every},
		"just before one":            {func(i int, full bool) bool { return i >= 202 && i <= 205 && !full }, 4 * every},
		"just after one":             {within(206, 209), 3 * every},
		"with a full-size probe":     {within(203, 209), 6 * every},
		"with two":                   {within(203, 218), 15 * every},
		"a full-size probe only":     {func(i int, full bool) bool { return full && i == 205 }, 0},
		"all full-size probes":       {func(_ int, full bool) bool { return full }, 0},
		"full-size ones for a while": {func(i int, full bool) bool { return full && i > 100 && i < 300 }, 0},
		"for long":                   {within(101, 395), 294 * every},
	} {
		d := newDriver(1)
		d.hearsBoth(400, c.lost)
		d.p.Heard(Heard{Session: 9, Seq: 400, At: d.at()})
		w := d.summary().Windows[2]
		if (w.WorstGapBackward-c.want).Abs() > every/2 || w.WorstGap != 0 || w.WorstGapForward != 0 {
			t.Errorf("%s: %v, want %v", name, w.WorstGapBackward, c.want)
		}
	}
}

// Full-size probes are counted apart, and only when their fate is decided.
func TestFull(t *testing.T) {
	p := New(Config{Start: start, FullSize: 1472})
	at := start
	for seq := range uint32(100) {
		p.FullSent(seq, at)
		if seq < 50 {
			p.FullReply(seq, at.Add(trip))
		}
		at = at.Add(500 * time.Millisecond)
	}
	s := p.Summary(at)
	if s.Full.Size != 1472 || s.Full.Received != 0 || s.Full.Sent < 18 || s.Full.Sent > 20 || s.Total != (Counters{}) {
		t.Errorf("%+v %+v", s.Full, s.Total)
	}
	if f := p.FullReply(99, at); f != Fresh {
		t.Errorf("%v", f)
	}
	if f := p.FullReply(99, at); f != Duplicate {
		t.Errorf("%v", f)
	}
	if f := p.FullReply(100, at); f != Foreign {
		t.Errorf("%v", f)
	}
}

// What was ever sent and came back stays known: probes whose fate is open, or that a stall excuses, are not among them.
func TestFullOfAllTime(t *testing.T) {
	p := New(Config{Start: start, FullSize: 1472})
	p.Sent(0, start)
	at := start
	for seq := range uint32(1000) {
		p.FullSent(seq, at)
		if seq%10 != 0 {
			p.FullReply(seq, at.Add(trip))
		}
		at = at.Add(500 * time.Millisecond)
	}
	if s := p.Summary(at).Full; s.AllReceived != 900 || s.AllSent != 1000 {
		t.Errorf("%+v: 900 of 1000 were answered", s)
	}
	p.FullSent(1000, at)
	if s := p.Summary(at.Add(trip)).Full; s.AllSent != 1000 {
		t.Errorf("%+v: the fate of the newest is open", s)
	}
	p.HostPause(at.Add(-time.Millisecond), at.Add(time.Second))
	if s := p.Summary(at.Add(10 * time.Second)).Full; s.AllSent != 1000 {
		t.Errorf("%+v: the one in the stall counts", s)
	}
	p.FullReply(1000, at.Add(1100*time.Millisecond))
	if s := p.Summary(at.Add(10 * time.Second)).Full; s.AllSent != 1001 || s.AllReceived != 901 {
		t.Errorf("%+v: it was answered after all", s)
	}
}

// The longest run of losses is exact, whenever it was, and grows while it goes on.
func TestLongestLoss(t *testing.T) {
	d := newDriver(1)
	d.probes(10, pass)
	d.probes(37, loseForward)
	d.probes(100_000, pass)
	d.probes(5, loseBackward)
	d.probes(100, pass)
	if s := d.summary(); s.LongestLoss != 37 || s.Total.Lost != 42 {
		t.Errorf("%d of %d", s.LongestLoss, s.Total.Lost)
	}
	d.probes(200, loseForward)
	if s := d.summary(); s.LongestLoss < 170 || s.LongestLoss > 200 {
		t.Errorf("%d and going on", s.LongestLoss)
	}
}

// A gap that is open when the last probe left does not grow while its answer is waited for.
func TestHush(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	d.probes(4, loseForward)
	d.p.Hush(d.at())
	d.now += 5 * time.Second
	s := d.summary()
	if w := s.Windows[2]; s.Total.Lost != 4 || w.WorstGap > 4*every {
		t.Errorf("%d lost, worst gap %v", s.Total.Lost, w.WorstGap)
	}
	d.probes(30, loseForward)
	if s := d.summary(); s.Outage.For < time.Second {
		t.Errorf("probes leave again: %+v", s.Outage)
	}
}
