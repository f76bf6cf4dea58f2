package risk

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// noteworthy is the share of the token from which on a gap is asked where it came from: an idle ring holds the token for 0.19.
const noteworthy = 0.3

// tight is the share of the token from which on a gap came close to it: less than a retransmit interval (0.238) was left. Failing over
// to a second link in the ordinary way takes 0.7, and 0.95 at worst.
const tight = 0.85

// liveRing is one virtual ring, and what happened to it of late.
type liveRing struct {
	ring    *totem.Ring
	net     *tap
	cluster Cluster
	begin   time.Duration   // ring time zero, in the trace's time
	settled time.Duration   // before that ring time nothing counts: the ring finds out first which links work
	wholeAt time.Duration   // when it was last in service as a whole, ring time
	stats   totem.Stats     // as last folded
	hushed  time.Duration   // before that ring time it is not believed: Corosync has said otherwise of the gap that goes on
	warned  []time.Duration // when it warned, in the trace's time; the last few
	close   time.Duration   // where the last gap that was tight began, ring time: it is counted once
	downs   trail
}

// trail keeps the newest troubles.
type trail struct {
	spots [16]spot
	n     int
}

type spot struct {
	at  time.Duration
	hop Hop
}

func (t *trail) add(s spot) {
	t.spots[t.n%len(t.spots)] = s
	t.n++
}

// first is the oldest spot at or after an instant.
func (t *trail) first(since time.Duration) (Hop, bool) {
	for i := max(0, t.n-len(t.spots)); i < t.n; i++ {
		if s := t.spots[i%len(t.spots)]; s.at >= since {
			return s.hop, true
		}
	}
	return Hop{}, false
}

// tap is one ring's way to the network that all share: ring times differ, and each notes which of its tokens died where.
type tap struct {
	network totem.Network
	net     *Recorded // for its names
	begin   time.Duration
	lost    trail
}

// Deliver implements totem.Network.
func (t *tap) Deliver(p totem.Packet) (time.Duration, bool) {
	at := p.At
	p.At += t.begin
	after, ok := t.network.Deliver(p)
	if !ok && p.Class == totem.ClassToken {
		t.lost.add(spot{at, Hop{CauseLost, t.net.nodes[p.From], t.net.nodes[p.To], t.net.links[p.Link]}})
	}
	return after, ok
}

// newLiveRing makes a ring that begins at a time of the trace; nil if the configuration allows of none.
func newLiveRing(c Cluster, network totem.Network, net *Recorded, random *rand.Rand, begin time.Duration) *liveRing {
	t := &tap{network: network, net: net, begin: begin}
	ring, err := c.Ring(Run{Network: t, Traffic: messages, Rand: random})
	if err != nil {
		return nil
	}
	return &liveRing{ring: ring, net: t, cluster: c, begin: begin, settled: max(settleFor, 4*c.Timeouts.Token)}
}

// run lets the ring run up to a time of the trace.
func (r *liveRing) run(until time.Duration) {
	for _, e := range r.ring.Run(until - r.begin) {
		if e.Kind == totem.LinkDown {
			n := r.cluster.Nodes
			r.downs.add(spot{e.At, Hop{CauseDown, n[e.Node].ID, n[e.Peer].ID, r.cluster.Links[e.Link].Number}})
		}
	}
	if r.whole() {
		r.wholeAt = r.ring.Now()
	}
}

// ready: what it does counts.
func (r *liveRing) ready() bool { return r.ring.Now() >= max(r.settled, r.hushed) }

func (r *liveRing) whole() bool { return r.ring.Together() }

// broken: the ring has been in pieces for longer than the real one could have been without saying so.
func (r *liveRing) broken(at time.Duration) bool {
	t := &r.cluster.Timeouts
	return at-r.begin-r.wholeAt > 2*(t.Token+t.Consensus)+settleFor
}

// fold adds what happened since the last time to a bucket, as ring number i. offset turns the trace's time into the bucket's.
// It says whether the token was nearly lost, or was.
// What began before cutUntil is the cost of a cut that was told of: only the gap is put down.
func (r *liveRing) fold(b *bucket, i int, offset, cutUntil time.Duration) (nearly bool) {
	s := r.ring.Stats()
	if r.ready() {
		if r.begin+r.ring.Now() > cutUntil {
			b.losses[i] += uint32(s.Disruptions - r.stats.Disruptions)
		}
		b.downs[i] += uint32(s.LinkDowns - r.stats.LinkDowns)
		g := r.longest()
		b.gaps[i] = max(b.gaps[i], g.Length)
		b.note(r, g, offset)
		if g.Length >= time.Duration(tight*float64(r.cluster.Timeouts.Token)) {
			begin := g.End - g.Length
			nearly = r.begin+begin > cutUntil
			if nearly && begin > r.close {
				r.close = g.End
				b.tight[i]++
			}
		}
	}
	r.stats = s
	r.ring.ResetGaps()
	return nearly
}

// note takes a ring's gap for the worst one, if it is.
func (b *bucket) note(r *liveRing, g totem.Gap, offset time.Duration) {
	if g.Length > b.worst.gap {
		b.worst = mark{g.Length, offset + r.begin + g.End, r.hop(g)}
	}
}

// longest is the longest gap of any processor.
func (r *liveRing) longest() totem.Gap {
	var worst totem.Gap
	for i := range r.cluster.Nodes {
		if g := r.ring.LongestGap(i); g.Length > worst.Length {
			worst = g
		}
	}
	return worst
}

// hop tells where a gap came from: the first token lost in it, else a link between successors that went down, else any that did.
func (r *liveRing) hop(g totem.Gap) Hop {
	t := r.cluster.Timeouts.Token
	if g.Length < time.Duration(noteworthy*float64(t)) {
		return Hop{}
	}
	begin := g.End - g.Length
	if h, ok := r.net.lost.first(begin); ok {
		return h
	}
	down, found := r.downs.first(begin - t/2)
	for i := max(0, r.downs.n-len(r.downs.spots)); i < r.downs.n; i++ {
		if s := r.downs.spots[i%len(r.downs.spots)]; s.at >= begin-t/2 && r.neighbours(s.hop) {
			return s.hop
		}
	}
	if found {
		return down
	}
	return Hop{}
}

// neighbours: the token passes between the two.
func (r *liveRing) neighbours(h Hop) bool {
	n := len(r.cluster.Nodes)
	a := slices.IndexFunc(r.cluster.Nodes, func(n Node) bool { return n.ID == h.From })
	b := slices.IndexFunc(r.cluster.Nodes, func(n Node) bool { return n.ID == h.To })
	return (a+1)%n == b || (b+1)%n == a
}
