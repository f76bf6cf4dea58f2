package replay

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Rhythm of a pass.
const (
	stride  = time.Second            // a ring is run by
	chunk   = 100 * time.Millisecond // the same, until it is whole again
	traffic = time.Second            // between the messages of each node: Proxmox's pmxcfs keeps a ring about as busy
)

// Errors of New.
var (
	ErrEmpty  = errors.New("replay: the trace has no samples")
	ErrOthers = errors.New("replay: the trace and the configuration have no path in common: nodeids or links are others")
)

// Replay is a trace and a cluster to run through it. Passes may run at the same time.
type Replay struct {
	cluster risk.Cluster
	trace   *trace.Trace
	begin   time.Duration // in the trace's time
	length  time.Duration
	quiet   quiet
	series  int // paths of the cluster that the trace has
}

// New checks that a trace is about a cluster.
func New(c risk.Cluster, t *trace.Trace) (*Replay, error) {
	first, next := t.Span()
	if first >= next {
		return nil, ErrEmpty
	}
	t = bridged(c, t)
	series := paths(c, t)
	if len(series) == 0 {
		return nil, ErrOthers
	}
	r := &Replay{cluster: c, trace: t, begin: t.At(first), length: t.At(next - first), quiet: newQuiet(series, first, next), series: len(series)}
	_, err := r.ring(rand.New(rand.NewPCG(0, 0)))
	return r, err
}

// Length is how long the trace is.
func (r *Replay) Length() time.Duration { return r.length }

func (r *Replay) ring(random *rand.Rand) (*totem.Ring, error) {
	net := risk.NewRecorded(r.cluster, r.trace)
	net.Begin = r.begin
	return r.cluster.Ring(risk.Run{Network: &network{net, &r.quiet}, Traffic: traffic, Rand: random})
}

// Loss is a time in which the ring was not whole, from the token's loss to services that answer at all nodes.
type Loss struct {
	At     time.Duration // when the token timer expired, in the trace's time
	Since  time.Duration // when that node last had the token
	End    time.Duration // when all nodes were in service, or the trace ended
	Node   int           // whose timer
	Freeze time.Duration // longest time that a node went without service
	Split  bool          // nodes left the membership
}

// Pass is one run.
type Pass struct {
	Losses    []Loss
	LinkDowns []Down
	Worst     totem.Gap // longest time without the token at any node that is in a ring of all; End in the trace's time
	WorstNode int
}

// Down is a link between two nodes that went down: when the first end took it down.
type Down struct {
	At         time.Duration
	Node, Peer int // the end that was first, and the other
	Link       int
}

// pair is a link between two nodes.
type pair struct{ low, high, link int }

func pairOf(e totem.Event) pair { return pair{min(e.Node, e.Peer), max(e.Node, e.Peer), e.Link} }

// Pass runs the trace once, with phases drawn from a seed. Equal seeds give equal phases to all settings.
func (r *Replay) Pass(seed uint64) (Pass, error) {
	ring, err := r.ring(rand.New(rand.NewPCG(seed, 0x7265706c6179)))
	if err != nil {
		return Pass{}, err
	}
	p := pass{replay: r, ring: ring, down: map[pair]int{}}
	for at := time.Duration(0); at < r.length; {
		step := stride
		if p.open != nil {
			step = chunk
		}
		at = min(at+step, r.length)
		for _, e := range ring.Run(at) {
			p.take(e)
		}
		p.look(at)
	}
	p.close(r.length)
	return p.out, nil
}

// pass is one that runs.
type pass struct {
	replay *Replay
	ring   *totem.Ring
	open   *Loss
	down   map[pair]int // ends that have a link down
	out    Pass
}

// take notes an event.
func (p *pass) take(e totem.Event) {
	begin := p.replay.begin
	switch e.Kind {
	case totem.TokenLost:
		if p.open == nil {
			p.open = &Loss{At: begin + e.At, Since: begin + e.At - e.Gap, Node: e.Node}
			p.longest(e.Gap, begin+e.At, e.Node)
		}
	case totem.Membership:
		if p.open != nil {
			p.open.Split = p.open.Split || e.Left != 0
			p.open.Freeze = max(p.open.Freeze, e.Gap)
		}
	case totem.LinkDown:
		if p.down[pairOf(e)]++; p.down[pairOf(e)] == 1 {
			p.out.LinkDowns = append(p.out.LinkDowns, Down{begin + e.At, e.Node, e.Peer, e.Link})
		}
	case totem.LinkUp:
		p.down[pairOf(e)] = max(p.down[pairOf(e)]-1, 0)
	}
}

// look measures the gaps as long as the token goes round, and closes a loss once the ring is whole again.
func (p *pass) look(at time.Duration) {
	switch {
	case p.open == nil:
		for i := range p.replay.cluster.Nodes {
			g := p.ring.LongestGap(i)
			p.longest(g.Length, p.replay.begin+g.End, i)
		}
	case p.ring.Together():
		p.close(at)
		p.ring.ResetGaps() // without a token there was nothing to measure
	}
}

// close ends a loss.
func (p *pass) close(at time.Duration) {
	if p.open == nil {
		return
	}
	p.open.End = p.replay.begin + at
	if p.open.Freeze == 0 {
		p.open.Freeze = p.open.End - p.open.Since
	}
	p.out.Losses = append(p.out.Losses, *p.open)
	p.open = nil
}

// longest keeps the longest gap.
func (p *pass) longest(gap, end time.Duration, node int) {
	if gap > p.out.Worst.Length {
		p.out.Worst, p.out.WorstNode = totem.Gap{Length: gap, End: end}, node
	}
}
