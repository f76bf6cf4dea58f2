package replay

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// badShare is the share of lost packets from which a direction is named as a cause, someShare that of a path that is worth a word.
const (
	badShare  = 0.5
	someShare = 0.01
)

// hop is what became of the packets of one direction of a link in some time.
type hop struct {
	from, to, link int
	sent, lost     int
}

func (h hop) share() float64 { return float64(h.lost) / float64(max(h.sent, 1)) }

// Where says in a line which paths lost packets between two instants: who was cut off, on all links or on some, else the worst paths.
func (r *Replay) Where(from, to time.Duration) string {
	bad := r.bad(from, to)
	if groups := r.groups(bad, -1); len(groups) > 1 {
		return r.cut(groups, "on all links")
	}
	if text := r.links(bad); text != "" {
		return text
	}
	return r.worst(bad)
}

// cutOff says which nodes had no link to the others for most of the time between two instants; "" if all had.
func (r *Replay) cutOff(from, to time.Duration) string {
	if groups := r.groups(r.bad(from, to), -1); len(groups) > 1 {
		return r.cut(groups, "")
	}
	return ""
}

// bad are the directions that lost packets between two instants.
func (r *Replay) bad(from, to time.Duration) (out []hop) {
	n := len(r.cluster.Nodes)
	for i := range n {
		for j := range n {
			for l := range r.cluster.Links {
				if h := r.count(i, j, l, from, to); i != j && h.share() >= someShare {
					out = append(out, h)
				}
			}
		}
	}
	return out
}

// links tells of links on which nodes were cut off, and what the others lost; "" if there are none.
func (r *Replay) links(bad []hop) string {
	var out, rest []string
	for l := range r.cluster.Links {
		number := r.cluster.Links[l].Number
		if groups := r.groups(bad, l); len(groups) > 1 {
			out = append(out, r.cut(groups, fmt.Sprintf("on link %d", number)))
			continue
		}
		most := 0.0
		for _, h := range bad {
			if h.link == l {
				most = max(most, h.share())
			}
		}
		if most > 0 {
			rest = append(rest, fmt.Sprintf("up to %.0f %% lost on link %d", 100*most, number))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(append(out, rest...), ", ")
}

// count counts one direction's slots.
func (r *Replay) count(i, j, link int, from, to time.Duration) hop {
	h := hop{from: i, to: j, link: link}
	c := &r.cluster
	s := r.trace.Paths[trace.Path{From: c.Nodes[i].ID, To: c.Nodes[j].ID, Link: c.Links[link].Number}]
	if s == nil {
		return h
	}
	end := r.trace.SlotOf(to) + 1
	for slot := r.trace.SlotOf(from) + 1; slot < end; { // the token still came in the first
		v, until := s.Run(slot)
		until = min(until, end)
		switch v.State {
		case trace.Lost:
			h.lost += until - slot
			h.sent += until - slot
		case trace.Arrived:
			h.sent += until - slot
		}
		slot = until
	}
	return h
}

// groups are the nodes that still had a link to each other that worked in both directions: any link, or only that one if it is not negative.
func (r *Replay) groups(bad []hop, only int) [][]int {
	n := len(r.cluster.Nodes)
	dead := map[[3]int]bool{}
	for _, h := range bad {
		if h.share() >= badShare {
			dead[[3]int{min(h.from, h.to), max(h.from, h.to), h.link}] = true
		}
	}
	group := make([]int, n)
	for i := range group {
		group[i] = i
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			for l := range r.cluster.Links {
				if !dead[[3]int{i, j, l}] && (only < 0 || only == l) {
					join(group, group[i], group[j])
				}
			}
		}
	}
	var out [][]int
	for i := range n {
		var g []int
		for j := range n {
			if group[j] == i {
				g = append(g, j)
			}
		}
		if len(g) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func join(group []int, a, b int) {
	for i := range group {
		if group[i] == b {
			group[i] = a
		}
	}
}

// cut names the smaller groups, and from whom they were cut off.
func (r *Replay) cut(groups [][]int, where string) string {
	slices.SortStableFunc(groups, func(a, b []int) int { return cmp.Compare(len(a), len(b)) })
	last := len(groups) - 1
	var off []string
	for _, g := range groups[:last] {
		off = append(off, r.names(g))
	}
	text := strings.Join(off, " and ") + " cut off from " + r.names(groups[last])
	if len(r.cluster.Links) > 1 {
		return text + " " + where
	}
	return text
}

func (r *Replay) names(group []int) string {
	var out []string
	for _, i := range group {
		out = append(out, Name(r.cluster, i))
	}
	return strings.Join(out, ", ")
}

// Name is a node's name, its nodeid if it has none.
func Name(c risk.Cluster, i int) string {
	if n := c.Nodes[i]; n.Name != "" {
		return n.Name
	}
	return fmt.Sprint(c.Nodes[i].ID)
}

// worst names up to three directions that lost most.
func (r *Replay) worst(bad []hop) string {
	slices.SortStableFunc(bad, func(a, b hop) int { return cmp.Compare(b.share(), a.share()) })
	if len(bad) == 0 {
		return "no path lost packets then: packets came late, or nobody knows"
	}
	var out []string
	for _, h := range bad[:min(len(bad), 3)] {
		out = append(out, fmt.Sprintf("%s to %s link %d lost %.0f %%",
			Name(r.cluster, h.from), Name(r.cluster, h.to), r.cluster.Links[h.link].Number, 100*h.share()))
	}
	if more := len(bad) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("%d other directions less", more))
	}
	return strings.Join(out, ", ")
}
