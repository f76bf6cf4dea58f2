package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// leastRecord is how long the record is that the model runs over: shorter ones are repeated, so that what the run saw meets many phases of
// Corosync's timers, and package advice has enough to look at.
const leastRecord = 10*time.Minute + 10*time.Second

// complete fills in the directions between other nodes, which a single node does not see: as that between this node and the worse of the
// two ends, unless both are in one other site; then packets arrive. It returns how many were assumed.
func complete(t *trace.Trace, c risk.Cluster, local uint32) (*trace.Trace, int) {
	out := *t
	out.Paths = make(map[trace.Path]*trace.Series, len(t.Paths))
	for p, s := range t.Paths {
		if s.Next() > s.First() {
			out.Paths[p] = s
		}
	}
	first, next := t.Span()
	assumed := 0
	for _, a := range c.Nodes {
		for _, b := range c.Nodes {
			for _, l := range c.Links {
				p := trace.Path{From: a.ID, To: b.ID, Link: l.Number}
				if a.ID == b.ID || out.Paths[p] != nil {
					continue
				}
				s := stand(t, a, b, l.Number, local)
				if s == nil {
					if a.ID == local || b.ID == local {
						continue // it was tried, and nobody answered: unknown
					}
					s = arrived(first, next)
				}
				out.Paths[p] = s
				assumed++
			}
		}
	}
	return &out, assumed
}

// stand is the measured series that stands for one that nobody measured; nil if there is none.
func stand(t *trace.Trace, a, b risk.Node, link int, local uint32) *trace.Series {
	if a.Site != "" && a.Site == b.Site {
		return nil
	}
	var near []*trace.Series
	for _, p := range []trace.Path{{From: a.ID, To: local, Link: link}, {From: local, To: b.ID, Link: link}} {
		if s := t.Paths[p]; s != nil && s.Next() > s.First() {
			near = append(near, s)
		}
	}
	if len(near) == 0 {
		return nil
	}
	return slices.MaxFunc(near, func(x, y *trace.Series) int {
		m, n := lossOf(x), lossOf(y)
		return cmp.Or(cmp.Compare(m.lost, n.lost), cmp.Compare(m.delay, n.delay))
	})
}

// lossy is how sick a series is.
type lossy struct {
	lost  int
	delay time.Duration // total
}

func lossOf(s *trace.Series) (out lossy) {
	for slot := s.First(); slot < s.Next(); {
		v, until := s.Run(slot)
		switch v.State {
		case trace.Lost:
			out.lost += until - slot
		case trace.Arrived:
			out.delay += v.Delay * time.Duration(until-slot)
		}
		slot = until
	}
	return out
}

// arrived is a series of packets that all come, as quickly as in a switch.
func arrived(first, next int) *trace.Series {
	s := &trace.Series{}
	s.Append(first, trace.Sample{})
	s.Append(next-first, trace.Sample{State: trace.Arrived, Delay: 100 * time.Microsecond})
	return s
}

// repeat makes a record at least so long, by saying it again and again.
func repeat(t *trace.Trace, least time.Duration) *trace.Trace {
	first, next := t.Span()
	if next == first || t.At(next-first) >= least {
		return t
	}
	times := int((least + t.At(next-first) - 1) / t.At(next-first))
	out := *t
	out.Marks = nil
	out.Paths = make(map[trace.Path]*trace.Series, len(t.Paths))
	for p, s := range t.Paths {
		long := &trace.Series{}
		for n := range times {
			long.Append(int(breath(n)/t.Slot), trace.Sample{})
			for slot := first; slot < next; {
				v, until := s.Run(slot)
				until = min(until, next)
				long.Append(until-slot, v)
				slot = until
			}
		}
		out.Paths[p] = long
	}
	return &out
}

// breath is a time of which nothing is told, before a repetition: with a length of its own for each, so that a record as long as a multiple of knet's tick
// (200 ms) does not meet the same pings again and again.
func breath(n int) time.Duration {
	return time.Duration(n) * 73 * time.Millisecond % (200 * time.Millisecond)
}
