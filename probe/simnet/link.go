package simnet

import (
	"math/rand/v2"
	"time"
)

// Link is what one direction between two addresses does to datagrams. The zero Link is perfect. Ratios are in [0,1].
type Link struct {
	Delay     time.Duration
	Jitter    time.Duration // added to Delay, uniform in [0,Jitter), keeping the order
	Loss      float64       // independent loss
	Bursts    Bursts        // loss in bursts, on top
	Down      bool          // nothing gets through, and nobody says so
	Duplicate float64       // arrive twice
	Reorder   float64       // arrive ReorderBy late, so that later ones overtake
	ReorderBy time.Duration // default 2 ms
	Corrupt   float64       // arrive with a bit flipped
	MTU       int           // IP bytes; larger datagrams don't pass (0: no limit)
	BlackHole bool          // nobody says so when a datagram is above the MTU
}

// Bursts is a Gilbert-Elliott loss process: a link is good or bad, and each datagram may change that.
type Bursts struct {
	Enter float64 // probability to go from good to bad
	Leave float64 // probability to go from bad to good
	Loss  float64 // loss while bad
}

// fate is what a link does to one datagram.
type fate struct {
	lost    bool
	tooLong bool // lost because of the MTU, and the sender is told
	at      [2]time.Time
	copies  int
	flip    int // bit to flip, -1 for none
}

// pipe is the state of one direction between two addresses.
type pipe struct {
	link   Link
	script func(since time.Duration) Link
	rng    *rand.Rand
	bad    bool
	last   time.Time // newest arrival, which keeps the order
}

// rules returns the link's rules of an instant.
func (p *pipe) rules(since time.Duration) Link {
	if p.script != nil {
		return p.script(since)
	}
	return p.link
}

// judge decides about a datagram of size bytes (with IP and UDP headers) that is sent now. It draws the same amount of randomness
// for every datagram, so that one rule's change leaves the others' outcome alone.
func (p *pipe) judge(now time.Time, since time.Duration, size int) fate {
	l := p.rules(since)
	var draw [7]float64
	for i := range draw {
		draw[i] = p.rng.Float64()
	}
	if p.bad {
		p.bad = draw[0] >= l.Bursts.Leave
	} else {
		p.bad = draw[0] < l.Bursts.Enter
	}
	f := fate{flip: -1, copies: 1}
	switch {
	case l.Down, draw[1] < l.Loss, p.bad && draw[2] < l.Bursts.Loss:
		f.lost = true
		return f
	case l.MTU > 0 && size > l.MTU:
		f.lost, f.tooLong = true, !l.BlackHole
		return f
	}
	at := now.Add(l.Delay + time.Duration(draw[3]*float64(l.Jitter)))
	if draw[4] < l.Reorder {
		by := l.ReorderBy
		if by <= 0 {
			by = 2 * time.Millisecond
		}
		at = at.Add(by)
	} else {
		if at.Before(p.last) {
			at = p.last
		}
		p.last = at
	}
	f.at[0] = at
	if draw[5] < l.Duplicate {
		f.copies, f.at[1] = 2, at
	}
	if draw[6] < l.Corrupt {
		f.flip = p.rng.IntN(8 * max(size-28, 1))
	}
	return f
}
