package udp

import (
	"math/rand/v2"
	"testing"
	"time"
)

// world is a machine with a wall clock that can be stepped; its kernel stamps datagrams and queues them.
type world struct {
	boot time.Time
	mono time.Duration
	wall int64
	c    *clock
	q    queue
}

func newWorld() *world {
	w := &world{boot: time.Now(), wall: 1e18}
	w.c = &clock{base: w.boot, offset: w.wall}
	return w
}

func (w *world) pass(d time.Duration) { w.mono += d; w.wall += int64(d) }
func (w *world) step(d time.Duration) { w.wall += int64(d) }

func (w *world) read() reading {
	r := reading{t: w.boot.Add(w.mono), wall: w.wall, mono: w.mono}
	if w.c.observe(r) {
		w.q.suspect = true
	}
	return r
}

func TestInstant(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name string
		play func(w *world) (stamp int64)
		late time.Duration // of the instant behind the arrival
		ok   bool
	}{
		{"read at once", func(w *world) int64 { w.pass(5 * ms); return w.wall }, 0, true},
		{"read later", func(w *world) int64 { w.pass(5 * ms); s := w.wall; w.pass(30 * ms); return s }, 0, true},
		{"process stopped for ten seconds", func(w *world) int64 { w.pass(5 * ms); s := w.wall; w.pass(10 * time.Second); return s }, 0, true},
		{"clock set forward an hour in between", func(w *world) int64 {
			w.pass(5 * ms)
			s := w.wall
			w.pass(20 * ms)
			w.step(time.Hour)
			return s
		}, 20 * ms, false},
		{"set back an hour in between", func(w *world) int64 {
			w.pass(5 * ms)
			s := w.wall
			w.pass(20 * ms)
			w.step(-time.Hour)
			return s
		}, 20 * ms, false},
		{"set forward 300 ms in between, so that the age is possible", func(w *world) int64 {
			w.pass(500 * ms)
			s := w.wall
			w.step(300 * ms)
			w.pass(1 * ms)
			return s
		}, 1 * ms, false},
		{"set back 10 ms while queued for 30", func(w *world) int64 {
			w.pass(500 * ms)
			s := w.wall
			w.pass(30 * ms)
			w.step(-10 * ms)
			return s
		}, 30 * ms, false},
		{"set before it arrived", func(w *world) int64 {
			w.step(time.Hour)
			w.read()
			w.q.drained(w.read(), true)
			w.pass(ms)
			return w.wall
		}, 0, true},
		{"from the future", func(w *world) int64 { return w.wall + int64(ms) }, 0, false},
		{"from the future by rounding", func(w *world) int64 { return w.wall + 100 }, 0, true},
		{"older than the empty queue", func(w *world) int64 {
			s := w.wall
			w.pass(time.Second)
			w.q.drained(w.read(), true)
			w.pass(ms)
			return s
		}, 0, false},
		{"none", func(w *world) int64 { return 0 }, 0, false},
	} {
		w := newWorld()
		stamp := tt.play(w)
		before := w.mono
		r := w.read()
		at, ok := w.q.instant(r, stamp)
		if ok != tt.ok {
			t.Errorf("%s: believed %t", tt.name, ok)
		}
		if !ok && !at.Equal(r.t) {
			t.Errorf("%s: not the time of reading", tt.name)
		}
		if age := r.t.Sub(at); ok && age < 0 || age > before {
			t.Errorf("%s: age %v", tt.name, age)
		}
		if tt.late > 0 && r.t.Sub(at) != 0 {
			t.Errorf("%s: age %v", tt.name, r.t.Sub(at))
		}
	}
}

// However the wall clock is stepped, an instant lies between the arrival and the reading, within what the clock promises: a step
// never makes a gap, nor a negative round-trip time.
func TestInstantUnderSteps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	w := newWorld()
	believed, total := 0, 0
	type pending struct {
		stamp int64
		mono  time.Duration
	}
	var q []pending
	stepped := false
	for range 200_000 {
		n := rnd.IntN(20)
		if stepped && n < 2 {
			continue // two steps between two readings may cancel out, unseen; nobody does that
		}
		stepped = stepped || n < 2
		switch n {
		case 0:
			w.step(time.Duration(rnd.Int64N(int64(2*time.Hour))) - time.Hour)
		case 1:
			w.step(time.Duration(rnd.Int64N(int64(20*time.Millisecond))) - 10*time.Millisecond)
		case 2, 3, 4, 5, 6, 7, 8:
			q = append(q, pending{w.wall, w.mono})
		case 9:
			w.pass(time.Duration(rnd.Int64N(int64(3 * time.Second))))
		default:
			w.pass(time.Duration(rnd.Int64N(int64(time.Millisecond))))
			n := min(len(q), 4)
			r := w.read()
			stepped = false
			for _, p := range q[:n] {
				at, ok := w.q.instant(r, p.stamp)
				total++
				if ok {
					believed++
				}
				arrival := w.boot.Add(p.mono)
				if d := at.Sub(arrival); d < -2*stepTolerance || at.After(r.t) {
					t.Fatalf("%v before it arrived", -d)
				} else if ok && d > 2*stepTolerance {
					t.Fatalf("believed, and %v late", d)
				}
			}
			q = q[n:]
			w.q.drained(r, n < 4)
		}
	}
	if believed < total/3 {
		t.Errorf("only %d of %d stamps believed", believed, total)
	}
}

func TestClockReads(t *testing.T) {
	c := newClock(time.Now())
	for range 1000 {
		if r := c.read(); r.t.IsZero() || c.observe(r) {
			t.Errorf("step seen: offset %d, %+v", c.offset, r)
		}
	}
}
