package trace

import (
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

// Series is the record of one path: samples of successive slots. The zero value is an empty one that begins at slot 0.
type Series struct {
	first int   // slot of the first sample kept
	next  int   // slot after the newest
	runs  []run // ascending, without holes
}

// run is equal samples in a row, up to the next run.
type run struct {
	from   int
	sample Sample
}

// First is the first slot that is kept.
func (s *Series) First() int { return s.first }

// Next is the slot after the newest one.
func (s *Series) Next() int { return s.next }

// Append adds n equal samples.
func (s *Series) Append(n int, v Sample) {
	if n <= 0 {
		return
	}
	if len(s.runs) == 0 || s.runs[len(s.runs)-1].sample != v {
		s.runs = append(s.runs, run{s.next, v})
	}
	s.next += n
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
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].from > slot }) // the first run after the slot's own
	if until = s.next; i < len(s.runs) {
		until = s.runs[i].from
	}
	return s.runs[i-1].sample, until
}

// Forget drops what lies before a slot.
func (s *Series) Forget(before int) {
	before = min(before, s.next)
	if before <= s.first {
		return
	}
	i := sort.Search(len(s.runs), func(i int) bool { return s.runs[i].from > before }) - 1
	if i > 0 {
		s.runs = append(s.runs[:0], s.runs[i:]...)
	}
	s.first = before
}
