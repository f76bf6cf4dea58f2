package totem

import (
	"math/rand/v2"
	"time"
)

// Span is a stretch of time, from Start to just before End.
type Span struct{ Start, End time.Duration }

// Line is one direction of a stretch of network. Several paths may share a Line, as all that goes from one site to
// another does: then they share its bursts and outages too.
type Line struct {
	Delay   time.Duration
	Jitter  time.Duration // added to Delay: from 0 to Jitter, drawn per JitterStep and interpolated
	Loss    float64       // ratio of packets lost, each on its own
	Burst   Burst
	Outages []Span // in order, apart; everything that leaves meanwhile is lost

	bad     bool          // in a burst
	change  time.Duration // when the burst begins or ends
	outage  int           // the first outage that is not over
	from    time.Duration // the jitter's present step
	a, b    float64       // the jitter at its ends
	jittery bool
}

// Burst is a two-state loss process (Gilbert and Elliott) in time: in the bad state packets are lost with Loss.
type Burst struct {
	Every time.Duration // mean time from the end of one burst to the begin of the next; zero: no bursts
	Mean  time.Duration // mean length of a burst
	Loss  float64       // ratio lost within; zero counts as 1
}

// JitterStep is how far apart the instants are for which a Line's jitter is drawn: queues don't jump, and packets of one
// path seldom overtake each other.
const JitterStep = 20 * time.Millisecond

// Lines is a Network of Lines, one per path; its randomness is seeded and drawn in the order of packets.
type Lines struct {
	nodes, links int
	paths        []*Line // [(from*nodes+to)*links+link]
	rand         *rand.Rand
	steady       bool          // no path is random
	until        time.Duration // calm until here, when steady
	out          time.Duration // some line is out until here, when steady
	stale        bool
}

// NewLines makes a network in which every path shares the line between.
func NewLines(nodes, links int, between *Line, rng *rand.Rand) *Lines {
	n := &Lines{nodes: nodes, links: links, paths: make([]*Line, nodes*nodes*links), rand: rng, stale: true}
	for i := range n.paths {
		n.paths[i] = between
	}
	return n
}

// NewSites makes a network of sites: the processors are spread over them in order, sizes[i] at site i. Within a site local
// counts, from one site to another a line of its own per ordered pair of sites and link, a copy of wan.
func NewSites(sizes []int, links int, local, wan Line, rng *rand.Rand) *Lines {
	nodes := 0
	site := []int{}
	for s, size := range sizes {
		nodes += size
		for range size {
			site = append(site, s)
		}
	}
	n := NewLines(nodes, links, &local, rng)
	shared := make([]*Line, len(sizes)*len(sizes)*links)
	for i := range shared {
		shared[i] = new(Line)
		*shared[i] = wan
	}
	for from := range nodes {
		for to := range nodes {
			for l := range links {
				if site[from] != site[to] {
					n.Set(from, to, l, shared[(site[from]*len(sizes)+site[to])*links+l])
				}
			}
		}
	}
	return n
}

// Set puts a path on a line. Lines may change between two runs of a Ring; call Set or Changed then.
func (n *Lines) Set(from, to, link int, line *Line) {
	n.paths[(from*n.nodes+to)*n.links+link] = line
	n.stale = true
}

// Line is what a path runs over.
func (n *Lines) Line(from, to, link int) *Line { return n.paths[(from*n.nodes+to)*n.links+link] }

// Changed tells the network that somebody altered a line.
func (n *Lines) Changed() { n.stale = true }

// Deliver implements Network.
func (n *Lines) Deliver(p Packet) (time.Duration, bool) {
	return n.paths[(p.From*n.nodes+p.To)*n.links+p.Link].deliver(p.At, n.rand)
}

// CalmUntil implements Calm.
func (n *Lines) CalmUntil(now time.Duration) time.Duration {
	if n.stale || n.steady && now >= max(n.until, n.out) {
		n.look(now)
	}
	return n.until
}

// look finds the time up to which no line loses or varies anything.
func (n *Lines) look(now time.Duration) {
	n.stale, n.steady, n.until, n.out = false, true, 1<<63-1, 0
	for _, l := range n.paths {
		if l.Loss > 0 || l.Jitter > 0 || l.Burst.Every > 0 {
			n.steady, n.until = false, -1
			return
		}
		for _, o := range l.Outages {
			if o.End > now {
				n.until = min(n.until, o.Start)
				if o.Start <= now {
					n.out = max(n.out, o.End)
				}
				break
			}
		}
	}
}

func (l *Line) deliver(at time.Duration, rng *rand.Rand) (time.Duration, bool) {
	if l.outage < len(l.Outages) && l.out(at) {
		return 0, false
	}
	if l.Loss > 0 && rng.Float64() < l.Loss {
		return 0, false
	}
	if l.Burst.Every > 0 && l.burst(at, rng) {
		return 0, false
	}
	if l.Jitter > 0 {
		return l.Delay + l.jitter(at, rng), true
	}
	return l.Delay, true
}

func (l *Line) out(at time.Duration) bool {
	for l.outage < len(l.Outages) && at >= l.Outages[l.outage].End {
		l.outage++
	}
	return l.outage < len(l.Outages) && at >= l.Outages[l.outage].Start
}

func (l *Line) burst(at time.Duration, rng *rand.Rand) (lost bool) {
	for at >= l.change {
		mean := l.Burst.Every
		if l.change > 0 {
			l.bad = !l.bad
			if l.bad {
				mean = l.Burst.Mean
			}
		}
		l.change = max(l.change, 1) + time.Duration(rng.ExpFloat64()*float64(mean))
	}
	return l.bad && (l.Burst.Loss == 0 || rng.Float64() < l.Burst.Loss)
}

func (l *Line) jitter(at time.Duration, rng *rand.Rand) time.Duration {
	if !l.jittery {
		l.jittery, l.from = true, at
		l.a, l.b = rng.Float64(), rng.Float64()
	}
	for at >= l.from+JitterStep {
		l.from += JitterStep
		l.a, l.b = l.b, rng.Float64()
		if at >= l.from+100*JitterStep {
			l.from = at
		}
	}
	x := float64(at-l.from) / float64(JitterStep)
	return time.Duration((l.a + (l.b-l.a)*x) * float64(l.Jitter))
}
