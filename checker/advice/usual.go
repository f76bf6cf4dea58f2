package advice

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// usual is the median delay of a path; a millisecond if nothing is known.
func (r record) usual(c risk.Cluster, from, to, link int) time.Duration {
	p := trace.Path{From: c.Nodes[from].ID, To: c.Nodes[to].ID, Link: c.Links[link].Number}
	if d, ok := r.delays[p]; ok {
		return d
	}
	return time.Millisecond
}

// delaysOf finds the median delay of each path, over some hundred samples spread over the record.
func delaysOf(t *trace.Trace) map[trace.Path]time.Duration {
	out := map[trace.Path]time.Duration{}
	for p, s := range t.Paths {
		var ds []time.Duration
		step := max(1, (s.Next()-s.First())/500)
		for slot := s.First(); slot < s.Next(); slot += step {
			if v := s.At(slot); v.State == trace.Arrived {
				ds = append(ds, v.Delay)
			}
		}
		if len(ds) > 0 {
			slices.Sort(ds)
			out[p] = ds[len(ds)/2]
		}
	}
	return out
}
