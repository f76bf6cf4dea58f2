package risk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// How far nodes of one site are from each other at most: closer than wide, and less than a third of the way to those of another site.
const (
	siteRatio = 3
	siteWide  = 250 * time.Microsecond // below, nothing is far: one way
	siteAlike = 0.2                    // difference of two delays, relative, that may well be one
)

// guessSites tells sites by delay, where nobody has told them: nodes that are close to each other share the way to those that are far.
// Without a clear gap between close and far there is one place only, and none is named.
func (d *Digest) guessSites(c Cluster) Cluster {
	for _, n := range c.Nodes {
		if n.Site != "" {
			return c
		}
	}
	near := d.nearness(&c)
	group := make([]int, len(c.Nodes))
	for i := range group {
		group[i] = i
	}
	for i := range group {
		for k := range group {
			if i != k && near(i, k) {
				for m, old := 0, group[k]; m < len(group); m++ {
					if group[m] == old {
						group[m] = group[i]
					}
				}
			}
		}
	}
	c.Nodes = slices.Clone(c.Nodes)
	for i := range c.Nodes {
		var names []string
		for k := range group {
			if group[k] == group[i] {
				names = append(names, nodeName(c.Nodes[k]))
			}
		}
		if len(names) == len(c.Nodes) {
			break
		}
		if len(names) > 3 {
			names = append(names[:2], fmt.Sprintf("%d more", len(names)-2))
		}
		c.Nodes[i].Site = strings.Join(names, ",")
	}
	return c
}

// nearness is who is close to whom.
func (d *Digest) nearness(c *Cluster) func(a, b int) bool {
	n := len(c.Nodes)
	away := make([]time.Duration, n*n) // zero: unknown
	var known []time.Duration
	for a := range n {
		for b := range a {
			if x := d.away(c, c.Nodes[a].ID, c.Nodes[b].ID); x > 0 {
				away[a*n+b], away[b*n+a] = x, x
				known = append(known, x)
			}
		}
	}
	far := farFrom(known)
	return func(a, b int) bool {
		if x := away[a*n+b]; x > 0 {
			return x < far
		}
		alike := false
		for k := range n { // nobody probes between them: are they as far from all others?
			x, y := away[a*n+k], away[b*n+k]
			if x == 0 || y == 0 {
				continue
			}
			if x != y && (x-y).Abs() > max(siteWide, time.Duration(siteAlike*float64(max(x, y)))) {
				return false
			}
			alike = true
		}
		return alike
	}
}

// away is the least of the usual delays between two nodes; zero if none is known.
func (d *Digest) away(c *Cluster, a, b uint32) time.Duration {
	least := time.Duration(0)
	for _, l := range c.Links {
		for _, p := range [...]trace.Path{{From: a, To: b, Link: l.Number}, {From: b, To: a, Link: l.Number}} {
			if k := d.paths[p]; k != nil && k.delays.total > 0 {
				if x := k.delays.quantile(0.5); least == 0 || x < least {
					least = x
				}
			}
		}
	}
	return least
}

// farFrom is the delay from which on nodes are far: in the first wide gap between two known delays. Without one nothing is.
func farFrom(known []time.Duration) time.Duration {
	slices.Sort(known)
	for i := 1; i < len(known); i++ {
		if known[i] > siteWide && known[i] >= siteRatio*known[i-1] {
			return known[i]
		}
	}
	return 1<<63 - 1
}
