package totem

// kind is what an internal event is about.
type kind uint8

const (
	kindTimer       kind = iota // idx: the timer
	kindTick                    // knet's heartbeat thread of a processor
	kindPing                    // arg: when the ping left
	kindPong                    // arg: when the ping left
	kindUnreachable             // an ICMP answer of a host without the daemon
	kindToken                   // idx: the sender's sentNo
	kindMessage                 // idx: sequence number, arg: ring, meta: what it carries
	kindJoin                    // idx: in joins
	kindCommit                  // idx: in commits
	kindMerge                   // arg: ring
	kindHoldCancel              // arg: ring
	kindBatch                   // idx: in batches: one packet for each of several processors, all arriving now
	kindPongs                   // idx: in batches: pongs of several processors, arriving now
)

// event is something due inside the model: a value, so that a run allocates nothing.
type event struct {
	at   int64
	arg  uint64
	idx  int32
	ord  uint32 // order of creation among events of one instant
	kind kind
	node uint8 // where it happens
	from uint8 // packets: the sender
	link uint8
	meta uint8
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.ord < o.ord
}

// eventHeap is a four-ary heap of values: half the levels of a binary one, and children share cache lines.
type eventHeap []event

func (h *eventHeap) push(e event) {
	s := append(*h, e)
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&s[up]) {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = e
	*h = s
}

func (h *eventHeap) pop() event {
	s := *h
	top, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return top
	}
	i := 0
	for {
		first := 4*i + 1
		if first >= len(s) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(s)); c++ {
			if s[c].before(&s[least]) {
				least = c
			}
		}
		if !s[least].before(&last) {
			break
		}
		s[i] = s[least]
		i = least
	}
	s[i] = last
	return top
}

// push files an event. The earliest of all but the ticks waits in the slot: nearly always the travelling token, which
// then never enters the heap.
func (r *Ring) push(e event) {
	r.ord++
	e.ord = r.ord
	slot := &r.slots[r.which]
	switch {
	case r.full && e.before(slot):
		r.queue.push(*slot)
		*slot = e
	case r.full:
		r.queue.push(e)
	case len(r.queue) > 0 && !e.before(&r.queue[0]):
		r.queue.push(e)
	default:
		*slot, r.full = e, true
	}
}

// pushToken is push for the token. It writes its fields where they will be read: copied whole so soon after, they would
// have to wait in the processor's store buffer.
func (r *Ring) pushToken(p *proc, at int64, l int) {
	if r.full || len(r.queue) > 0 && r.queue[0].at <= at {
		r.push(event{at: at, kind: kindToken, node: uint8(p.next), from: uint8(p.index), link: uint8(l), idx: p.sentNo})
		return
	}
	r.ord++
	e := &r.slots[r.which]
	e.at, e.ord = at, r.ord
	e.kind, e.node, e.from, e.link = kindToken, uint8(p.next), uint8(p.index), uint8(l)
	e.idx = p.sentNo
	r.full = true
}

func (r *Ring) pushTick(e event) {
	r.ord++
	e.ord = r.ord
	r.ticks.push(e)
}

// peekQueue is the earliest event that is not a tick, or nil.
func (r *Ring) peekQueue() *event {
	switch {
	case r.full:
		return &r.slots[r.which]
	case len(r.queue) > 0:
		return &r.queue[0]
	}
	return nil
}

func (r *Ring) peek() *event {
	ev := r.peekQueue()
	if !r.ticks.empty() && (ev == nil || r.ticks.peek().before(ev)) {
		return r.ticks.peek()
	}
	return ev
}

// pop takes the earliest event that is due by until and moves the time to it. The event is valid until the next pop.
func (r *Ring) pop(until int64) *event {
	ev := r.peekQueue()
	if !r.ticks.empty() && (ev == nil || r.ticks.peek().before(ev)) {
		if r.ticks.peek().at > until {
			return nil
		}
		r.current = r.ticks.pop()
		r.now = r.current.at
		return &r.current
	}
	if ev == nil || ev.at > until {
		return nil
	}
	if r.full { // the event stays in its slot, the next one goes into the other
		r.full = false
		r.which ^= 1
	} else {
		r.current = r.queue.pop()
		ev = &r.current
	}
	r.now = ev.at
	return ev
}

// pool keeps the contents of packets that travel, by index.
type pool[T any] struct {
	items []T
	free  []int32
}

func (p *pool[T]) put(v *T) int32 {
	if n := len(p.free); n > 0 {
		i := p.free[n-1]
		p.free = p.free[:n-1]
		p.items[i] = *v
		return i
	}
	p.items = append(p.items, *v)
	return int32(len(p.items) - 1)
}

func (p *pool[T]) release(i int32) { p.free = append(p.free, i) }

// timer is one of a processor's timers. Re-arming it only moves the deadline; an event that comes too early looks again.
type timer struct {
	deadline int64 // off: not armed
	queued   int64 // when the event that watches it is due; off: there is none
}

const off = 1<<63 - 1

const (
	timerToken = iota
	timerWarning
	timerRetransmit
	timerHold
	timerMerge
	timerJoin
	timerConsensus
	timerTraffic
	timerCount
)

// arm sets a timer; the same instant again replaces it (qb_loop_timer_del, qb_loop_timer_add).
func (r *Ring) arm(p *proc, which int, at int64) {
	t := &p.timers[which]
	t.deadline = at
	if t.queued > at {
		t.queued = at
		r.push(event{at: at, kind: kindTimer, node: uint8(p.index), idx: int32(which)})
	}
}

func (p *proc) cancel(which int) { p.timers[which].deadline = off }

func (r *Ring) onTimer(p *proc, which int) {
	t := &p.timers[which]
	if t.queued != r.now {
		return // an earlier arming has taken its place
	}
	t.queued = off
	if t.deadline > r.now {
		if t.deadline != off {
			t.queued = t.deadline
			r.push(event{at: t.deadline, kind: kindTimer, node: uint8(p.index), idx: int32(which)})
		}
		return
	}
	t.deadline = off
	switch which {
	case timerToken:
		r.tokenTimeout(p)
	case timerWarning:
		r.tokenWarning(p)
	case timerRetransmit:
		r.retransmitTimeout(p)
	case timerHold:
		r.holdTimeout(p)
	case timerMerge:
		r.mergeTimeout(p)
	case timerJoin:
		r.joinTimeout(p)
	case timerConsensus:
		r.consensusExpired(p)
	case timerTraffic:
		r.trafficDue(p)
	}
}

// dispatch lets one event happen.
func (r *Ring) dispatch(ev *event) {
	if ev.kind >= kindBatch {
		r.onBatch(ev)
		return
	}
	p := &r.procs[ev.node]
	if p.pausedUntil > r.now {
		r.deferPaused(p, ev)
		return
	}
	switch ev.kind {
	case kindTimer:
		if p.alive {
			r.onTimer(p, int(ev.idx))
		}
	case kindTick:
		r.onTick(p, ev)
	case kindPong:
		r.onPong(p, ev)
	case kindUnreachable:
		r.onUnreachable(p, ev)
	default:
		r.onPacket(p, ev)
	}
}
