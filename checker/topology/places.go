package topology

import (
	"slices"
	"time"
)

// How slowly Places changes its mind.
const (
	// usualMinutes is how many minutes the usual round trip of a pair is the median of, each with its shortest. Minutes without any do not count:
	// who is out of reach is where it was.
	usualMinutes = 10
	// firstHold is how long the first sites, or those of nodes that had none, must have been found in the same way; otherHold is how long
	// others than those that are in force must.
	firstHold = time.Minute
	otherHold = 5 * time.Minute
	// lookEvery is how often sites are looked for.
	lookEvery = 10 * time.Second
)

// Places finds sites while time goes on. The usual round trip of a pair is the median of ten minutes, and other sites come into force when
// nothing else was found for five: a bad minute of a path, a path that is down, a busy node or a clock that jumps move nobody. All agents
// find the same by the same round trips. The zero value is ready to be used.
type Places struct {
	pairs   map[[2]uint32]*usual
	began   time.Time
	looked  time.Time
	sites   []Site // in force
	other   []Site // found lately instead
	since   time.Time
	differs bool // other is valid
}

// Step takes in the round trips of now, in any order and as often as they are at hand, and returns the sites in force; nil: there are none. What
// it returns is not changed later.
func (p *Places) Step(now time.Time, nodes []Node, trips []RoundTrip) []Site {
	if p.pairs == nil {
		p.pairs, p.began = map[[2]uint32]*usual{}, now
	}
	for _, t := range trips {
		if t.RTT <= 0 || t.A == t.B {
			continue
		}
		key := [2]uint32{min(t.A, t.B), max(t.A, t.B)}
		u := p.pairs[key]
		if u == nil {
			u = &usual{}
			p.pairs[key] = u
		}
		u.note(now, t.RTT)
	}
	if len(nodes) > 0 && (p.looked.IsZero() || now.Sub(p.looked) >= lookEvery) {
		p.looked = now
		p.look(now, nodes)
	}
	return p.sites
}

// look finds sites, and decides whether to put them in force.
func (p *Places) look(now time.Time, nodes []Node) {
	p.forget(nodes)
	m := tripsOf(nodes, p.usual())
	found := find(nodes, m, strict())
	if len(p.sites) > 0 && same(p.sites, find(nodes, m, loose())) {
		found = p.sites
	}
	switch {
	case same(found, p.sites):
		p.differs = false
	case !p.differs || !same(found, p.other):
		p.other, p.since, p.differs = found, now, true
	case now.Sub(p.since) >= p.hold(now, found):
		p.sites, p.differs = found, false
	}
	p.sites = slices.Clone(p.sites)
	m.describe(nodes, p.sites)
}

// hold is how long other sites must have been found.
func (p *Places) hold(now time.Time, found []Site) time.Duration {
	if first := len(p.sites) == 0; extends(found, p.sites) && (!first || now.Sub(p.began) < otherHold) {
		return firstHold
	}
	return otherHold
}

// forget drops nodes that the cluster no longer has.
func (p *Places) forget(nodes []Node) {
	gone := func(id uint32) bool { return !slices.ContainsFunc(nodes, func(n Node) bool { return n.ID == id }) }
	for key := range p.pairs {
		if gone(key[0]) || gone(key[1]) {
			delete(p.pairs, key)
		}
	}
	var left []Site
	for _, s := range p.sites {
		s.Nodes = slices.DeleteFunc(slices.Clone(s.Nodes), gone)
		if len(s.Nodes) > 0 {
			left = append(left, s)
		}
	}
	if len(left) < 2 {
		left = nil
	}
	p.sites = left
}

func (p *Places) usual() []RoundTrip {
	out := make([]RoundTrip, 0, len(p.pairs))
	for key, u := range p.pairs {
		out = append(out, RoundTrip{key[0], key[1], u.median()})
	}
	return out
}

// same says whether two lists of sites part the nodes in the same way.
func same(a, b []Site) bool {
	return slices.EqualFunc(a, b, func(x, y Site) bool { return slices.Equal(x.Nodes, y.Nodes) })
}

// extends says whether the found sites leave all nodes together, and apart, that are so in the old ones.
func extends(found, old []Site) bool {
	at := map[uint32]int{}
	for i, s := range found {
		for _, id := range s.Nodes {
			at[id] = i + 1
		}
	}
	taken := map[int]bool{}
	for _, s := range old {
		i := at[s.Nodes[0]]
		if i == 0 || taken[i] || slices.ContainsFunc(s.Nodes, func(id uint32) bool { return at[id] != i }) {
			return false
		}
		taken[i] = true
	}
	return true
}

// usual is the shortest round trip of each of the last minutes in which there was any.
type usual struct {
	minute int64
	low    [usualMinutes]time.Duration // 0: none
	newest int
}

func (u *usual) note(now time.Time, rtt time.Duration) {
	if minute := now.Unix() / 60; minute != u.minute {
		u.minute, u.newest = minute, (u.newest+1)%usualMinutes
		u.low[u.newest] = rtt
		return
	}
	u.low[u.newest] = min(u.low[u.newest], rtt)
}

// median is the lower one.
func (u *usual) median() time.Duration {
	known := slices.DeleteFunc(slices.Sorted(slices.Values(u.low[:])), func(d time.Duration) bool { return d == 0 })
	return known[(len(known)-1)/2]
}
