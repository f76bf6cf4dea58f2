package totem

import "time"

// Start starts the daemon of processor i, alone, its links as good as down.
func (r *Ring) Start(i int) {
	p := &r.procs[i]
	if p.alive {
		return
	}
	p.reset(i)
	p.alive, p.hostUp = true, true
	p.state = StateOperational // as totemsrp_instance_initialize has it, until the interface comes up
	p.ring, p.oldRing, p.tokenRingSeq = ringOf(i, 0), ringOf(i, 0), 0
	p.members, p.receivedFlag = 0, true
	p.lastToken, p.frozenSince = r.now, r.now
	p.next = i
	r.emit(Event{Kind: ProcessorStarted, Node: i})
	r.coldLinks(i)
	r.startTick(i)
	r.startTraffic(i)
	p.state = StateGather // no disruption of a ring that it was never in
	r.enterGather(p, CauseStart)
}

// Stop ends the daemon of processor i in an orderly way: it tells the others (memb_leave_message_send).
func (r *Ring) Stop(i int) {
	p := &r.procs[i]
	if !p.alive {
		return
	}
	j := join{ringSeq: p.ring.Seq(), proc: p.procList &^ only(i), failed: p.failed | only(i), leave: true}
	for to := range r.procs {
		if to != i {
			r.sendJoinTo(p, to, &j)
		}
	}
	r.end(p, true)
}

// Kill ends the daemon of processor i without a word; its host lives and answers for it.
func (r *Ring) Kill(i int) { r.end(&r.procs[i], true) }

// PowerOff ends processor i with its host: silence.
func (r *Ring) PowerOff(i int) { r.end(&r.procs[i], false) }

func (r *Ring) end(p *proc, hostUp bool) {
	p.hostUp = hostUp
	if !p.alive {
		return
	}
	p.reset(p.index)
	p.hostUp = hostUp
	r.emit(Event{Kind: ProcessorStopped, Node: p.index})
}

// Pause stops processor i with its host for d, as a stalled virtual machine: what arrives waits, timers fire late.
func (r *Ring) Pause(i int, d time.Duration) {
	p := &r.procs[i]
	p.pausedSince = r.now
	p.pausedUntil = max(p.pausedUntil, r.now+int64(d))
}

// SetLink makes processor i take a link to another down, or up, as a knet did that it follows. From then on the link is judged as all are.
func (r *Ring) SetLink(i, peer, link int, up bool) {
	p := &r.procs[i]
	if !p.alive || i == peer {
		return
	}
	lk := &r.linksOf(i, peer)[link]
	switch {
	case !up:
		r.linkDown(p, peer, link, lk)
	case !lk.connected:
		lk.pongs, lk.pongLast, p.linksDue = r.knet[link].pongs, r.now, r.now
		r.linkUp(p, peer, link, lk, true)
	}
}

// deferPaused keeps an event until its processor runs again. Membership messages that waited longer than half a token are
// flushed (exec/totemsrp.c, pause_flush).
func (r *Ring) deferPaused(p *proc, ev *event) {
	if ev.kind == kindJoin && p.pausedUntil-p.pausedSince > r.t.token/2 {
		r.forget(ev)
		return
	}
	e := *ev
	if e.kind == kindTimer {
		t := &p.timers[e.idx]
		if t.queued != e.at {
			return
		}
		t.queued = p.pausedUntil
	}
	e.at = p.pausedUntil
	if e.kind == kindTick {
		r.pushTick(e)
		return
	}
	r.push(e)
}
