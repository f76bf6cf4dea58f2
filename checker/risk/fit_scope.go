package risk

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// scopeKind says what the paths of a scope have in common. Of two that explain the same equally well, the earlier one is meant: a
// probe that sees one path of several that share a line must not take it for the only one.
type scopeKind uint8

const (
	scopeSites    scopeKind = iota // from one site to another, on one link
	scopeSitePair                  // between two sites, on one link
	scopeSiteAll                   // between two sites, on all links
	scopeLink                      // everything on one link
	scopePath                      // one path
	scopePair                      // between two nodes, on one link
	scopePairAll                   // between two nodes, on all links
	scopeOut                       // everything that a node sends on one link
	scopeIn                        // everything that it receives there
	scopeNode                      // everything in and out of a node on one link
	scopeNodeAll                   // the same on all links: the host
)

// scope is a set of paths that may fail together.
type scope struct {
	kind scopeKind
	a, b string // sites or nodes
	node uint32 // of scopeNodeAll
	link int    // -1: all
}

// String names the scope for people.
func (s scope) String() string {
	text := s.a
	switch s.kind {
	case scopeSites, scopePath:
		text = s.a + " to " + s.b
	case scopeSitePair, scopeSiteAll, scopePair, scopePairAll:
		text = s.a + " - " + s.b
	case scopeLink:
		return fmt.Sprintf("all of link %d", s.link)
	case scopeOut:
		text = "out of " + s.a
	case scopeIn:
		text = "into " + s.a
	}
	if s.link < 0 {
		return text + ", all links"
	}
	return fmt.Sprintf("%s, link %d", text, s.link)
}

// scopesOf are the scopes that a path belongs to, in order of preference.
func scopesOf(c *Cluster, p trace.Path) []scope {
	from, to := c.Nodes[c.Index(p.From)], c.Nodes[c.Index(p.To)]
	x, y := nodeName(from), nodeName(to)
	a, b := min(x, y), max(x, y)
	out := []scope{
		{scopeLink, "", "", 0, p.Link},
		{scopePath, x, y, 0, p.Link}, {scopePair, a, b, 0, p.Link}, {scopePairAll, a, b, 0, -1},
		{scopeOut, x, "", 0, p.Link}, {scopeIn, y, "", 0, p.Link},
		{scopeNode, x, "", 0, p.Link}, {scopeNode, y, "", 0, p.Link},
		{scopeNodeAll, x, "", p.From, -1}, {scopeNodeAll, y, "", p.To, -1},
	}
	if from.Site != "" && to.Site != "" && from.Site != to.Site {
		s, t := min(from.Site, to.Site), max(from.Site, to.Site)
		out = append(out, scope{scopeSites, from.Site, to.Site, 0, p.Link}, scope{scopeSitePair, s, t, 0, p.Link},
			scope{scopeSiteAll, s, t, 0, -1})
	}
	slices.SortStableFunc(out, func(a, b scope) int { return cmp.Compare(a.kind, b.kind) })
	return out
}

func nodeName(n Node) string {
	if n.Name == "" {
		return fmt.Sprintf("node %d", n.ID)
	}
	return n.Name
}

// allPaths are the paths of a cluster, in order.
func allPaths(c *Cluster) []trace.Path {
	var out []trace.Path
	for _, from := range c.Nodes {
		for _, to := range c.Nodes {
			for _, l := range c.Links {
				if from.ID != to.ID {
					out = append(out, trace.Path{From: from.ID, To: to.ID, Link: l.Number})
				}
			}
		}
	}
	return out
}
