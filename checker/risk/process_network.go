package risk

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// simulated is a totem.Network of Lines.
type simulated struct {
	links int
	nodes int
	paths []simPath // [(from*nodes+to)*links+link]
	rand  *rand.Rand
	calm  time.Duration // until then nothing is lost
	noisy bool          // no promise is ever possible: something is lost or late at any time
}

// simPath is what one path runs over.
type simPath struct {
	pass   float64 // ratio of packets that no line loses on its own
	bursts []*simBurst
	delay  *simDelay
}

// simBurst is one kind of bursts of one line.
type simBurst struct {
	totem.Burst
	bad    bool
	begun  bool
	change time.Duration // when a burst begins or ends
	once   time.Duration // not zero: there is but one, which ends here
}

// simDelay is the delay of one path: drawn per step and interpolated.
type simDelay struct {
	Delay
	from time.Duration
	a, b time.Duration
}

func newSimulated(c Cluster, lines Lines, rng *rand.Rand) *simulated {
	s := &simulated{nodes: len(c.Nodes), links: len(c.Links), rand: rng}
	s.paths = make([]simPath, s.nodes*s.nodes*s.links)
	for i := range s.paths {
		s.paths[i].pass = 1
	}
	number := map[int]int{}
	for i, l := range c.Links {
		number[l.Number] = i
	}
	for i := range lines {
		s.add(c, number, &lines[i])
	}
	for i := range s.paths {
		if p := &s.paths[i]; p.pass < 1 || p.delay != nil && !p.delay.steady() {
			s.noisy = true
		}
	}
	return s
}

// CalmUntil implements totem.Calm: between bursts nothing happens, where packets are not lost on their own.
func (s *simulated) CalmUntil(now time.Duration) time.Duration {
	if s.noisy {
		return -1
	}
	if now < s.calm {
		return s.calm
	}
	s.calm = 1<<63 - 1
	for i := range s.paths {
		for _, b := range s.paths[i].bursts {
			b.turn(now, s.rand)
			if b.bad {
				s.calm = 0
				return -1
			}
			s.calm = min(s.calm, b.change)
		}
	}
	return s.calm
}

func (s *simulated) add(c Cluster, number map[int]int, l *Line) {
	var bursts []*simBurst
	for _, b := range l.Process.Bursts {
		if b.Every > 0 && b.Mean > 0 {
			bursts = append(bursts, &simBurst{Burst: b})
		}
	}
	for _, path := range l.Paths {
		from, to := c.Index(path.From), c.Index(path.To)
		link, ok := number[path.Link]
		if from < 0 || to < 0 || !ok {
			continue
		}
		p := &s.paths[(from*s.nodes+to)*s.links+link]
		p.pass *= 1 - l.Process.Loss
		p.bursts = append(p.bursts, bursts...)
		if d := l.Process.Delay; d.Usual > 0 {
			p.delay = &simDelay{Delay: d, from: -1}
		}
	}
}

// Deliver implements totem.Network.
func (s *simulated) Deliver(p totem.Packet) (time.Duration, bool) {
	path := &s.paths[(p.From*s.nodes+p.To)*s.links+p.Link]
	if path.pass < 1 && s.rand.Float64() >= path.pass {
		return 0, false
	}
	for _, b := range path.bursts {
		if b.loses(p.At, s.rand) {
			return 0, false
		}
	}
	if path.delay == nil {
		return totem.DefaultHandling, true
	}
	return path.delay.at(p.At, s.rand), true
}

// loses tells the fate of a packet. Each kind of burst begins in its long-run state.
func (b *simBurst) loses(at time.Duration, rng *rand.Rand) bool {
	b.turn(at, rng)
	return b.bad && (b.Loss == 0 || rng.Float64() < b.Loss)
}

// turn brings the burst up to a time.
func (b *simBurst) turn(at time.Duration, rng *rand.Rand) {
	if !b.begun {
		b.begun = true
		b.bad = rng.Float64() < float64(b.Mean)/float64(b.Mean+b.Every)
		b.change = b.stay(rng)
	}
	for at >= b.change {
		b.bad = !b.bad
		b.change += b.stay(rng)
	}
}

func (b *simBurst) stay(rng *rand.Rand) time.Duration {
	if b.once > 0 {
		if b.bad {
			return b.once - b.change
		}
		return 1 << 60
	}
	mean := b.Every
	if b.bad {
		mean = b.Mean
	}
	return max(1, time.Duration(rng.ExpFloat64()*float64(mean)))
}

func (d *simDelay) at(now time.Duration, rng *rand.Rand) time.Duration {
	if d.steady() {
		return d.Usual
	}
	step := max(d.Step, totem.JitterStep)
	if d.from < 0 || now >= d.from+100*step {
		d.from = now
		d.a, d.b = d.Quantile(rng.Float64()), d.Quantile(rng.Float64())
	}
	for now >= d.from+step {
		d.from += step
		d.a, d.b = d.b, d.Quantile(rng.Float64())
	}
	return d.a + time.Duration(float64(d.b-d.a)*float64(now-d.from)/float64(step))
}

// steady: all packets take as long.
func (d *Delay) steady() bool { return d.Max <= d.Usual && d.P999 <= d.Usual && d.P99 <= d.Usual }

// Quantile is the delay that a ratio q of packets does not exceed. Between the known ones it is interpolated; the faster half of
// all counts as Usual, since only the slow ones matter.
func (d Delay) Quantile(q float64) time.Duration {
	p99 := max(d.P99, d.Usual)
	p999 := max(d.P999, p99)
	most := max(d.Max, p999)
	between := func(a, b time.Duration, from, to float64) time.Duration {
		return a + time.Duration(float64(b-a)*(q-from)/(to-from))
	}
	switch {
	case q <= 0.5:
		return d.Usual
	case q <= 0.99:
		return between(d.Usual, p99, 0.5, 0.99)
	case q <= 0.999:
		return between(p99, p999, 0.99, 0.999)
	}
	return between(p999, most, 0.999, 1)
}

// fail lets paths fail once, from a time to another.
func (s *simulated) fail(c Cluster, paths []trace.Path, b totem.Burst, from, until time.Duration) {
	once := &simBurst{Burst: b, begun: true, change: from, once: until}
	for _, p := range paths {
		link := slices.IndexFunc(c.Links, func(l Link) bool { return l.Number == p.Link })
		i, k := c.Index(p.From), c.Index(p.To)
		if link >= 0 && i >= 0 && k >= 0 {
			path := &s.paths[(i*s.nodes+k)*s.links+link]
			path.bursts = append(path.bursts, once)
		}
	}
}
