package totem

import (
	"strconv"
	"strings"
	"time"
)

const (
	// backoffStart multiplies the ping timeout of a link that was just configured or went down (libknet/links.h,
	// KNET_LINK_PONG_TIMEOUT_BACKOFF); it falls by one a second.
	backoffStart = 10
	// latencyFactor is how many mean latencies the timeout is longer (libknet/links.h, KNET_LINK_PONG_TIMEOUT_LAT_MUL).
	latencyFactor = 2
	// adjustTicks is the number of heartbeats between two adjustments of the timeouts: once a second
	// (libknet/threads_heartbeat.c, _handle_heartbt_thread).
	adjustTicks = 5
	// heartbeatDrift is how much longer than HeartbeatTick a heartbeat takes: usleep's slack and the work. Measured: 1000.7
	// ms for five.
	heartbeatDrift = 140 * time.Microsecond
	never          = -1 << 63 // a time before all times
)

// FastDataUp says whether a libknet of this version ("1.32", "1.25-2") takes data from a peer that it judged down as a
// sign of life (libknet/threads_rx.c, _fast_data_up, since 1.27). A version that cannot be read counts as new.
func FastDataUp(libknet string) bool {
	major, rest, _ := strings.Cut(libknet, ".")
	end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	x, err := strconv.Atoi(major)
	y, err2 := strconv.Atoi(rest)
	if err != nil || err2 != nil {
		return true
	}
	return x > 1 || x == 1 && y >= 27
}

// knetParams is Link in knet's units.
type knetParams struct {
	interval, timeout int64 // nanoseconds
	pongs             uint8
	precision         int64
	priority          int
}

func knetParamsOf(links []Link) []knetParams {
	out := make([]knetParams, len(links))
	for i, l := range links {
		out[i] = knetParams{
			interval: int64(l.Timeouts.PingInterval), timeout: int64(l.Timeouts.PingTimeout),
			pongs: uint8(l.Timeouts.PongCount), precision: int64(max(l.Timeouts.PingPrecision, 1)), priority: l.Priority,
		}
	}
	return out
}

// link is what one processor knows of one link to one peer (struct knet_link, libknet/internals.h). Each end judges for
// itself.
type link struct {
	pingLast    int64
	pongLast    int64 // never: none since the link went down
	adj         int64 // pong_timeout_adj
	latency     int64 // status.latency: the mean of what pings took, in microseconds
	samples     int64
	backoff     int8
	pongs       uint8 // received_pong: how many in time since the link went down
	connected   bool
	unreachable bool // transport_connected == 0: the host said that nobody listens
}

// peer is what a processor makes of its links to another (struct knet_host).
type peer struct {
	usable uint8 // links that are connected
	chosen uint8 // Passive: the one to use; RoundRobin: the one used last
}

func (r *Ring) peer(from, to int) *peer { return &r.peers[from*r.cfg.Nodes+to] }

func (r *Ring) linksOf(from, to int) []link {
	n := len(r.knet)
	base := (from*r.cfg.Nodes + to) * n
	return r.links[base : base+n]
}

// warmLinks gives p links that have been up for long: no back-off, pings at any phase of their interval.
func (r *Ring) warmLinks(p int) {
	for l := range r.knet {
		k := &r.knet[l]
		// Pings to all peers leave in one tick: all links of a daemon were configured at one moment.
		ping := r.now - r.phase(int64(roundUpToTick(time.Duration(k.interval))), r.common[0])
		for to := range r.procs {
			if to == p {
				continue
			}
			lk := &r.linksOf(p, to)[l]
			*lk = link{pingLast: ping, pongLast: max(ping, r.now-k.interval), adj: k.timeout, backoff: 1, pongs: k.pongs, connected: true}
		}
	}
	r.chooseAll(p)
}

// coldLinks gives p links as a daemon that starts has them (libknet/links.c, knet_link_set_config).
func (r *Ring) coldLinks(p int) {
	for to := range r.procs {
		for l := range r.knet {
			k := &r.knet[l]
			r.linksOf(p, to)[l] = link{pingLast: never / 2, pongLast: never, adj: k.timeout * backoffStart, backoff: backoffStart}
		}
	}
	r.chooseAll(p)
}

func (r *Ring) chooseAll(p int) {
	for to := range r.procs {
		if to != p {
			r.choose(p, to)
		}
	}
}

// startTick starts p's heartbeat thread at a phase of its own.
func (r *Ring) startTick(i int) {
	p := &r.procs[i]
	drift := int64(heartbeatDrift)
	p.tickEvery = int64(HeartbeatTick) + drift + r.random(drift/2) - drift/4
	p.tickCount = 1 + int(r.random(adjustTicks))
	r.pushTick(event{at: r.now + 1 + r.phase(int64(HeartbeatTick), r.common[1]), kind: kindTick, node: uint8(i), meta: p.epoch})
}

// onTick is one turn of _handle_heartbt_thread: adjusts the timeouts once a second, sends the pings that are due, and
// looks for links whose pong is overdue.
func (r *Ring) onTick(p *proc, ev *event) {
	if !p.alive || ev.meta != p.epoch {
		return
	}
	r.pushTick(event{at: r.now + p.tickEvery, kind: kindTick, node: ev.node, meta: p.epoch})
	adjust := p.tickCount == adjustTicks
	if adjust {
		p.tickCount = 0
	}
	p.tickCount++
	if !adjust && r.now < p.linksDue {
		return
	}
	due := int64(off)
	n := len(r.knet)
	i := p.index * r.cfg.Nodes * n
	for to := range r.procs {
		if to == p.index {
			i += n
			continue
		}
		for l := range r.knet {
			lk, k := &r.links[i], &r.knet[l]
			if adjust {
				lk.adjust(k)
			}
			r.check(p, to, l, lk, k)
			due = min(due, lk.due(k))
			i++
		}
	}
	p.linksDue = due
	if len(r.groups) > 0 {
		r.pushGroups(event{kind: kindPing, from: ev.node, arg: uint64(r.now)})
	}
}

// adjust is _adjust_pong_timeouts.
func (lk *link) adjust(k *knetParams) {
	if lk.backoff > 1 {
		lk.backoff--
	}
	lk.adj = k.timeout*int64(lk.backoff) + lk.latency*latencyFactor*int64(time.Microsecond)
}

// due is when a heartbeat will find something to do on the link, unless a pong comes or the host says that nobody listens.
func (lk *link) due(k *knetParams) int64 {
	ping := lk.pingLast + k.interval
	if lk.pongLast == never {
		return ping
	}
	return min(ping, lk.pongLast+lk.adj)
}

// check is _handle_check_each: the ping leaves before the overdue pong is looked for, so a reply to it comes too late.
func (r *Ring) check(p *proc, to, l int, lk *link, k *knetParams) {
	if lk.unreachable {
		r.linkDown(p, to, l, lk)
		return
	}
	overdue := lk.pongLast != never && r.now-lk.pongLast >= lk.adj
	if r.now-lk.pingLast >= k.interval {
		lk.pingLast = r.now
		r.ping(p, to, l, lk, overdue)
	}
	if overdue {
		r.linkDown(p, to, l, lk)
	}
}

func (r *Ring) ping(p *proc, to, l int, lk *link, overdue bool) {
	r.stats.Pings++
	after, ok := r.deliver(Packet{At: nanos(r.now), From: p.index, To: to, Link: l, Class: ClassPing})
	if !ok {
		return
	}
	if lk.connected && !overdue && r.calmBeyond(r.now+int64(after)) && r.procs[to].alive && r.procs[to].pausedUntil <= r.now {
		// Nothing can come between ping and pong: no event for either.
		back, ok := r.deliver(Packet{At: nanos(r.now) + after, From: to, To: p.index, Link: l, Class: ClassPong})
		if ok && int64(after+back) < p.tickEvery {
			lk.pong(r.now+int64(after+back), int64(after+back), &r.knet[l])
			return
		}
	}
	r.addToGroup(r.now+int64(after), l, to)
}

// onPing answers: knet's receive thread does, whatever it thinks of the link.
func (r *Ring) onPing(p *proc, ev *event) {
	after, ok := r.deliver(Packet{At: nanos(r.now), From: p.index, To: int(ev.from), Link: int(ev.link), Class: ClassPong})
	if ok {
		r.push(event{at: r.now + int64(after), kind: kindPong, node: ev.from, from: ev.node, link: ev.link, arg: ev.arg, meta: r.procs[ev.from].epoch})
	}
}

// onPong is the KNET_HEADER_TYPE_PONG part of _parse_recv_from_links.
func (r *Ring) onPong(p *proc, ev *event) {
	if !p.alive || ev.meta != p.epoch {
		return
	}
	from, l := int(ev.from), int(ev.link)
	lk, k := &r.linksOf(p.index, from)[l], &r.knet[l]
	p.linksDue = min(p.linksDue, r.now+lk.adj) // as the next pong may be overdue, if this is the first one
	if !lk.pong(r.now, r.now-int64(ev.arg), k) || lk.connected || lk.latency*int64(time.Microsecond) >= lk.adj {
		return
	}
	if lk.pongs >= k.pongs {
		r.linkUp(p, from, l, lk, false)
		return
	}
	lk.pongs++
}

// pong notes a pong that came at now for a ping that took rtt. A late one proves life but says nothing of the latency.
func (lk *link) pong(now, rtt int64, k *knetParams) (inTime bool) {
	lk.pongLast = now
	if rtt > k.timeout {
		return false
	}
	lk.samples = min(lk.samples+1, k.precision)
	us := rtt / int64(time.Microsecond)
	if us != lk.latency { // the mean of equal values stays; spares the division
		lk.latency = (lk.latency*(lk.samples-1) + us) / lk.samples
	}
	return true
}

// linkDown is _link_down of libknet/threads_heartbeat.c; a link that is down already only loses its pongs.
func (r *Ring) linkDown(p *proc, to, l int, lk *link) {
	lk.pongs = 0
	lk.pongLast = never
	lk.backoff = backoffStart
	lk.unreachable = false
	if !lk.connected {
		return
	}
	lk.connected = false
	r.choose(p.index, to)
	r.stats.LinkDowns++
	r.emit(Event{Kind: LinkDown, Node: p.index, Peer: to, Link: l})
}

func (r *Ring) linkUp(p *proc, to, l int, lk *link, forced bool) {
	lk.connected = true
	r.choose(p.index, to)
	r.stats.LinkUps++
	r.emit(Event{Kind: LinkUp, Node: p.index, Peer: to, Link: l, Forced: forced})
}

// choose is _host_dstcache_update_sync: which links to a peer are usable, and in Passive mode which one is used.
func (r *Ring) choose(from, to int) {
	pr := r.peer(from, to)
	pr.usable = 0
	best := -1
	for l := range r.linksOf(from, to) {
		if !r.linksOf(from, to)[l].connected {
			continue
		}
		pr.usable |= 1 << l
		if best < 0 || r.knet[l].priority > r.knet[best].priority {
			best = l
		}
	}
	if r.cfg.Mode == Passive && best >= 0 {
		pr.chosen = uint8(best)
	}
}

// onUnreachable is the ICMP error that a host without the daemon answers with (libknet/transport_udp.c,
// read_errs_from_sock): the next heartbeat takes the link down.
func (r *Ring) onUnreachable(p *proc, ev *event) {
	lk := &r.linksOf(p.index, int(ev.from))[ev.link]
	if p.alive && lk.connected {
		lk.unreachable, p.linksDue = true, r.now
	}
}
