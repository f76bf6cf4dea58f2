package totem

// commitEntry is what one processor writes into the commit token (struct memb_commit_token_memb_entry).
type commitEntry struct {
	ring     RingID
	aru      int32
	high     int32
	received bool
}

// commitToken is struct memb_commit_token of exec/totemsrp.c; it goes round twice.
type commitToken struct {
	ring    RingID
	addr    Set // the ring to be, in ascending order
	index   int // memb_index: how many have written their entry
	entries [MaxProcessors]commitEntry
}

func (c *commitToken) full() bool { return c.index == c.addr.Len() }

// nth is the processor at position i of the ring to be.
func (s Set) nth(i int) int {
	for range i {
		s &= s - 1
	}
	return s.lowest()
}

// createCommit is memb_state_commit_token_create.
func (r *Ring) createCommit(p *proc) {
	p.cold.commit = commitToken{ring: ringOf(p.index, p.tokenRingSeq+4), addr: p.procList &^ p.failed}
}

// enterCommit is memb_state_commit_enter.
func (r *Ring) enterCommit(p *proc) {
	if !p.oldSaved { // old_ring_state_save
		p.oldSaved = true
		p.oldRing = p.ring
	}
	r.updateCommit(p)
	c := &p.cold.commit
	p.next = c.addr.nth(c.index % c.addr.Len())
	p.cancel(timerJoin)
	p.cancel(timerConsensus)
	p.ring = c.ring
	p.tokenRingSeq = c.ring.Seq()
	p.state = StateCommit
	r.resetTokenTimers(p)
	p.sentBefore, p.backlogPrev, p.backlog = 0, 0, 0
	r.sendCommit(p, c)
}

// sendCommit is memb_state_commit_token_send and its twin for recovery.
func (r *Ring) sendCommit(p *proc, c *commitToken) {
	p.sentCommit, p.cold.sentCommit = true, *c
	r.sendToken(p)
	r.resetRetransmit(p)
}

// updateCommit is memb_state_commit_token_update: p's entry, and who of the same old ring lacks messages.
func (r *Ring) updateCommit(p *proc) {
	c := &p.cold.commit
	p.newMembers = c.addr
	q := &p.regular
	p.receivedFlag = q.aru == q.high
	mine := &c.entries[c.index]
	*mine = commitEntry{ring: p.oldRing, aru: q.aru, high: q.delivered, received: p.receivedFlag}
	high := mine.aru
	for i := 0; i <= c.index; i++ {
		if c.entries[i].ring == mine.ring {
			high = max(high, c.entries[i].aru)
		}
	}
	for i := 0; i <= c.index; i++ {
		if e := &c.entries[i]; e.ring == mine.ring && e.aru < high {
			e.received = false
			if i == c.index {
				p.receivedFlag = false
			}
		}
	}
	c.index++
}

// onCommit is message_handler_memb_commit_token.
func (r *Ring) onCommit(p *proc, c *commitToken) {
	switch p.state {
	case StateGather:
		if c.addr == p.procList&^p.failed && c.ring.Seq() > p.ring.Seq() && !c.full() {
			p.cold.commit = *c
			r.enterCommit(p)
		}
	case StateCommit:
		if c.ring.Seq() == p.ring.Seq() && c.full() {
			r.enterRecovery(p, c)
		}
	case StateRecovery:
		if p.isRep() && !p.originated {
			p.originated = true
			r.sendInitialToken(p)
			r.resetTokenTimers(p)
			r.resetRetransmit(p)
		}
	}
}

// enterRecovery is memb_state_recovery_enter.
func (r *Ring) enterRecovery(p *proc, c *commitToken) {
	p.discard = false
	p.recovery.clear()
	p.retransQueue = 0
	r.sendCommit(p, c)
	p.tokenSeq = -1

	p.transMembers = 0
	missing := false
	for i := range c.addr.Len() {
		who := c.addr.nth(i)
		if p.members.Has(who) && c.entries[i].ring == p.oldRing {
			p.transMembers |= only(who)
			missing = missing || !c.entries[i].received
		}
	}
	if missing {
		p.retransQueue = r.oldMessages(p, c)
	}
	p.aruCount, p.seqUnchanged, p.installSeq = 0, 0, 0
	r.resetTokenTimers(p)
	r.resetRetransmit(p)
	p.state = StateRecovery
}

// oldMessages counts the messages of the old ring that p sends again so that all who come from it have the same.
func (r *Ring) oldMessages(p *proc, c *commitToken) int32 {
	low := p.regular.high
	for i := range c.addr.Len() {
		if p.transMembers.Has(c.addr.nth(i)) && c.entries[i].ring == p.oldRing {
			low = min(low, c.entries[i].aru)
		}
	}
	return p.regular.count(low, p.regular.high)
}

// sendInitialToken is orf_token_send_initial.
func (r *Ring) sendInitialToken(p *proc) {
	p.setRetrans = p.retransQueue > 0
	p.sent = token{ring: p.ring, aru: -1, aruBy: uint8(p.index + 1), retrans: p.setRetrans}
	p.sentNo++
	p.sentCommit = false
	r.sendToken(p)
}

// recoveryProgress is the part of message_handler_orf_token that ends recovery: when nobody has had anything to send
// again for three rotations, and all have everything for two more, the ring is in service.
func (r *Ring) recoveryProgress(p *proc, t *token) {
	if p.retransQueue > 0 {
		if !t.retrans {
			t.retrans, p.setRetrans = true, true
		}
	} else if t.retrans && p.setRetrans {
		t.retrans, p.setRetrans = false, false
	}
	if t.retrans {
		p.flagCount = 0
	} else {
		p.flagCount++
	}
	if p.flagCount == 2 {
		p.installSeq = t.seq
	}
	if p.flagCount >= 2 && !p.receivedFlag && p.installSeq <= p.recovery.aru {
		p.receivedFlag = true
	}
	if p.flagCount >= 3 && p.installSeq <= t.aru {
		p.rotations++
	} else {
		p.rotations = 0
	}
	if p.rotations == 2 {
		r.enterOperational(p)
		p.rotations, p.flagCount = 0, 0
	}
}

// enterOperational is memb_state_operational_enter.
func (r *Ring) enterOperational(p *proc) {
	p.originated = false
	p.consensus = 0
	p.oldSaved = false
	left := p.members &^ p.transMembers
	joined := p.newMembers &^ p.transMembers
	p.members = p.newMembers
	p.setRetrans = false
	p.transAck = true
	p.regular, p.recovery = p.recovery, p.regular // sq_copy; what recovery has now is cleared before its next use
	p.regular.delivered = p.regular.aru
	p.lastAru = 0
	p.procList, p.failed = p.newMembers, 0
	p.state = StateOperational
	p.receivedFlag = true
	p.oldRing = p.ring
	failed := left &^ p.leaving
	p.leaving = 0
	r.stats.Memberships++
	r.emit(Event{Kind: Membership, Node: p.index, Ring: p.ring, Members: p.members, Joined: joined, Left: left, Failed: failed,
		Gap: nanos(r.now - p.frozenSince)})
	r.syncStart(p)
}

// syncStages is how many messages every processor must send and get from all before services answer again: one that lists
// the services, then a barrier for each of cmap, cpg, votequorum and quorum (exec/sync.c).
const syncStages = 5

// syncStart is sync_start: the services put themselves in order before they answer.
func (r *Ring) syncStart(p *proc) {
	p.syncStage, p.syncGot = 0, 0
	p.transQueue = 1
}

// syncDelivered is sync_service_build_handler and sync_barrier_handler.
func (r *Ring) syncDelivered(p *proc, from int) {
	if !p.transAck {
		return
	}
	p.syncGot |= only(from)
	if !p.syncGot.holds(p.members) {
		return
	}
	p.syncStage++
	p.syncGot = 0
	if p.syncStage < syncStages {
		p.transQueue++
		r.cancelHold(p)
		return
	}
	p.transAck = false
	p.transQueue = 0
	p.newQueue += p.deferred
	p.deferred = 0
	if p.newQueue > 0 {
		r.cancelHold(p)
	}
	r.backInService(p)
	r.emit(Event{Kind: Synchronized, Node: p.index, Ring: p.ring, Members: p.members})
}
