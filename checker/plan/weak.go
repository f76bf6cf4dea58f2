package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// Weak is a weak point: something that costs more than it must. A site or node that fails takes its own nodes along, a cut costs
// the smaller side, and each of them a new membership; that is inevitable. That a single failure leaves nobody with quorum, or
// more than one side, that the death of one link costs the token, that healthy nodes may reset: these are not.
type Weak struct {
	Key  string `json:"key"` // the failure, or "fence", "ring", "token losses"
	Text string `json:"text"`
}

func (s *State) weak(key, format string, args ...any) {
	s.Weak = append(s.Weak, Weak{key, fmt.Sprintf(format, args...)})
}

func (w *world) findWeak(s *State, o Options) {
	if s.Timers.Round >= s.Timers.Token/2 {
		s.weak("ring", "once around the ring takes %v of a token of %v: no ring lasts", s.Timers.Round.Duration(), s.Timers.Token.Duration())
	}
	worst := map[Kind]Impact{}
	for _, g := range s.Singles {
		worst[g.Kinds[0]] = max(worst[g.Kinds[0]], g.Impact)
		if g.Kinds[0] == NodeCut && g.Impact <= worst[Node] {
			continue // to be told of one without power is enough
		}
		if g.isWeak(len(w.d.Cluster.Links)) {
			for _, f := range g.Patterns[0].keys(w) {
				s.weak(f, "%s", g.harm(len(s.Nodes)))
			}
		}
	}
	for _, sw := range s.Switches {
		if sw.Lost > 0 {
			s.weak(sw.Failure.String()+" dies", "the token is lost in %d of %d deaths, though another link could carry it", sw.Lost, sw.Trials)
		}
	}
	if s.Fence.Exceeds && w.anyArmed() {
		s.weak("fence", "a failure stops all writes for %.1f s, the watchdogs leave %.0f s: nodes that keep quorum may reset too",
			s.Fence.Needed.Duration().Seconds(), s.Fence.Usable.Duration().Seconds())
	}
	if l := s.Losses; o.LossSaid && len(l) > 0 && (l[0].Count > 0 || l[0].Broken > 0) {
		if l[0].Hopeless() {
			s.weak("token losses", "under the loss assumed the ring is broken for %.0f %% of the time", 100*l[0].Broken)
		} else {
			s.weak("token losses", "%.2g an hour under the loss assumed", l[0].PerHour)
		}
	}
}

func (w *world) anyArmed() bool {
	return slices.ContainsFunc(w.d.Cluster.Nodes, func(n risk.Node) bool { return w.d.armed(n.Name) })
}

// isWeak tells whether the impact of a single failure is more than it must be. What makes a ring without end of two sites that don't
// hear each other on any of several links is left to a note: with links over different routes it takes more than one failure.
func (g *Group) isWeak(links int) bool {
	switch g.Kinds[0] {
	case Link, PathLink: // another link would do
		return g.Impact >= Freeze
	}
	return g.Impact >= Stopped || g.Impact == Loose && links == 1
}

// keys name the failures of a pattern of single ones; nodes are counted.
func (p Pattern) keys(w *world) []string {
	if k := p.One[0].Kind; (k == Node || k == NodeCut) && len(p.One) > 1 {
		name := "any of " + fmt.Sprint(len(p.One)) + " nodes"
		if len(p.One) == len(w.siteOf) {
			name = "any node"
		}
		if k == NodeCut {
			name += " cut off"
		}
		return []string{name}
	}
	var out []string
	for _, f := range p.One {
		out = append(out, f.String())
	}
	return out
}

// harm says what the worst of a group of single failures does.
func (g *Group) harm(nodes int) string {
	c := &g.Worst
	switch g.Impact {
	case BothGo:
		return "both sides go on with quorum: only fencing keeps them apart"
	case Loose:
		return "others hear both sides, so the members never agree: the ring does not settle"
	case Stopped:
		text := "nobody has quorum"
		if best := c.best(); best != nil {
			text += fmt.Sprintf(" (%s, %d needed)", plural(best.Votes, "vote"), best.Needed)
		}
		return text + ": " + c.losers()
	}
	text := fmt.Sprintf("only %d of %d nodes keep quorum", len(c.Keep), nodes)
	if losers := c.losers(); losers != "" {
		text += ": " + losers
	}
	return text
}

// losers says who resets or stops, by name if they are few.
func (c *Case) losers() string {
	who := func(names []string, verb string) string {
		switch n := len(names); {
		case n == 1:
			return names[0] + " " + verb + "s"
		case n <= 4:
			return strings.Join(names, " ") + " " + verb
		default:
			return plural(n, "node") + " " + verb
		}
	}
	var parts []string
	if len(c.Reset) > 0 {
		parts = append(parts, who(c.Reset, "reset"))
	}
	if len(c.Blocked) > 0 {
		parts = append(parts, who(c.Blocked, "stop"))
	}
	return strings.Join(parts, ", ")
}

// best is the partition with the most votes.
func (c *Case) best() *Partition {
	var best *Partition
	for i := range c.Partitions {
		if best == nil || c.Partitions[i].Votes > best.Votes {
			best = &c.Partitions[i]
		}
	}
	return best
}

// verdict is the first sentence.
func verdict(s *State) string {
	if len(s.Weak) > 0 {
		var keys []string
		for _, w := range s.Weak {
			keys = append(keys, w.Key)
		}
		return plural(len(s.Weak), "weak point") + ": " + strings.Join(keys, ", ")
	}
	text := "no failure of one " + s.fallible() + " costs more than its own nodes and " + round(s.Timers.Membership.Duration())
	for _, g := range s.Singles {
		if g.Impact == Loose {
			return text + "; but no path between two sites may fail on all links"
		}
	}
	return text
}

// fallible names what was let fail, one at a time.
func (s *State) fallible() string {
	what := []string{"node"}
	if len(s.Sites) > 1 {
		what = append(what, "site")
	}
	what = append(what, "link")
	if s.Quorum.Device != nil {
		what = append(what, "qdevice")
	}
	last := len(what) - 1
	return strings.Join(what[:last], ", ") + " or " + what[last]
}

func round(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// remark adds what an operator should know and no failure shows.
func (w *world) remark(s *State) {
	_, notes, _ := w.d.Cluster.Quorum.Effective()
	s.Notes = append(s.Notes, notes...)
	if s.Fence.Share >= 0.5 && !s.Fence.Exceeds {
		s.note("fence budget: a failure stops all writes for %s, %.0f %% of what the watchdogs leave", round(s.Fence.Needed.Duration()), 100*s.Fence.Share)
	}
	w.remarkDevice(s)
	w.remarkPaths(s)
	if t := w.d.Cluster.Timeouts; t.Consensus*10 < t.Token*12-10*time.Millisecond {
		s.note("consensus is %s, less than 1.2 times the token: corosync.conf(5) asks for that much", round(t.Consensus))
	}
}

func (w *world) remarkDevice(s *State) {
	d := w.quorum.Device
	if d == nil {
		return
	}
	if len(s.Nodes)%2 != 0 {
		s.note("a qdevice with an odd number of nodes: pvecm sets it up only when forced. With its %s, once it is lost %s may be lost any more", plural(s.Quorum.Device.Votes, "vote"), spareWithout(w))
	}
	if w.d.DeviceSite != "" {
		s.note("the qdevice stands in site %s and is lost together with it", w.d.DeviceSite)
	}
	if sync := d.SyncTimeout; sync > 0 && w.d.Cluster.Timeouts.Membership()+sync > s.Fence.Usable.Duration() {
		s.note("while the qdevice's server does not answer, a new membership may wait %s for it: then the watchdogs run out", round(sync))
	}
}

// spareWithout says how many nodes may be lost when the quorum device is.
func spareWithout(w *world) string {
	h := votesOnly(w)
	if h == 0 {
		return "no node"
	}
	return "only " + plural(h, "node")
}

func (w *world) remarkPaths(s *State) {
	worst := w.d.Network.Within.RTT
	eachPair(w.sites, func(a, b string) {
		for _, l := range w.d.Cluster.Links {
			worst = max(worst, w.d.Network.Quality(a, b, l.Number).RTT)
		}
	})
	switch {
	case worst > 10*time.Millisecond && len(s.Nodes) > 3:
		s.note("a round trip of %v: Proxmox calls more than 10 ms with more than three nodes unlikely to be stable", worst)
	case worst > 5*time.Millisecond:
		s.note("a round trip of %v: Proxmox asks for less than 5 ms", worst)
	}
	for _, g := range s.Singles {
		if g.Impact == Loose && len(w.d.Cluster.Links) > 1 {
			s.note("if two sites don't hear each other on any of the %d links while a third hears both, the ring does not settle: let the links take different routes",
				len(w.d.Cluster.Links))
			break
		}
	}
}
