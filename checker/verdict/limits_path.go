package verdict

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// One direction is worse than the other if it lost so many, such a share, and so many times more. What was lost in a row counts for neither: of a probe that
// did not arrive nobody knows whether its answer would have.
const (
	oneWayLeast = 5
	oneWayShare = 0.0005
	oneWayTimes = 5
)

// sizeTimes is how many times as often full-size packets are lost as small ones if that is told.
const sizeTimes = 5

// oneWay: one direction loses and the other does not.
func (j *judge) oneWay() Limit {
	l := Limit{Name: LimitOneWay, Status: Pass, Text: "both directions are alike", measured: true}
	if j.out.Basis.Paths == 0 {
		l.Status, l.Text = Unknown, "nothing was measured"
		return l
	}
	worst := 0.0
	for _, s := range j.samples() {
		here, there, way := s.LostForward, s.LostBackward, "from here to "+s.path.Peer
		if there > here {
			here, there, way = there, here, "from "+s.path.Peer+" to here"
		}
		if here < oneWayLeast || here < oneWayTimes*(there+uint64(s.Burst)) || ratio(here, s.decided()) <= max(worst, oneWayShare) {
			continue
		}
		worst = ratio(here, s.decided())
		l.Status = Warn
		l.Text = fmt.Sprintf("link %d: %s of the %s %s are lost, %s the other way", s.path.Link, units.Percent(worst), s.packets(), way, units.Percent(ratio(there, s.decided())))
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
	return j.pairLoss() >= muchLoss && j.worst().Lost >= muchLost
}

// loss: what packets were lost, and when, is more than the token bears.
func (j *judge) loss() Limit { return j.lossStatus() }

func (j *judge) lossStatus() Limit {
	l := Limit{Name: LimitLoss, Status: Unknown, Text: "nothing was measured", measured: true}
	if j.out.Basis.Paths == 0 {
		return l
	}
	h, worst := &j.out.Headroom, j.worst()
	l.Status = Pass
	l.Text = j.lossText() + "; " + j.gapText()
	lost := j.pairLoss()
	switch {
	case h.Lost > 0:
		l.Text += fmt.Sprintf("; run through the model, the token is lost %s", j.often())
	case h.Passes > 0:
		l.Text += fmt.Sprintf("; in the model the token is held up for %s at most", units.Round(h.Virtual.Duration()))
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
	case worst.loss() >= hopeless && worst.Lost >= muchLost: // a link that is no reserve; that the model bears it for some minutes is luck
		l.Status = Fail
		if l.Cure == "" {
			l.Cure = fmt.Sprintf("repair %s: the others carry the token meanwhile", worst.path.where())
		}
	case h.Lost > 0 || h.Delivery*advice.Safety >= h.Token || h.Virtual >= Seconds(easyShare*float64(h.Token)):
		l.Status = Warn
	case worst.loss() >= hopeless:
		l.Status, l.Cure = Warn, fmt.Sprintf("repair %s: the others carry the token meanwhile", worst.path.where())
	}
	if l.Status == Warn && l.Cure == "" {
		l.Cure = "watch it longer, and find what loses packets"
	}
	return l
}

// often says how often the token was lost in the model.
func (j *judge) often() string {
	h := &j.out.Headroom
	switch {
	case j.in.Soak != nil:
		return fmt.Sprintf("about %.3g times in %s", j.in.Soak.Model.Losses, units.Round(j.length))
	case h.Losses < 1:
		return fmt.Sprintf("in %d of %d passes", h.Lost, h.Passes)
	}
	return fmt.Sprintf("about %.0f times an hour", h.Losses)
}

// lossText is the worst loss of a path.
func (j *judge) lossText() string {
	s := j.worst()
	if s.Lost == 0 {
		return fmt.Sprintf("none of %d probes lost", j.out.Basis.Probes)
	}
	return fmt.Sprintf("%d of %d %s lost on %s (%s)", s.Lost, s.decided(), s.packets(), s.path.where(), units.Percent(s.loss()))
}

// gapText is the longest time without delivery. One that is over within the usual scatter of round trips is none: a few lost in a row.
func (j *judge) gapText() string {
	h, s := &j.out.Headroom, j.worst()
	if h.Delivery == 0 && s.Burst > 0 {
		return fmt.Sprintf("%d in a row at most", s.Burst)
	}
	return fmt.Sprintf("longest gap %s (%s of the token)", units.Round(h.Delivery.Duration()), units.Percent(float64(h.Delivery)/float64(h.Token)))
}

// worst is what lost most, of all paths and sizes.
func (j *judge) worst() sample {
	worst := sample{Figures: &Figures{}}
	for _, s := range j.samples() {
		if s.loss() > worst.loss() {
			worst = s
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
		loss := 0.0
		for _, s := range p.samples() {
			loss = max(loss, s.loss())
		}
		if have, ok := best[p.Node]; !ok || loss < have {
			best[p.Node] = loss
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
		units.Round(r.Round.Duration()), units.Round(r.RoundTail.Duration()), units.Round(r.Retransmit.Duration()))
	switch {
	case r.Round >= r.Retransmit:
		l.Status = Fail
		l.Text += ": every token would be sent twice"
		l.Cure = j.cured()
	case r.Pair.Duration() >= proxmoxEdge && r.Nodes > proxmoxNodes:
		l.Status = Warn
		l.Text += fmt.Sprintf("; a round trip of %s is above the 10 ms from which Proxmox calls more than three nodes unlikely to be stable", units.Round(r.Pair.Duration()))
	case r.Pair.Duration() >= proxmoxRange:
		l.Status = Warn
		l.Text += fmt.Sprintf("; a round trip of %s is outside of Proxmox's range (5 ms)", units.Round(r.Pair.Duration()))
	case r.RoundTail >= r.Retransmit:
		l.Status = Warn
		l.Text += ": the slowest tokens are sent twice"
	}
	if l.Status == Warn {
		l.Cure = "a shorter path, or the decision to run outside of what the vendor stands for"
	}
	return l
}
