package topology_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/topology"
)

// ms reads a list of round trips in milliseconds: "12=0.2 13=5" for nodes below 10.
func ms(text string) (out []topology.RoundTrip) {
	for word := range strings.FieldsSeq(text) {
		var a, b uint32
		var rtt float64
		if _, err := fmt.Sscanf(word, "%1d%1d=%f", &a, &b, &rtt); err != nil {
			panic(word)
		}
		out = append(out, topology.RoundTrip{A: a, B: b, RTT: time.Duration(rtt * float64(time.Millisecond))})
	}
	return out
}

func nodes(n int) (out []topology.Node) {
	for i := range n {
		out = append(out, topology.Node{ID: uint32(i + 1), Name: fmt.Sprintf("n%d", i+1)})
	}
	return out
}

// show writes sites as "1,2|3".
func show(sites []topology.Site) string {
	var all []string
	for _, s := range sites {
		all = append(all, strings.Trim(strings.ReplaceAll(fmt.Sprint(s.Nodes), " ", ","), "[]"))
	}
	return strings.Join(all, "|")
}

func TestFindSites(t *testing.T) {
	for _, tt := range []struct {
		name  string
		nodes int
		trips string
		want  string
	}{
		{"nothing known", 3, "", ""},
		{"two nodes", 2, "12=40", ""},
		{"one place", 4, "12=0.2 13=0.3 14=0.25 23=0.2 24=0.3 34=0.2", ""},
		{"all alike and far", 4, "12=8 13=8.4 14=9 23=8 24=8 34=8.2", ""},
		{"two sites", 4, "12=0.2 34=0.3 13=5 14=5.1 23=5 24=5.2", "1,2|3,4"},
		{"two sites and a witness", 5, "12=0.2 34=0.3 13=5 14=5.1 23=5 24=5.2 15=20 25=20 35=25 45=26", "1,2|3,4|5"},
		{"two metro sites and a witness far away", 5, "12=0.2 34=0.3 13=1.2 14=1.2 23=1.2 24=1.2 15=20 25=20 35=20 45=20", "1,2|3,4|5"},
		{"three sites at one distance", 6, "12=0.2 34=0.2 56=0.2 13=8 14=8 15=8 16=8 23=8 24=8 25=8 26=8 35=8 36=8 45=8 46=8", "1,2|3,4|5,6"},
		{"less than a millisecond is no distance", 4, "12=0.1 34=0.1 13=0.9 14=0.9 23=0.9 24=0.9", ""},
		{"a chain without a gap", 5, "12=1 23=1 34=1 45=1 13=2 24=2 35=2 14=3 25=3 15=4", ""},
		{"a chain with a gap is linked", 4, "12=0.3 23=0.3 34=0.3 13=1.2 24=1.2 14=2", ""},
		{"a chain beside a site", 5, "12=0.3 23=0.3 13=1.2 45=0.2 14=9 15=9 24=9 25=9 34=9 35=9", "1,2,3|4,5"},
		{"one slow node is at a place of its own", 4, "12=0.2 13=0.2 23=0.2 14=6 24=6 34=6", "1,2,3|4"},
		{"one slow path within a site", 4, "12=0.2 13=30 23=0.2 14=0.2 24=0.2 34=0.2", ""},
		{"one slow path between sites", 4, "12=0.2 34=0.2 13=5 14=5 23=5 24=90", "1,2|3,4"},
		{"the quickest link counts", 4, "12=9 12=0.2 34=9 34=0.2 13=9 14=9 23=9 24=9", "1,2|3,4"},
		{"only own paths: who is as far is taken for neighbours", 5, "12=0.2 13=0.3 14=8 15=8.1", "1,2,3|4,5"},
		{"only own paths: at different distances", 5, "12=0.2 13=0.3 14=8 15=20", "1,2,3|4|5"},
		{"an unknown pair within a site", 4, "12=0.2 13=5 14=5.2 23=5 24=5.1", "1,2|3,4"},
		{"an unknown pair of two sites", 5, "12=0.2 45=0.2 13=5 23=5 14=20 24=20 15=20 25=20 35=24", "1,2|3|4,5"},
		{"a node that nobody hears is nowhere", 5, "12=0.2 34=0.2 13=5 14=5 23=5 24=5", "1,2|3,4"},
		{"nodes that are not there, and nonsense", 4, "12=0.2 34=0.2 13=5 14=5 23=5 24=5 19=90 11=4 24=-3 89=1", "1,2|3,4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trips := ms(tt.trips)
			got := topology.FindSites(nodes(tt.nodes), trips)
			if show(got) != tt.want {
				t.Fatalf("%s, want %s", show(got), tt.want)
			}
			random := rand.New(rand.NewPCG(1, 2))
			for range 20 { // as every agent finds it, in whichever order it knows things
				list := nodes(tt.nodes)
				random.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
				random.Shuffle(len(trips), func(i, k int) { trips[i], trips[k] = trips[k], trips[i] })
				for i := range trips {
					if random.IntN(2) == 0 {
						trips[i].A, trips[i].B = trips[i].B, trips[i].A
					}
				}
				if again := topology.FindSites(list, trips); fmt.Sprint(again) != fmt.Sprint(got) {
					t.Fatalf("%v in another order, else %v", again, got)
				}
			}
		})
	}
}

func TestFoundSiteTells(t *testing.T) {
	got := topology.FindSites(nodes(3), ms("12=0.2 13=5 23=7"))
	want := []topology.Site{
		{Name: "near n1", Nodes: []uint32{1, 2}, Found: true, Within: 200 * time.Microsecond, Between: 5 * time.Millisecond},
		{Name: "near n3", Nodes: []uint32{3}, Found: true, Between: 5 * time.Millisecond},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v", got)
	}
}

// TestLargeCluster: 32 nodes in four sites of different sizes and distances, with noise, and a few pairs that nobody knows.
func TestLargeCluster(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	site := func(i int) int { return []int{0, 0, 1, 0, 1, 2, 1, 0, 3, 0}[i%10] }
	apart := [4][4]float64{{0.2, 3, 9, 31}, {3, 0.3, 8, 30}, {9, 8, 0.1, 40}, {31, 30, 40, 0.4}}
	for round := range 20 {
		var trips []topology.RoundTrip
		for a := range 32 {
			for b := range a {
				if random.Float64() < 0.05 {
					continue
				}
				rtt := apart[site(a)][site(b)] * (1 + 0.08*random.Float64())
				trips = append(trips, topology.RoundTrip{A: uint32(a + 1), B: uint32(b + 1), RTT: time.Duration(rtt * float64(time.Millisecond))})
			}
		}
		got := topology.FindSites(nodes(32), trips)
		if len(got) != 4 {
			t.Fatalf("round %d: %s", round, show(got))
		}
		for _, s := range got {
			for _, id := range s.Nodes {
				if site(int(id-1)) != site(int(s.Nodes[0]-1)) {
					t.Fatalf("round %d: %s", round, show(got))
				}
			}
		}
	}
}

// dumb finds the groups by walking from node to node over short ways, without any unknown pairs.
func dumb(n int, trips []topology.RoundTrip) string {
	rtt := map[[2]uint32]time.Duration{}
	var all []time.Duration
	for _, x := range trips {
		rtt[[2]uint32{x.A, x.B}], rtt[[2]uint32{x.B, x.A}] = x.RTT, x.RTT
		all = append(all, x.RTT)
	}
	slices.Sort(all)
	cut := time.Duration(-1)
	for i := len(all) - 1; i > 0; i-- {
		if all[i] >= time.Millisecond && all[i] >= 3*all[i-1] {
			cut = all[i]
		}
	}
	at, count := map[uint32]int{}, 0
	var walk func(id uint32)
	walk = func(id uint32) {
		at[id] = count
		for k := uint32(1); k <= uint32(n); k++ {
			if at[k] == 0 && k != id && rtt[[2]uint32{id, k}] < cut {
				walk(k)
			}
		}
	}
	var text []string
	for id := uint32(1); id <= uint32(n); id++ {
		if at[id] != 0 {
			continue
		}
		count++
		walk(id)
		var members []string
		for k := uint32(1); k <= uint32(n); k++ {
			if at[k] == count {
				members = append(members, fmt.Sprint(k))
			}
		}
		text = append(text, strings.Join(members, ","))
	}
	if cut < 0 || count < 2 {
		return ""
	}
	return strings.Join(text, "|")
}

// TestFindSitesTwin holds FindSites against a dumb twin on random round trips of very different size.
func TestFindSitesTwin(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	parted := 0
	for range 3000 {
		n, sites := 2+random.IntN(6), 1+random.IntN(3)
		var trips []topology.RoundTrip
		for a := range n {
			for b := range a {
				rtt := 200 * time.Microsecond
				if a%sites != b%sites {
					rtt = 5 * time.Millisecond
				}
				if random.IntN(6) == 0 { // an odd one
					rtt = 100 * time.Microsecond << random.IntN(9)
				}
				trips = append(trips, topology.RoundTrip{A: uint32(a + 1), B: uint32(b + 1), RTT: rtt + time.Duration(random.IntN(1000))})
			}
		}
		got := show(topology.FindSites(nodes(n), trips))
		if want := dumb(n, trips); got != want {
			t.Fatalf("%v: %s, the twin says %s", trips, got, want)
		}
		if got != "" {
			parted++
		}
	}
	if parted < 1000 {
		t.Errorf("only %d cases had sites", parted)
	}
}
