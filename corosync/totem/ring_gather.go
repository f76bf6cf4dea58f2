package totem

import "time"

// join is the memb_join message of exec/totemsrp.c.
type join struct {
	ringSeq uint64
	proc    Set
	failed  Set
	leave   bool // header.nodeid is LEAVE_DUMMY_NODEID: the sender goes in an orderly way
}

// Cause is why a processor entered gather (exec/totemsrp.h, enum gather_state_from).
type Cause uint8

// The causes, in Corosync's words of gather_state_from_desc.
const (
	CauseConsensusTimeout Cause = iota
	CauseTokenLostOperational
	CauseConsensusExpired
	CauseTokenLostCommit
	CauseTokenLostRecovery
	CauseFailedToReceive
	CauseForeignOperational
	CauseForeignGather
	CauseMergeOperational
	CauseMergeGather
	CauseMergeJoin
	CauseJoinOperational
	CauseJoinCommit
	CauseJoinRecovery
	CauseStart
)

// String is Corosync's own text for the cause.
func (c Cause) String() string {
	return [...]string{
		"consensus timeout", "the token was lost in the OPERATIONAL state", "the consensus timeout expired",
		"the token was lost in the COMMIT state", "the token was lost in the RECOVERY state", "failed to receive",
		"foreign message in operational state", "foreign message in gather state", "merge during operational state",
		"merge during gather state", "merge during join", "join during operational state", "join during commit state",
		"join during recovery", "interface change",
	}[c]
}

// tokenTimeout is timer_function_orf_token_timeout.
func (r *Ring) tokenTimeout(p *proc) {
	gap := nanos(r.now - p.lastToken)
	switch p.state {
	case StateOperational:
		r.stats.TokenLosses++
		r.emit(Event{Kind: TokenLost, Node: p.index, Gap: gap, State: p.state})
		r.enterGather(p, CauseTokenLostOperational)
	case StateGather:
		r.consensusExpired(p)
		r.enterGather(p, CauseConsensusExpired)
	case StateCommit:
		r.stats.CommitLosses++
		r.emit(Event{Kind: TokenLost, Node: p.index, Gap: gap, State: p.state})
		r.enterGather(p, CauseTokenLostCommit)
	case StateRecovery:
		r.stats.RecoveryLosses++
		r.emit(Event{Kind: TokenLost, Node: p.index, Gap: gap, State: p.state})
		r.enterGather(p, CauseTokenLostRecovery)
	}
}

// tokenWarning is timer_function_orf_token_warning.
func (r *Ring) tokenWarning(p *proc) {
	r.stats.Warnings++
	r.emit(Event{Kind: TokenWarning, Node: p.index, Gap: nanos(r.now - p.lastToken), State: p.state})
	r.arm(p, timerWarning, r.now+r.t.warning)
}

// enterGather is memb_state_gather_enter.
func (r *Ring) enterGather(p *proc, cause Cause) {
	p.discard = true
	p.originated = false
	p.procList |= only(p.index)
	r.sendJoin(p)
	r.arm(p, timerJoin, r.now+r.t.join)
	r.arm(p, timerConsensus, r.now+r.t.consensus)
	p.cancel(timerRetransmit)
	p.cancelTokenTimers()
	p.cancel(timerMerge)
	p.consensus = only(p.index)
	if p.state == StateOperational {
		r.leftOperational(p)
	}
	p.state = StateGather
	r.stats.Gathers++
	r.emit(Event{Kind: Gather, Node: p.index, Cause: cause, Members: p.procList &^ p.failed})
}

// joinEcho is the least time between two equal joins of a processor. Two that gather and come from different rings, with
// different opinions of who failed, answer each other's joins without end, each answer calling forth one of every peer:
// real daemons do it as fast as their processors can. The model keeps the livelock but not its speed.
const joinEcho = 2 * time.Millisecond

// sendJoin is memb_join_message_send; knet hands a copy back to the sender.
func (r *Ring) sendJoin(p *proc) {
	j := join{ringSeq: p.ring.Seq(), proc: p.procList, failed: p.failed}
	if j == p.joinSent && r.now-p.joinAt < int64(joinEcho) {
		r.stats.JoinEchoes++
		return
	}
	p.joinSent, p.joinAt = j, r.now
	for to := range r.procs {
		if to != p.index {
			r.sendJoinTo(p, to, &j)
		}
	}
	r.sendSelf(p, event{kind: kindJoin, idx: r.joins.put(&j)})
}

func (r *Ring) sendJoinTo(p *proc, to int, j *join) {
	if at, link, ok := r.route(p.index, to, ClassMembership); ok {
		r.push(event{at: at, kind: kindJoin, node: uint8(to), from: uint8(p.index), link: uint8(link), idx: r.joins.put(j)})
	}
}

func (r *Ring) joinTimeout(p *proc) {
	if p.state == StateGather || p.state == StateCommit {
		r.sendJoin(p)
		r.arm(p, timerJoin, r.now+r.t.join)
	}
}

func (p *proc) agreed() bool { return p.consensus.holds(p.procList &^ p.failed) }

func (p *proc) lowestInConfig() bool { return (p.procList &^ p.failed).lowest() == p.index }

// consensusExpired is memb_state_consensus_timeout_expired: who stayed silent counts as failed.
func (r *Ring) consensusExpired(p *proc) {
	r.stats.ConsensusTimeouts++
	if p.agreed() {
		p.consensus = only(p.index)
		r.resetTokenTimers(p)
		return
	}
	p.failed |= p.procList &^ p.consensus
	r.enterGather(p, CauseConsensusTimeout)
}

// onJoin is message_handler_memb_join.
func (r *Ring) onJoin(p *proc, from int, j *join) {
	p.tokenRingSeq = max(p.tokenRingSeq, j.ringSeq)
	switch p.state {
	case StateOperational:
		if !p.ignoresJoin(from, j) {
			r.processJoin(p, from, j)
		}
	case StateGather:
		r.processJoin(p, from, j)
	case StateCommit:
		if p.newMembers.Has(from) && j.ringSeq >= p.ring.Seq() {
			r.processJoin(p, from, j)
			r.enterGather(p, CauseJoinCommit)
		}
	case StateRecovery:
		if p.newMembers.Has(from) && j.ringSeq >= p.ring.Seq() {
			r.processJoin(p, from, j)
			r.enterGather(p, CauseTokenLostRecovery)
			r.stats.RecoveryLosses++
			r.enterGather(p, CauseJoinRecovery)
		}
	}
}

// ignoresJoin is ignore_join_under_operational: a join of a time before this ring, or of one that has given p up.
func (p *proc) ignoresJoin(from int, j *join) bool {
	return j.failed.Has(p.index) || p.members.Has(from) && j.ringSeq < p.ring.Seq()
}

// processJoin is memb_join_process.
func (r *Ring) processJoin(p *proc, from int, j *join) {
	if j.leave {
		p.leaving |= only(from)
	}
	switch {
	case j.proc == p.procList && j.failed == p.failed:
		if r.joinAgrees(p, from, j) {
			return
		}
	case p.procList.holds(j.proc) && p.failed.holds(j.failed), p.failed.Has(from):
		// Nothing new, or nothing that p would hear from one it has given up.
	default:
		p.mergeJoin(from, j)
		r.enterGather(p, CauseMergeJoin)
		return
	}
	if p.state == StateOperational {
		r.enterGather(p, CauseJoinOperational)
	}
}

// joinAgrees notes that the sender sees the members as p does; once all do, the lowest of them starts the commit token.
func (r *Ring) joinAgrees(p *proc, from int, j *join) (committed bool) {
	if !j.leave {
		p.consensus |= only(from)
	}
	if !p.agreed() {
		return false
	}
	if p.failedToRecv {
		p.failedToRecv = false
		p.procList, p.failed = only(p.index), 0
		r.createCommit(p)
		r.enterCommit(p)
		return true
	}
	if p.lowestInConfig() {
		r.createCommit(p)
		r.enterCommit(p)
		return true
	}
	return false
}

// mergeJoin takes the sender's view into p's own.
func (p *proc) mergeJoin(from int, j *join) {
	p.procList |= j.proc
	switch {
	case j.failed.Has(p.index):
		p.failed |= only(from)
	case p.members.Has(from):
		// The sender is not in p.failed: processJoin has seen to that.
		p.failed |= j.failed
	}
}
