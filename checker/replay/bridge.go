package replay

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Bounds of what is bridged: a time of which nothing is known, between two in which everything was lost.
const (
	bridgeMost  = 3 * time.Second
	bridgePiers = 3 // slots in a row that were lost, before and after
)

// bridged is a trace in which what nobody knew in the middle of an outage was lost, too: a host that stalls does not heal a link.
func bridged(c risk.Cluster, t *trace.Trace) *trace.Trace {
	out := *t
	out.Paths = make(map[trace.Path]*trace.Series, len(t.Paths))
	for p, s := range t.Paths {
		out.Paths[p] = s
		if c.Index(p.From) >= 0 && c.Index(p.To) >= 0 {
			out.Paths[p] = bridge(s, int(bridgeMost/t.Slot))
		}
	}
	return &out
}

// bridge returns the series itself if there is nothing to bridge.
func bridge(s *trace.Series, most int) *trace.Series {
	var out *trace.Series
	before := 0 // slots that were lost, up to the present one
	for slot := s.First(); slot < s.Next(); {
		v, until := s.Run(slot)
		if v.State == trace.Unknown && until-slot <= most && before >= bridgePiers && lostFrom(s, until) {
			if out == nil {
				out = copyOf(s, slot)
			}
			v = trace.Sample{State: trace.Lost}
		}
		if out != nil {
			out.Append(until-slot, v)
		}
		if before += until - slot; v.State != trace.Lost {
			before = 0
		}
		slot = until
	}
	if out == nil {
		return s
	}
	out.Forget(s.First())
	return out
}

// lostFrom says whether enough slots were lost from one on.
func lostFrom(s *trace.Series, slot int) bool {
	v, until := s.Run(slot)
	return v.State == trace.Lost && until-slot >= bridgePiers
}

// copyOf is what a series says before a slot.
func copyOf(s *trace.Series, before int) *trace.Series {
	out := &trace.Series{}
	out.Append(s.First(), trace.Sample{})
	for slot := s.First(); slot < before; {
		v, until := s.Run(slot)
		out.Append(min(until, before)-slot, v)
		slot = until
	}
	return out
}
