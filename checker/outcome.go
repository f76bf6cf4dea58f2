package checker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

func deviceVotes(votes []corosync.MemberVotes) bool {
	return slices.ContainsFunc(votes, func(v corosync.MemberVotes) bool { return v.ID == 0 && v.Votes > 0 })
}

// outcome tells which partitions the incident makes, and who keeps quorum in them.
func (j *judge) outcome(c *cut) *Outcome {
	parts, whole := j.partitions(c)
	if len(parts) < 2 {
		return nil
	}
	o := &Outcome{Since: c.memo.since, Transitive: whole, Happened: j.happened(c), Keeps: []NodeRef{}, Loses: []NodeRef{}}
	expected := j.divide(o, c.memo, parts)
	t := j.in.Cluster.Timeouts
	first := c.memo.since.Add(j.token - t.Hold) // an idle token is up to one hold time old when the cut begins
	o.TokenLossIn = Seconds(max(0, first.Sub(j.now())))
	o.MembershipIn = Seconds(max(0, first.Add(j.consensus()).Sub(j.now())))
	if o.Happened {
		o.TokenLossIn, o.MembershipIn = 0, 0
	}
	o.Text = outcomeText(o, expected)
	return o
}

// divide fills in what votequorum makes of partitions, the local one first, and returns the expected votes.
func (j *judge) divide(o *Outcome, m *cutMemo, parts [][]uint32) (expected int) {
	cfg := j.in.Cluster.Quorum
	var results []votequorum.Result
	if m.device {
		results = cfg.Split(m.history, parts)
	} else {
		for _, p := range parts {
			results = append(results, cfg.Outcome(m.history, p, false))
		}
	}
	for i, nodes := range parts {
		r := results[i]
		part := Partition{Local: i == 0, Quorate: r.Quorate, Votes: r.Votes, Needed: r.Needed, Reason: r.Reason}
		switch {
		case r.Decisive && m.device:
			part.Reason += "; the quorum device decides"
		case r.Decisive:
			part.Reason += "; the quorum device's vote is missing"
		}
		for _, n := range nodes {
			part.Nodes = append(part.Nodes, j.ref(n))
		}
		if r.Quorate {
			o.Keeps = append(o.Keeps, part.Nodes...)
		} else {
			o.Loses = append(o.Loses, part.Nodes...)
		}
		o.Partitions = append(o.Partitions, part)
	}
	return results[0].Expected
}

// consensus is Totem's consensus timeout, 1.2 T unless told.
func (j *judge) consensus() time.Duration {
	if c := j.in.Cluster.Timeouts.Consensus; c > 0 {
		return c
	}
	return j.share(1.2)
}

// happened: Corosync's own membership, read since the cut began, has none of the lost peers any more. What it said last stays true
// when its answers get old.
func (j *judge) happened(c *cut) bool {
	if j.status.members != nil && j.in.Status.At.Before(c.memo.since) {
		return false
	}
	for _, p := range c.peers {
		if slices.Contains(c.memo.members, p.node.ID) && p.member != No && !p.lost() {
			return false
		}
	}
	return true
}

// partitions divides the members of before the cut: first the local node with all that it reaches, then the others as they were
// last connected with each other. whole is false when a node on this side still reaches one of the other.
func (j *judge) partitions(c *cut) (parts [][]uint32, whole bool) {
	gone := map[uint32]bool{}
	for _, p := range c.peers {
		if p.verdict != muted || p.member == No || p.lost() {
			gone[p.node.ID] = true
		}
	}
	var here, there []uint32
	for _, n := range c.memo.members {
		if gone[n] {
			there = append(there, n)
		} else {
			here = append(here, n)
		}
	}
	if len(there) == 0 || len(here) == 0 {
		return nil, true
	}
	whole = !j.somebodyReaches(c, here, there)
	parts = append(parts, here)
	for len(there) > 0 {
		group := []uint32{there[0]}
		there = there[1:]
		for i := 0; i < len(group); i++ {
			there = slices.DeleteFunc(there, func(n uint32) bool {
				joined := j.lastConnected(group[i], n)
				if joined {
					group = append(group, n)
				}
				return joined
			})
		}
		slices.Sort(group)
		parts = append(parts, group)
	}
	slices.SortFunc(parts[1:], func(a, b []uint32) int { return cmp.Compare(a[0], b[0]) })
	return parts, whole
}

// somebodyReaches: a peer on this side said, well after its link would have been silent too, that it hears one over there.
func (j *judge) somebodyReaches(c *cut, here, there []uint32) bool {
	for _, v := range j.views {
		if !slices.Contains(here, v.Node) || v.At.Sub(c.memo.since) < time.Second || j.ago(v.At) > viewFresh {
			continue
		}
		for k := range v.Paths {
			if p := &v.Paths[k]; slices.Contains(there, p.Node) && p.State == mesh.Up && !p.KnetDown && p.Gap == 0 {
				return true
			}
		}
	}
	return false
}

// lastConnected: as far as the last words of a and b go, they heard each other. Nodes of which nothing is known stay together:
// they were members of one ring.
func (j *judge) lastConnected(a, b uint32) bool {
	for _, v := range j.views {
		other := b
		switch v.Node {
		case a:
		case b:
			other = a
		default:
			continue
		}
		links, dead := 0, 0
		for k := range v.Paths {
			if p := &v.Paths[k]; p.Node == other {
				links++
				if p.KnetDown || p.State == mesh.Down {
					dead++
				}
			}
		}
		if links > 0 && links == dead {
			return false
		}
	}
	return true
}

// outcomeText says it in one sentence: what would happen, or what has.
func outcomeText(o *Outcome, expected int) string {
	var b strings.Builder
	if o.Happened {
		b.WriteString("the cluster has split: ")
	} else {
		b.WriteString("if this lasts: ")
	}
	quorate := 0
	for i, p := range o.Partitions {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(names(p.Nodes))
		one := len(p.Nodes) == 1
		switch {
		case p.Quorate && o.Happened:
			quorate++
			fmt.Fprintf(&b, " %s quorum with %d of %d votes", verb(one, "has", "have"), p.Votes, expected)
		case p.Quorate:
			quorate++
			fmt.Fprintf(&b, " %s quorum with %d of %d votes", verb(one, "keeps", "keep"), p.Votes, expected)
		case o.Happened:
			fmt.Fprintf(&b, " %s not (%d of %d, %d needed)", verb(one, "has", "have"), p.Votes, expected, p.Needed)
		default:
			fmt.Fprintf(&b, " %s it (%d of %d, %d needed)", verb(one, "loses", "lose"), p.Votes, expected, p.Needed)
		}
	}
	switch {
	case quorate == 0:
		b.WriteString("; nobody has quorum")
	case quorate > 1:
		b.WriteString("; both sides go on by themselves: only fencing keeps them apart")
	}
	if !o.Transitive {
		b.WriteString("; but some nodes still reach both sides, so the ring cannot agree and will re-form again and again")
	}
	return b.String()
}

func verb(one bool, singular, plural string) string {
	if one {
		return singular
	}
	return plural
}

func names(refs []NodeRef) string {
	s := make([]string, len(refs))
	for i, r := range refs {
		s[i] = r.Name
	}
	return strings.Join(s, " ")
}
