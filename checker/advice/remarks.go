package advice

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// mostOutages is how many outages are told one by one.
const mostOutages = 4

// remarks are about what no setting cures, and what the record does not show.
func (s *search) remarks(now *trial) {
	s.outages()
	if len(s.cluster.Links) == 1 {
		s.secondLink(now)
	}
	s.quorumDevice()
}

// outages tells what no token bridges.
func (s *search) outages() {
	all := s.out.Evidence.Outages
	if len(all) == 0 {
		return
	}
	var told []string
	shortest, longest := all[0].Length, time.Duration(0)
	for i, o := range all {
		if shortest, longest = min(shortest, o.Length), max(longest, o.Length); i < mostOutages {
			told = append(told, s.stall(o))
		}
	}
	if more := len(all) - len(told); more > 0 {
		told = append(told, fmt.Sprintf("and %d more", more))
	}
	text := "nothing got through for so long that no token that may be set bridges it; "
	switch {
	case longest*Safety < s.knobs.most:
		text = fmt.Sprintf("only a token above %s would bridge what follows, which is not worth it, or does not help otherwise; ", seconds(longest*Safety))
	case shortest*Safety < s.knobs.most:
		text = "nothing got through for so long that no token that may be set bridges the longest of them, and one for the shorter ones is not worth it, or does not help otherwise; "
	}
	s.out.Remarks = append(s.out.Remarks, Remark{About: "outages", Text: text + "the trials leave it out: " + strings.Join(told, "; ")})
}

// secondLink tries the present settings with a link more.
func (s *search) secondLink(now *trial) {
	r := Remark{About: "second link", Text: "a second link on a path of its own (other switch, other line) is what best protects from the death of one; " +
		"add ringX_addr to every node of corosync.conf, and interface{linknumber: X}"}
	if now.tally.losses > 0 {
		c := s.cluster
		second := c.Links[0]
		second.Number++
		c.Links = append(c.Links[:1:1], second)
		over := s.record.stretchOf(s.scaled(shortTrial))
		sum, err := s.record.tryOn(c, over, s.in.Seed, func(b span) totem.Network { return s.record.twice(s.cluster, b) })
		if err == nil {
			s.ringing += sum.simulated
			after := sum.figures(over.passes, over.stands)
			r.Before, r.After = &now.Figures, &after
			r.Text += fmt.Sprintf(". Assumed that it is independent of the first and of the same quality, the model loses the token %s instead of %s",
				perHour(after.TokenLosses), perHour(now.Figures.TokenLosses))
		}
	}
	s.out.Remarks = append(s.out.Remarks, r)
}

// doubled is a link that was recorded, and the same at another time as a second one.
type doubled struct{ first, second *risk.Recorded }

// Deliver implements totem.Network.
func (d doubled) Deliver(p totem.Packet) (after time.Duration, ok bool) {
	if p.Link == 0 {
		return d.first.Deliver(p)
	}
	p.Link = 0
	return d.second.Deliver(p)
}

// twice makes a network of two links of what the record says of one: the second does what the first did half a record away.
func (r record) twice(c risk.Cluster, b span) totem.Network {
	half := (r.slots.end - r.slots.first) / 2
	other := span{first: b.first + half}
	if other.first+(b.end-b.first) > r.slots.end {
		other.first = b.first - half
	}
	other.first = max(other.first, r.slots.first)
	return doubled{r.network(c, b), r.network(c, other)}
}

// quorumDevice looks at even splits, by votequorum's rules.
func (s *search) quorumDevice() {
	q := s.cluster.Quorum
	votes := 0
	for _, v := range q.NodeVotes {
		votes += v
	}
	if q.Device != nil || q.Provider == "" || q.TwoNode || q.AutoTieBreaker || votes%2 != 0 || len(s.cluster.Nodes) < 2 {
		return
	}
	var halves [2][]uint32
	for i, n := range s.cluster.Nodes {
		half := 2 * i / len(s.cluster.Nodes)
		halves[half] = append(halves[half], n.ID)
	}
	with := q
	with.Device = &votequorum.Device{Model: "net", Votes: 1, Algorithm: "ffsplit"}
	if quorate(q.Split(votequorum.History{}, halves[:])) > 0 {
		return
	}
	even := fmt.Sprintf("%d votes are even: split in the middle, neither half has quorum. ", votes)
	if quorate(with.Split(votequorum.History{}, halves[:])) == 1 {
		s.out.Remarks = append(s.out.Remarks, Remark{About: "quorum device", Text: even +
			"With a quorum device (pvecm qdevice setup ADDRESS: ffsplit, one vote) one half keeps it, " +
			"assumed that it stands at a third place that both halves reach when the path between them dies"})
	}
	with = q
	with.NodeVotes = maps.Clone(q.NodeVotes)
	with.NodeVotes[halves[0][0]]++
	if quorate(with.Split(votequorum.History{}, halves[:])) == 1 {
		s.out.Remarks = append(s.out.Remarks, Remark{About: "votes", Text: even + fmt.Sprintf(
			"Without a third place, quorum_votes of %d for %s lets the half with it keep quorum; the other half then never has it, "+
				"assumed that this is the half to go on", with.NodeVotes[halves[0][0]], s.node(halves[0][0]))})
	}
}

func quorate(rs []votequorum.Result) (n int) {
	for _, r := range rs {
		if r.Quorate {
			n++
		}
	}
	return n
}
