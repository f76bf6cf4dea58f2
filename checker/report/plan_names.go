package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/plan"
)

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
		if len(x.One) == 2 {
			return strings.Replace(p.set(x.One), " or ", " + ", 1)
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
