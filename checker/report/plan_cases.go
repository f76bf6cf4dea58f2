package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// changed lists the single failures that come out otherwise than now.
func (p *planPrinter) changed() {
	if p.r.Then == nil {
		return
	}
	before := map[plan.Failure]*plan.Group{}
	for i := range p.r.Now.Singles {
		g := &p.r.Now.Singles[i]
		for _, f := range g.Patterns[0].One {
			before[f] = g
		}
	}
	type change struct{ now, then *plan.Group }
	order, with := []change{}, map[change][]plan.Failure{}
	for i := range p.s.Singles {
		g := &p.s.Singles[i]
		for _, f := range g.Patterns[0].One {
			old := before[f]
			if old == nil || alike(old, g) {
				continue
			}
			c := change{old, g}
			if with[c] == nil {
				order = append(order, c)
			}
			with[c] = append(with[c], f)
		}
	}
	if len(order) == 0 {
		p.line("\nNo single failure comes out otherwise than now.")
		return
	}
	p.line("\nWHAT CHANGES")
	for _, c := range order {
		p.wrap("  "+p.set(with[c]), p.column(), p.effect(&p.r.Now, c.now)+" -> "+p.effect(p.s, c.then))
	}
}

func (p *planPrinter) column() int { return min(36, p.columns/3) }

func (p *planPrinter) singles() {
	n := 0
	for _, g := range p.s.Singles {
		n += g.Count
	}
	p.line("\nSINGLE FAILURES, worst first (%d)", n)
	for _, l := range p.merged(p.s.Singles) {
		name := p.set(l.failures)
		if len(l.failures) > 1 {
			name += fmt.Sprintf(" (%d)", len(l.failures))
		}
		p.wrap("  "+name, p.column(), l.text)
	}
}

// effectLine is failures of one kind that a reader would be told the same of.
type effectLine struct {
	failures []plan.Failure
	text     string
}

// merged joins groups of single failures whose effect reads the same.
func (p *planPrinter) merged(groups []plan.Group) []effectLine {
	var out []effectLine
	for i := range groups {
		g := &groups[i]
		text := p.effect(p.s, g)
		at := slices.IndexFunc(out, func(l effectLine) bool { return l.text == text && l.failures[0].Kind == g.Kinds[0] })
		if at < 0 {
			out = append(out, effectLine{text: text})
			at = len(out) - 1
		}
		out[at].failures = append(out[at].failures, g.Patterns[0].One...)
	}
	return out
}

// doubles lists what leaves nobody working, or two sides, and neither failure does alone; the rest is counted.
func (p *planPrinter) doubles() {
	total, implied, partial, calm, shown := 0, 0, 0, 0, []*plan.Group{}
	for i := range p.s.Doubles {
		g := &p.s.Doubles[i]
		total += g.Count
		switch {
		case g.Impact <= plan.Freeze:
			calm += g.Count
		case g.Implied:
			implied += g.Count
		case g.Impact == plan.Partial:
			partial += g.Count
		default:
			shown = append(shown, g)
		}
	}
	p.line("\nDOUBLE FAILURES at once, worst first (%d)", total)
	for _, g := range shown {
		p.wrap("  "+p.name(g), p.column(), p.effect(p.s, g))
	}
	if implied > 0 {
		p.wrap("  "+count(implied, "other"), p.column(), "one of the two does it alone, see above")
	}
	if partial > 0 {
		p.wrap("  "+count(partial, "other"), p.column(), "some keep quorum, the others reset or stop")
	}
	if calm > 0 {
		p.wrap("  "+count(calm, "other"), p.column(), "all who live keep quorum")
	}
}

// cases lists every case, where that was asked for.
func (p *planPrinter) cases() {
	if len(p.s.Cases) == 0 {
		return
	}
	p.line("\nEVERY CASE")
	for _, c := range p.s.Cases {
		var names []string
		for _, f := range c.Failures {
			names = append(names, f.String())
		}
		p.wrap("  "+strings.Join(names, " + "), p.column(), caseText(&c))
	}
}

func caseText(c *plan.Case) string {
	text := map[plan.Impact]string{
		plan.Nothing: "nothing", plan.Failover: "another link takes over", plan.Freeze: "all who live keep quorum", plan.Partial: "some lose quorum",
		plan.Loose: "THE RING DOES NOT SETTLE", plan.Stopped: "NOBODY has quorum", plan.BothGo: "BOTH SIDES go on",
	}[c.Impact]
	if len(c.Reset) > 0 {
		text += "; reset: " + strings.Join(c.Reset, " ")
	}
	if len(c.Blocked) > 0 {
		text += "; stop: " + strings.Join(c.Blocked, " ")
	}
	return text
}

// effect says what the failures of a group do.
func (p *planPrinter) effect(s *plan.State, g *plan.Group) string {
	c := &g.Worst
	switch g.Impact {
	case plan.Nothing:
		if g.Kinds[0] == plan.QDevice {
			return "all keep quorum" + p.spareAfter(g)
		}
		return "nothing: no traffic is on it"
	case plan.Failover:
		return "another link takes over"
	case plan.Freeze:
		text := fmt.Sprintf("%s quorum, after %s", keepText(g.Keep), units.Time(s.Timers.Membership.Duration()))
		if s.Fence.Exceeds {
			text += ", TOO LATE for their watchdogs"
		}
		return text + p.spareAfter(g)
	case plan.Loose:
		return "THE RING DOES NOT SETTLE: a third site hears both"
	case plan.BothGo:
		return "BOTH SIDES keep quorum: only fencing keeps them apart"
	case plan.Stopped:
		return "NOBODY has quorum" + votesText(g) + "; " + p.losers(g)
	}
	if g.Count == 1 && len(c.Keep) <= 4 {
		return strings.Join(c.Keep, " ") + " " + agree(len(c.Keep) == 1, "keeps", "keep") + " quorum; " + p.losers(g)
	}
	return keepText(g.Keep) + " quorum; " + p.losers(g)
}

// spareAfter says how many more nodes may be lost: right away, and when last_man_standing's window has passed.
func (p *planPrinter) spareAfter(g *plan.Group) string {
	if g.Spare == nil {
		return ""
	}
	text := "; then " + spareMore(*g.Spare)
	if g.Later != nil {
		text += ", " + units.Round(p.s.Quorum.Window.Duration()) + " later " + spareMore(*g.Later)
	}
	return text
}

func spareMore(s plan.Range) string {
	switch {
	case s.Most == 0:
		return "NO node may be lost"
	case s.Least == s.Most:
		return fmt.Sprintf("any %d more may be lost", s.Most)
	case s.Least == 0:
		return fmt.Sprintf("up to %d more may be lost, in the worst case NO node", s.Most)
	}
	return fmt.Sprintf("any %d to %d more may be lost", s.Least, s.Most)
}

// losers says who resets or stops.
func (p *planPrinter) losers(g *plan.Group) string {
	c := &g.Worst
	one := g.Count == 1
	switch {
	case len(c.Reset) == 0 && len(c.Blocked) == 0:
		return "nobody lives to reset"
	case len(c.Reset) == 0 && one && len(c.Blocked) <= 4:
		return strings.Join(c.Blocked, " ") + " " + agree(len(c.Blocked) == 1, "stops", "stop")
	case g.Reset.Most == 0:
		return nodesText(g.Stop) + " " + agree(justOne(g.Stop), "stops", "stop")
	case one && len(c.Reset) <= 4 && len(c.Blocked) == 0:
		return strings.Join(c.Reset, " ") + " " + agree(len(c.Reset) == 1, "resets", "reset")
	}
	text := nodesText(g.Reset) + " " + agree(justOne(g.Reset), "resets", "reset")
	if g.Stop.Most > 0 {
		text += ", " + span(fmt.Sprint(g.Stop.Least), fmt.Sprint(g.Stop.Most)) + " " + agree(justOne(g.Stop), "stops", "stop")
	}
	return text
}

// votesText are the votes of the strongest partition, where there is but one case.
func votesText(g *plan.Group) string {
	if g.Count > 1 {
		return ""
	}
	votes, needed := 0, 0
	for _, p := range g.Worst.Partitions {
		if p.Votes >= votes {
			votes, needed = p.Votes, p.Needed
		}
	}
	return fmt.Sprintf(" (%s, %d needed)", count(votes, "vote"), needed)
}

func keepText(r plan.Range) string {
	return nodesText(r) + " " + agree(justOne(r), "keeps", "keep")
}

func justOne(r plan.Range) bool { return r == plan.Range{Least: 1, Most: 1} }

func nodesText(r plan.Range) string {
	if r.Least == r.Most {
		return count(r.Most, "node")
	}
	return fmt.Sprintf("%d to %d nodes", r.Least, r.Most)
}

func agree(one bool, singular, plural string) string {
	if one {
		return singular
	}
	return plural
}
