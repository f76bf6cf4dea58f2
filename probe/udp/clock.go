package udp

import "time"

// reading is the wall clock and the monotonic clock, read together.
type reading struct {
	t    time.Time     // has both
	wall int64         // nanoseconds since 1970
	mono time.Duration // since the clock was made
	gap  time.Duration // how far apart the two may have been read
}

const (
	// readTogether is how far apart the two clocks may be read. The process may be descheduled in between; then it is done again.
	readTogether = 20 * time.Microsecond
	// stepTolerance: a change of wall minus monotonic clock beyond this is a step. NTP's slewing moves both clocks alike, so
	// their difference stands still unless somebody steps the wall clock.
	stepTolerance = 200 * time.Microsecond
	// ahead is how far a stamp may lie in the future (of a reading made after it) by rounding.
	ahead = 50 * time.Microsecond
	// behind is how much earlier than its arrival in the queue a datagram may have been stamped: softirq may be kept waiting.
	behind = 100 * time.Millisecond
)

// clock turns the kernel's wall-clock stamps into instants. A stamp is believed if no step of the wall clock can have come between it and
// its reading (two that cancel out are not seen), and if its age is possible: what is read from a queue arrived after that queue was last seen empty.
type clock struct {
	base   time.Time
	offset int64         // wall - mono of the last reading
	gap    time.Duration // of the last reading
}

func newClock(now time.Time) *clock {
	c := &clock{base: now}
	r := c.read()
	c.offset, c.gap = r.wall-int64(r.mono), r.gap
	return c
}

// read reads both clocks, close together if that is to be had.
func (c *clock) read() reading {
	best := reading{gap: time.Duration(1<<63 - 1)}
	for range 4 {
		// time.Now reads the wall clock, then the monotonic one: the second wall reading lies between the two monotonic ones.
		before, now := time.Now(), time.Now()
		if gap := now.Sub(before); gap < best.gap {
			best = reading{t: now, wall: now.UnixNano(), mono: now.Sub(c.base), gap: gap}
		}
		if best.gap <= readTogether {
			break
		}
	}
	return best
}

// observe takes note of a reading and reports whether the wall clock was stepped since the one before.
func (c *clock) observe(r reading) (stepped bool) {
	off := r.wall - int64(r.mono)
	stepped = time.Duration(off-c.offset).Abs() > stepTolerance+r.gap+c.gap
	c.offset, c.gap = off, r.gap
	return stepped
}

// queue is what the clock must know of one queue to judge stamps that are read from it.
type queue struct {
	empty   time.Duration // monotonic time at which it was last seen empty
	suspect bool          // the wall clock was stepped since
}

// drained notes whether the queue was seen empty at r, after its stamps have been judged.
func (q *queue) drained(r reading, isEmpty bool) {
	if isEmpty {
		q.empty, q.suspect = r.mono, false
	}
}

// instant returns the instant of a stamp (nanoseconds since 1970) that was read from q just before r, or r itself and false
// if the stamp cannot be believed.
func (q *queue) instant(r reading, stamp int64) (time.Time, bool) {
	if stamp == 0 || q.suspect {
		return r.t, false
	}
	age := time.Duration(r.wall - stamp)
	if age < -ahead || age > r.mono-q.empty+behind {
		return r.t, false
	}
	return r.t.Add(-max(age, 0)), true
}
