package totem

// startTraffic starts the programs on processor i, at a phase of their own.
func (r *Ring) startTraffic(i int) {
	if r.t.every > 0 {
		r.arm(&r.procs[i], timerTraffic, r.now+1+r.phase(r.t.every, r.common[2]))
	}
}

// trafficDue is a program on p that multicasts. While services synchronize, IPC tells it to try again; in any other
// state Corosync takes the message and keeps it (exec/main.c, corosync_sending_allowed).
func (r *Ring) trafficDue(p *proc) {
	if r.t.until == 0 || r.now+r.t.every <= r.t.until {
		r.arm(p, timerTraffic, r.now+r.t.every)
	}
	if p.transAck && p.state == StateOperational {
		p.deferred = 1
		return
	}
	p.newQueue++
	r.cancelHold(p)
}

// cancelHold is token_hold_cancel_send: asks the representative, if it keeps the token, to let it go.
func (r *Ring) cancelHold(p *proc) {
	if !p.held {
		return
	}
	p.held = false
	e := event{kind: kindHoldCancel, arg: uint64(p.ring)}
	r.spread(p, ClassMembership, e)
	r.sendSelf(p, e)
}

// onHoldCancel is message_handler_token_hold_cancel.
func (r *Ring) onHoldCancel(p *proc, ev *event) {
	if RingID(ev.arg) != p.ring {
		return
	}
	p.seqUnchanged = 0
	if p.isRep() {
		r.retransmitTimeout(p)
	}
}
