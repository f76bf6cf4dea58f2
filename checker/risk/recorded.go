package risk

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Recorded is a totem.Network that does to each packet what the trace says of its path in its slot. Where the trace knows
// nothing, packets arrive, as late as the path's last known one, or after Usual. Rings may share one; it is not for concurrent use.
type Recorded struct {
	Trace *trace.Trace
	Usual time.Duration // delay of paths that were never known
	Begin time.Duration // ring time zero in the trace's time

	nodes   []uint32 // nodeid by the model's number
	links   []int
	paths   []cursor // [(from*nodes+to)*links+link]
	excused []bool   // by the model's number: what the trace says of its paths is not believed
	dead    []bool   // as paths: nothing of knet's passes, whatever the trace says
	packets uint64   // asked for so far
}

// cursor remembers where in a path's series the last packets were: most slots are like the one before.
type cursor struct {
	series      *trace.Series
	from, until int // slots in which sample holds
	sample      trace.Sample
	usual       time.Duration // of the last packet that arrived; zero: none yet
}

// NewRecorded makes the network of a cluster out of a trace.
func NewRecorded(c Cluster, t *trace.Trace) *Recorded {
	n := len(c.Nodes)
	r := &Recorded{Trace: t, Usual: time.Millisecond, paths: make([]cursor, n*n*len(c.Links)), excused: make([]bool, n), dead: make([]bool, n*n*len(c.Links))}
	for _, n := range c.Nodes {
		r.nodes = append(r.nodes, n.ID)
	}
	for _, l := range c.Links {
		r.links = append(r.links, l.Number)
	}
	return r
}

// Deliver implements totem.Network.
func (r *Recorded) Deliver(p totem.Packet) (time.Duration, bool) {
	r.packets++
	at := r.Begin + p.At
	i := (p.From*len(r.nodes)+p.To)*len(r.links) + p.Link
	if r.dead[i] {
		return 0, false
	}
	c := &r.paths[i]
	v := c.sampleAt(r, p, r.Trace.SlotOf(at))
	switch {
	case v.State == trace.Arrived:
		c.usual = v.Delay
		return v.Delay, true
	case v.State == trace.Lost && !r.excused[p.From] && !r.excused[p.To]:
		return 0, false
	}
	return c.expected(r.Usual), true
}

// usual is how long packets of a path take, as far as is known.
func (r *Recorded) usual(p totem.Packet) time.Duration {
	return r.paths[(p.From*len(r.nodes)+p.To)*len(r.links)+p.Link].expected(r.Usual)
}

// expected is the delay of the last packet that arrived, or what is given where there was none.
func (c *cursor) expected(unknown time.Duration) time.Duration {
	if c.usual > 0 {
		return c.usual
	}
	return unknown
}

// sampleAt finds what became of a packet of a slot. What the series does not hold yet is asked for again.
func (c *cursor) sampleAt(r *Recorded, p totem.Packet, slot int) trace.Sample {
	if slot >= c.from && slot < c.until {
		return c.sample
	}
	if c.series == nil {
		if c.series = r.Trace.Paths[trace.Path{From: r.nodes[p.From], To: r.nodes[p.To], Link: r.links[p.Link]}]; c.series == nil {
			return trace.Sample{}
		}
	}
	v, until := c.series.Run(slot)
	if slot < c.series.First() || slot >= c.series.Next() {
		return v
	}
	c.from, c.until, c.sample = slot, until, v
	return v
}

// kill says which paths carry nothing of knet's.
func (r *Recorded) kill(paths []trace.Path) {
	clear(r.dead)
	for _, p := range paths {
		from, to, link := slices.Index(r.nodes, p.From), slices.Index(r.nodes, p.To), slices.Index(r.links, p.Link)
		if from >= 0 && to >= 0 && link >= 0 {
			r.dead[(from*len(r.nodes)+to)*len(r.links)+link] = true
		}
	}
}
