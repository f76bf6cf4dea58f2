package stats

import (
	"math"
	"time"
)

// tookUnit is what record.took counts.
const tookUnit = 100 * time.Microsecond

func tookOf(rtt time.Duration) uint16 {
	return uint16(min(max(rtt, 0).Round(tookUnit)/tookUnit, math.MaxUint16))
}

// RoundTrips appends what became of our own probes, slot by slot from a number on, both ways, as far as it is decided at an instant. It is
// what there is for a peer that sends no requests of its own: a lost probe is lost in the direction that is known, else in both, and
// one that is answered took half of its round trip each way. A slot's way back is that of the probe that left in the slot.
func (p *Path) RoundTrips(out, back []Slot, g Grid, from int, now time.Time) (_, _ []Slot) {
	if !p.begun {
		return out, back
	}
	t, begin := p.since(now), int64(g.Begin.Sub(p.cfg.Start))
	p.advance(t)
	r := p.remembered()
	if n := r.next - r.oldest; n == 0 {
		return out, back
	}
	p.outgoing.learn(r.left(r.next-1)-begin, int64(g.Slot))
	for slot := from; ; slot++ {
		x := begin + int64(slot)*int64(g.Slot) + p.outgoing.ns
		seq, ok := r.near(x)
		e := p.record(seq)
		switch apart := time.Duration(x - e.at); {
		case !ok || x > t || e.fate == pending || e.fate == shielded || seq == r.next-1 && apart > 0 && time.Duration(t-x) < reorderFor:
			return out, back
		case apart.Abs() > max(g.Slot, p.cfg.Interval)*3/4:
			out, back = append(out, Slot{}), append(back, Slot{})
		default:
			a, b := e.ways()
			out, back = append(out, a), append(back, b)
		}
	}
}

// remembered are our probes that the ring holds.
func (p *Path) remembered() remembered {
	r := remembered{oldest: p.oldest(), next: p.next, left: func(seq uint32) int64 { return p.record(seq).at }}
	for r.oldest != r.next && p.record(r.oldest).fate == void {
		r.oldest++
	}
	return r
}

// ways is what a probe tells of both directions.
func (r *record) ways() (out, back Slot) {
	usual := Slot{SlotArrived, time.Duration(r.took) * tookUnit / 2}
	switch {
	case r.fate == answered:
		return usual, usual
	case r.fate != gone:
		return Slot{}, Slot{}
	case r.way == lostForward:
		return Slot{State: SlotLost}, Slot{}
	case r.way == lostBackward:
		return Slot{}, Slot{State: SlotLost}
	}
	return Slot{State: SlotLost}, Slot{State: SlotLost}
}
