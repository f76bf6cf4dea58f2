package votequorum_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDescribe compares with testdata/describe/NAME.txt.
func TestDescribe(t *testing.T) {
	edit := func(nodes int, f func(*votequorum.Config)) votequorum.Config {
		c := cluster(nodes)
		f(&c)
		return c
	}
	for _, tt := range []struct {
		name string
		cfg  votequorum.Config
	}{
		{"none", votequorum.Config{NodeVotes: map[uint32]int{1: 1}}},
		{"three", cluster(3)},
		{"two-node", edit(2, func(c *votequorum.Config) { c.TwoNode, c.WaitForAll = true, true })},
		{"weights", edit(3, func(c *votequorum.Config) { c.NodeVotes[1] = 2 })},
		{"tie-breaker", edit(4, func(c *votequorum.Config) {
			c.AutoTieBreaker, c.AutoTieBreakerNode, c.LastManStanding = true, "3 2", true
		})},
		{"odd-tie-breaker", edit(5, func(c *votequorum.Config) { c.AutoTieBreaker = true })},
		{"tracking", edit(3, func(c *votequorum.Config) { c.ExpectedVotes, c.AllowDownscale = 5, true })},
		{"ffsplit-4", withDevice(4, "ffsplit", nil)},
		{"ffsplit-heavy", withDevice(4, "ffsplit", func(c *votequorum.Config) { c.NodeVotes[1] = 2 })},
		{"lms-3", withDevice(3, "lms", nil)},
		{"lms-5-node", withDevice(5, "lms", breaker("2"))},
		{"refused", withDevice(4, "ffsplit", func(c *votequorum.Config) { c.LastManStanding = true })},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join("testdata", "describe", tt.name+".txt")
			got := tt.cfg.Describe()
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// TestPvecm is what `pvecm qdevice setup` makes of each count of nodes (PVE/CLI/pvecm.pm): ffsplit with one vote for even ones, lms with
// votes left to votequorum for odd ones. Spare nodes while the device votes, and without it.
func TestPvecm(t *testing.T) {
	for _, tt := range []struct{ nodes, expected, quorum, with, without int }{
		{2, 3, 2, 1, 0}, {3, 5, 3, 2, 0}, {4, 5, 3, 2, 1}, {5, 9, 5, 4, 0}, {6, 7, 4, 3, 2}, {7, 13, 7, 6, 0}, {8, 9, 5, 4, 3},
	} {
		cfg := withDevice(tt.nodes, map[bool]string{true: "ffsplit", false: "lms"}[tt.nodes%2 == 0], nil)
		all := cfg.Outcome(votequorum.History{}, cfg.Nodes(), true)
		with, without := cfg.Spare(votequorum.History{}, cfg.Nodes(), true), cfg.Spare(votequorum.History{}, cfg.Nodes(), false)
		if all.Expected != tt.expected || all.Needed != tt.quorum || with.Nodes != tt.with || without.Nodes != tt.without {
			t.Errorf("%d nodes: %+v, spare %d with the device, %d without; want %+v", tt.nodes, all, with.Nodes, without.Nodes, tt)
		}
	}
}
