package votequorum_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// TestFormula lets random clusters shrink step by step, and compares the formulas of Outcome and Window with the daemons of Cluster.
func TestFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	compared, decided := 0, map[bool]int{}
	var cfg votequorum.Config
	var whole votequorum.Cluster
	for life := range 20000 {
		if life%8 == 0 {
			cfg = randomConfig(rng)
			if rng.IntN(4) == 0 && cfg.Device == nil {
				cfg.ExpectedVotes = 1 + rng.IntN(9)
			}
			whole = cfg.Cluster()
		}
		cluster, members := whole, cfg.Nodes()
		for step := 0; ; step++ {
			if cfg.Device != nil && rng.IntN(2) == 0 {
				cluster = cluster.Reach(randomPart(rng, members)...)
			}
			if slices.ContainsFunc(members, func(n uint32) bool { r, _ := cluster.Result(n); return !r.Quorate }) {
				break // what an inquorate rest remembers is Cluster's business
			}
			part := randomPart(rng, members)
			if len(part) == 0 || len(part) == len(members) {
				break
			}
			before := cluster
			cluster = cluster.Split(part)
			for _, n := range part {
				want, _ := cluster.Result(n)
				if cfg.Device != nil && cfg.Device.MasterWins && !alike(cluster, part) {
					continue // Outcome knows one device vote for all
				}
				h := before.History(n)
				got := cfg.Outcome(h, part, want.Device)
				if !same(got, want) {
					t.Fatalf("%s%+v, partition %v: node %d: %+v, daemon %+v", cfg.Describe(), h, part, n, got, want)
				}
				after := cfg.Window(cfg.After(h, part, got))
				later := cluster.Window().History(n)
				if want.Quorate && (after.Quorum != later.Quorum || after.Expected != later.Expected) {
					t.Fatalf("%s%+v, partition %v: node %d after the window: %+v, daemon %+v", cfg.Describe(), h, part, n, after, later)
				}
				compared, decided[want.Quorate] = compared+1, decided[want.Quorate]+1
			}
			members = part
			if rng.IntN(2) == 0 {
				cluster = cluster.Window()
			}
		}
	}
	t.Logf("%d answers equal: %v", compared, decided)
	if compared < 50000 || decided[true] < 10000 || decided[false] < 10000 {
		t.Fatal("too few cases")
	}
}

func alike(c votequorum.Cluster, part []uint32) bool {
	first, _ := c.Result(part[0])
	return !slices.ContainsFunc(part, func(n uint32) bool { r, _ := c.Result(n); return r.Device != first.Device })
}

func same(a, b votequorum.Result) bool {
	return a.Quorate == b.Quorate && a.Votes == b.Votes && a.Expected == b.Expected && (!b.Quorate || a.Needed == b.Needed)
}

func randomPart(rng *rand.Rand, of []uint32) []uint32 {
	return slices.DeleteFunc(slices.Clone(of), func(uint32) bool { return rng.IntN(3) == 0 })
}

// TestSpareAgainstTwin compares Spare.Nodes with trying every set of lost nodes.
func TestSpareAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		cfg := randomConfig(rng)
		members := cfg.Nodes()
		device := cfg.Device != nil
		all := cfg.Outcome(votequorum.History{}, members, device)
		if !all.Quorate {
			continue
		}
		h := cfg.After(votequorum.History{}, members, all)
		want := len(members) - 1
		for lost := range 1 << len(members) {
			var left []uint32
			for i, m := range members {
				if lost&(1<<i) == 0 {
					left = append(left, m)
				}
			}
			if gone := len(members) - len(left); gone > 0 && len(left) > 0 && !cfg.Outcome(h, left, device).Quorate {
				want = min(want, gone-1)
			}
		}
		if got := cfg.Spare(votequorum.History{}, members, device); got.Nodes != want {
			t.Fatalf("%sspare nodes %d, want %d", cfg.Describe(), got.Nodes, want)
		}
	}
}
