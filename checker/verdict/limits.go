package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/plan"
)

// limits holds what was measured and what is configured against what breaks.
func (j *judge) limits() {
	for _, check := range []func() Limit{
		j.pause, j.mtu, j.oneWay, j.loss, j.delay, j.links, j.votes, j.fence, j.config,
	} {
		j.out.Limits = append(j.out.Limits, check())
	}
	j.out.First = first(j.out.Limits)
}

// first is the limit that broke first: of what was measured before what was only computed, failures before warnings.
func first(all []Limit) string {
	for _, want := range []struct {
		measured bool
		status   Status
	}{{true, Fail}, {true, Warn}, {false, Fail}, {false, Warn}} {
		for _, l := range all {
			if l.measured == want.measured && l.Status == want.status {
				return l.Name
			}
		}
	}
	return ""
}

// Shares of the token.
const (
	pauseWarns = 0.25
	pauseFails = 0.8 // where Corosync itself complains (scheduling pause, totemsrp.c)
)

// pause: a host that does not run loses the token on the best network.
func (j *judge) pause() Limit {
	l := Limit{Name: LimitPause, Status: Pass, measured: true}
	share := float64(j.in.Pauses.Longest) / float64(j.cluster.Timeouts.Token)
	l.Text = fmt.Sprintf("longest time in which this host did not run: %s (%s of the token)", span(j.in.Pauses.Longest), percent(share))
	switch {
	case j.in.Length == 0:
		l.Status, l.Text = Unknown, "nothing was measured"
	case j.in.Pauses.Count == 0:
		l.Text = "this host ran all the time"
	case share >= pauseFails:
		l.Status = Fail
		l.Text += ": Corosync would lose its token by that alone, whatever the network does"
	case share >= pauseWarns:
		l.Status, l.Cure = Warn, "find what stalls this host: overcommitted processors, I/O, a hypervisor above"
	}
	return l
}

// fullLeast is how many full-size probes must be decided for a word on the MTU.
const fullLeast = 3

// mtu: small packets pass and full ones do not.
func (j *judge) mtu() Limit {
	l := Limit{Name: LimitMTU, Status: Unknown, Text: "no full-size probes were answered or lost", measured: true}
	for i := range j.out.Paths {
		p := &j.out.Paths[i]
		if !p.answered() || p.FullSize == 0 || p.FullSent < fullLeast && p.FullError == "" {
			continue
		}
		if float64(p.FullReceived) > 0.5*float64(p.FullSent)*(1-p.LossRatio) && p.FullError == "" {
			if l.Status == Unknown {
				l.Status, l.Text = Pass, fmt.Sprintf("packets of %d bytes pass without fragmentation", packet(p))
			}
			continue
		}
		l.Status = Fail
		l.Text = fmt.Sprintf("link %d to %s: packets of %d bytes are lost, small ones pass", p.Link, p.Peer, packet(p))
		if p.MTU > 0 {
			l.Text += fmt.Sprintf("; the network told of an MTU of %d", p.MTU)
		} else if p.FullError != "" {
			l.Text += ": " + p.FullError
		} else {
			l.Text += ", and nobody says why: a black hole"
		}
		l.Cure = "let the path carry the MTU of its interfaces, or let ICMP 'fragmentation needed' pass and lower the MTU of the interfaces at both ends; " +
			"until then totem.knet_mtu below what passes"
		p.Note = join(p.Note, "MTU")
		return l
	}
	return l
}

// packet is the size of a full probe with its headers.
func packet(p *Path) int {
	if p.Remote.Is4() {
		return p.FullSize + 28
	}
	return p.FullSize + 48
}

// One direction is worse than the other if it lost so many, and so many times more.
const (
	oneWayLeast = 5
	oneWayTimes = 5
)

// oneWay: one direction loses and the other does not.
func (j *judge) oneWay() Limit {
	l := Limit{Name: LimitOneWay, Status: Pass, Text: "both directions are alike", measured: true}
	if j.out.Basis.Paths == 0 {
		l.Status, l.Text = Unknown, "nothing was measured"
		return l
	}
	worst := 0.0
	for i := range j.out.Paths {
		p := &j.out.Paths[i]
		here, there, way := p.LostForward, p.LostBackward, "from here to "+p.Peer
		if there > here {
			here, there, way = there, here, "from "+p.Peer+" to here"
		}
		if here < oneWayLeast || here < oneWayTimes*there || ratio(here, p.decided()) <= worst {
			continue
		}
		worst = ratio(here, p.decided())
		l.Status = Warn
		l.Text = fmt.Sprintf("link %d: %s of the packets %s are lost, %s the other way", p.Link, percent(worst), way, percent(ratio(there, p.decided())))
		l.Cure = "find what differs between the two directions: routes, a policer, one member of a bond or LAG"
	}
	if l.Status == Warn {
		if s := j.lossStatus(); s.Status == Fail {
			l.Status, l.Cure = Fail, s.Cure
		}
	}
	return l
}

// hopeless is a loss that no setting should be asked to bear: it is ten times what hurts a single link.
const hopeless = 0.05

// muchLoss is half of Proxmox's old gate (less than 1 % of 10,000 omping packets), so that a path with 1 % is not let through by chance; so
// many must be lost for that to be no chance. A loss in the model that comes five times a day is often.
const (
	muchLoss  = 0.005
	muchLost  = 10
	oftenLost = 5.0 / 24
)

// losesMuch says whether a peer is reached over no link with less loss than any cluster should have.
func (j *judge) losesMuch() bool {
	return j.pairLoss() >= muchLoss && j.worstPath().Lost >= muchLost
}

// loss: what packets were lost, and when, is more than the token bears.
func (j *judge) loss() Limit { return j.lossStatus() }

func (j *judge) lossStatus() Limit {
	l := Limit{Name: LimitLoss, Status: Unknown, Text: "nothing was measured", measured: true}
	if j.out.Basis.Paths == 0 {
		return l
	}
	h, worst := &j.out.Headroom, j.worstPath()
	l.Status = Pass
	l.Text = fmt.Sprintf("%s; longest gap %s (%s of the token)", j.lossText(), span(h.Delivery.Duration()), percent(float64(h.Delivery)/float64(h.Token)))
	lost := j.pairLoss()
	switch {
	case h.Lost > 0:
		l.Text += fmt.Sprintf("; run through the model, the token is lost %s", j.often())
	case h.Passes > 0:
		l.Text += fmt.Sprintf("; in the model the token is held up for %s at most", span(h.Virtual.Duration()))
	}
	if !j.troubled() && worst.loss() < hopeless {
		return l
	}
	l.Cure = j.cured()
	switch {
	case lost >= hopeless:
		l.Status, l.Cure = Fail, ""
		l.Text += "; no setting should be asked to bear that: the path must be repaired"
	case h.Losses >= oftenLost || h.Delivery >= h.Token:
		l.Status = Fail
	case j.losesMuch():
		l.Status = Fail
		if l.Cure == "" {
			l.Cure = "repair the path, or add a link that does not share it"
		}
	case h.Lost > 0 || h.Delivery*advice.Safety >= h.Token || h.Virtual >= Seconds(easyShare*float64(h.Token)):
		l.Status = Warn
	case worst.loss() >= hopeless:
		l.Status, l.Cure = Warn, fmt.Sprintf("repair link %d to %s: the others carry the token meanwhile", worst.Link, worst.Peer)
	}
	if l.Status == Warn && l.Cure == "" {
		l.Cure = "watch it longer, and find what loses packets"
	}
	return l
}

// often says how often the token was lost in the model.
func (j *judge) often() string {
	h := &j.out.Headroom
	if h.Losses < 1 {
		return fmt.Sprintf("in %d of %d passes", h.Lost, h.Passes)
	}
	return fmt.Sprintf("about %.0f times an hour", h.Losses)
}

// lossText is the worst loss of a path.
func (j *judge) lossText() string {
	p := j.worstPath()
	if p.Lost == 0 {
		return fmt.Sprintf("none of %d probes lost", j.out.Basis.Probes)
	}
	return fmt.Sprintf("%d of %d probes lost on link %d to %s (%s)", p.Lost, p.decided(), p.Link, p.Peer, percent(p.loss()))
}

func (j *judge) worstPath() *Path {
	worst := &Path{}
	for i := range j.out.Paths {
		if p := &j.out.Paths[i]; p.loss() > worst.loss() {
			worst = p
		}
	}
	return worst
}

// pairLoss is the loss between here and the peer that is worst off, on the best link that they share.
func (j *judge) pairLoss() (worst float64) {
	best := map[uint32]float64{}
	for i := range j.out.Paths {
		p := &j.out.Paths[i]
		if !p.answered() && (p.Error != "" || p.Lost == 0) {
			continue
		}
		if have, ok := best[p.Node]; !ok || p.loss() < have {
			best[p.Node] = p.loss()
		}
	}
	for _, l := range best {
		worst = max(worst, l)
	}
	return worst
}

// Proxmox's own range (pvecm.adoc): below 5 ms for all nodes; above about 10 ms unlikely to be stable with more than three.
const (
	proxmoxRange = 5 * time.Millisecond
	proxmoxEdge  = 10 * time.Millisecond
	proxmoxNodes = 3
)

// delay: how long the token takes around the ring, and what the vendor stands for.
func (j *judge) delay() Limit {
	r := &j.out.Ring
	l := Limit{Name: LimitDelay, Status: Pass, measured: true}
	if j.out.Basis.Paths == 0 {
		l.Status, l.Text = Unknown, "nothing was measured"
		return l
	}
	l.Text = fmt.Sprintf("once around the ring of %d nodes %s (99.9 %%: %s); a token is sent again after %s", r.Nodes,
		span(r.Round.Duration()), span(r.RoundTail.Duration()), span(r.Retransmit.Duration()))
	switch {
	case r.Round >= r.Retransmit:
		l.Status = Fail
		l.Text += ": every token would be sent twice"
		l.Cure = j.cured()
	case r.Pair.Duration() >= proxmoxEdge && r.Nodes > proxmoxNodes:
		l.Status = Warn
		l.Text += fmt.Sprintf("; a round trip of %s is above the 10 ms from which Proxmox calls more than three nodes unlikely to be stable", span(r.Pair.Duration()))
	case r.Pair.Duration() >= proxmoxRange:
		l.Status = Warn
		l.Text += fmt.Sprintf("; a round trip of %s is outside of Proxmox's range (5 ms)", span(r.Pair.Duration()))
	case r.RoundTail >= r.Retransmit:
		l.Status = Warn
		l.Text += ": the slowest tokens are sent twice"
	}
	if l.Status == Warn {
		l.Cure = "a shorter path, or the decision to run outside of what the vendor stands for"
	}
	return l
}

// links: one link is one fault away from a split.
func (j *judge) links() Limit {
	l := Limit{Name: LimitLinks, Status: Pass, Text: fmt.Sprintf("%d links", len(j.cluster.Links))}
	if len(j.cluster.Links) == 1 {
		l.Status, l.Text = Warn, "a single knet link: whatever breaks it splits the cluster, and one lost heartbeat mutes it for more than a second"
		l.Cure = "a second link on other switches and other NICs: pvecm's link1"
		return l
	}
	for _, s := range j.state().Switches {
		if s.Lost > 0 {
			l.Status, l.Text = Warn, fmt.Sprintf("when %s dies, the token is lost in %d of %d trials of the model, though another link could carry it", s.Failure, s.Lost, s.Trials)
			l.Cure = "shorter knet_ping_timeout, or a longer token"
		}
	}
	return l
}

func (j *judge) state() *plan.State {
	if j.plan.Then != nil {
		return j.plan.Then
	}
	return &j.plan.Now
}

// votes: a single failure after which nobody, or more than one side, has quorum.
func (j *judge) votes() Limit {
	s := j.state()
	l := Limit{Name: LimitVotes, Status: Pass}
	l.Text = fmt.Sprintf("no single failure takes quorum from everybody; %d of %d nodes may be lost at once", s.Quorum.SpareNodes, len(s.Nodes))
	var keys, texts []string
	for _, w := range s.Weak {
		if quorumKey(w.Key) {
			keys, texts = append(keys, w.Key), append(texts, w.Key+": "+w.Text)
		}
	}
	if len(keys) == 0 {
		return l
	}
	l.Status, l.Text = Fail, strings.Join(texts[:min(len(texts), 3)], "; ")
	for _, a := range j.plan.Advice {
		if slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(a.Cures, k) }) {
			l.Cure = a.Text + " (quorumwatch plan " + a.Flags + ")"
			break
		}
	}
	if l.Cure == "" {
		l.Cure = "a quorum device at a third place, or a third site with votes"
	}
	return l
}

// quorumKey says whether a weak point of a plan is one of votes. Those of a lone link are told of under links.
func quorumKey(key string) bool {
	switch key {
	case "fence", "ring", "token losses":
		return false
	}
	return !strings.HasPrefix(key, "link ") && !strings.HasSuffix(key, " dies") && !strings.Contains(key, " on link ")
}

// fence: how long a new membership takes of the minute that a watchdog gives.
func (j *judge) fence() Limit {
	f := j.state().Fence
	l := Limit{Name: LimitFence, Status: Pass}
	l.Text = fmt.Sprintf("token + consensus + synchronization take %s of the %s that a watchdog leaves", span(f.Needed.Duration()), span(f.Usable.Duration()))
	switch {
	case !j.in.Proxmox:
		l.Text += "; no Proxmox VE HA was seen here"
	case f.Exceeds && j.in.HA.fences():
		l.Status = Fail
		l.Text += ": when one node dies, healthy ones may reset, too"
		l.Cure = j.fenceCure()
	case f.Needed.Duration() > advice.MembershipBudget:
		l.Status, l.Cure = Warn, j.fenceCure()
	}
	return l
}

func (j *judge) fenceCure() string {
	if c := orElse(j.shorter, j.cured()); c != "" {
		return c
	}
	return "fewer nodes, or a shorter token: 'quorumwatch plan' tells what becomes of the timers"
}

// config: what lint found.
func (j *judge) config() Limit {
	n := serious(j.in.Lint)
	l := Limit{Name: LimitConfig, Status: Pass, Text: "no serious weak points in the configuration and the interfaces of this host"}
	if n > 0 {
		l.Status, l.Cure = Warn, "see the findings"
		l.Text = fmt.Sprintf("%d serious weak points in the configuration or the interfaces of this host", n)
	}
	return l
}

func join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}
