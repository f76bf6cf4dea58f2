package risk

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// What Live allows itself.
const (
	chunk     = 50 * time.Millisecond       // the rings are run in steps of this, side by side
	maxWork   = 10000                       // packets a Step: some five milliseconds
	maxLag    = 5 * time.Second             // behind the trace: then what is in between is skipped
	farLag    = recentFor / 2 * time.Second // so far behind nothing is caught up: the history's seconds are those of newer ones
	ringWork  = 7000                        // links of all rings together: their number is chosen so
	messages  = time.Second                 // each node's programs multicast that often, as Proxmox's do: facts of the lab
	settleFor = 10 * time.Second
)

// Live runs virtual rings beside a real cluster, over what the probes measured. It has one owner, no clock, and costs a bounded amount
// of work a Step. The zero value is not usable; see NewLive.
//
// The rings never drift from reality: their processors are the real members; what Corosync says of membership, rings and token
// outranks them. Those of heldRings follow the real knets too, some seconds later.
type Live struct {
	random  *rand.Rand
	cluster Cluster // as configured
	known   bool    // cluster was given
	reality reality
	net     *Recorded
	rings   []*liveRing // of any phase
	held    heldRings
	members Cluster       // the cluster as far as it is in the membership: what the rings are made of
	start   time.Time     // Trace.Start of the trace that runs
	origin  time.Time     // of the history's time
	at      time.Duration // up to when the rings have run, in the trace's time
	history history
	margin  Margin
	covered time.Duration // when the coverage was last counted
	skipped int
	dead    []trace.Path // as Reality.Dead was last

	cutUntil time.Duration // until then, in the trace's time, a cut was told; zero: none ever was
}

// NewLive makes one that knows no cluster yet. The seed decides the rings' phases.
func NewLive(seed uint64) *Live {
	return &Live{random: rand.New(rand.NewPCG(seed, 0x746f6b656e)), history: newHistory()}
}

// Configure tells what the cluster is configured to, of no nodes: that there is no ring over knet. The rings begin anew if anything that they rest on
// is different.
func (l *Live) Configure(c Cluster) {
	same := l.known && slices.Equal(c.Nodes, l.cluster.Nodes) && slices.Equal(c.Links, l.cluster.Links) &&
		c.Timeouts == l.cluster.Timeouts && c.Mode == l.cluster.Mode && c.FastDataUp == l.cluster.FastDataUp
	l.cluster, l.known = c, len(c.Nodes) > 0
	if !same {
		l.rings = nil
	}
}

// Skipped is how often the rings could not keep up and left something out.
func (l *Live) Skipped() int { return l.skipped }

// Step runs the rings over the trace up to the slot before which all is known, and tells the margin.
func (l *Live) Step(t *trace.Trace, known int, real Reality) Margin {
	until := t.At(known)
	if !t.Start.Equal(l.start) || until < l.at {
		l.start, l.rings, l.cutUntil, l.held.said = t.Start, nil, 0, said{}
		if l.origin.IsZero() {
			l.origin = t.Start
		}
	}
	news := l.reality.read(real.Status)
	if real.Cut {
		l.cutUntil = real.Now.Sub(l.start)
	}
	if news.members || l.net == nil || l.net.Trace != t {
		l.rings = nil
	}
	if reason := l.impossible(); reason != "" {
		l.at, l.rings = until, nil
		l.note(until, news)
		return l.unknown(reason)
	}
	if l.rings == nil {
		l.begin(t, until)
	}
	l.note(until, news)
	l.excuse(real.Silent)
	l.believe(real.Dead)
	if news.ring {
		l.restart(until, func(r *liveRing) bool { return !r.whole() })
		l.held.renew = append(l.held.renew, until)
	}
	l.held.said.hear(real.Now, l.start, real.Status, news)
	for i := range real.Words {
		l.held.words.hear(&real.Words[i], real.Words[i].At.Sub(l.start))
	}
	l.advance(until)
	l.follow(min(until, real.Now.Add(-hindsight).Sub(l.start)))
	l.tell(t, known)
	return l.margin
}

// impossible says why no ring can be run.
func (l *Live) impossible() string {
	switch r := &l.reality; {
	case !l.known:
		return "there is no corosync.conf of a ring over knet to go by"
	case r.stopped:
		return "Corosync does not run on this node"
	case r.members == nil:
		return "Corosync has not told its membership"
	case len(l.present()) < 2:
		return "this node is alone in its membership"
	}
	return ""
}

// present are the configured nodes that are members.
func (l *Live) present() []Node {
	var out []Node
	for _, n := range l.cluster.Nodes {
		if slices.Contains(l.reality.members, n.ID) {
			out = append(out, n)
		}
	}
	return out
}

func (l *Live) unknown(reason string) Margin {
	l.margin = Margin{Reason: reason, Token: l.cluster.Timeouts.Token}
	l.sum()
	return l.margin
}

// begin makes new rings of the present members.
func (l *Live) begin(t *trace.Trace, at time.Duration) {
	c := l.cluster
	c.Nodes = l.present()
	l.members = c
	l.net, l.at, l.covered = NewRecorded(c, t), at, -time.Hour
	l.net.kill(l.dead)
	n := len(c.Nodes)
	k := min(maxRings+maxHeld, max(2, ringWork/(n*n*len(c.Links))))
	held := min(maxHeld, (k+1)/3)
	l.rings = make([]*liveRing, 0, k-held)
	for range k - held {
		if r := newLiveRing(c, l.net, l.net, l.random, at); r != nil {
			l.rings = append(l.rings, r)
		}
	}
	net := NewRecorded(c, t)
	net.kill(l.dead)
	l.held.begin(c, net, l.random, held, at)
}

// restart begins those rings anew that a condition holds for.
func (l *Live) restart(at time.Duration, which func(r *liveRing) bool) {
	l.renew(l.rings, l.net, at, which)
}

func (l *Live) restartHeld(which func(r *liveRing) bool) {
	h := &l.held
	if l.renew(h.rings, heldNetwork{h.net, &h.words}, h.at, which) && h.another(nil) < 0 {
		h.spoke, h.most = false, 0
	}
}

func (l *Live) renew(rings []*liveRing, network totem.Network, at time.Duration, which func(r *liveRing) bool) (any bool) {
	for i, r := range rings {
		if which(r) {
			if fresh := newLiveRing(l.members, network, l.net, l.random, at); fresh != nil {
				rings[i], any = fresh, true
			}
		}
	}
	return any
}

func every(*liveRing) bool { return true }

// advance runs the rings, as far as the work that a Step may do allows, and leaves out what they can not catch up with.
func (l *Live) advance(until time.Duration) {
	work := l.net.packets
	for l.at < until && until-l.at <= farLag && l.net.packets-work < maxWork {
		l.at = min(until, l.at+chunk)
		b := l.history.at(l.when(l.at))
		for i, r := range l.rings {
			r.run(l.at)
			if r.fold(b, i, l.when(0), l.cutUntil) {
				l.history.spell(b, l.when(l.at), settleFor+l.cluster.Timeouts.Membership())
			}
		}
		if l.anySettled() {
			b.covered += chunk
		}
		l.restart(l.at, func(r *liveRing) bool { return r.broken(l.at) })
	}
	if until-l.at > maxLag {
		l.skipped++
		l.at = until
		l.restart(until, every)
	}
}

// follow runs the rings that are held to what knet did, within the same bounds.
func (l *Live) follow(until time.Duration) {
	h := &l.held
	work := h.net.packets
	for h.at < until && until-h.at <= farLag && h.net.packets-work < maxWork/2 {
		h.step(min(until, h.at+chunk))
		h.fold(l.history.at(l.when(h.at)), l.when(0))
		l.refute()
		if h.formedAnew() {
			l.restartHeld(func(r *liveRing) bool { return !r.whole() })
		}
		l.restartHeld(func(r *liveRing) bool { return r.broken(h.at) })
	}
	if until-h.at > maxLag {
		h.words.take(until)
		h.at = until
		l.restartHeld(every)
	}
}

// when turns the trace's time into the history's.
func (l *Live) when(at time.Duration) time.Duration { return l.start.Sub(l.origin) + at }

// excuse stops believing what the trace says of nodes that are known to live, and takes back what came of it.
func (l *Live) excuse(silent map[uint32]time.Time) {
	fresh := false
	for i, node := range l.net.nodes {
		since, is := silent[node]
		if is && !l.net.excused[i] {
			l.history.takeBack(since.Sub(l.origin))
			fresh = true
		}
		l.net.excused[i], l.held.net.excused[i] = is, is
	}
	if fresh {
		l.restart(l.at, every)
		l.restartHeld(every)
	}
}

// believe takes knet's word for paths that it cannot use although probes can. The rings begin anew on what is left: the real one has long since
// found that.
func (l *Live) believe(dead []trace.Path) {
	dead = slices.DeleteFunc(slices.Clone(dead), func(p trace.Path) bool { // a node whose Corosync is stopped is no member
		return !slices.Contains(l.net.nodes, p.From) || !slices.Contains(l.net.nodes, p.To)
	})
	if slices.Equal(dead, l.dead) {
		return
	}
	l.dead = dead
	l.net.kill(dead)
	l.held.net.kill(dead)
	l.restart(l.at, every)
	l.restartHeld(every)
}

// note puts down what Corosync said.
func (l *Live) note(at time.Duration, n news) {
	switch t := l.cluster.Timeouts; { // so long at least
	case n.losses > 0 || n.again:
		n.gap = max(n.gap, t.Token)
	case n.warnings > 0:
		n.gap = max(n.gap, t.TokenWarning)
	case n.gap == 0:
		return
	}
	b := l.history.at(l.when(at))
	b.real.Losses += n.losses
	if at <= l.cutUntil {
		b.real.InCuts += n.losses
	}
	b.real.Warnings += n.warnings
	b.real.Gap = max(b.real.Gap, n.gap)
}
