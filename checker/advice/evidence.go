package advice

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// span is a stretch of slots, from first to just before end.
type span struct{ first, end int }

// record is a trace made ready for trials.
type record struct {
	trace   *trace.Trace // outages that no token bridges taken out
	slots   span
	trouble []span                       // stretches in which something happened to packets; all else is calm
	delays  map[trace.Path]time.Duration // usual ones
}

// look finds what a trace says of the paths of a cluster. Stalls longer than bridge are outages.
func look(c risk.Cluster, t *trace.Trace, bridge time.Duration) (record, Evidence) {
	r := record{slots: extent(c, t)}
	e := Evidence{Length: t.At(r.slots.end - r.slots.first)}
	masked := *t
	masked.Paths = map[trace.Path]*trace.Series{}
	r.trace = &masked
	known, total := 0, 0
	worst := map[int]PathLoss{}
	for _, p := range pairs(c) {
		outages := stalls(c, t, p, r.slots)
		for i := len(outages) - 1; i >= 0; i-- {
			s := Stall{p.From, p.To, t.At(outages[i].first), t.At(outages[i].end - outages[i].first)}
			if s.Length > bridge {
				e.Outages = append(e.Outages, s)
				continue
			}
			outages = slices.Delete(outages, i, i+1)
			if s.Length > e.Stall.Length {
				e.Stall = s
			}
		}
		for _, l := range c.Links {
			path := trace.Path{From: p.From, To: p.To, Link: l.Number}
			k, lost := count(t.Paths[path], r.slots, outages)
			known, total = known+k, total+r.slots.end-r.slots.first
			if loss := (PathLoss{path, float64(lost) / float64(max(k, 1))}); loss.Loss >= worst[l.Number].Loss {
				worst[l.Number] = loss
			}
			if s := t.Paths[path]; s != nil {
				masked.Paths[path] = without(s, outages)
			}
		}
	}
	for _, l := range c.Links {
		e.Loss = append(e.Loss, worst[l.Number])
	}
	slices.SortFunc(e.Outages, func(a, b Stall) int { return int(a.At - b.At) })
	e.Known = float64(known) / float64(max(total, 1))
	r.trouble, r.delays = troubles(&masked, r.slots, c), delaysOf(t)
	return r, e
}

// pairs are all directions between two nodes, in order.
func pairs(c risk.Cluster) (out []trace.Path) {
	for _, a := range c.Nodes {
		for _, b := range c.Nodes {
			if a.ID != b.ID {
				out = append(out, trace.Path{From: a.ID, To: b.ID})
			}
		}
	}
	return out
}

// extent is the stretch of slots that any path of the cluster has.
func extent(c risk.Cluster, t *trace.Trace) (s span) {
	for _, p := range pairs(c) {
		for _, l := range c.Links {
			series := t.Paths[trace.Path{From: p.From, To: p.To, Link: l.Number}]
			if series == nil || series.First() >= series.Next() {
				continue
			}
			if s.end == s.first {
				s = span{series.First(), series.Next()}
			}
			s = span{min(s.first, series.First()), max(s.end, series.Next())}
		}
	}
	return s
}

// stalls are the stretches in which every link of a pair lost everything that is known, and at least one is.
func stalls(c risk.Cluster, t *trace.Trace, p trace.Path, all span) (out []span) {
	for slot := all.first; slot < all.end; {
		lost, until := false, all.end
		for _, l := range c.Links {
			path := trace.Path{From: p.From, To: p.To, Link: l.Number}
			v, end := trace.Sample{}, all.end
			if s := t.Paths[path]; s != nil && slot < s.Next() {
				v, end = s.Run(slot)
			}
			until = min(until, end)
			if v.State != trace.Lost {
				lost = false
				break
			}
			lost = true
		}
		if n := len(out) - 1; lost && n >= 0 && out[n].end == slot {
			out[n].end = until
		} else if lost {
			out = append(out, span{slot, until})
		}
		slot = until
	}
	return out
}

// count counts the samples of a path outside of outages: those that are known and those that were lost.
func count(s *trace.Series, all span, outages []span) (known, lost int) {
	if s == nil {
		return 0, 0
	}
	for slot := max(all.first, s.First()); slot < min(all.end, s.Next()); {
		v, until := s.Run(slot)
		n := min(until, all.end) - slot
		switch v.State {
		case trace.Arrived:
			known += n
		case trace.Lost:
			known += n
			for _, o := range outages {
				n -= max(0, min(o.end, until)-max(o.first, slot))
			}
			lost += max(0, n)
		}
		slot = until
	}
	return known, lost
}

// without copies a series with outages as unknown: packets arrive then.
func without(s *trace.Series, outages []span) *trace.Series {
	if len(outages) == 0 {
		return s
	}
	out := &trace.Series{}
	for slot := s.First(); slot < s.Next(); {
		v, until := s.Run(slot)
		for _, o := range outages {
			switch {
			case slot >= o.first && slot < o.end:
				v, until = trace.Sample{}, min(until, o.end)
			case slot < o.first:
				until = min(until, o.first)
			}
		}
		out.AppendTo(slot, trace.Sample{})
		out.AppendTo(until, v)
		slot = until
	}
	return out
}

// troubles are the stretches in which a packet was lost or late, with some time before and what knet and Totem need to forget it after.
func troubles(t *trace.Trace, all span, c risk.Cluster) (out []span) {
	late := c.Timeouts.Token / 20
	before, after := int(5*time.Second/t.Slot), int((15*time.Second+3*c.Timeouts.Token)/t.Slot)
	var found []span
	for _, p := range pairs(c) {
		for _, l := range c.Links {
			s := t.Paths[trace.Path{From: p.From, To: p.To, Link: l.Number}]
			if s == nil {
				continue
			}
			for slot := s.First(); slot < s.Next(); {
				v, until := s.Run(slot)
				if v.State == trace.Lost || v.State == trace.Arrived && v.Delay > late {
					found = append(found, span{max(all.first, slot-before), min(all.end, until+after)})
				}
				slot = until
			}
		}
	}
	slices.SortFunc(found, func(a, b span) int { return a.first - b.first })
	for _, f := range found {
		if n := len(out) - 1; n >= 0 && f.first <= out[n].end {
			out[n].end = max(out[n].end, f.end)
			continue
		}
		out = append(out, f)
	}
	return out
}
