package stats

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const (
	every = 50 * time.Millisecond
	trip  = 4 * time.Millisecond
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// driver plays a network by hand: events are told in the order of their times.
type driver struct {
	p         *Path
	now       time.Duration
	seq       uint32 // of the next probe
	reflector uint32 // of the next reply
}

func newDriver(first uint32) *driver {
	return &driver{p: New(Config{Start: start, Interval: every, Authenticated: true}), seq: first, reflector: 1000}
}

func (d *driver) at() time.Time { return start.Add(d.now) }

func (d *driver) summary() Summary { return d.p.Summary(d.at()) }

// outcome is what happens to a probe of a driver.
type outcome uint8

const (
	pass outcome = iota
	loseForward
	loseBackward
)

// probe sends one probe, lets it meet its fate, and moves on by an interval.
func (d *driver) probe(o outcome) {
	d.p.Sent(d.seq, d.at())
	if o != loseForward {
		if o == pass {
			d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(trip), RTT: trip})
		}
		d.reflector++
	}
	d.seq++
	d.now += every
}

func (d *driver) probes(n int, o outcome) {
	for range n {
		d.probe(o)
	}
}

// event is something that happens at an instant of the twin's world.
type event struct {
	at time.Duration
	do func()
}

// twin is the obvious way to count: it knows everything and remembers everything.
type twin struct {
	sentAt []time.Duration
	fate   []outcome
	late   []bool
	dup    []bool
}

// world makes n probes with random fates and tells them to a Path in the order of time.
func world(r *rand.Rand, p *Path, first uint32, n int) (*twin, time.Duration) {
	w := &twin{}
	var events []event
	reflector := uint32(1 << 30)
	for i := range n {
		at := time.Duration(i) * every
		seq := first + uint32(i)
		o := outcome(0)
		if x := r.Float64(); x < 0.05 {
			o = loseForward
		} else if x < 0.08 {
			o = loseBackward
		}
		w.sentAt, w.fate = append(w.sentAt, at), append(w.fate, o)
		w.late, w.dup = append(w.late, o == pass && r.Float64() < 0.01), append(w.dup, o == pass && r.Float64() < 0.02)
		events = append(events, event{at, func() { p.Sent(seq, start.Add(at)) }})
		mine := reflector
		if o != loseForward {
			reflector++
		}
		if o != pass {
			continue
		}
		back := at + trip
		if w.late[i] {
			back += 1500 * time.Millisecond
		}
		reply := func() { p.Reply(Reply{Seq: seq, Reflector: mine, At: start.Add(back), RTT: back - at}) }
		events = append(events, event{back, reply})
		if w.dup[i] {
			events = append(events, event{back, reply})
		}
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for _, e := range events {
		e.do()
	}
	return w, time.Duration(n) * every
}

// counters counts the probes that left in [from, to), whose fate is decided.
func (w *twin) counters(from, to time.Duration) Counters {
	var c Counters
	for i, at := range w.sentAt {
		if at < from || at >= to {
			continue
		}
		c.Sent++
		switch w.fate[i] {
		case pass:
			c.Received++
		case loseForward:
			c.Lost++
			c.LostForward++
		case loseBackward:
			c.Lost++
			c.LostBackward++
		}
		if w.late[i] {
			c.Late++
			c.Reordered++
		}
		if w.dup[i] {
			c.Duplicated++
		}
	}
	return c
}

func TestCountersAgainstTwin(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		p := New(Config{Start: start, Interval: every})
		first := r.Uint32()
		if seed%2 == 0 {
			first = -uint32(r.IntN(2000)) // the numbers wrap on the way
		}
		n := 4000 + r.IntN(3000)
		w, end := world(r, p, first, n)
		// Long after the last probe everything is decided, but not where those were lost that no answered one encloses.
		s := p.Summary(start.Add(end + 10*time.Second))
		want := w.counters(0, end)
		untold := uint64(slices.Index(w.fate, pass))
		for i := n - 1; w.fate[i] != pass; i-- {
			untold++
		}
		got := s.Total
		if got.LostForward+got.LostBackward+untold != got.Lost || untold == 0 && got != want {
			t.Errorf("seed %d: total\n got %+v\nwant %+v, of which %d cannot be told", seed, got, want, untold)
		}
		for i, win := range s.Windows {
			from := (end + 10*time.Second - win.Length).Truncate(spans[i].width)
			want := w.counters(from, end)
			// Duplicates are booked when they come.
			got := win.Counters
			if got.Sent != want.Sent || got.Received != want.Received || got.Lost != want.Lost || got.Late != want.Late ||
				got.LostForward+got.LostBackward+untold < want.Lost || got.LostForward+got.LostBackward > want.Lost || got.Reordered != want.Reordered {
				t.Errorf("seed %d: %v\n got %+v\nwant %+v", seed, win.Length, got, want)
			}
		}
	}
}

// Numbers that wrap change nothing.
func TestWrap(t *testing.T) {
	var got [2]Summary
	for i, first := range []uint32{1 << 20, ^uint32(0) - 700} {
		p := New(Config{Start: start, Interval: every})
		_, end := world(rand.New(rand.NewPCG(4, 4)), p, first, 1500)
		got[i] = p.Summary(start.Add(end))
	}
	if !equal(got[0], got[1]) {
		t.Errorf("got\n%+v\nwant\n%+v", got[1], got[0])
	}
}

func equal(a, b Summary) bool {
	for i := range a.Windows {
		if a.Windows[i].Counters != b.Windows[i].Counters || a.Windows[i].WorstGap != b.Windows[i].WorstGap ||
			a.Windows[i].WorstGapForward != b.Windows[i].WorstGapForward || a.Windows[i].RTT != b.Windows[i].RTT ||
			!slices.Equal(a.Windows[i].Bursts, b.Windows[i].Bursts) {
			return false
		}
	}
	return a.Total == b.Total && a.RTT == b.RTT && a.Outage == b.Outage && a.Unanswered == b.Unanswered
}

// An outage that outlasts the memory for single probes is still one outage and one gap.
func TestLongOutage(t *testing.T) {
	for _, o := range []outcome{loseForward, loseBackward} {
		d := newDriver(1)
		d.probes(100, pass)
		d.probes(20*600, o)
		s := d.summary()
		if s.Unanswered < 20*600-2 || s.Outage.For != 10*time.Minute || s.Total.Lost < 20*600-25 {
			t.Errorf("unanswered %d, outage %+v, total %+v", s.Unanswered, s.Outage, s.Total)
		}
		d.probes(100, pass)
		s = d.summary()
		if s.Outage.For != 0 || s.Unanswered != 0 || s.Total.Lost != 20*600 {
			t.Errorf("outage %+v, total %+v", s.Outage, s.Total)
		}
		w := s.Windows[4]
		gap, other := w.WorstGapForward, w.WorstGapBackward
		lost, none := w.LostForward, w.LostBackward
		if o == loseBackward {
			gap, other, lost, none = other, gap, none, lost
		}
		if w.WorstGap != 10*time.Minute || gap != w.WorstGap || other != 0 || lost != 20*600 || none != 0 {
			t.Errorf("outcome %d: gaps %v %v %v, %+v", o, w.WorstGap, w.WorstGapForward, w.WorstGapBackward, w.Counters)
		}
		if w.Bursts[longestBurst-1] != 1 {
			t.Errorf("bursts %v", w.Bursts)
		}
		// A gap leaves a window when its end does.
		d.probes(20*11, pass)
		if g := d.summary().Windows[1].WorstGap; g != 0 {
			t.Errorf("worst gap of 10 s, after more than that: %v", g)
		}
	}
}

func TestMixedRun(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	d.probes(3, loseForward)
	d.probes(2, loseBackward)
	d.probes(100, pass)
	s := d.summary()
	if c := s.Total; c.Lost != 5 || c.LostForward != 3 || c.LostBackward != 2 {
		t.Errorf("%+v", c)
	}
	if w := s.Windows[1]; w.WorstGap != 5*every || w.WorstGapForward != 3*every || w.WorstGapBackward != 2*every || w.Bursts[4] != 1 {
		t.Errorf("%v %v %v %v", w.WorstGap, w.WorstGapForward, w.WorstGapBackward, w.Bursts)
	}
}

// A reflector that restarts or only copies numbers cannot tell directions; nothing is made up.
func TestUnknownDirection(t *testing.T) {
	d := newDriver(1)
	d.probes(100, pass)
	d.probes(4, loseForward)
	d.reflector = 0
	d.probes(100, pass)
	if c := d.summary().Total; c.Lost != 4 || c.LostForward+c.LostBackward != 0 {
		t.Errorf("restart: %+v", c)
	}
	p := New(Config{Start: start})
	for i := range uint32(200) {
		at := start.Add(time.Duration(i) * every)
		p.Sent(i, at)
		if i%10 != 5 {
			p.Reply(Reply{Seq: i, Reflector: i, At: at.Add(trip), RTT: trip})
		}
	}
	if c := p.Summary(start.Add(200 * every)).Total; c.Lost < 18 || c.LostForward+c.LostBackward != 0 {
		t.Errorf("stateless: %+v", c)
	}
}

func TestForeignReplies(t *testing.T) {
	d := newDriver(100)
	if f := d.p.Reply(Reply{Seq: 99, At: d.at()}); f != Foreign {
		t.Errorf("before the first probe: %v", f)
	}
	d.probes(1000, pass)
	for _, seq := range []uint32{0, 99, 101, 1100, 5000, 1 << 31} {
		if f := d.p.Reply(Reply{Seq: seq, At: d.at()}); f != Foreign {
			t.Errorf("%d: %v", seq, f)
		}
	}
	if f := d.p.Reply(Reply{Seq: 1099, At: d.at()}); f != Duplicate {
		t.Errorf("the last one again: %v", f)
	}
	if c := d.summary().Total; c.Received != 1000 || c.Duplicated != 1 {
		t.Errorf("%+v", c)
	}
}

// A Path can be asked before anything was sent.
func TestNothingYet(t *testing.T) {
	p := New(Config{Start: start})
	for _, after := range []time.Duration{0, time.Second, 3 * time.Hour} {
		s := p.Summary(start.Add(after))
		if s.EverHeard || s.RTT.Known || s.Outage.For != 0 || s.Unanswered != 0 || s.Total != (Counters{}) || s.Forward.Known {
			t.Errorf("after %v: %+v", after, s)
		}
		if len(s.Windows) != 5 || s.Windows[4].Covered != min(after, time.Hour) {
			t.Errorf("after %v: windows %+v", after, s.Windows)
		}
	}
	p.HostPause(start, start.Add(time.Second))
	p.PeerPause(start, start.Add(time.Second), time.Second)
	p.Corrupt(start)
	p.Departed(3, start)
	p.FullReply(3, start)
}
