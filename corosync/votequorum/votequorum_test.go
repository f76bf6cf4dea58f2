package votequorum_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

func cluster(n int) votequorum.Config {
	c := votequorum.Config{Provider: "corosync_votequorum", NodeVotes: map[uint32]int{}}
	for i := range n {
		c.NodeVotes[uint32(i+1)] = 1
	}
	return c
}

func TestOutcome(t *testing.T) {
	two := cluster(2)
	two.TwoNode, two.WaitForAll = true, true
	atb := cluster(4)
	atb.AutoTieBreaker = true
	dev := cluster(4)
	dev.Device = &votequorum.Device{Model: "net", Votes: 1, Algorithm: "ffsplit"}
	lms := cluster(3)
	lms.Device = &votequorum.Device{Model: "net", Algorithm: "lms"}
	master := cluster(4)
	master.Device = &votequorum.Device{Model: "net", Votes: 1, Algorithm: "ffsplit", MasterWins: true}
	tests := []struct {
		name   string
		cfg    votequorum.Config
		h      votequorum.History
		part   []uint32
		device bool
		want   bool
		reason string
	}{
		{"majority of five", cluster(5), votequorum.History{}, []uint32{1, 2, 3}, false, true, "3 of 5 votes, 3 needed"},
		{"minority of five", cluster(5), votequorum.History{}, []uint32{4, 5}, false, false, "2 of 5 votes, 3 needed"},
		{"half of four", cluster(4), votequorum.History{}, []uint32{1, 2}, false, false, "2 of 4 votes, 3 needed"},
		{"one of two, as Proxmox writes it", cluster(2), votequorum.History{}, []uint32{1}, false, false, "1 of 2 votes, 2 needed"},
		{"one of two with two_node", two, votequorum.History{}, []uint32{2}, false, true, "two_node: one node is enough"},
		{"two_node that still waits", two, votequorum.History{Waiting: true}, []uint32{2}, false, false, "waits for all 2 votes, 1 present"},
		{"pvecm expected 1", cluster(3), votequorum.History{Expected: 1, Quorum: 1, Members: []uint32{1}}, []uint32{1}, false, true, "1 of 1 votes, 1 needed"},
		{"tie breaker's side", atb, votequorum.History{}, []uint32{1, 4}, false, true, "half of 4 votes, and auto_tie_breaker decides for this side"},
		{"the other side", atb, votequorum.History{}, []uint32{2, 3}, false, false, "2 of 4 votes, 3 needed"},
		{"device votes here", dev, votequorum.History{}, []uint32{3, 4}, true, true, "3 of 5 votes, 3 needed"},
		{"device votes there", dev, votequorum.History{}, []uint32{1, 2}, false, false, "2 of 5 votes, 3 needed"},
		{"last man with lms device", lms, votequorum.History{}, []uint32{3}, true, true, "3 of 5 votes, 3 needed"},
		{"master wins", master, votequorum.History{}, []uint32{3}, true, true, "the quorum device's master wins"},
		{"sticky threshold", cluster(5), votequorum.History{Quorum: 4, Expected: 5}, []uint32{1, 2, 3}, false, false, "3 of 5 votes, 4 needed"},
		{"no provider", votequorum.Config{NodeVotes: map[uint32]int{1: 1, 2: 1}}, votequorum.History{}, []uint32{2}, false, true, "no quorum provider: every partition goes on"},
		{"nobody", cluster(3), votequorum.History{}, nil, false, false, "no nodes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.cfg.Outcome(tt.h, tt.part, tt.device)
			if got.Quorate != tt.want || got.Reason != tt.reason {
				t.Errorf("got %v %q, want %v %q", got.Quorate, got.Reason, tt.want, tt.reason)
			}
		})
	}
}

func TestSplitDevice(t *testing.T) {
	cfg := cluster(4)
	split := [][]uint32{{3, 4}, {1, 2}}
	for _, tt := range []struct {
		algorithm, breaker string
		split              [][]uint32
		want               []bool
	}{
		{"ffsplit", "", split, []bool{false, true}},
		{"ffsplit", "highest", split, []bool{true, false}},
		{"ffsplit", "3", split, []bool{true, false}},
		{"ffsplit", "", [][]uint32{{1}, {2, 3, 4}}, []bool{false, true}},
		{"ffsplit", "", [][]uint32{{1}, {2}, {3, 4}}, []bool{false, false, true}},
		{"lms", "", [][]uint32{{1}, {2}, {3, 4}}, []bool{false, false, true}},
		{"test", "", split, []bool{false, false}},
	} {
		cfg.Device = &votequorum.Device{Model: "net", Votes: 1, Algorithm: tt.algorithm, TieBreaker: tt.breaker}
		if tt.algorithm == "lms" {
			cfg.Device.Votes = 3
		}
		var got []bool
		for _, r := range cfg.Split(votequorum.History{}, tt.split) {
			got = append(got, r.Quorate)
		}
		// ffsplit gives nothing to {3,4} of a three-way split, as half of four, unless it holds the tie-breaker: it is alone at that size.
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s %q %v: %v, want %v", tt.algorithm, tt.breaker, tt.split, got, tt.want)
		}
	}
}

func TestEffective(t *testing.T) {
	tests := []struct {
		name string
		edit func(*votequorum.Config)
		n    int
		err  error
		note string
	}{
		{"plain", func(*votequorum.Config) {}, 3, nil, ""},
		{"no nodes", func(*votequorum.Config) {}, 0, votequorum.ErrNoVotes, ""},
		{"two_node and device", func(c *votequorum.Config) { c.TwoNode = true; c.Device = &votequorum.Device{} }, 2, votequorum.ErrTwoNodeDevice, ""},
		{"two_node and tie breaker", func(c *votequorum.Config) { c.TwoNode, c.AutoTieBreaker = true, true }, 2, nil, "two_node is ignored"},
		{"odd tie breaker", func(c *votequorum.Config) { c.AutoTieBreaker = true }, 3, nil, "auto_tie_breaker is ignored"},
		{"odd tie breaker with lms", func(c *votequorum.Config) { c.AutoTieBreaker, c.LastManStanding = true, true }, 3, votequorum.ErrTieBreakerLMS, ""},
		{"lms with heavy node", func(c *votequorum.Config) { c.LastManStanding = true; c.NodeVotes[1] = 2 }, 3, nil, "last_man_standing is ignored"},
		{"device and lms", func(c *votequorum.Config) { c.LastManStanding = true; c.Device = &votequorum.Device{} }, 4, votequorum.ErrDeviceLMS, ""},
		{"device and downscale", func(c *votequorum.Config) { c.AllowDownscale = true; c.Device = &votequorum.Device{} }, 4, votequorum.ErrDeviceDownscale, ""},
		{"device votes unknown", func(c *votequorum.Config) { c.ExpectedVotes = 9; c.Device = &votequorum.Device{} }, 4, votequorum.ErrDeviceVotesUnknown, ""},
		{"device votes high", func(c *votequorum.Config) { c.ExpectedVotes = 4; c.Device = &votequorum.Device{Votes: 3} }, 4, votequorum.ErrDeviceVotesHigh, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := cluster(tt.n)
			tt.edit(&c)
			_, notes, err := c.Effective()
			if !errors.Is(err, tt.err) || !strings.Contains(strings.Join(notes, "; "), tt.note) {
				t.Errorf("got %q, %v; want %q, %v", notes, err, tt.note, tt.err)
			}
		})
	}
}

// TestSpare is the table that people know: how many nodes of N equal ones may fail.
func TestSpare(t *testing.T) {
	for n, want := range map[int]int{1: 0, 2: 0, 3: 1, 4: 1, 5: 2, 6: 2, 7: 3, 32: 15} {
		c := cluster(n)
		if got := c.Spare(votequorum.History{}, c.Nodes(), false); got.Nodes != want || got.Votes != want {
			t.Errorf("%d nodes: spare %+v, want %d", n, got, want)
		}
	}
	c := cluster(5)
	if got := c.Spare(votequorum.History{}, []uint32{1, 2, 3}, false); got != (votequorum.Spare{}) {
		t.Errorf("three of five: spare %+v, want none", got)
	}
}

func TestWindow(t *testing.T) {
	c := cluster(5)
	c.LastManStanding = true
	h := votequorum.History{}
	three := c.Outcome(h, []uint32{1, 2, 3}, false)
	h = c.Window(c.After(h, []uint32{1, 2, 3}, three))
	if r := c.Outcome(h, []uint32{2, 3}, false); !r.Quorate || r.Needed != 2 {
		t.Errorf("two of three after the window: %+v, want quorate with 2", r)
	}
}
