package replay

import (
	"cmp"
	"slices"
	"time"
)

// Count is how often something happened in the passes.
type Count struct {
	Median, Low, High int // Low and High: the least and the most of all passes
}

// Never says whether it happened in none.
func (c Count) Never() bool { return c.High == 0 }

// Outcome is what the passes of one setting came to. Instants are in the trace's time.
type Outcome struct {
	Passes    int
	Lost      int // passes in which the token was lost at all
	Losses    Count
	Splits    Count
	LinkDowns Count
	Worst     time.Duration // longest time without the token in the worst pass, as long as the token was not lost: then it is the token timeout
	WorstUsed float64       // share of the token timeout that the worst pass used; 1: it was lost
	WorstAt   time.Duration // end of it
	WorstNode int
	Typical   time.Duration // median over the passes of the longest time without the token
	Freeze    time.Duration // longest, of any pass
	FreezeAt  time.Duration // its beginning
	Events    []Event       // token losses, by time
}

// Event is a token loss that came in several passes at about the same time: within a token retransmit timeout, or by the same cut within a
// token timeout.
type Event struct {
	First, Last time.Duration // when the token timer expired, in the earliest and in the latest pass
	Passes      int           // in how many
	Splits      int           // in how many of them nodes left the membership
	Freeze      time.Duration // longest
	Where       string        // which paths lost packets in the time before
}

// Summarize makes one account of some passes.
func (r *Replay) Summarize(passes []Pass) Outcome {
	out := Outcome{Passes: len(passes)}
	var losses, splits, downs []int
	var worst []time.Duration
	var all []passLoss
	for i := range passes {
		p := &passes[i]
		n := 0
		for _, l := range p.Losses {
			if l.Split {
				n++
			}
			if l.Freeze > out.Freeze {
				out.Freeze, out.FreezeAt = l.Freeze, l.Since
			}
			all = append(all, passLoss{l, i})
		}
		if len(p.Losses) > 0 {
			out.Lost++
		}
		losses, splits, downs = append(losses, len(p.Losses)), append(splits, n), append(downs, len(p.LinkDowns))
		worst = append(worst, p.Worst.Length)
		if p.Worst.Length > out.Worst {
			out.Worst, out.WorstAt, out.WorstNode = p.Worst.Length, p.Worst.End, p.WorstNode
		}
	}
	out.Losses, out.Splits, out.LinkDowns = count(losses), count(splits), count(downs)
	out.Typical = median(worst)
	out.WorstUsed = min(float64(out.Worst)/float64(r.cluster.Timeouts.Token), 1)
	if out.Lost > 0 {
		out.WorstUsed = 1
	}
	out.Events = r.events(all)
	return out
}

// passLoss is a loss of a pass.
type passLoss struct {
	Loss
	pass int
}

// events joins the losses of different passes that have one cause. A cut that lets no token pass is one for as long as a token timeout, however
// sick the links were before; what else loses a token sets passes apart by where the token just was, and nothing keeps it longer than its
// retransmission takes, not even an idle ring (totem's hold is shorter).
func (r *Replay) events(all []passLoss) (out []Event) {
	slices.SortStableFunc(all, func(a, b passLoss) int { return cmp.Compare(a.At, b.At) })
	cuts := map[string][]passLoss{}
	for _, l := range all {
		where := r.cutOff(l.Since, l.At)
		cuts[where] = append(cuts[where], l)
	}
	for where, losses := range cuts {
		within := r.cluster.Timeouts.TokenRetransmit
		if where != "" {
			within = r.cluster.Timeouts.Token
		}
		out = r.eventsOf(losses, within, out)
	}
	slices.SortFunc(out, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), cmp.Compare(a.Where, b.Where))
	})
	return out
}

// eventsOf appends the events of losses: those that come most together within a time are one, and what is before and after them is looked
// at by itself: a neighbour's neighbour is no reason.
func (r *Replay) eventsOf(all []passLoss, within time.Duration, out []Event) []Event {
	if len(all) == 0 {
		return out
	}
	first, end := densest(all, within)
	out = r.eventsOf(all[:first], within, out)
	out = append(out, r.event(all[first:end]))
	return r.eventsOf(all[end:], within, out)
}

// densest is the stretch of a length with the most losses, the earliest of several.
func densest(all []passLoss, length time.Duration) (first, end int) {
	for i, j := 0, 0; j < len(all); j++ {
		for all[j].At-all[i].At > length {
			i++
		}
		if j+1-i > end-first {
			first, end = i, j+1
		}
	}
	return first, end
}

func (r *Replay) event(losses []passLoss) Event {
	e := Event{First: losses[0].At, Last: losses[len(losses)-1].At}
	seen, split := map[int]bool{}, map[int]bool{}
	for _, l := range losses {
		seen[l.pass] = true
		if l.Split {
			split[l.pass] = true
		}
		e.Freeze = max(e.Freeze, l.Freeze)
	}
	e.Passes, e.Splits = len(seen), len(split)
	// The token was lost on its way, and then for long enough: the paths of the median loss's time without it.
	middle := losses[len(losses)/2]
	e.Where = r.Where(middle.Since, middle.At)
	return e
}

// LostAt counts the passes in which the token was lost at an instant: less than near before or after it, or still.
func LostAt(passes []Pass, at, near time.Duration) (n int) {
	for i := range passes {
		if slices.ContainsFunc(passes[i].Losses, func(l Loss) bool { return at > l.At-near && at < max(l.At+near, l.End) }) {
			n++
		}
	}
	return n
}

func count(n []int) Count {
	if len(n) == 0 {
		return Count{}
	}
	slices.Sort(n)
	return Count{Median: n[len(n)/2], Low: n[0], High: n[len(n)-1]}
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}
