package topology

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Site is a place whose nodes share its fate: power, switches, the way to other places.
type Site struct {
	Name    string
	Nodes   []uint32      // ascending
	Found   bool          // by round trips; false: the configuration says so
	Within  time.Duration // longest usual round trip between two of its nodes, on the quickest link; 0: not known
	Between time.Duration // shortest to a node of another site; 0: not known
}

// RoundTrip is how long it takes from one node to another and back.
type RoundTrip struct {
	A, B uint32
	RTT  time.Duration
}

// nearness is what tells near from far.
type nearness struct {
	far   time.Duration // from here on two nodes may be in different places: no switch takes that long, 50 km of fibre and back do half of it
	times float64       // how much longer the way to another site is than the longest that comes before it
}

// strict is the measure that sites have to be found by.
func strict() nearness { return nearness{far: time.Millisecond, times: 3} }

// loose is the measure that those that were found have to keep to.
func loose() nearness { return nearness{far: 700 * time.Microsecond, times: 2} }

// Two nodes that nobody probes between are taken for neighbours if all others are as far from the one as from the other: by this share,
// or by this much.
const (
	alikeShare = 0.1
	alikeMuch  = 200 * time.Microsecond
)

// FindSites tells places apart by usual round trips: whoever is near to a node is where it is, and near is what comes before the first wide
// gap between two round trips, when all are put in order. Without such a gap, and where everybody is somebody's neighbour, there is one place
// only, and nil is returned. Nodes without any round trip are in no site. What is found depends on neither the order of nodes nor that of
// trips.
func FindSites(nodes []Node, trips []RoundTrip) []Site {
	return find(nodes, tripsOf(nodes, trips), strict())
}

// matrix has the shortest round trip between any two nodes, by their places in the list; 0: not known.
type matrix [][]time.Duration

func tripsOf(nodes []Node, trips []RoundTrip) matrix {
	index := make(map[uint32]int, len(nodes))
	m := make(matrix, len(nodes))
	for i, n := range nodes {
		index[n.ID], m[i] = i, make([]time.Duration, len(nodes))
	}
	for _, t := range trips {
		a, okA := index[t.A]
		b, okB := index[t.B]
		if !okA || !okB || a == b || t.RTT <= 0 {
			continue
		}
		if old := m[a][b]; old == 0 || t.RTT < old {
			m[a][b], m[b][a] = t.RTT, t.RTT
		}
	}
	return m
}

func find(nodes []Node, m matrix, as nearness) []Site {
	cut, ok := m.gap(as)
	if !ok {
		return nil
	}
	group := m.groups(cut)
	members := map[int][]uint32{} // by group
	for i, n := range nodes {
		if m.known(i) {
			members[group[i]] = append(members[group[i]], n.ID)
		}
	}
	if len(members) < 2 {
		return nil
	}
	var out []Site
	for _, ids := range members {
		slices.Sort(ids)
		out = append(out, Site{Nodes: ids, Found: true})
	}
	slices.SortFunc(out, func(a, b Site) int { return cmp.Compare(a.Nodes[0], b.Nodes[0]) })
	m.describe(nodes, out)
	return out
}

// gap finds the round trip from which on nodes are far.
func (m matrix) gap(as nearness) (time.Duration, bool) {
	var known []time.Duration
	for a := range m {
		for b := range a {
			if m[a][b] > 0 {
				known = append(known, m[a][b])
			}
		}
	}
	slices.Sort(known)
	for i := 1; i < len(known); i++ {
		if known[i] >= as.far && float64(known[i]) >= as.times*float64(known[i-1]) {
			return known[i], true
		}
	}
	return 0, false
}

// groups numbers the nodes by place: those that are linked by short ways, directly or over others, are in one.
func (m matrix) groups(cut time.Duration) []int {
	group := make([]int, len(m))
	for i := range group {
		group[i] = i
	}
	for a := range m {
		for b := range a {
			if group[a] == group[b] || !m.near(a, b, cut) {
				continue
			}
			from, to := max(group[a], group[b]), min(group[a], group[b])
			for i := range group {
				if group[i] == from {
					group[i] = to
				}
			}
		}
	}
	return group
}

func (m matrix) near(a, b int, cut time.Duration) bool {
	if m[a][b] > 0 {
		return m[a][b] < cut
	}
	compared := false
	for k := range m {
		x, y := m[a][k], m[b][k]
		if x == 0 || y == 0 {
			continue
		}
		if (x - y).Abs() > max(alikeMuch, time.Duration(alikeShare*float64(max(x, y)))) {
			return false
		}
		compared = true
	}
	return compared
}

func (m matrix) known(i int) bool {
	return slices.ContainsFunc(m[i], func(d time.Duration) bool { return d > 0 })
}

// describe gives sites their names, after the node with the lowest id, and the round trips within and between them.
func (m matrix) describe(nodes []Node, sites []Site) {
	at := make([]int, len(nodes)) // of a node; -1: in none
	for i, n := range nodes {
		at[i] = slices.IndexFunc(sites, func(s Site) bool { return slices.Contains(s.Nodes, n.ID) })
		if at[i] >= 0 && sites[at[i]].Found && sites[at[i]].Nodes[0] == n.ID {
			sites[at[i]].Name = fmt.Sprintf("near %s", n.Name)
		}
	}
	for i := range sites {
		sites[i].Within, sites[i].Between = 0, 0
	}
	for a := range m {
		for b := range a {
			x, y := at[a], at[b]
			if m[a][b] == 0 || x < 0 || y < 0 {
				continue
			}
			if x == y {
				sites[x].Within = max(sites[x].Within, m[a][b])
				continue
			}
			for _, s := range []*Site{&sites[x], &sites[y]} {
				if s.Between == 0 || m[a][b] < s.Between {
					s.Between = m[a][b]
				}
			}
		}
	}
}

// sites puts nodes into the sites of the configuration, else into those that were found.
func (m *merger) sites() {
	if len(m.in.Sites) == 0 {
		m.c.Sites = m.in.Found
		for i, n := range m.c.Nodes {
			if k := slices.IndexFunc(m.c.Sites, func(s Site) bool { return slices.Contains(s.Nodes, n.ID) }); k >= 0 {
				m.c.Nodes[i].Site = m.c.Sites[k].Name
			}
		}
		return
	}
	for i, n := range m.c.Nodes {
		name := cmp.Or(m.in.Sites[n.Name], m.in.Sites[fmt.Sprint(n.ID)])
		m.c.Nodes[i].Site = name
		k := slices.IndexFunc(m.c.Sites, func(s Site) bool { return s.Name == name })
		switch {
		case name == "":
		case k < 0:
			m.c.Sites = append(m.c.Sites, Site{Name: name, Nodes: []uint32{n.ID}})
		default:
			m.c.Sites[k].Nodes = append(m.c.Sites[k].Nodes, n.ID)
		}
	}
}
