package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/plan"
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
		plan.Loose: "the ring forms again and again", plan.Stopped: "NOBODY has quorum", plan.BothGo: "BOTH SIDES go on",
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
			return "all keep quorum" + spareAfter(g)
		}
		return "nothing: no traffic is on it"
	case plan.Failover:
		return "another link takes over"
	case plan.Freeze:
		text := fmt.Sprintf("%s quorum, after %s", keepText(g.Keep), show(s.Timers.Membership.Duration()))
		if s.Fence.Exceeds {
			text += ", TOO LATE for their watchdogs"
		}
		return text + spareAfter(g)
	case plan.Loose:
		return "the ring forms again and again: nobody works"
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

// spareAfter says how many more nodes may be lost.
func spareAfter(g *plan.Group) string {
	switch s := g.Spare; {
	case s == nil:
		return ""
	case s.Most == 0:
		return "; then NO node may be lost"
	case s.Least == s.Most:
		return fmt.Sprintf("; then any %d more may be lost", s.Most)
	default:
		return fmt.Sprintf("; then any %d to %d more may be lost", s.Least, s.Most)
	}
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
	case len(c.Reset) == 0:
		return fmt.Sprintf("up to %d stop", len(c.Blocked))
	case one && len(c.Reset) <= 4 && len(c.Blocked) == 0:
		return strings.Join(c.Reset, " ") + " " + agree(len(c.Reset) == 1, "resets", "reset")
	case g.Reset.Least == 1 && g.Reset.Most == 1:
		return "1 node resets"
	}
	text := nodesText(g.Reset) + " reset"
	if len(c.Blocked) > 0 {
		text += fmt.Sprintf(", up to %d stop", len(c.Blocked))
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
	return nodesText(r) + " " + agree(r.Most == 1, "keeps", "keep")
}

func nodesText(r plan.Range) string {
	if r.Least == r.Most {
		return count(r.Most, "node")
	}
	return fmt.Sprintf("%d to %d nodes", r.Least, r.Most)
}

// name describes which failures a group is of.
func (p *planPrinter) name(g *plan.Group) string {
	text := ""
	if g.Whole && g.Count > 1 && len(g.Kinds) == 2 {
		text = wholeName(g.Kinds)
	} else {
		var parts []string
		for _, pattern := range g.Patterns {
			parts = append(parts, p.pattern(pattern))
		}
		text = strings.Join(parts, "; ")
	}
	if g.Count > 1 {
		text += fmt.Sprintf(" (%d)", g.Count)
	}
	return text
}

func (p *planPrinter) pattern(x plan.Pattern) string {
	if x.Two {
		if text := p.linksTwice(x.One); text != "" {
			return text
		}
		if all := p.set(x.One); strings.HasPrefix(all, "any ") {
			return "any two " + pluralOf(strings.TrimPrefix(all, "any "))
		}
		return "two of " + p.set(x.One)
	}
	text := p.set(x.One)
	if len(x.Other) > 0 {
		text += " + " + p.set(x.Other)
	}
	return text
}

// linksTwice names two links that fail, or one path on two links.
func (p *planPrinter) linksTwice(fs []plan.Failure) string {
	where := "any two links"
	if len(p.s.Links) == 2 {
		where = "both links"
	}
	switch f := fs[0]; {
	case len(fs) != len(p.s.Links):
		return ""
	case f.Kind == plan.Link:
		return where
	case f.Kind == plan.PathLink && !slices.ContainsFunc(fs, func(g plan.Failure) bool { return pathName(g) != pathName(f) }):
		return "path " + pathName(f) + " on " + where
	}
	return ""
}

// pluralOf makes "node of a" "nodes of a".
func pluralOf(s string) string {
	first, rest, more := strings.Cut(s, " ")
	if more {
		return first + "s " + rest
	}
	return first + "s"
}

func wholeName(kinds []plan.Kind) string {
	word := func(k plan.Kind) string {
		return map[plan.Kind]string{
			plan.Node: "node", plan.NodeCut: "node cut off", plan.SiteDown: "site", plan.SiteCut: "site cut off", plan.Link: "link",
			plan.Path: "path", plan.PathLink: "path on one link", plan.QDevice: "qdevice",
		}[k]
	}
	switch {
	case kinds[0] == kinds[1]:
		return "any two " + pluralOf(word(kinds[0]))
	case kinds[1] == plan.QDevice:
		return "any " + word(kinds[0]) + " + qdevice"
	case kinds[1] == plan.PathLink && kinds[0] == plan.Link:
		return "any link + any path on another"
	case kinds[0] == plan.SiteDown && kinds[1] == plan.SiteCut:
		return "any site + any other cut off"
	case kinds[0] == plan.SiteDown || kinds[0] == plan.SiteCut && kinds[1] != plan.Link:
		return "any " + word(kinds[0]) + " + any " + word(kinds[1]) + " elsewhere"
	}
	return "any " + word(kinds[0]) + " + any " + word(kinds[1])
}

// set names failures of one kind.
func (p *planPrinter) set(fs []plan.Failure) string {
	if len(fs) == 1 {
		return fs[0].String()
	}
	switch fs[0].Kind {
	case plan.Node, plan.NodeCut:
		text := p.nodeSet(fs)
		if fs[0].Kind == plan.NodeCut {
			text += " cut off"
		}
		return text
	case plan.SiteDown, plan.SiteCut:
		text := "site " + list(fs, func(f plan.Failure) string { return f.Site })
		if len(fs) == len(p.s.Sites) {
			text = "any site"
		}
		if fs[0].Kind == plan.SiteCut {
			text += " cut off"
		}
		return text
	case plan.Link:
		return "link " + list(fs, func(f plan.Failure) string { return fmt.Sprint(f.Link) })
	case plan.Path:
		if n := len(p.s.Sites); len(fs) == n*(n-1)/2 {
			return "any path"
		}
		return "path " + list(fs, pathName)
	}
	return p.pathLinks(fs)
}

func pathName(f plan.Failure) string { return f.Site + "-" + f.Other }

// pathLinks names paths on single links, link by link.
func (p *planPrinter) pathLinks(fs []plan.Failure) string {
	pairs := len(p.s.Sites) * (len(p.s.Sites) - 1) / 2
	if len(fs) == pairs*len(p.s.Links) {
		return "any path on one link"
	}
	of := map[int][]plan.Failure{}
	for _, f := range fs {
		of[f.Link] = append(of[f.Link], f)
	}
	var parts []string
	for _, l := range p.s.Links {
		switch n := len(of[l.Number]); {
		case n == 0:
		case n == pairs && pairs > 1:
			parts = append(parts, fmt.Sprintf("any path on link %d", l.Number))
		default:
			parts = append(parts, fmt.Sprintf("path %s on link %d", list(of[l.Number], pathName), l.Number))
		}
	}
	return strings.Join(parts, " or ")
}

// nodeSet names nodes by their sites where all of a site are meant.
func (p *planPrinter) nodeSet(fs []plan.Failure) string {
	if len(fs) == len(p.s.Nodes) {
		return "any node"
	}
	of := map[string]int{}
	for _, f := range fs {
		of[f.Site]++
	}
	var whole []string
	left := slices.Clone(fs)
	for _, s := range p.s.Sites {
		if of[s.Name] == s.Nodes && s.Nodes > 1 {
			whole = append(whole, s.Name)
			left = slices.DeleteFunc(left, func(f plan.Failure) bool { return f.Site == s.Name })
		}
	}
	var parts []string
	if len(whole) > 0 {
		parts = append(parts, "any node of "+orList(whole))
	}
	if len(left) > 0 {
		parts = append(parts, "node "+list(left, func(f plan.Failure) string { return f.Node }))
	}
	return strings.Join(parts, " or ")
}

func list(fs []plan.Failure, name func(plan.Failure) string) string {
	var names []string
	for _, f := range fs {
		names = append(names, name(f))
	}
	return orList(names)
}

func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

func agree(one bool, singular, plural string) string {
	if one {
		return singular
	}
	return plural
}
