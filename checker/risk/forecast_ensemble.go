package risk

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
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
	stretchOf = 4 * time.Minute  // of a trial of what is usual
	before    = 3 * time.Second  // a ring runs before a burst
	after     = 16 * time.Second // and after it, besides four tokens
	seldom    = 20               // bursts further apart than so many trials are rare
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

// What is remembered of earlier forecasts: as much as weighs as much as twenty new ones, of networks that lose as much, within a quarter.
const (
	fading  = 0.95
	alikeBy = 1.25
)

// inherit takes over what an earlier ensemble has simulated, as far as it still holds.
func (e *ensemble) inherit(old *ensemble) {
	if !reflect.DeepEqual(e.c, old.c) || !likely(e.usualLoss(), old.usualLoss()) {
		return
	}
	e.usual = old.usual.faded()
	for i, r := range e.rare {
		for k, o := range old.rare {
			if s := &e.strata[i]; s.n == 0 && e.lines[r.line].Name == old.lines[o.line].Name && likely(float64(e.burstOf(i).Mean), float64(old.burstOf(k).Mean)) {
				rate, vary := s.rate, s.vary
				*s = old.strata[k].faded()
				s.rate, s.vary = rate, vary
			}
		}
	}
	e.simulated = time.Duration(fading * float64(old.simulated))
}

// likely: two figures are the same, as far as a fit can tell.
func likely(a, b float64) bool { return a <= alikeBy*b && b <= alikeBy*a }

func (e *ensemble) burstOf(i int) totem.Burst {
	return e.lines[e.rare[i].line].Process.Bursts[e.rare[i].kind]
}

// usualLoss is the ratio of packets lost in what is usual, summed over all paths.
func (e *ensemble) usualLoss() float64 {
	sum := 0.0
	for i, l := range e.lines {
		n := float64(len(l.Paths))
		sum += n * l.Process.Loss
		for k, b := range l.Process.Bursts {
			if !slices.Contains(e.rare, rareBurst{i, k}) && b.Every > 0 {
				sum += n * float64(b.Mean) / float64(b.Mean+b.Every)
			}
		}
	}
	return sum
}

func (s stratum) faded() stratum {
	s.n *= fading
	s.time *= fading
	for i := range events {
		s.sum[i] *= fading
		s.sum2[i] *= fading
		s.count[i] *= fading
	}
	return s
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

// stretch runs a ring over a drawn network without the rare bursts.
func (e *ensemble) stretch() error {
	lines := e.lines.Draw(e.rng)
	for _, r := range e.rare {
		lines[r.line].Process.Bursts[r.kind] = totem.Burst{}
	}
	ring, err := e.c.Ring(Run{Network: lines.Network(e.c, e.rng), Traffic: traffic, Rand: e.rng})
	if err != nil {
		return err
	}
	n := newCounter(e.c).run(ring, stretchOf)
	e.simulated += stretchOf
	e.usual.add(n, stretchOf.Hours())
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

// expect puts the strata together for one kind of event.
func (e *ensemble) expect(event int) Expect {
	count := e.usual.count[event]
	var out Expect
	u := &e.usual
	mean := u.sum[event] / u.n
	per := u.n / u.time // trials in an hour
	spread := max(0, u.sum2[event]/u.n-mean*mean)
	parameters := max(0, spread-mean) // beyond what chance makes of a rate
	variance := (parameters + spread/u.n) * per * per
	unseen := 0.0
	if u.count[event] < 0.5 {
		unseen = 3 / u.time
	}
	rate := mean * per
	for i := range e.strata {
		s := &e.strata[i]
		if s.n == 0 {
			unseen += s.rate
			continue
		}
		count += s.count[event]
		own := max(0, s.sum[event]/s.n-mean*per*s.time/s.n) // what the burst adds
		vary := max(0, s.sum2[event]/s.n-own*own) / s.n
		rate += s.rate * own
		variance += s.rate*s.rate*vary + s.rate*s.rate*own*own*s.vary
		if s.count[event] < 0.5 {
			unseen += s.rate * min(1, 3/s.n)
		}
	}
	out.PerHour, out.Count = rate, int(count+0.5)
	variance += rate * rate * modelError * modelError
	out.Low, out.High = gammaInterval(rate, variance)
	out.High += unseen
	return out
}

// gammaInterval is where nine of ten values of a gamma distribution with that mean and variance lie (Wilson and Hilferty 1931).
func gammaInterval(mean, variance float64) (low, high float64) {
	if mean <= 0 {
		return 0, 0
	}
	const z = 1.645
	shape := max(mean*mean/variance, 0.05)
	at := func(z float64) float64 {
		x := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
		return mean * max(0, x*x*x)
	}
	return at(-z), max(at(z), mean)
}
