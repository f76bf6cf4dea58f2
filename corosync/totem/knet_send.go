package totem

import (
	"math/bits"
	"time"
)

// deliver asks the network about a packet; nothing arrives before it left.
func (r *Ring) deliver(p Packet) (after time.Duration, ok bool) {
	after, ok = r.net.Deliver(p)
	return max(after, 0), ok
}

// route asks the network about a packet of Totem's: when it arrives and on which link. Not ok: knet has no usable link to
// the peer and drops it (libknet/threads_tx.c, EHOSTDOWN), or the network lost it.
func (r *Ring) route(from, to int, class Class) (at int64, l int, ok bool) {
	if from == to { // the loopback link (exec/totemknet.c)
		return r.now + r.t.handling, 0, true
	}
	pr := r.peer(from, to)
	if pr.usable == 0 {
		r.stats.Muted++
		return 0, 0, false
	}
	switch r.cfg.Mode {
	case Active:
		return r.routeActive(from, to, class, pr.usable)
	case RoundRobin:
		pr.chosen = nextBit(pr.usable, pr.chosen)
	}
	l = int(pr.chosen)
	after, ok := r.deliver(Packet{At: nanos(r.now), From: from, To: to, Link: l, Class: class})
	return r.now + int64(after) + r.t.handling, l, ok
}

// routeActive sends on every usable link; the first copy counts (libknet/host.c, _seq_num_lookup).
func (r *Ring) routeActive(from, to int, class Class, usable uint8) (at int64, l int, ok bool) {
	at = off
	for m := usable; m != 0; m &= m - 1 {
		i := bits.TrailingZeros8(m)
		after, arrives := r.deliver(Packet{At: nanos(r.now), From: from, To: to, Link: i, Class: class})
		if t := r.now + int64(after) + r.t.handling; arrives && t < at {
			at, l, ok = t, i, true
		}
	}
	return at, l, ok
}

// nextBit is the bit of set above b, or else its lowest.
func nextBit(set, b uint8) uint8 {
	if up := set &^ (1<<(b+1) - 1); b < 7 && up != 0 {
		return uint8(bits.TrailingZeros8(up))
	}
	return uint8(bits.TrailingZeros8(set))
}

// sendSelf is what knet's loopback link does with a multicast.
func (r *Ring) sendSelf(p *proc, e event) {
	e.at, e.node, e.from = r.now+r.t.handling, uint8(p.index), uint8(p.index)
	r.push(e)
}

// onPacket gives a packet that the network delivered to the processor, if knet lets it.
func (r *Ring) onPacket(p *proc, ev *event) {
	if !r.admit(p, ev) {
		r.forget(ev)
		return
	}
	switch ev.kind {
	case kindPing:
		r.onPing(p, ev)
	case kindToken:
		r.onToken(p, ev)
	case kindMessage:
		r.onMessage(p, ev)
	case kindJoin:
		j := r.joins.items[ev.idx]
		r.joins.release(ev.idx)
		r.onJoin(p, int(ev.from), &j)
	case kindCommit:
		c := r.commits.items[ev.idx]
		r.commits.release(ev.idx)
		r.onCommit(p, &c)
	case kindMerge:
		if RingID(ev.arg) != p.ring {
			r.foreign(p, int(ev.from), CauseMergeOperational, CauseMergeGather)
		}
	case kindHoldCancel:
		r.onHoldCancel(p, ev)
	}
}

// admit is what the receiver's host and knet do with a packet before anybody reads it. Data of a peer that the receiver
// holds for unreachable is discarded, or, since libknet 1.27 and after at least one pong, forces the link up
// (libknet/threads_rx.c, _parse_recv_from_links).
func (r *Ring) admit(p *proc, ev *event) bool {
	from := int(ev.from)
	if !p.alive {
		r.refuse(p, ev)
		return false
	}
	if ev.kind == kindPing || from == p.index || r.peer(p.index, from).usable != 0 {
		return true
	}
	lk := &r.linksOf(p.index, from)[ev.link]
	if r.cfg.FastDataUp && lk.pongs > 0 {
		r.linkUp(p, from, int(ev.link), lk, true)
		return true
	}
	r.stats.Muted++
	return false
}

// refuse answers for a host whose daemon is gone.
func (r *Ring) refuse(p *proc, ev *event) {
	if !p.hostUp || int(ev.from) == p.index {
		return
	}
	after, ok := r.deliver(Packet{At: nanos(r.now), From: p.index, To: int(ev.from), Link: int(ev.link), Class: ClassPong})
	if ok {
		r.push(event{at: r.now + int64(after), kind: kindUnreachable, node: ev.from, from: ev.node, link: ev.link})
	}
}

// forget frees what a packet carried.
func (r *Ring) forget(ev *event) {
	switch ev.kind {
	case kindJoin:
		r.joins.release(ev.idx)
	case kindCommit:
		r.commits.release(ev.idx)
	}
}
