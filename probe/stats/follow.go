package stats

import "time"

// A reflector stamps a reply before it hands it to its kernel. If it loses the processor in between, that time looks like the
// network's: up to a whole time slice, and many on a busy host. The next reply tells when this one really left. So the RTT of
// a reply, and a gap that is nothing but its delay, wait for the next reply before they count.

// held is the newest reply, while it waits.
type held struct {
	sampled bool // its RTT is to be counted
	rtt     time.Duration
	t       int64
	ends    bool // it may end a gap
	ending  ending
}

// holdFor is how many intervals a reply waits at most.
const holdFor = 3

// follow corrects the held reply by what a new one says of it, and counts it.
func (p *Path) follow(r Reply) {
	h := &p.held
	if r.Followed {
		p.holds = true
		h.rtt -= lateness(r.Late, h.rtt)
		h.ending.reply.RTT -= lateness(r.Late, h.ending.reply.RTT)
	}
	p.release()
}

// lateness is what can be believed of how late a reply left: not more than it took.
func lateness(late, rtt time.Duration) time.Duration {
	if late < 0 || late > rtt {
		return 0
	}
	return late
}

// release counts the held reply.
func (p *Path) release() {
	h := &p.held
	if h.ends {
		p.closeGap(&h.ending)
	}
	if h.sampled {
		p.sample(h.t, h.rtt)
	}
	h.ends, h.sampled = false, false
}

// releaseOld counts a held reply that nothing followed.
func (p *Path) releaseOld(now int64) {
	if (p.held.ends || p.held.sampled) && time.Duration(now-p.held.t) > holdFor*p.cfg.Interval {
		p.release()
	}
}
