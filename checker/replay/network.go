package replay

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// quiet says until when nothing changes on any path: what lets the model pass over healthy hours.
type quiet struct {
	first int
	until []int32 // by slot since first: the slot at which something changes next; the slot itself where something is lost
}

// paths are the paths of a cluster of which a trace has samples.
func paths(c risk.Cluster, t *trace.Trace) (out []*trace.Series) {
	for _, from := range c.Nodes {
		for _, to := range c.Nodes {
			for _, l := range c.Links {
				if s := t.Paths[trace.Path{From: from.ID, To: to.ID, Link: l.Number}]; s != nil && s.First() < s.Next() && from.ID != to.ID {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

func newQuiet(series []*trace.Series, first, next int) quiet {
	q := quiet{first: first, until: make([]int32, next-first)}
	const lossy, change = 1, 2
	what := make([]uint8, next-first+1)
	for _, s := range series {
		what[max(s.First()-first, 0)] |= change // before it, nothing is known
		for slot := max(first, s.First()); slot < min(next, s.Next()); {
			v, until := s.Run(slot)
			what[slot-first] |= change
			for i := slot; v.State == trace.Lost && i < min(until, next); i++ {
				what[i-first] |= lossy
			}
			slot = until
		}
		if end := s.Next() - first; end >= 0 && end < len(what) {
			what[end] |= change
		}
	}
	calm := int32(next - first)
	for i := len(q.until) - 1; i >= 0; i-- {
		if what[i+1]&change != 0 {
			calm = int32(i + 1)
		}
		q.until[i] = calm
		if what[i]&lossy != 0 {
			q.until[i] = int32(i)
		}
	}
	return q
}

// network is a trace as a ring meets it.
type network struct {
	*risk.Recorded
	quiet *quiet
}

// CalmUntil implements totem.Calm.
func (n *network) CalmUntil(now time.Duration) time.Duration {
	i := n.Trace.SlotOf(n.Begin+now) - n.quiet.first
	if i < 0 || i >= len(n.quiet.until) {
		return now
	}
	return n.Trace.At(int(n.quiet.until[i])+n.quiet.first) - n.Begin
}

var _ totem.Calm = (*network)(nil)
