package totem

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// proxmoxConfig is a cluster as Proxmox sets it up: knet's timers derived from the token, one priority for all links.
func proxmoxConfig(nodes, links int, token, coefficient time.Duration) Config {
	p := Params{Nodes: nodes, HasLink0: true, Token: token, TokenCoefficient: &coefficient}
	cfg := Config{Nodes: nodes, Timeouts: p.Timeouts()}
	for range links {
		cfg.Links = append(cfg.Links, Link{Timeouts: LinkParams{}.Timeouts(cfg.Timeouts.Token), Priority: 1})
	}
	return cfg
}

func mustNew(tb testing.TB, cfg Config) *Ring {
	tb.Helper()
	r, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// randomOutages gives every ordered pair of sites some blackouts of its own.
func randomOutages(n *Lines, rng *rand.Rand, until time.Duration) {
	seen := map[*Line]bool{}
	for from := range n.nodes {
		for to := range n.nodes {
			for l := range n.links {
				line := n.Line(from, to, l)
				if seen[line] {
					continue
				}
				seen[line] = true
				for at := time.Duration(rng.Int64N(int64(20 * time.Second))); at < until; at += time.Duration(rng.Int64N(int64(40 * time.Second))) {
					end := at + time.Duration(rng.Int64N(int64(2*time.Second)))
					line.Outages = append(line.Outages, Span{at, end})
					at = end
				}
			}
		}
	}
}

// TestSkipEqualsEvents runs rings whose network promises calm beside equal ones whose network does not: events, counters
// and gaps must be the same to the nanosecond.
func TestSkipEqualsEvents(t *testing.T) {
	const until = 10 * time.Minute
	for seed := range uint64(trials(30)) {
		sizes := [][]int{{2, 1}, {3, 2}, {1, 1}, {4, 3, 2}, {1}}[seed%5]
		links := 1 + int(seed%2)
		t.Run(fmt.Sprintf("seed %d sites %v links %d", seed, sizes, links), func(t *testing.T) {
			t.Parallel()
			run := func(promise bool) ([]Event, Stats, []Gap) {
				rng := rand.New(rand.NewPCG(seed, 1))
				nodes := 0
				for _, s := range sizes {
					nodes += s
				}
				cfg := proxmoxConfig(nodes, links, 3*time.Second, 125*time.Millisecond)
				cfg.FastDataUp = seed%3 == 0
				cfg.Mode = LinkMode(seed % 3)
				cfg.Traffic.Every = []time.Duration{0, time.Second, 300 * time.Millisecond}[seed%3]
				cfg.Rand = rng
				wan := Line{Delay: 3 * time.Millisecond}
				lines := NewSites(sizes, links, Line{Delay: 80 * time.Microsecond}, wan, rng)
				if seed >= 5 {
					randomOutages(lines, rng, until)
				}
				cfg.Network = lines
				if !promise {
					cfg.Network = NetworkFunc(lines.Deliver)
				}
				r := mustNew(t, cfg)
				events := slices.Clone(r.Run(until))
				slices.SortStableFunc(events, func(a, b Event) int { // the order within one instant may differ
					return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Peer, b.Peer), cmp.Compare(a.Link, b.Link))
				})
				var gaps []Gap
				for i := range nodes {
					gaps = append(gaps, r.LongestGap(i))
				}
				return events, r.Stats(), gaps
			}
			fast, fastStats, fastGaps := run(true)
			slow, slowStats, slowGaps := run(false)
			if fastStats != slowStats {
				t.Errorf("counters differ:\nskipping %+v\nevents   %+v", fastStats, slowStats)
			}
			if !slices.Equal(fastGaps, slowGaps) {
				t.Errorf("gaps differ:\nskipping %v\nevents   %v", fastGaps, slowGaps)
			}
			for i := range min(len(fast), len(slow)) {
				if fast[i] != slow[i] {
					t.Fatalf("event %d: skipping %s %s, events %s %s", i, fast[i].At, fast[i].Describe(nil), slow[i].At, slow[i].Describe(nil))
				}
			}
			if len(fast) != len(slow) {
				t.Errorf("%d events when skipping, else %d", len(fast), len(slow))
			}
		})
	}
}
