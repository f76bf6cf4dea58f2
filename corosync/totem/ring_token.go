package totem

import "slices"

// retransmitEntriesMax is the room in a token's retransmit list (exec/totemsrp.c, RETRANSMIT_ENTRIES_MAX).
const retransmitEntriesMax = 30

// token is the orf_token of exec/totemsrp.c.
type token struct {
	ring     RingID
	tokenSeq int64
	seq      int32 // the last message's number
	aru      int32 // all have all up to here
	fcc      int32 // messages sent during the last rotation
	backlog  int32
	rtr      uint16 // rtr_list: a list in Ring.lists; 0: none
	aruBy    uint8  // aru_addr: 1 + the processor that holds aru back; 0: nobody
	retrans  bool   // retrans_flg
}

// quiet says whether all have all messages, and nobody has sent one on the last rotation.
func (t *token) quiet() bool {
	return t.rtr == 0 && t.aru == t.seq && t.aruBy == 0 && t.fcc == 0 && t.backlog == 0
}

// onToken is message_handler_orf_token. A token under way has no copy of its own: it is the one that its sender last
// sent; if the sender has sent a newer one since, this one is old news to everybody.
func (r *Ring) onToken(p *proc, ev *event) {
	if p.discard {
		return
	}
	sender := &r.procs[ev.from]
	if sender.sentNo != ev.idx {
		r.noticeSeq(p, p.lastSeq)
		return
	}
	t := &sender.sent
	if r.calm != nil && p.isRep() && r.skip(p, t, ev) {
		return
	}
	r.noticeSeq(p, t.seq)
	forward := r.holdOrForward(p)
	if p.state == StateCommit || t.ring != p.ring || t.tokenSeq <= p.tokenSeq {
		return // of another ring, or one sent again
	}
	if p.state == StateOperational {
		p.regular.release(min(t.aru, p.lastAru, p.regular.delivered)) // messages_free
	}
	r.accept(p, t, forward)
}

// noticeSeq counts rotations without news and runs the merge timer on them. Tokens sent again count too: Corosync looks
// here before it looks for duplicates.
func (r *Ring) noticeSeq(p *proc, seq int32) {
	if seq == p.lastSeq {
		// Only a representative's merge timer does anything when it fires.
		if p.isRep() && p.timers[timerMerge].deadline == off {
			r.arm(p, timerMerge, r.now+r.t.merge)
		}
		p.seqUnchanged++
	} else {
		p.cancel(timerMerge)
		p.cancel(timerHold)
		p.seqUnchanged = 0
	}
	p.lastSeq = seq
}

// holdOrForward decides whether the ring counts as idle: then the representative keeps the token (my_token_held).
func (r *Ring) holdOrForward(p *proc) (forward bool) {
	idle := int32(r.cfg.Timeouts.SeqnoUnchangedConst)
	if p.isRep() {
		p.held = p.seqUnchanged > idle
		return !p.held
	}
	p.held = p.seqUnchanged >= idle
	return true
}

// accept is what a processor does with a token that is its own and new: it works on its copy and passes that on.
func (r *Ring) accept(p *proc, received *token, forward bool) {
	r.noteToken(p)
	quiet := received.quiet() && p.quiet(received)
	p.sent, p.sentCommit = *received, false
	p.sentNo++
	t := &p.sent
	if !quiet && !r.exchange(p, t) {
		return
	}
	p.tokenSeq = t.tokenSeq
	t.tokenSeq++
	if p.state == StateRecovery {
		r.recoveryProgress(p, t)
	}
	if forward {
		r.sendToken(p)
	}
	if p.state == StateOperational {
		r.handUp(p)
	}
	r.resetTokenTimers(p)
	r.resetRetransmit(p)
	if p.held && p.isRep() {
		r.arm(p, timerHold, r.now+r.t.hold)
	}
}

// exchange sends messages, old ones that others miss and new ones, and tells the token about them. It reports false if the processor gave up on the ring.
func (r *Ring) exchange(p *proc, t *token) bool {
	lastAru := p.lastAru
	p.lastAru = t.aru

	q := p.queue()
	allowed := r.flowControl(p, t)
	again := r.retransmitMissing(p, q, t, allowed)
	if again > 0 {
		r.stats.Retransmits += uint64(again)
	}
	allowed -= again
	if q.released+queueSize-allowed-int32(r.cfg.Timeouts.WindowSize) < t.seq { // fcc_rtr_limit
		allowed = 0
	}
	fresh := r.multicastQueued(p, q, t, allowed)
	q.updateAru()
	t.fcc += again + fresh - p.sentBefore
	t.backlog += p.backlog - p.backlogPrev
	p.sentBefore, p.backlogPrev = again+fresh, p.backlog

	r.agreeAru(p, q, t, lastAru)
	if int(p.aruCount) > r.cfg.Timeouts.FailRecvConst && t.aruBy == uint8(p.index+1) {
		p.failedToRecv = true
		p.failed |= only(p.index)
		r.emit(Event{Kind: FailedToReceive, Node: p.index})
		r.enterGather(p, CauseFailedToReceive)
		return false
	}
	return true
}

// noteToken keeps the books of token gaps.
func (r *Ring) noteToken(p *proc) {
	ns := r.now - p.lastToken
	p.lastToken = r.now
	r.stats.Tokens++
	if ns > p.longest.ns {
		p.longest = gap{ns: ns, at: r.now}
	}
	if r.cfg.Tokens {
		r.emit(Event{Kind: TokenReceived, Node: p.index, Gap: nanos(ns)})
	}
}

// agreeAru puts the processor's view of what everybody has into the token.
func (r *Ring) agreeAru(p *proc, q *sortQueue, t *token, lastAru int32) {
	me := uint8(p.index + 1)
	if q.aru < t.aru || t.aruBy == me || t.aruBy == 0 {
		t.aru = q.aru
		t.aruBy = me
		if t.aru == t.seq {
			t.aruBy = 0
		}
	}
	if t.aru == lastAru && t.aruBy != 0 {
		p.aruCount++
	} else {
		p.aruCount = 0
	}
}

// flowControl is fcc_calculate: how many messages the processor may send on this visit.
func (r *Ring) flowControl(p *proc, t *token) int32 {
	window := int32(r.cfg.Timeouts.WindowSize)
	allowed := min(int32(r.cfg.Timeouts.MaxMessages), window-t.fcc)
	switch {
	case p.state == StateRecovery:
		p.backlog = p.retransQueue
	case p.transAck:
		p.backlog = p.transQueue
	default:
		p.backlog = p.newQueue
	}
	if total := t.backlog + p.backlog - p.backlogPrev; total != 0 {
		if share := window * p.backlogPrev / total; share > 0 {
			allowed = min(allowed, share)
		}
	}
	return max(allowed, 0)
}

// retransmitMissing is orf_token_rtr: sends what others asked for and it has, asks for what it misses itself.
func (r *Ring) retransmitMissing(p *proc, q *sortQueue, t *token, allowed int32) (again int32) {
	if t.rtr == 0 && q.aru >= t.seq {
		return 0
	}
	asked := r.asked[:0]
	for _, seq := range r.lists.get(t.rtr) {
		if again < allowed && q.holds(seq) {
			r.multicast(p, seq, q.meta[seq%queueSize])
			again++
			continue
		}
		asked = append(asked, seq)
	}
	for seq := q.aru + 1; seq <= t.seq && len(asked) < retransmitEntriesMax && q.inRange(seq); seq++ {
		if !q.holds(seq) && int(q.miss(seq)) >= r.cfg.Timeouts.MissCountConst && !slices.Contains(asked, seq) {
			asked = append(asked, seq)
		}
	}
	r.asked = asked
	if !slices.Equal(asked, r.lists.get(t.rtr)) {
		t.rtr = r.lists.put(asked)
	}
	return again
}

// multicastQueued is orf_token_mcast: sends what waits, oldest first.
func (r *Ring) multicastQueued(p *proc, q *sortQueue, t *token, allowed int32) int32 {
	waiting, meta := &p.newQueue, uint8(carriesNothing)
	switch {
	case p.state == StateRecovery:
		waiting, meta = &p.retransQueue, carriesOldRing
	case p.transAck:
		waiting, meta = &p.transQueue, carriesSyncBase+uint8(p.index)
	}
	n := min(*waiting, allowed)
	for range n {
		t.seq++
		q.add(t.seq, meta)
		q.high = t.seq
		r.multicast(p, t.seq, meta)
	}
	*waiting -= n
	return n
}

// multicast sends message seq of the processor's ring to all that knet reaches, members or not.
func (r *Ring) multicast(p *proc, seq int32, meta uint8) {
	r.spread(p, ClassMessage, event{kind: kindMessage, idx: seq, meta: meta, arg: uint64(p.ring)})
}

// onMessage is message_handler_mcast.
func (r *Ring) onMessage(p *proc, ev *event) {
	if RingID(ev.arg) != p.ring {
		r.foreign(p, int(ev.from), CauseForeignOperational, CauseForeignGather)
		return
	}
	q := &p.regular
	switch {
	case ev.meta == carriesOldRing:
		q = &p.recovery
	case p.state == StateRecovery:
		return // sent by one that is further; the token will ask for it again
	}
	if q.add(ev.idx, ev.meta) {
		p.queue().updateAru()
		if p.state == StateOperational {
			r.handUp(p)
		}
	}
}

// foreign is what a message or merge detect of another ring does: a processor in service goes to gather with its sender,
// one that gathers takes the sender in.
func (r *Ring) foreign(p *proc, from int, operational, gather Cause) {
	switch {
	case p.state == StateOperational:
		p.procList |= only(from)
		r.enterGather(p, operational)
	case p.state == StateGather && !p.procList.Has(from):
		p.procList |= only(from)
		r.enterGather(p, gather)
	}
}

// handUp hands messages up in order (messages_deliver_to_app); only synchronization messages matter here.
func (r *Ring) handUp(p *proc) {
	q := &p.regular
	for q.delivered < q.aru {
		q.delivered++
		meta := q.meta[q.delivered%queueSize]
		if meta != carriesNothing && meta != carriesOldRing {
			r.syncDelivered(p, int(meta-carriesSyncBase))
		}
	}
}

// sendToken sends its successor what the processor last sent it, a token or a commit token (token_send,
// token_retransmit).
func (r *Ring) sendToken(p *proc) {
	if p.sentCommit {
		if at, link, ok := r.route(p.index, p.next, ClassMembership); ok {
			r.push(event{at: at, kind: kindCommit, node: uint8(p.next), from: uint8(p.index), link: uint8(link), idx: r.commits.put(&p.cold.sentCommit)})
		}
		return
	}
	if at, link, ok := r.route(p.index, p.next, ClassToken); ok {
		r.pushToken(p, at, link)
	}
}

// retransmitTimeout is timer_function_token_retransmit_timeout.
func (r *Ring) retransmitTimeout(p *proc) {
	if p.state == StateGather {
		return
	}
	r.stats.TokenRetransmits++
	r.sendToken(p)
	r.resetRetransmit(p)
}

// holdTimeout is timer_function_token_hold_retransmit_timeout: the representative lets the token go.
func (r *Ring) holdTimeout(p *proc) {
	if p.state == StateOperational || p.state == StateRecovery {
		r.sendToken(p)
	}
}

func (r *Ring) mergeTimeout(p *proc) {
	if p.state == StateOperational && p.isRep() {
		r.spread(p, ClassMembership, event{kind: kindMerge, arg: uint64(p.ring)})
	}
}

func (r *Ring) resetTokenTimers(p *proc) {
	r.arm(p, timerToken, r.now+r.t.token)
	if r.t.warning > 0 {
		r.arm(p, timerWarning, r.now+r.t.warning)
	}
}

func (p *proc) cancelTokenTimers() {
	p.cancel(timerToken)
	p.cancel(timerWarning)
}

func (r *Ring) resetRetransmit(p *proc) { r.arm(p, timerRetransmit, r.now+r.t.retransmit) }
