package agent

import (
	"math"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// author is a node whose bulletins come.
type author struct {
	at       time.Time // when its newest one left, by our clock
	least    int       // our slot before which it has told all paths to it
	shift    int       // our slot less the author's, where both are of equal length
	anchored bool
	leaving  bool
	plan     *plan    // of tracks
	tracks   []*track // to the author, in the order of its newest View; nil: no such path
	paths    []trace.Path
}

// in is the record of the path to the author that its View tells of in place i. Views mostly tell the same paths in the same order.
func (a *author) in(r *recorder, i int, p trace.Path) *track {
	if i < len(a.paths) && a.paths[i] == p {
		return a.tracks[i]
	}
	a.paths, a.tracks = append(a.paths[:i], p), append(a.tracks[:i], r.track(p))
	return a.tracks[i]
}

// Bounds of what is believed of a bulletin's own clock.
const (
	oldestFates = 10 * time.Second
	slackFates  = 100 * time.Millisecond
)

// take puts a peer's bulletin into the record.
func (r *recorder) take(v *mesh.View, d decoded) {
	f := v.Fates
	a := r.peers[v.Node]
	if a == nil {
		a = &author{}
		r.peers[v.Node] = a
	}
	a.leaving = v.Leaving
	if r.plan == nil || f.Slot <= 0 || f.Window <= 0 {
		return
	}
	// How long before the bulletin left slot Next began; its own clock may have been set in between.
	ago := time.Duration(int32(uint32(d.clock/time.Millisecond)-f.Clock)) * time.Millisecond
	if ago < -slackFates || ago > oldestFates {
		return
	}
	a.at = d.left
	r.anchor(a, f, d.left.Add(-ago))
	if a.plan != r.plan {
		a.plan, a.paths, a.tracks = r.plan, a.paths[:0], a.tracks[:0]
	}
	least := math.MaxInt
	for i := range v.Paths {
		p := &v.Paths[i]
		if in := a.in(r, i, trace.Path{From: p.Node, To: v.Node, Link: p.Link}); in != nil && r.merge(in, a, f, p.In, p.RTT/2) {
			least = min(least, in.Next())
		}
		if p.Out != nil && !r.speaks(p.Node, d.left) {
			if out := r.track(trace.Path{From: v.Node, To: p.Node, Link: p.Link}); out != nil {
				r.merge(out, a, f, *p.Out, p.RTT/2)
			}
		}
	}
	if !v.Partial && least != math.MaxInt {
		a.least = max(a.least, least)
	}
}

// speaks says whether a node tells of the paths to it itself.
func (r *recorder) speaks(node uint32, at time.Time) bool {
	a := r.peers[node]
	return node == r.plan.local || a != nil && at.Sub(a.at) < viewsFor
}

// anchor finds where in our timeline the author's slots lie. Both clocks drift, and a slot that begins when ours do must not jump
// to and fro; so the shift stays as long as it is right to three quarters of a slot.
func (r *recorder) anchor(a *author, f mesh.Fates, next time.Time) {
	at := float64(next.Sub(r.grid.Begin)) / float64(r.grid.Slot)
	x := at - float64(f.Next)
	if a.anchored && math.Abs(x-float64(a.shift)) < 0.75 {
		return
	}
	a.anchored, a.shift = true, int(math.Round(x))
}

// merge appends what is new in a window of slots; not ok if nothing is told.
func (r *recorder) merge(k *track, a *author, f mesh.Fates, t mesh.Told, half time.Duration) bool {
	if len(t.Runs) == 0 {
		return false
	}
	slots := 0
	for _, run := range t.Runs {
		slots += run.Slots
	}
	end := int(f.Next) - t.Lag // in the author's slots, as all here
	at := end - slots
	k.AppendTo(r.toOwn(a, f, at), trace.Sample{})
	for _, run := range t.Runs {
		at += run.Slots
		if next := r.toOwn(a, f, at); next > k.Next() {
			k.AppendTo(next, k.sampleOf(run, half))
		}
	}
	return true
}

// toOwn is our slot for one of the author's.
func (r *recorder) toOwn(a *author, f mesh.Fates, slot int) int {
	if f.Slot == r.grid.Slot {
		return slot + a.shift
	}
	next := float64(f.Next) + float64(a.shift) // where the author's Next lies in our slots
	return int(math.Round(next + float64(slot-int(f.Next))*float64(f.Slot)/float64(r.grid.Slot)))
}

func (k *track) sampleOf(run mesh.Run, half time.Duration) trace.Sample {
	switch run.Fate {
	case mesh.Usual:
		return k.arrived(half, half)
	case mesh.Late:
		return k.arrived(run.Delay, half)
	case mesh.Lost:
		return trace.Sample{State: trace.Lost}
	}
	return trace.Sample{}
}

// tell adds to this node's bulletin what it recorded of the paths to it. Slots that begin now are not decided anywhere yet.
func (r *recorder) tell(v *mesh.View, now time.Time, clock time.Duration) {
	const undecided = 3
	slot := r.grid.Slot
	next := max(r.slotOf(now)-undecided, 0)
	begins := r.grid.Begin.Add(r.record.At(next))
	window := min(max(int((tellFor+slot-1)/slot), 8), 64)
	v.Fates = mesh.Fates{
		Slot: slot, Next: uint64(next), Clock: uint32((clock - now.Sub(begins)) / time.Millisecond), Window: window,
	}
	for i := range v.Paths {
		p := &v.Paths[i]
		in, out := trace.Path{From: p.Node, To: v.Node, Link: p.Link}, trace.Path{From: v.Node, To: p.Node, Link: p.Link}
		p.In = r.toldOf(in, next, window)
		if t := r.toldOf(out, next, window); len(t.Runs) > 0 && !r.speaks(p.Node, now) {
			p.Out = &t
		}
		if len(p.In.Runs) == 1 && p.In.Runs[0].Fate == mesh.Lost {
			v.Fates.Lag = max(v.Fates.Lag, p.In.Lag)
		}
	}
}

// toldOf is the newest window of a path's record, ending before next.
func (r *recorder) toldOf(p trace.Path, next, window int) mesh.Told {
	k := r.tracks[p]
	if k == nil || k.Next() == 0 {
		return mesh.Told{}
	}
	t := mesh.Told{Lag: max(next-k.Next(), 0)}
	end := next - t.Lag
	for slot := end - window; slot < end; {
		v, until := k.Run(slot)
		until = min(until, end)
		run := mesh.Run{Slots: until - slot}
		switch {
		case v.State == trace.Unknown:
			run.Fate = mesh.Untold
		case v.State == trace.Lost:
			run.Fate = mesh.Lost
		case isLate(v.Delay, k.usual):
			run.Fate, run.Delay = mesh.Late, v.Delay
		}
		if n := len(t.Runs); n > 0 && t.Runs[n-1].Fate == run.Fate && t.Runs[n-1].Delay == run.Delay {
			t.Runs[n-1].Slots += run.Slots
		} else {
			t.Runs = append(t.Runs, run)
		}
		slot = until
	}
	return t
}
