package stats

import (
	"math"
	"time"
)

// spans are the sliding windows of a Summary. Each is kept in slots of its own width, so that an event costs the same whatever
// the length, and a window covers its length and at most one slot more.
var spans = [...]struct{ length, width time.Duration }{
	{time.Second, 100 * time.Millisecond},
	{10 * time.Second, time.Second},
	{time.Minute, 5 * time.Second},
	{10 * time.Minute, time.Minute},
	{time.Hour, 5 * time.Minute},
}

// longestBurst is the length of Window.Bursts: its last element counts runs of that many lost probes or more.
const longestBurst = 10

// tally names the counters of a slot.
type tally uint8

const (
	sent tally = iota
	received
	lost
	lostForward
	lostBackward
	late
	reordered
	duplicated
	corrupt
	paused
	tallies
)

// slot holds what began in one stretch of time (for RTT samples: what arrived in it).
type slot struct {
	number   int64 // start of the stretch / width; -1 when empty
	count    [tallies]uint32
	run      uint32 // the run of lost probes that runLost is about
	runLost  uint32
	bursts   [longestBurst]uint16
	round    int64 // worst gaps that ended here, ns
	forward  int64
	backward int64

	samples uint32
	sum     time.Duration
	min     time.Duration
	max     time.Duration
	bins    []bin // of a closed slot
}

// bin is one non-empty bin of a closed slot's histogram.
type bin struct{ index, n uint16 }

// level is one sliding window: its slots, and the histogram of the slot that is being filled.
type level struct {
	width int64
	slots []slot
	asked *slot // which at returned last, and when it begins: nearly always the one that is asked for next, and divisions are slow
	begin int64
	open  int64 // number of the slot that dense belongs to; -1 for none
	dense [binCount]uint16
	first int // bins from first to last are in use
	last  int
}

func newLevel(length, width time.Duration) level {
	l := level{width: int64(width), slots: make([]slot, length/width+1), begin: -int64(width), open: -1, first: binCount}
	for i := range l.slots {
		l.slots[i].number = -1
	}
	return l
}

// at returns the slot of an instant, nil if it is too old to be kept.
func (l *level) at(t int64) *slot {
	if t < 0 {
		return nil
	}
	if since := t - l.begin; since >= 0 && since < l.width {
		return l.asked
	}
	number := t / l.width
	s := &l.slots[number%int64(len(l.slots))]
	if s.number > number {
		return nil
	}
	if s.number < number {
		*s = slot{number: number, bins: s.bins[:0]}
	}
	l.asked, l.begin = s, number*l.width
	return s
}

// sample adds an RTT that arrived at t.
func (l *level) sample(t int64, rtt time.Duration) {
	if t = max(t, 0); t >= (l.open+1)*l.width {
		l.close()
		l.open = t / l.width
	}
	s := l.at(l.open * l.width)
	if s == nil {
		return
	}
	if s.samples == 0 || rtt < s.min {
		s.min = rtt
	}
	s.max = max(s.max, rtt)
	s.sum += rtt
	s.samples++
	i := binOf(rtt)
	l.first, l.last = min(l.first, i), max(l.last, i)
	if l.dense[i] < math.MaxUint16 {
		l.dense[i]++
	}
}

// close moves the open histogram into its slot, in short form.
func (l *level) close() {
	if l.open < 0 {
		return
	}
	s := l.at(l.open * l.width)
	for i := l.first; i <= l.last; i++ {
		if n := l.dense[i]; n > 0 && s != nil {
			s.bins = append(s.bins, bin{uint16(i), n})
		}
		l.dense[i] = 0
	}
	l.first, l.last = binCount, 0
}

// window sums the slots that reach into the window which ends at now. h is scratch space and must be zero.
func (l *level) window(now int64, w *Window, h *Histogram) {
	oldest := (now - int64(w.Length)) / l.width
	newest := now / l.width
	for i := range l.slots {
		s := &l.slots[i]
		if s.number < 0 || s.number < oldest || s.number > newest {
			continue
		}
		w.add(&s.count)
		w.WorstGap = max(w.WorstGap, time.Duration(s.round))
		w.WorstGapForward = max(w.WorstGapForward, time.Duration(s.forward))
		w.WorstGapBackward = max(w.WorstGapBackward, time.Duration(s.backward))
		for k, n := range s.bursts {
			w.Bursts[k] += uint64(n)
		}
		h.span(uint64(s.samples), s.sum, s.min, s.max)
		for _, b := range s.bins {
			h.bins[b.index] += uint32(b.n)
		}
		if s.number == l.open {
			for k := l.first; k <= l.last; k++ {
				h.bins[k] += uint32(l.dense[k])
			}
		}
	}
	w.RTT = h.Quantiles()
}

// add adds the counters of a slot.
func (c *Counters) add(n *[tallies]uint32) {
	c.Sent += uint64(n[sent])
	c.Received += uint64(n[received])
	c.Lost += uint64(n[lost])
	c.LostForward += uint64(n[lostForward])
	c.LostBackward += uint64(n[lostBackward])
	c.Late += uint64(n[late])
	c.Reordered += uint64(n[reordered])
	c.Duplicated += uint64(n[duplicated])
	c.Corrupt += uint64(n[corrupt])
	c.HostPaused += uint64(n[paused])
}
