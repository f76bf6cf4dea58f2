package plan

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// sitesOf makes sites a, b, ... of so many nodes.
func sitesOf(sizes ...int) []Site {
	var sites []Site
	for i, n := range sizes {
		s := Site{Name: string(rune('a' + i))}
		for k := range n {
			s.Nodes = append(s.Nodes, fmt.Sprint(s.Name, k+1))
		}
		sites = append(sites, s)
	}
	return sites
}

func mustNew(t testing.TB, links int, sizes ...int) Design {
	t.Helper()
	d, err := New(sitesOf(sizes...), links)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustApply(t testing.TB, d Design, c Changes) Design {
	t.Helper()
	out, _, err := c.Apply(d)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// judged enumerates a Design without running the model.
func judged(t testing.TB, d Design) State {
	t.Helper()
	w, err := newWorld(&d)
	if err != nil {
		t.Fatal(err)
	}
	s := w.describe()
	w.enumerate(&s, true)
	return s
}

// designs are clusters of all kinds, with uneven votes and random options among them.
func designs(t *testing.T) map[string]Design {
	out := map[string]Design{
		"one site":   mustNew(t, 2, 3),
		"3+2":        mustNew(t, 1, 3, 2),
		"4+4":        mustNew(t, 2, 4, 4),
		"2+2+1":      mustNew(t, 2, 2, 2, 1),
		"3 links":    mustNew(t, 3, 2, 2, 2),
		"1+1 device": mustApply(t, mustNew(t, 1, 1, 1), Changes{Device: &NewDevice{Host: "w"}}),
		"3+2 lms":    mustApply(t, mustNew(t, 2, 3, 2), Changes{Device: &NewDevice{Host: "w"}}),
		"votes":      mustApply(t, mustNew(t, 2, 3, 2), Changes{Votes: []NodeVotes{{"a1", 3}, {"b2", 2}}}),
	}
	b := "b"
	out["2+2 device in b"] = mustApply(t, mustNew(t, 2, 2, 2), Changes{Device: &NewDevice{Host: "w"}, DeviceSite: &b})
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 30 {
		sizes := make([]int, 1+rng.IntN(4))
		nodes := 0
		for k := range sizes {
			sizes[k] = 1 + rng.IntN(4)
			nodes += sizes[k]
		}
		d := mustNew(t, 1+rng.IntN(3), sizes...)
		on, c := true, Changes{}
		switch rng.IntN(4) {
		case 0:
			c.Device = &NewDevice{Host: "w"}
		case 1:
			c.TieBreaker, c.WaitForAll = &on, &on
		case 2:
			c.LastManStands = &on
		default:
			c.Votes = []NodeVotes{{d.Cluster.Nodes[rng.IntN(nodes)].Name, 1 + rng.IntN(3)}}
		}
		if nodes == 1 && c.Device != nil {
			c.Device = nil // no votes to derive
		}
		out[fmt.Sprint("random ", i, sizes)] = mustApply(t, d, c)
	}
	return out
}

// caseKey names a case, whatever the order of its failures.
func caseKey(failures []Failure) string {
	names := make([]string, len(failures))
	for i, f := range failures {
		names[i] = f.String()
	}
	slices.Sort(names)
	return strings.Join(names, " + ")
}

// expand lists the cases of a pattern, each as the failures that happen.
func expand(p Pattern) [][]Failure {
	var out [][]Failure
	for i, f := range p.One {
		switch {
		case p.Two:
			for _, g := range p.One[i+1:] {
				out = append(out, []Failure{f, g})
			}
		case len(p.Other) == 0:
			out = append(out, []Failure{f})
		}
		for _, g := range p.Other {
			out = append(out, []Failure{f, g})
		}
	}
	return out
}

// TestGroupsExpandToCases: groups, expanded, are exactly the cases that were enumerated one by one, each with its impact.
func TestGroupsExpandToCases(t *testing.T) {
	for name, d := range designs(t) {
		s := judged(t, d)
		want := map[string]Impact{}
		for _, c := range s.Cases {
			want[caseKey(c.Failures)] = c.Impact
		}
		if len(want) != len(s.Cases) {
			t.Errorf("%s: a case is enumerated twice", name)
		}
		got := map[string]Impact{}
		for _, g := range append(slices.Clone(s.Singles), s.Doubles...) {
			n := 0
			for _, p := range g.Patterns {
				for _, failures := range expand(p) {
					key := caseKey(failures)
					if _, twice := got[key]; twice {
						t.Errorf("%s: %s is in two groups", name, key)
					}
					got[key] = g.Impact
					n++
				}
			}
			if n != g.Count {
				t.Errorf("%s: %v %v expands to %d cases, counts %d", name, g.Kinds, g.Impact, n, g.Count)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: groups expand to %d cases, enumerated were %d", name, len(got), len(want))
		}
	}
}

// TestGroupsAreFew: large clusters of equal nodes need no more groups than small ones.
func TestGroupsAreFew(t *testing.T) {
	small, large := judged(t, mustNew(t, 2, 4, 4, 3)), judged(t, mustNew(t, 2, 12, 12, 8))
	if a, b := len(small.Singles)+len(small.Doubles), len(large.Singles)+len(large.Doubles); b > a {
		t.Errorf("%d groups for 11 nodes, %d for 32", a, b)
	}
	patterns := 0
	for _, g := range large.Doubles {
		patterns += len(g.Patterns)
	}
	if patterns > 400 {
		t.Errorf("%d patterns", patterns)
	}
}

// TestPartitionsAgainstTwin compares with a look at every pair of nodes.
func TestPartitionsAgainstTwin(t *testing.T) {
	for name, d := range designs(t) {
		w, err := newWorld(&d)
		if err != nil {
			t.Fatal(err)
		}
		failures := d.failures()
		rng := rand.New(rand.NewPCG(1, uint64(len(failures))))
		for range 200 {
			var some []Failure
			for range 1 + rng.IntN(4) {
				some = append(some, failures[rng.IntN(len(failures))])
			}
			var b broken
			for _, f := range some {
				w.apply(&b, f)
			}
			got := map[uint64]bool{}
			for _, p := range w.partitions(&b) {
				got[p.nodes] = p.loose
			}
			if want := slowPartitions(&d, some); !maps.Equal(got, want) {
				t.Fatalf("%s: %s: %v, want %v", name, caseKey(some), got, want)
			}
		}
	}
}

// slowPartitions tells the sets of nodes that hear each other, perhaps by way of others, and whether not all hear all.
func slowPartitions(d *Design, failed []Failure) map[uint64]bool {
	nodes := d.Cluster.Nodes
	dead := func(i int) bool {
		return slices.ContainsFunc(failed, func(f Failure) bool {
			return f.Kind == Node && f.Node == nodes[i].Name || f.Kind == SiteDown && f.Site == nodes[i].Site
		})
	}
	hears := func(i, j int) bool {
		a, b := nodes[i], nodes[j]
		for _, l := range d.Cluster.Links {
			if !slices.ContainsFunc(failed, func(f Failure) bool {
				between := f.Site == a.Site && f.Other == b.Site || f.Site == b.Site && f.Other == a.Site
				switch f.Kind {
				case NodeCut:
					return f.Node == a.Name || f.Node == b.Name
				case SiteCut:
					return a.Site != b.Site && (f.Site == a.Site || f.Site == b.Site)
				case Link:
					return f.Link == l.Number
				case Path:
					return between
				case PathLink:
					return between && f.Link == l.Number
				}
				return false
			}) {
				return true
			}
		}
		return false
	}
	out, seen := map[uint64]bool{}, map[int]bool{}
	for i := range nodes {
		if dead(i) || seen[i] {
			continue
		}
		group := []int{i}
		seen[i] = true
		for k := 0; k < len(group); k++ {
			for j := range nodes {
				if !dead(j) && !seen[j] && hears(group[k], j) {
					seen[j] = true
					group = append(group, j)
				}
			}
		}
		set, loose := uint64(0), false
		for _, x := range group {
			set |= 1 << x
			for _, y := range group {
				loose = loose || x != y && !hears(x, y)
			}
		}
		out[set] = loose
	}
	return out
}
