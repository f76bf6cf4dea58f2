package votequorum_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

func randomConfig(rng *rand.Rand) votequorum.Config {
	c := votequorum.Config{Provider: "corosync_votequorum", NodeVotes: map[uint32]int{}}
	n := 1 + rng.IntN(7)
	plain := rng.IntN(3) > 0
	for i := range n {
		c.NodeVotes[uint32(i+1)] = 1
		if !plain {
			c.NodeVotes[uint32(i+1)] = rng.IntN(4)
		}
	}
	switch rng.IntN(9) {
	case 0:
		c.TwoNode = true
		c.WaitForAll = rng.IntN(2) == 0
	case 1:
		c.AutoTieBreaker = true
		c.AutoTieBreakerNode = []string{"", "lowest", "highest", "2 3"}[rng.IntN(4)]
		c.WaitForAll = rng.IntN(2) == 0
		c.LastManStanding = rng.IntN(2) == 0
	case 2:
		c.WaitForAll = true
		c.LastManStanding = rng.IntN(2) == 0
	case 3, 4:
		c.Device = randomDevice(rng, n)
		c.WaitForAll = rng.IntN(3) == 0
	case 5:
		c.ExpectedVotes = sum(c) + rng.IntN(4) // lower, a node that starts has quorum alone, and takes part in a war of expected votes
		c.ExpectedVotesTracking = rng.IntN(3) == 0
	case 6:
		c.LastManStanding = true
	case 7:
		c.AllowDownscale = true
		c.LastManStanding = rng.IntN(3) == 0
	}
	e, _, err := c.Effective()
	if err != nil {
		c.Device, c.AutoTieBreaker = nil, false
		e, _, _ = c.Effective()
	}
	return e
}

func sum(c votequorum.Config) int {
	all := 0
	for _, v := range c.NodeVotes {
		all += v
	}
	return all
}

func randomDevice(rng *rand.Rand, n int) *votequorum.Device {
	d := &votequorum.Device{
		Model: "net", Algorithm: []string{"ffsplit", "lms", "2nodelms"}[rng.IntN(3)], MasterWins: rng.IntN(8) == 0, ForgetActive: rng.IntN(3) == 0,
		TieBreaker: []string{"", "lowest", "highest", fmt.Sprint(1 + rng.IntN(n))}[rng.IntN(4)],
	}
	switch {
	case d.Algorithm == "ffsplit":
		d.Votes = 1
	case rng.IntN(2) == 0:
		d.Votes = 1 + rng.IntN(3)
	}
	return d
}

// randomPartitions throws the nodes into a few memberships; some are in none.
func randomPartitions(rng *rand.Rand, nodes []uint32) [][]uint32 {
	parts := make([][]uint32, 1+rng.IntN(3))
	for _, n := range nodes {
		if rng.IntN(8) > 0 {
			k := rng.IntN(len(parts))
			parts[k] = append(parts[k], n)
		}
	}
	return slices.DeleteFunc(parts, func(p []uint32) bool { return len(p) == 0 })
}

// step is one thing that happens to a cluster.
type step struct {
	kind  string
	nodes []uint32
	parts [][]uint32
}

func (s step) String() string {
	if s.kind == "split" {
		return fmt.Sprint("split ", s.parts)
	}
	return fmt.Sprint(s.kind, " ", s.nodes)
}

func randomStep(rng *rand.Rand, cfg votequorum.Config, cluster votequorum.Cluster) step {
	nodes := cfg.Nodes()
	var running []uint32
	for _, p := range cluster.Partitions() {
		running = append(running, p...)
	}
	switch k := rng.IntN(8); {
	case k == 0:
		return step{kind: "window"}
	case k == 1 && cfg.Device != nil:
		return step{kind: "reach", nodes: slices.DeleteFunc(slices.Clone(nodes), func(uint32) bool { return rng.IntN(3) == 0 })}
	case k == 2 && len(running) > 1:
		return step{kind: "leave", nodes: []uint32{running[rng.IntN(len(running))]}}
	}
	return step{kind: "split", parts: randomPartitions(rng, nodes)}
}

func (r *rig) do(s step) {
	switch s.kind {
	case "window":
		r.window()
	case "reach":
		r.reach(s.nodes)
	case "leave":
		r.leave(s.nodes[0])
	case "split":
		r.split(s.parts)
	}
}

func follow(c votequorum.Cluster, s step) votequorum.Cluster {
	switch s.kind {
	case "window":
		return c.Window()
	case "reach":
		return c.Reach(s.nodes...)
	case "leave":
		return c.Leave(s.nodes[0])
	}
	return c.Split(s.parts...)
}

// told is what corosync-quorumtool would print on every node, by the daemons and by the package.
func (r *rig) told() map[uint32]string {
	out := map[uint32]string{}
	for n, d := range r.daemons {
		out[n] = d.shown()
	}
	return out
}

func told(c votequorum.Cluster) map[uint32]string {
	out := map[uint32]string{}
	for _, p := range c.Partitions() {
		for _, n := range p {
			r, _ := c.Result(n)
			out[n] = fmt.Sprintf("quorate %v, votes %d of %d, quorum %d", r.Quorate, r.Votes, r.Expected, r.Needed)
		}
	}
	return out
}

// TestAgainstTwin leads random clusters through random lives, and compares every node after every step with the literal daemons: with
// those that hear each other from the lowest on, always; with those that begin anywhere, unless the package says that chance decides.
func TestAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	same, chance, unforeseen, decided := 0, 0, 0, map[string]int{}
	for range 4000 {
		cfg := randomConfig(rng)
		cluster := cfg.Cluster()
		lowest, other := newRig(cfg, nil), newRig(cfg, rng)
		var life []step
		lucky, missed := false, false
		for range 1 + rng.IntN(8) {
			got := told(cluster)
			lucky = lucky || byChance(cluster)
			if want := lowest.told(); !maps.Equal(got, want) {
				t.Fatalf("%s%v\n%s", cfg.Describe(), life, diff(got, want))
			}
			if !lucky && !missed && !maps.Equal(got, other.told()) {
				missed = true
				unforeseen++
			}
			for _, text := range got {
				same++
				decided[text[:len("quorate tru")]]++
			}
			s := randomStep(rng, cfg, cluster)
			life = append(life, s)
			cluster = follow(cluster, s)
			lowest.do(s)
			other.do(s)
		}
		if lucky {
			chance++
		}
	}
	t.Logf("%d answers equal, %v; chance decided in %d lives, in %d of them unforeseen", same, decided, chance+unforeseen, unforeseen)
	if same < 50000 || chance > 300 || unforeseen > 3 {
		t.Error("too few, too many")
	}
}

func byChance(c votequorum.Cluster) bool {
	return slices.ContainsFunc(c.Running(), func(n uint32) bool { r, _ := c.Result(n); return r.Chance })
}

func diff(got, want map[uint32]string) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(want)) {
		if got[n] != want[n] {
			fmt.Fprintf(&b, "node %d: %s\n daemon: %s\n", n, got[n], want[n])
		}
	}
	return b.String()
}
