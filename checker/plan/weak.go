package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// Weak is a weak point: something that costs more than it must. A site or node that fails takes its own nodes along, a cut costs
// the smaller side, and each of them a new membership; that is inevitable. That a single failure leaves nobody with quorum, or
// more than one side, that the death of one link costs the token, that healthy nodes may reset: these are not.
type Weak struct {
	Key  string `json:"key"` // the failure, or "fence", "ring", "token losses"
	Text string `json:"text"`

	of   []string // what fails, or the key: two weak points of the same thing can be compared
	harm int      // of the same thing, the larger is worse
}

func (s *State) weak(key, format string, args ...any) {
	s.weakOf([]string{key}, 0, key, format, args...)
}

func (s *State) weakOf(of []string, harm int, key, format string, args ...any) {
	s.Weak = append(s.Weak, Weak{key, fmt.Sprintf(format, args...), of, harm})
}

func (w *world) findWeak(s *State, o Options) {
	if s.Timers.Round >= s.Timers.Token/2 {
		s.weak("ring", "once around the ring takes %s of a token of %s: no ring lasts", units.Time(s.Timers.Round.Duration()), units.Time(s.Timers.Token.Duration()))
	}
	worst := map[Kind]Impact{}
	for _, g := range s.Singles {
		worst[g.Kinds[0]] = max(worst[g.Kinds[0]], g.Impact)
		if g.Kinds[0] == NodeCut && g.Impact <= worst[Node] {
			continue // to be told of one without power is enough
		}
		if g.isWeak(len(w.d.Cluster.Links)) {
			for _, k := range g.Patterns[0].keys(w) {
				s.weakOf(k.of, int(g.Impact), k.key, "%s", g.harm(len(s.Nodes)))
			}
		}
	}
	for _, sw := range s.Switches {
		if f := sw.Failure.String(); sw.Weak() {
			s.weakOf([]string{f}, int(Failover), f+" dies", "the token is lost in %d of %d deaths (%.0f to %.0f %%), though another link could carry it",
				sw.Lost, sw.Trials, 100*sw.LostLeast, 100*sw.LostMost)
		}
	}
	if s.Fence.Exceeds && w.anyArmed() {
		s.weak("fence", "a failure stops all writes for %.1f s, the watchdogs leave %.0f s: nodes that keep quorum may reset too",
			s.Fence.Needed.Duration().Seconds(), s.Fence.Usable.Duration().Seconds())
	}
	if l := s.Losses; o.LossSaid && len(l) > 0 && (l[0].Count > 0 || l[0].Broken > 0) {
		if l[0].Hopeless() {
			s.weakOf([]string{"token losses"}, 1, "token losses", "under the loss assumed the ring is broken for %.0f %% of the time", 100*l[0].Broken)
		} else {
			s.weak("token losses", "%s an hour under the loss assumed", hourly(l[0].PerHour))
		}
	}
}

// hourly writes a rate to two digits.
func hourly(rate float64) string {
	if rate >= 10 {
		return fmt.Sprintf("%.0f", rate)
	}
	return fmt.Sprintf("%.2g", rate)
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

// keyed is a name of one or more failures.
type keyed struct {
	key string
	of  []string
}

// keys name the failures of a pattern of single ones; nodes are counted.
func (p Pattern) keys(w *world) []keyed {
	var each []keyed
	all := keyed{key: fmt.Sprintf("any of %d nodes", len(p.One))}
	for _, f := range p.One {
		each = append(each, keyed{f.String(), []string{f.String()}})
		all.of = append(all.of, f.String())
	}
	k := p.One[0].Kind
	if k != Node && k != NodeCut || len(p.One) == 1 {
		return each
	}
	if len(p.One) == len(w.siteOf) {
		all.key = "any node"
	}
	if k == NodeCut {
		all.key += " cut off"
	}
	return []keyed{all}
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
	text := fmt.Sprintf("only %d of %d nodes %s quorum", len(c.Keep), nodes, verb(len(c.Keep), "keep"))
	if losers := c.losers(); losers != "" {
		text += ": " + losers
	}
	return text
}

// losers says who resets or stops, by name if they are few.
func (c *Case) losers() string {
	who := func(names []string, does string) string {
		if n := len(names); n > 4 {
			return plural(n, "node") + " " + does
		}
		return strings.Join(names, " ") + " " + verb(len(names), does)
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

// verb is what n of something do.
func verb(n int, does string) string {
	if n == 1 {
		return does + "s"
	}
	return does
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
