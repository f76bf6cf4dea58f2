package risk

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// ensemble is many short lives of a cluster's ring, on networks that may as well have been behind what was seen.
//
// What happens often is simulated as it comes, in stretches. Bursts that come so seldom that hardly a stretch would have one
// are made to happen: each trial runs a ring into one burst, and counts for as many as there are of that kind in an hour. So an outage
// that comes once a week costs no week of simulation. Between two bursts the ring forgets: knet's back-off is over after ten
// seconds.
type ensemble struct {
	c         Cluster
	lines     Lines
	rng       *rand.Rand
	usual     stratum
	rare      []rareBurst
	strata    []stratum // of rare, each
	simulated time.Duration
	err       error
}

// rareBurst is one kind of bursts of one line.
type rareBurst struct{ line, kind int }

// stratum is a kind of trials: rates per hour and kind of event.
type stratum struct {
	n          float64
	time       float64 // hours simulated
	sum, sum2  [events]float64
	both       [events]float64 // product of the two halves of a trial: what they have in common is their draw
	count      [events]float64
	rate, vary float64 // of rare bursts: per hour, and the relative variance of that
}

// The kinds of events that are counted.
const (
	linkFlap = iota
	tokenLoss
	split
	quorumLoss
	events
)

const (
	halfOf = 2 * time.Minute  // of a trial of what is usual: each is run twice
	before = 3 * time.Second  // a ring runs before a burst
	after  = 16 * time.Second // and after it, besides four tokens
	seldom = 12               // bursts further apart than so many trials are rare
	// modelError is how far the model is off by itself, relative: corosync/totem/DESIGN.md, where the record is long enough to tell.
	modelError = 0.2
	traffic    = time.Second // between messages of each node: pmxcfs
)

func newEnsemble(c Cluster, f Fitted, rng *rand.Rand) *ensemble {
	e := &ensemble{c: c, lines: f.Lines.steadyDelays(c), rng: rng}
	for i, l := range e.lines {
		for k, b := range l.Process.Bursts {
			if b.Every > seldom*e.trial(b.Mean) {
				vary := 0.0 // as assumed
				if k < len(l.Seen.Bursts) {
					vary = 1 / max(0.5, l.Seen.Bursts[k])
				}
				e.rare = append(e.rare, rareBurst{i, k})
				e.strata = append(e.strata, stratum{rate: float64(time.Hour) / float64(b.Every+b.Mean), vary: vary})
			}
		}
	}
	return e
}

// trial is how long a trial with a burst takes.
func (e *ensemble) trial(burst time.Duration) time.Duration {
	return before + after + 4*e.c.Timeouts.Token + 2*burst
}

// steadyDelays keeps the delay steady where its tail is too short to matter to any timer: that is much faster.
func (ls Lines) steadyDelays(c Cluster) Lines {
	out := append(Lines(nil), ls...)
	least := c.Timeouts.TokenRetransmit
	for i := range out {
		if d := &out[i].Process.Delay; d.Max-d.Usual < least/8 {
			*d = Delay{Usual: d.Usual}
		}
	}
	return out
}

// round does one trial of what is usual, and one of a rare burst: of each kind in turn.
func (e *ensemble) round() bool {
	if e.err == nil {
		e.err = e.stretch()
	}
	if e.err == nil && len(e.rare) > 0 {
		e.err = e.burst(e.next())
	}
	return e.err == nil
}

// next is the rare kind whose turn it is: all get some trials, those that come more often more.
func (e *ensemble) next() int {
	best := 0
	for i := range e.strata {
		if w := e.strata[i].n / math.Sqrt(e.strata[i].rate); w < e.strata[best].n/math.Sqrt(e.strata[best].rate) {
			best = i
		}
	}
	return best
}

// stretch runs two rings over a drawn network without the rare bursts.
func (e *ensemble) stretch() error {
	lines := e.lines.Draw(e.rng)
	for _, r := range e.rare {
		lines[r.line].Process.Bursts[r.kind] = totem.Burst{}
	}
	var halves [2][events]int
	for i := range halves {
		ring, err := e.c.Ring(Run{Network: lines.Network(e.c, e.rng), Traffic: traffic, Rand: e.rng})
		if err != nil {
			return err
		}
		halves[i] = newCounter(e.c).run(ring, halfOf)
	}
	e.simulated += 2 * halfOf
	var both [events]int
	for i := range both {
		both[i] = halves[0][i] + halves[1][i]
		e.usual.both[i] += float64(halves[0][i] * halves[1][i])
	}
	e.usual.add(both, 2*halfOf.Hours())
	return nil
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
	length := time.Duration(e.rng.ExpFloat64() * float64(b.Mean))
	net := newSimulated(e.c, lines, e.rng)
	net.fail(e.c, lines[r.line].Paths, totem.Burst{Loss: b.Loss}, at, at+length)
	ring, err := e.c.Ring(Run{Network: net, Traffic: traffic, Rand: e.rng})
	if err != nil {
		return err
	}
	until := at + length + after + 4*e.c.Timeouts.Token
	counts := newCounter(e.c).run(ring, until)
	e.simulated += until
	e.strata[i].add(counts, until.Hours())
	return nil
}

func (s *stratum) add(n [events]int, hours float64) {
	s.n++
	s.time += hours
	for i, x := range n {
		s.count[i] += float64(x)
		s.sum[i] += float64(x)
		s.sum2[i] += float64(x * x)
	}
}
