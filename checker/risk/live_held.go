package risk

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// Whether a short outage meets a heartbeat is chance, and decides how long the token stays away. So some rings run in hindsight, held to what
// the real knets did: a link that they kept up stays up, one that they took down goes down. What is left to chance is the
// token itself. The other rings tell what might have been.
const (
	maxHeld   = 5
	hindsight = 4 * time.Second // until which all ends have said what became of their links: two seconds of polling, and their bulletins
)

// heldRings are the rings that are held to what knet did. They run hindsight behind.
type heldRings struct {
	words words
	net   *Recorded
	rings []*liveRing
	at    time.Duration   // up to when they have run, in the trace's time
	renew []time.Duration // when the real ring formed anew, ahead of at
	said  said            // by Corosync, of its token
	like  []int           // [ring]: whose gaps count for it while it is not settled; -1: nobody's
	spoke bool            // one was settled since they began: from then on they speak, not the free rings
	most  time.Duration   // what a gap is at most by what Corosync said, while none is settled; 0: no limit is known
}

// heldNetwork is the network as a held ring meets it: heartbeats of a link arrive while its end said that it is up, and while it said that it is
// down they do not.
type heldNetwork struct {
	*Recorded
	words *words
}

// Deliver implements totem.Network.
func (h heldNetwork) Deliver(p totem.Packet) (time.Duration, bool) {
	after, ok := h.Recorded.Deliver(p)
	judge, other := p.From, p.To
	switch p.Class {
	case totem.ClassPing:
	case totem.ClassPong:
		judge, other = other, judge
	default:
		return after, ok
	}
	switch up, known := h.words.end(judge, other, p.Link).state(h.Begin + p.At); {
	case !known:
		return after, ok
	case !up:
		return 0, false
	}
	return h.usual(p), true
}

// begin makes n new rings at a time of the trace.
func (h *heldRings) begin(c Cluster, net *Recorded, random *rand.Rand, n int, at time.Duration) {
	*h = heldRings{words: newWords(net.nodes, net.links), net: net, at: at, said: h.said}
	for range n {
		if r := newLiveRing(c, heldNetwork{net, &h.words}, net, random, at); r != nil {
			h.rings, h.like = append(h.rings, r), append(h.like, -1)
		}
	}
}

// step runs the rings for a chunk that ends at a time of the trace.
func (h *heldRings) step(until time.Duration) {
	news := h.words.take(until)
	for _, r := range h.rings {
		for _, c := range news {
			r.ring.SetLink(c.from, c.to, c.link, c.up)
		}
		r.run(until)
	}
	h.at = until
}

// fold puts the gaps into a bucket. offset turns the trace's time into the bucket's. A ring that is not settled says what another does.
func (h *heldRings) fold(b *bucket, offset time.Duration) {
	for i, r := range h.rings {
		if r.ready() {
			g := r.longest()
			b.held[i] = max(b.held[i], g.Length)
			b.note(r, g, offset)
			h.spoke, h.most = true, 0
		}
		r.ring.ResetGaps()
	}
	if h.spoke {
		b.heldRings = len(h.rings)
	}
	for i, r := range h.rings {
		switch k := h.like[i]; {
		case r.ready():
			h.like[i] = i
		case k < 0 || !h.rings[k].ready():
			h.like[i] = h.another(nil)
			b.held[i] = max(b.held[i], h.most)
		default:
			b.held[i] = max(b.held[i], b.held[k])
		}
	}
}

// another is a settled ring that is not among some; -1: there is none.
func (h *heldRings) another(not []int) int {
	return slices.IndexFunc(h.rings, func(r *liveRing) bool {
		return r.ready() && !slices.ContainsFunc(not, func(i int) bool { return h.rings[i] == r })
	})
}

// formedAnew says whether the real ring formed anew up to where they have run.
func (h *heldRings) formedAnew() bool {
	n := len(h.renew)
	h.renew = slices.DeleteFunc(h.renew, func(at time.Duration) bool { return at <= h.at })
	return len(h.renew) < n
}
