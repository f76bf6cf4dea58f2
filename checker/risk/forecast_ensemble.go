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
// that comes once a week costs no week of simulation, and one of an hour no hour. Between two bursts the ring forgets: knet's back-off is over
// after ten seconds.
type ensemble struct {
	c         Cluster
	lines     Lines
	rng       *rand.Rand
	usual     stratum
	network   usualNetwork // that the memory began with
	long      bool         // some of the usual bursts are
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
	time       float64 // hours that the sums stand for
	sum, sum2  [events]float64
	both       [events]float64 // product of the two halves of a trial: what they have in common is their draw
	count      [events]float64 // as simulated
	burst      totem.Burst     // of rare bursts: the one that the memory began with
	rate, vary float64         // of them: per hour, and the relative variance of that
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
	halfOf = 2 * time.Minute // of a trial of what is usual: each is run twice
	seldom = 12              // bursts further apart than so many trials are rare
	// slowShare is which share of the token's retransmit interval delays must differ by to matter.
	slowShare = 8
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
				e.strata = append(e.strata, stratum{burst: b, rate: float64(time.Hour) / float64(b.Every+b.Mean), vary: vary})
			} else if b.Every > 0 && b.Mean > halfOf/100 {
				e.long = true
			}
		}
	}
	e.network = e.usualNetwork()
	return e
}

// steadyDelays keeps the delay steady where its tail is too short to matter to any timer: that is much faster.
func (ls Lines) steadyDelays(c Cluster) Lines {
	out := append(Lines(nil), ls...)
	for i := range out {
		if d := &out[i].Process.Delay; d.Max-d.Usual < c.Timeouts.TokenRetransmit/slowShare {
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

// stretch runs two rings over a drawn network without the rare bursts. They are formed when they begin, on a network that may be in the midst
// of a burst: what comes of that is no trouble of the stretch's, but where bursts are short it is not worth the time to wait for its end.
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
		n, begin := newCounter(e.c), time.Duration(0)
		if e.long {
			begin = e.settling()
			n.run(ring, begin)
		}
		halves[i] = n.run(ring, begin+halfOf)
	}
	e.simulated += 2 * halfOf
	var both [events]int
	var sum [events]float64
	for i := range both {
		both[i] = halves[0][i] + halves[1][i]
		sum[i] = float64(both[i])
		e.usual.both[i] += float64(halves[0][i] * halves[1][i])
	}
	e.usual.add(both, sum, 2*halfOf.Hours())
	return nil
}

func (s *stratum) add(n [events]int, sum [events]float64, hours float64) {
	s.n++
	s.time += hours
	for i, x := range n {
		s.count[i] += float64(x)
		s.sum[i] += sum[i]
		s.sum2[i] += sum[i] * sum[i]
	}
}
