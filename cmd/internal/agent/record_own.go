package agent

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// How long silence waits for its cause.
const (
	// queueFor is how long a packet may lie in a queue that stands still and yet count as late rather than lost.
	queueFor = time.Second
	// aliveFor is how long after a slot something must be heard of a peer for the slot to be lost, not silent.
	aliveFor = 200 * time.Millisecond
	// viewsFor is how old a peer's bulletins may be before this node's own round trips tell of the way to it.
	viewsFor = 2 * time.Second
)

// ownPath is a path between this node and a peer's address.
type ownPath struct {
	path probe.Path
	in   trace.Path // from the peer
	out  trace.Path // to it
	from *track     // the record of in; nil: none yet
}

func ownPaths(p *plan) []ownPath {
	var out []ownPath
	for path, whose := range p.owners {
		out = append(out, ownPath{
			path: path,
			in:   trace.Path{From: whose.node, To: p.local, Link: whose.link},
			out:  trace.Path{From: p.local, To: whose.node, Link: whose.link},
		})
	}
	slices.SortFunc(out, func(a, b ownPath) int { return cmp.Or(a.in.Compare(b.in), a.path.Remote.Compare(b.path.Remote)) })
	return out
}

func (o *ownPath) key() linkKey { return linkKey{o.in.From, o.in.Link} }

// hearAll takes in what this node heard itself, and returns the slot before which that is whole.
func (r *recorder) hearAll(now time.Time, prober *keyed) int {
	least := r.slotOf(now)
	for i := range r.own {
		o := &r.own[i]
		if o.from == nil {
			o.from = r.track(o.in)
		}
		if o.from == nil {
			continue
		}
		r.hear(now, prober, o, o.from)
		if p := r.told[o.key()]; p != nil && p.State != checker.PathUnknown {
			least = min(least, o.from.Next())
		}
	}
	return least
}

// hear takes in what is new of one path.
func (r *recorder) hear(now time.Time, prober *keyed, o *ownPath, in *track) {
	from := in.Next()
	if from < r.slotOf(now.Add(-giveUp)) && from == 0 { // the agent or the path is new
		in.AppendTo(r.slotOf(now.Add(-giveUp)), trace.Sample{})
		from = in.Next()
	}
	slots, heard := prober.Incoming(o.path, r.buffer[:0], r.grid, from, now)
	r.buffer = slots[:0]
	if !heard {
		r.other, slots = prober.RoundTrips(o.path, r.other[:0], r.buffer, r.grid, from, now)
		r.buffer = slots[:0]
	}
	for i, s := range slots {
		v, ok := r.fate(now, o, in, from+i, s, heard)
		if !ok {
			break
		}
		in.Append(1, v)
	}
	if a := r.peers[o.in.From]; a == nil || now.Sub(a.at) > viewsFor {
		r.tellOut(now, prober, o)
	}
}

// tellOut takes the way to a peer whose bulletins do not come from this node's own round trips.
func (r *recorder) tellOut(now time.Time, prober *keyed, o *ownPath) {
	k := r.track(o.out)
	until := r.slotOf(now.Add(-viewsFor))
	if k == nil || k.Next() >= until {
		return
	}
	if k.Next() == 0 {
		k.AppendTo(until-1, trace.Sample{})
	}
	slots, back := prober.RoundTrips(o.path, r.buffer[:0], r.other[:0], r.grid, k.Next(), now)
	r.buffer, r.other = slots[:0], back[:0]
	for _, s := range slots[:min(len(slots), until-k.Next())] {
		v, _ := r.fate(now, o, k, k.Next(), s, false)
		k.Append(1, v)
	}
}

// fate is what a slot of this node's own goes down as; not ok if that cannot be told yet.
func (r *recorder) fate(now time.Time, o *ownPath, k *track, slot int, s stats.Slot, heard bool) (v trace.Sample, ok bool) {
	p := r.told[o.key()]
	switch s.State {
	case stats.SlotArrived:
		return k.arrived(s.Delay, halfTrip(p)), true
	case stats.SlotLost:
		if !heard && (p == nil || p.State == checker.PathUnknown) {
			return trace.Sample{}, true // nobody there, or not by the path's fault
		}
		return trace.Sample{State: trace.Lost}, true
	case stats.SlotSilent:
		return r.silence(now, o, p, r.grid.Begin.Add(r.record.At(slot)))
	}
	return trace.Sample{}, true
}

// silence says what it means that nothing was heard on a path from an instant on: loss, if the peer lives or its knet link is down; unknown, if its
// agent stopped or is silent while Corosync lives; not ok as long as it may still be either.
func (r *recorder) silence(now time.Time, o *ownPath, p *checker.Path, since time.Time) (v trace.Sample, ok bool) {
	lost := trace.Sample{State: trace.Lost}
	a := r.peers[o.in.From]
	switch age := now.Sub(since); {
	case a != nil && a.leaving:
		return trace.Sample{}, true
	case age < queueFor:
		return trace.Sample{}, false
	case r.lives(o.in.From, since.Add(aliveFor)):
		return lost, true
	case p == nil || p.State == checker.PathUnknown:
		return trace.Sample{}, true
	case p.Knet == checker.KnetDisconnected, age >= r.patience[o.in.Link]:
		return lost, true
	}
	return trace.Sample{}, false
}

// Bounds of how long silence on all links of a peer may wait until knet must have seen it, and has been asked.
const (
	knetAsked    = 2 * time.Second
	mostPatience = 6 * time.Second
)

// patienceOf is how long to wait for knet's verdict, by link.
func patienceOf(rep *checker.Report) map[int]time.Duration {
	out := map[int]time.Duration{}
	for _, l := range rep.Cluster.Links {
		out[l.Number] = min(max(l.DetectionLatest.Duration()+knetAsked, giveUp), mostPatience)
	}
	return out
}

// lives says whether a node was heard, on whatever link, after an instant.
func (r *recorder) lives(node uint32, after time.Time) bool {
	for i := range r.own {
		if o := &r.own[i]; o.in.From == node {
			if p := r.told[o.key()]; p != nil && p.LastHeard.After(after) {
				return true
			}
		}
	}
	return false
}

// halfTrip is half of a path's round trip; zero if unknown.
func halfTrip(p *checker.Path) time.Duration {
	if p == nil || !p.RTT.Known {
		return 0
	}
	return p.RTT.Smoothed.Duration() / 2
}

// arrived is the sample of a packet that took delay where half a round trip takes half. Small differences make no new run: a token does not feel
// them.
func (k *track) arrived(delay, half time.Duration) trace.Sample {
	k.settle(half)
	if isLate(delay, k.usual) {
		return trace.Sample{State: trace.Arrived, Delay: coarse(delay)}
	}
	return trace.Sample{State: trace.Arrived, Delay: k.usual}
}

// Steps of delays in the record.
const (
	usualStep = 500 * time.Microsecond // or an eighth
	lateBy    = 5 * time.Millisecond   // or half
)

// settle lets the usual delay follow a new estimate, in steps.
func (k *track) settle(half time.Duration) {
	if half > 0 && (half-k.usual).Abs() > max(usualStep, k.usual/8) || k.usual == 0 {
		k.usual = half.Round(100 * time.Microsecond)
	}
}

func isLate(delay, usual time.Duration) bool { return delay > usual+max(lateBy, usual/2) }

// coarse rounds a delay to 1/16, as bulletins do or worse, so that those of a queue that drains are not each a run of their own.
func coarse(d time.Duration) time.Duration {
	step := time.Millisecond
	for step*32 < d {
		step *= 2
	}
	return d.Round(step)
}
