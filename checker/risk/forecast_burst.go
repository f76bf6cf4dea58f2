package risk

import (
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// A trial of a rare burst. However long the burst is, the trial is short: what goes on in a burst once the ring has got used to it, mostly
// nothing, is looked at for a while and counts for the rest.
const (
	before   = 3 * time.Second  // a ring runs before a burst
	after    = 16 * time.Second // and after it, besides four tokens
	sampling = time.Minute      // of what goes on
	backOff  = 10 * time.Second // of a link that went down, until its timeout is the usual one (libknet/links.h, KNET_LINK_PONG_TIMEOUT_BACKOFF)
)

// settling is how long a ring takes to get used to a burst: its links go down, the ring re-forms, twice if it must, and the links' back-off ends.
func (e *ensemble) settling() time.Duration {
	down := time.Duration(0)
	for _, l := range e.c.Links {
		down = max(down, l.Timeouts.PingTimeout+l.Timeouts.EffectiveInterval)
	}
	return down + 2*e.c.Timeouts.Membership() + backOff
}

// longest is how much of a burst is simulated at most.
func (e *ensemble) longest() time.Duration { return e.settling() + sampling }

// trial is how long a trial with a burst takes.
func (e *ensemble) trial(burst time.Duration) time.Duration {
	return before + after + 4*e.c.Timeouts.Token + 2*min(burst, e.longest())
}

// burst runs a ring into a burst, and counts what it would not have met without.
func (e *ensemble) burst(i int) error {
	r := e.rare[i]
	lines := e.lines.Draw(e.rng)
	b := lines[r.line].Process.Bursts[r.kind]
	for _, r := range e.rare {
		lines[r.line].Process.Bursts[r.kind] = totem.Burst{}
	}
	at := before + time.Duration(e.rng.Int64N(int64(time.Second)))
	whole := scaled(b.Mean, e.rng.ExpFloat64())
	length := min(whole, e.longest())
	net := newSimulated(e.c, lines, e.rng)
	net.fail(e.c, lines[r.line].Paths, totem.Burst{Loss: b.Loss}, at, at+length)
	ring, err := e.c.Ring(Run{Network: net, Traffic: traffic, Rand: e.rng})
	if err != nil {
		return err
	}
	until := at + length + after + 4*e.c.Timeouts.Token
	e.simulated += until
	n := newCounter(e.c)
	settling := n.run(ring, at+length-min(length, sampling))
	steady := n.run(ring, at+length)
	counts := n.run(ring, until)
	var sum [events]float64
	for k := range counts {
		counts[k] += settling[k] + steady[k]
		sum[k] = float64(counts[k]) + float64(steady[k])*float64(whole-length)/float64(sampling)
	}
	e.strata[i].add(counts, sum, (until + whole - length).Hours())
	return nil
}
