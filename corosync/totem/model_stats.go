package totem

import "time"

// gap is a time without the token, inside.
type gap struct{ ns, at int64 }

// Gap is a time that a processor spent without the token.
type Gap struct {
	Length time.Duration
	End    time.Duration // when the token came
}

// Stats counts what happened since the start.
type Stats struct {
	Tokens            uint64 // accepted
	TokenRetransmits  uint64 // sent again for want of news
	Retransmits       uint64 // messages sent again
	Warnings          uint64
	TokenLosses       uint64 // token timers that expired in service, at any processor
	CommitLosses      uint64
	RecoveryLosses    uint64
	Gathers           uint64
	ConsensusTimeouts uint64
	JoinEchoes        uint64        // joins that the model did not send: see joinEcho; many mean a livelock
	Memberships       uint64        // new memberships, each processor's own
	Disruptions       uint64        // times in which not all were in service, each counted once for the cluster
	Frozen            time.Duration // from the last token to services that answer again, summed over the processors
	Pings             uint64
	LinkDowns         uint64 // each end counts its own
	LinkUps           uint64
	Muted             uint64 // packets of Totem's that knet kept from the wire or from the reader
}

// Stats returns the counters.
func (r *Ring) Stats() Stats { return r.stats }

// LongestGap is the longest time that processor i went without the token since the start or the last ResetGaps, the one
// that is running included.
func (r *Ring) LongestGap(i int) Gap {
	p := &r.procs[i]
	if running := r.now - p.lastToken; p.alive && running > p.longest.ns {
		return Gap{nanos(running), nanos(r.now)}
	}
	return Gap{nanos(p.longest.ns), nanos(p.longest.at)}
}

// ResetGaps starts a new window for LongestGap.
func (r *Ring) ResetGaps() {
	for i := range r.procs {
		r.procs[i].longest = gap{}
	}
}

// leftOperational, reachedOperational and backInService keep the books of disruptions and freezes.
func (r *Ring) leftOperational(p *proc) {
	if r.whole() {
		r.stats.Disruptions++
	}
	if p.served {
		p.served = false
		p.frozenSince = p.lastToken
	}
}

func (r *Ring) backInService(p *proc) {
	if !p.served {
		p.served = true
		r.stats.Frozen += nanos(r.now - p.frozenSince)
	}
}

// whole says whether all processors that run are in service in one ring.
func (r *Ring) whole() bool {
	id := RingID(0)
	for i := range r.procs {
		switch p := &r.procs[i]; {
		case !p.alive:
		case p.state != StateOperational || id != 0 && p.ring != id:
			return false
		default:
			id = p.ring
		}
	}
	return true
}

// Members is the membership that processor i was last in service with; empty if it does not run.
func (r *Ring) Members(i int) Set { return r.procs[i].members }

// State is where processor i stands in the membership protocol.
func (r *Ring) State(i int) State { return r.procs[i].state }

// InService says whether processor i is in a ring and its services answer.
func (r *Ring) InService(i int) bool {
	p := &r.procs[i]
	return p.alive && p.state == StateOperational && p.served
}

// Together says whether all processors there are are in service in one ring of all.
func (r *Ring) Together() bool {
	for i := range r.procs {
		if !r.InService(i) || r.procs[i].members.Len() != len(r.procs) {
			return false
		}
	}
	return true
}

// Usable says whether processor from sends to and accepts from processor to over a link, by its own verdict.
func (r *Ring) Usable(from, to, link int) bool { return r.peer(from, to).usable&(1<<link) != 0 }

// TimeSinceToken is how long ago processor i last accepted a token.
func (r *Ring) TimeSinceToken(i int) time.Duration { return nanos(r.now - r.procs[i].lastToken) }
