package totem

import (
	"fmt"
	"strings"
	"time"
)

// Describe draws the ring as it stands, for a person: one line per processor, then the links that are down.
func (r *Ring) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: token %s, retransmit %s, hold %s, consensus %s\n", shortDuration(r.Now()), r.cfg.Timeouts.Token,
		r.cfg.Timeouts.TokenRetransmit, r.cfg.Timeouts.Hold, r.cfg.Timeouts.Consensus)
	for i := range r.procs {
		r.describeProc(&b, &r.procs[i])
	}
	for from := range r.procs {
		for to := range r.procs {
			if from != to && r.procs[from].alive {
				r.describeLinks(&b, from, to)
			}
		}
	}
	return b.String()
}

func (r *Ring) describeProc(b *strings.Builder, p *proc) {
	n := nameOf(r.cfg.Names, p.index)
	if !p.alive {
		fmt.Fprintf(b, "%s off\n", n)
		return
	}
	fmt.Fprintf(b, "%s %s ring %s", n, p.state, p.ring)
	switch p.state {
	case StateOperational:
		fmt.Fprintf(b, " of %s", setNames(r.cfg.Names, p.members))
	default:
		fmt.Fprintf(b, " seeks %s, agreed %s, failed %s", setNames(r.cfg.Names, p.procList&^p.failed), setNames(r.cfg.Names, p.consensus), setNames(r.cfg.Names, p.failed))
	}
	fmt.Fprintf(b, ", token %s ago", shortDuration(nanos(r.now-p.lastToken)))
	if d := p.timers[timerToken].deadline; d != off {
		fmt.Fprintf(b, ", lost in %s", shortDuration(nanos(d-r.now)))
	}
	if d := p.timers[timerConsensus].deadline; d != off && p.state == StateGather {
		fmt.Fprintf(b, ", consensus in %s", shortDuration(nanos(d-r.now)))
	}
	if p.held && p.isRep() && p.state == StateOperational {
		fmt.Fprint(b, ", holds the token")
	}
	if p.newQueue > 0 {
		fmt.Fprintf(b, ", %d messages wait", p.newQueue)
	}
	fmt.Fprintf(b, ", longest gap %s\n", shortDuration(r.LongestGap(p.index).Length))
}

func (r *Ring) describeLinks(b *strings.Builder, from, to int) {
	for l := range r.linksOf(from, to) {
		lk := &r.linksOf(from, to)[l]
		if lk.connected && lk.backoff == 1 {
			continue
		}
		state := "down"
		if lk.connected {
			state = "up"
		}
		fmt.Fprintf(b, "link %d %s>%s %s, %d pongs, timeout %s (back-off %d)\n", l, nameOf(r.cfg.Names, from), nameOf(r.cfg.Names, to), state, lk.pongs,
			time.Duration(lk.adj).Round(time.Millisecond), lk.backoff)
	}
}
