package totem

// calmBeyond says whether the network promised calm until after t.
func (r *Ring) calmBeyond(t int64) bool {
	return r.calm != nil && r.calm.CalmUntil(nanos(r.now)) > nanos(t)
}

// skip passes over whole rotations of a busy ring in one step: while the network is calm, nothing but the token is under
// way, nobody has anything to send and the ring is not yet idle, each rotation is like the one before. It puts the token
// back, later, at the representative. What it leaves is the same, to the nanosecond, as the rotations would have left.
func (r *Ring) skip(rep *proc, t *token, ev *event) bool {
	if r.cfg.Tokens || rep.index != t.ring.Rep() || rep.state != StateOperational {
		return false
	}
	horizon := r.horizon()
	if horizon <= r.now {
		return false
	}
	left, turn, healthy, ok := r.uniform(rep, t)
	if !ok {
		return false
	}
	turns := min(int64(left), (min(horizon, healthy)-r.now)/turn)
	if turns <= 0 {
		return false
	}
	r.passOver(rep, ev, turns, turn)
	return true
}

// horizon is the time up to which nothing but the token and heartbeats happens, or the end of the present Run.
func (r *Ring) horizon() int64 {
	h := min(int64(r.calm.CalmUntil(nanos(r.now))), r.limit)
	if ev := r.peekQueue(); ev != nil {
		h = min(h, ev.at-1)
	}
	return h
}

// healthyUntil is the time before which no heartbeat can change how from and to exchange data, given calm: until a pong
// that was lost earlier would take a link down, or never if a link is about to come up.
func (r *Ring) healthyUntil(from, to int) int64 {
	until := int64(off)
	for l := range r.linksOf(from, to) {
		lk := &r.linksOf(from, to)[l]
		if !lk.connected || lk.unreachable || lk.pongLast == never {
			return r.now
		}
		until = min(until, lk.pongLast+r.knet[l].timeout-1)
	}
	return until
}

// uniform says whether the coming rotations are all alike, how many there may be before the ring counts as idle, how long
// one takes, and until when all links are sure to stay up.
func (r *Ring) uniform(rep *proc, t *token) (left int32, turn, until int64, ok bool) {
	if t.ring != rep.ring || t.tokenSeq <= rep.tokenSeq || !t.quiet() {
		return 0, 0, 0, false
	}
	left = int32(r.cfg.Timeouts.SeqnoUnchangedConst) - 1 - rep.seqUnchanged
	if left <= 0 || r.cfg.Mode == RoundRobin || rep.timers[timerMerge].deadline == off {
		return 0, 0, 0, false
	}
	for i := range rep.members.All() {
		p := &r.procs[i]
		if !p.quiet(t) || (i == rep.index && p.tokenSeq != t.tokenSeq-int64(rep.members.Len())) {
			return 0, 0, 0, false
		}
		left = min(left, int32(r.cfg.Timeouts.SeqnoUnchangedConst)-1-p.seqUnchanged)
	}
	until = off
	for i := range rep.members.All() {
		p := &r.procs[i]
		if i != p.next {
			until = min(until, r.healthyUntil(i, p.next), r.healthyUntil(p.next, i))
		}
		if until <= r.now {
			return 0, 0, 0, false
		}
		at, _, _ := r.route(i, p.next, ClassToken)
		turn += at - r.now
	}
	return left, turn, until, true
}

// quiet says whether the visit of a quiet token would change nothing in p but counters.
func (p *proc) quiet(t *token) bool {
	q := &p.regular
	return p.alive && p.state == StateOperational && p.ring == t.ring && !p.transAck && p.newQueue == 0 && p.aruCount == 0 &&
		p.sentBefore == 0 && p.backlogPrev == 0 && p.lastSeq == t.seq && p.lastAru == t.seq && q.aru == t.seq && q.high == t.seq && q.released == t.seq &&
		p.seqUnchanged > 0 && !p.sentCommit
}

// passOver moves everything by whole turns.
func (r *Ring) passOver(rep *proc, ev *event, turns, turn int64) {
	by := turns * turn
	seqs := turns * int64(rep.members.Len())
	for i := range rep.members.All() {
		p := &r.procs[i]
		p.lastToken += by
		p.tokenSeq += seqs
		p.sent.tokenSeq += seqs
		p.seqUnchanged += int32(turns)
		for _, which := range [...]int{timerToken, timerWarning, timerRetransmit} {
			if p.timers[which].deadline != off {
				p.timers[which].deadline += by
			}
		}
		if turn > p.longest.ns {
			p.longest = gap{ns: turn, at: p.lastToken}
		}
	}
	r.stats.Tokens += uint64(seqs)
	e := *ev
	e.at += by
	r.push(e)
}
