package stats

import (
	"sort"
	"time"
)

// Grid cuts time into slots of equal length, as a record of many paths needs them: slot i begins at Begin + i Slot.
type Grid struct {
	Begin time.Time // with a monotonic reading
	Slot  time.Duration
}

// Slot is what became of a packet that left in a slot of a Grid.
type Slot struct {
	State SlotState
	Delay time.Duration // one way; valid if SlotArrived
}

// SlotState is what became of a packet.
type SlotState uint8

// States of a Slot.
const (
	SlotUnknown SlotState = iota // none left, a stall of this host may have hidden it, or it is too long ago
	SlotArrived
	SlotLost   // newer ones arrived
	SlotSilent // it did not arrive, and nothing newer: lost, or the sender is silent
)

// reorderFor is how long a missing packet may still come after newer ones.
const reorderFor = 300 * time.Millisecond

// phase keeps the packets of a path apart in a grid: packets that leave once a slot, give or take a millisecond, must each fall into one of
// their own, also when they leave about when slots begin. So a path's slots are shifted by where in a slot its packets leave.
type phase struct {
	known bool
	ns    int64
}

// learn takes in when a packet left, since a slot's begin.
func (f *phase) learn(left, slot int64) {
	d := mod(left-f.ns+slot/2, slot) - slot/2 // from where it was expected, in the slot that is nearest
	if !f.known || d < -slot/4 || d > slot/4 {
		f.known, f.ns = true, mod(left, slot)
		return
	}
	f.ns += d / 16
	switch { // it may wander a little beyond the slot, so that it does not jump to and fro
	case f.ns < -slot/4:
		f.ns += slot
	case f.ns > slot+slot/4:
		f.ns -= slot
	}
}

// remembered looks at packets by their numbers: those from oldest to before next are remembered, and left tells when each left, ascending.
type remembered struct {
	oldest, next uint32
	left         func(seq uint32) int64
}

// near returns the packet that left next to an instant; not ok if there are none.
func (r remembered) near(t int64) (seq uint32, ok bool) {
	n := int(r.next - r.oldest)
	if n <= 0 {
		return 0, false
	}
	// Mostly it is one of the newest: ever longer steps back.
	from, step := n, 1
	for from > 0 && r.left(r.oldest+uint32(from-1)) >= t {
		from, step = max(from-step, 0), 2*step
	}
	i := from + sort.Search(min(step/2, n-from), func(i int) bool { return r.left(r.oldest+uint32(from+i)) >= t })
	if i == n || i > 0 && t-r.left(r.oldest+uint32(i-1)) <= r.left(r.oldest+uint32(i))-t {
		i--
	}
	return r.oldest + uint32(i), true
}

// mod is a modulo m, in [0, m).
func mod(a, m int64) int64 { return ((a % m) + m) % m }

// hidden says whether this host stalled around an instant: what did not arrive then may have arrived. After a stall the first look may come
// before what the kernel kept is read.
func (p *Path) hidden(from, to int64) bool {
	for _, x := range p.pauses.pauses[:p.pauses.n] {
		if from <= x.to+int64(pauseReach) && to >= x.from {
			return true
		}
	}
	return false
}

// pauseReach is how long after a stall its effects last.
const pauseReach = 50 * time.Millisecond
