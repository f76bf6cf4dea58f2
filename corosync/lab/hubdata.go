//go:build linux

package lab

import (
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// parcel is a packet under way.
type parcel struct {
	due   impair.Instant
	seq   uint64 // keeps the order of packets that are due together
	port  int
	bytes []byte
}

// dueQueue is a binary heap by due time. Package container/heap would box each parcel.
type dueQueue []parcel

func (q dueQueue) less(i, j int) bool {
	return q[i].due < q[j].due || q[i].due == q[j].due && q[i].seq < q[j].seq
}

func (q *dueQueue) push(p parcel) {
	*q = append(*q, p)
	h := *q
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.less(i, parent) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

func (q *dueQueue) pop() parcel {
	h := *q
	top, n := h[0], len(h)-1
	h[0], h[n] = h[n], parcel{}
	h = h[:n]
	*q = h
	for i := 0; ; {
		child := 2*i + 1
		if child >= n {
			return top
		}
		if child+1 < n && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return top
		}
		h[i], h[child] = h[child], h[i]
		i = child
	}
}

// histogram counts durations in buckets of a quarter octave. One thread adds, any may read.
type histogram struct {
	buckets [40 * 4]atomic.Int64 // up to 18 minutes
}

func (h *histogram) add(d time.Duration) {
	h.buckets[min(bucket(max(d, 0)), len(h.buckets)-1)].Add(1)
}

func bucket(d time.Duration) int {
	if d < 4 {
		return int(d)
	}
	octave := bits.Len64(uint64(d)) - 1
	return octave*4 + int(uint64(d)>>(octave-2)&3)
}

// bound is the upper end of a bucket.
func bound(i int) time.Duration {
	if i < 8 {
		return time.Duration(min(i, 3))
	}
	octave, quarter := i/4, i%4
	return time.Duration((4+uint64(quarter)+1)<<(octave-2)) - 1
}

func (h *histogram) read() Lateness {
	l := Lateness{Counts: make([]int64, len(h.buckets))}
	for i := range h.buckets {
		l.Counts[i] = h.buckets[i].Load()
	}
	return l
}

// Since is what came to the histogram after it was like before.
func (l Lateness) Since(before Lateness) Lateness {
	d := Lateness{Counts: slices.Clone(l.Counts)}
	for i := range min(len(d.Counts), len(before.Counts)) {
		d.Counts[i] -= before.Counts[i]
	}
	return d
}

// Count is the number of values.
func (l Lateness) Count() int64 {
	var n int64
	for _, c := range l.Counts {
		n += c
	}
	return n
}

// Quantile is the upper bound of the bucket in which the q-quantile is, q in [0,1]; 1 is the maximum. Buckets are a fifth wide or less.
func (l Lateness) Quantile(q float64) time.Duration {
	n := l.Count()
	if n == 0 {
		return 0
	}
	rank, seen := min(int64(q*float64(n)), n-1), int64(0)
	for i, c := range l.Counts {
		if seen += c; seen > rank {
			return bound(i)
		}
	}
	return 0
}

// lateRing keeps the latest moments at which the hub was late. One thread adds, any may read.
type lateRing struct {
	n     atomic.Int64
	cells [1024]struct{ at, by atomic.Int64 }
}

func (r *lateRing) add(at impair.Instant, by time.Duration) {
	c := &r.cells[r.n.Load()%int64(len(r.cells))]
	c.at.Store(int64(at))
	c.by.Store(int64(by))
	r.n.Add(1)
}

func (r *lateRing) list() []Late {
	n, size := r.n.Load(), int64(len(r.cells))
	var list []Late
	for i := max(0, n-size); i < n; i++ {
		c := &r.cells[i%size]
		list = append(list, Late{At: impair.Instant(c.at.Load()), By: time.Duration(c.by.Load())})
	}
	return list
}

// clock ties Go's monotonic readings to the machine's CLOCK_MONOTONIC, which all processes share.
type clock struct {
	epoch time.Time
	base  impair.Instant
}

func newClock() clock {
	var ts unix.Timespec
	now := time.Now()
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return clock{epoch: now} // cannot be: the clock exists
	}
	return clock{epoch: now, base: impair.Instant(ts.Nano())}
}

func (c clock) now() impair.Instant { return c.base + impair.Instant(time.Since(c.epoch)) }

func (c clock) instant(t time.Time) impair.Instant { return c.base + impair.Instant(t.Sub(c.epoch)) }

func (c clock) time(i impair.Instant) time.Time { return c.epoch.Add(time.Duration(i - c.base)) }
