package trace

import (
	"math"
	"sort"
	"time"
)

// State is what became of a packet.
type State uint8

// States of a Sample.
const (
	Unknown State = iota // nobody can tell: no agent, a stalled host, a bulletin that never came
	Arrived
	Lost
)

// Sample is the fate of what left in one slot.
type Sample struct {
	State State
	Delay time.Duration // one way, as far as it can be known (half of the round trip, and what this packet took longer); valid if Arrived
}

// Series is the record of one path: samples of successive slots. The zero value is an empty one that begins at slot 0. Delays are kept to
// the microsecond, up to 17 minutes.
type Series struct {
	first int   // slot of the first sample kept
	next  int   // slot after the newest
	base  int   // slot that runs count from
	runs  []run // ascending, without holes; never changed once they are there, so that a copy of the Series may be read meanwhile
}

// run is equal samples in a row, up to the next run. It is small: a sick cluster has hundreds of thousands.
type run struct {
	from uint32 // slot, from base
	what packed
}

// packed is a Sample: 2 bits of state, 30 of delay in microseconds.
type packed uint32

const (
	delayBits = 30
	mostDelay = 1<<delayBits - 1
)

func pack(v Sample) packed {
	if v.State != Arrived {
		return packed(v.State&3) << delayBits
	}
	us := max(v.Delay, 0).Round(time.Microsecond) / time.Microsecond
	return packed(Arrived)<<delayBits | packed(min(us, mostDelay))
}

func (p packed) sample() Sample {
	return Sample{State(p >> delayBits), time.Duration(p&mostDelay) * time.Microsecond}
}

// First is the first slot that is kept.
func (s *Series) First() int { return s.first }

// Next is the slot after the newest one.
func (s *Series) Next() int { return s.next }

// Runs is into how many runs of equal samples the series falls: what it costs.
func (s *Series) Runs() int { return len(s.runs) }

// Append adds n equal samples.
func (s *Series) Append(n int, v Sample) {
	if n <= 0 {
		return
	}
	if s.next-s.base > math.MaxUint32-1 {
		s.rebase()
	}
	p := pack(v)
	if len(s.runs) == 0 || s.runs[len(s.runs)-1].what != p {
		s.runs = append(s.runs, run{uint32(s.next - s.base), p})
	}
	s.next += n
}

// rebase counts from a later slot; a series of more than four thousand million slots loses its first half.
func (s *Series) rebase() {
	s.Forget(s.next - math.MaxUint32/2)
	by := s.first - s.base
	runs := make([]run, len(s.runs))
	for i, r := range s.runs {
		runs[i] = run{uint32(max(int(r.from)-by, 0)), r.what}
	}
	s.runs, s.base = runs, s.first
}

// AppendTo fills up to slot next (not included) with v; it does nothing if the series is that long already.
func (s *Series) AppendTo(next int, v Sample) { s.Append(next-s.next, v) }

// At returns the sample of a slot; Unknown outside of what is kept.
func (s *Series) At(slot int) Sample {
	v, _ := s.Run(slot)
	return v
}

// Run returns the sample of a slot and the slot before which all are equal to it.
func (s *Series) Run(slot int) (v Sample, until int) {
	switch {
	case slot < s.first:
		return Sample{}, s.first
	case slot >= s.next:
		return Sample{}, slot + 1
	}
	i := s.after(slot)
	if until = s.next; i < len(s.runs) {
		until = s.base + int(s.runs[i].from)
	}
	return s.runs[i-1].what.sample(), until
}

// after is the first run after a slot's own.
func (s *Series) after(slot int) int {
	return sort.Search(len(s.runs), func(i int) bool { return s.base+int(s.runs[i].from) > slot })
}

// Forget drops what lies before a slot.
func (s *Series) Forget(before int) {
	before = min(before, s.next)
	if before <= s.first {
		return
	}
	if i := s.after(before) - 1; i > 0 {
		s.runs = s.runs[i:]
	}
	s.first = before
}

// cut copies what lies in some slots; slot from becomes slot 0.
func (s *Series) cut(from, to int) *Series {
	out := &Series{}
	for slot := from; slot < to; {
		v, until := s.Run(slot)
		until = min(until, to)
		out.Append(until-slot, v)
		slot = until
	}
	return out
}
