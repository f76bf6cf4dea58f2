package votequorum_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

func withDevice(nodes int, algorithm string, edit func(*votequorum.Config)) votequorum.Config {
	c := cluster(nodes)
	c.Device = &votequorum.Device{Model: "net", Algorithm: algorithm}
	if algorithm == "ffsplit" {
		c.Device.Votes = 1
	}
	if edit != nil {
		edit(&c)
	}
	return c
}

func breaker(tie string) func(*votequorum.Config) {
	return func(c *votequorum.Config) { c.Device.TieBreaker = tie }
}

type parts = [][]uint32

// TestDevice tells what the device's server does, story by story: who has quorum after the last step.
func TestDevice(t *testing.T) {
	half, wfa := parts{{1, 2}, {3, 4}}, func(c *votequorum.Config) { c.WaitForAll = true }
	split := func(p parts) func(votequorum.Cluster) votequorum.Cluster {
		return func(c votequorum.Cluster) votequorum.Cluster { return c.Split(p...) }
	}
	reach := func(n ...uint32) func(votequorum.Cluster) votequorum.Cluster {
		return func(c votequorum.Cluster) votequorum.Cluster { return c.Reach(n...) }
	}
	type steps = []func(votequorum.Cluster) votequorum.Cluster
	for _, tt := range []struct {
		story string
		cfg   votequorum.Config
		steps steps
		want  []uint32
	}{
		{"ffsplit: the half with the lowest node", withDevice(4, "ffsplit", nil), steps{split(half)}, []uint32{1, 2}},
		{"an algorithm that is not written is ffsplit", withDevice(4, "ffsplit", func(c *votequorum.Config) { c.Device.Algorithm = "" }), steps{split(half)}, []uint32{1, 2}},
		{"ffsplit: the half with the highest", withDevice(4, "ffsplit", breaker("highest")), steps{split(half)}, []uint32{3, 4}},
		{"ffsplit: the half with the node that is named", withDevice(4, "ffsplit", breaker("3")), steps{split(half)}, []uint32{3, 4}},
		{"ffsplit: a half that is alone needs no tie-breaker", withDevice(4, "ffsplit", nil), steps{split(parts{{1}, {2}, {3, 4}})}, []uint32{3, 4}},
		{"ffsplit: less than half is nothing", withDevice(4, "ffsplit", nil), steps{split(parts{{1}, {2}, {3}, {4}})}, nil},
		{"ffsplit: more clients count before the tie-breaker", withDevice(4, "ffsplit", nil), steps{reach(2, 3, 4), split(half)}, []uint32{3, 4}},
		{"ffsplit: a member that does not reach the server has no vote of it, and no quorum", withDevice(4, "ffsplit", nil), steps{reach(3), split(half)}, []uint32{3}},
		{"ffsplit: the larger part needs no vote of the server", withDevice(4, "ffsplit", nil), steps{reach(4), split(parts{{1, 2, 3}, {4}})}, []uint32{1, 2, 3}},
		{"ffsplit: without a server halves have nothing", withDevice(4, "ffsplit", nil), steps{reach(), split(half)}, nil},
		{"ffsplit: a draw stays where the vote was", withDevice(4, "ffsplit", breaker("highest")), steps{split(parts{{1, 2}, {3}, {4}}), split(half)}, []uint32{1, 2}},
		{
			"ffsplit: unless it is told not to look", withDevice(4, "ffsplit", func(c *votequorum.Config) { c.Device.TieBreaker, c.Device.ForgetActive = "highest", true }),
			steps{split(parts{{1, 2}, {3}, {4}}), split(half)}, []uint32{3, 4},
		},
		{"ffsplit: when the active half loses the server, the other half gets the vote", withDevice(4, "ffsplit", nil), steps{split(half), reach(3, 4)}, []uint32{3, 4}},
		{"ffsplit wants equal nodes: corosync-qdevice does not start", withDevice(4, "ffsplit", func(c *votequorum.Config) { c.Device.Votes = 2 }), steps{split(half)}, nil},
		{"lms: the largest part", withDevice(5, "lms", nil), steps{split(parts{{1, 2}, {3, 4, 5}})}, []uint32{3, 4, 5}},
		{"lms: the last node with the server goes on alone", withDevice(5, "lms", nil), steps{split(parts{{5}})}, []uint32{5}},
		{"lms: a draw goes to the lowest of all, even in a smaller part", withDevice(5, "lms", nil), steps{split(parts{{1}, {2, 3}, {4, 5}})}, []uint32{1}},
		{"lms: a named tie-breaker gets the vote alone, without the node beside it", withDevice(4, "lms", breaker("2")), steps{split(half)}, []uint32{2}},
		{"lms: only those that reach the server count", withDevice(5, "lms", nil), steps{reach(1), split(parts{{1}, {2, 3, 4}, {5}})}, []uint32{1}},
		{"lms: who comes back finds the place taken", withDevice(3, "lms", nil), steps{reach(3), split(parts{{1, 2}, {3}}), reach(1, 2, 3)}, []uint32{3}},
		{"lms without its server: all nodes are needed", withDevice(3, "lms", nil), steps{reach(), split(parts{{1, 2}})}, nil},
		{"lms and wait_for_all keep the vote when the server goes", withDevice(3, "lms", wfa), steps{reach()}, []uint32{1, 2, 3}},
		{"but not over a new membership", withDevice(3, "lms", wfa), steps{reach(), split(parts{{1, 2}})}, nil},
		{"lms answers those who ask: a part that stays is not told that the vote is free", withDevice(5, "lms", nil), steps{split(parts{{1, 2}, {3, 4, 5}}), split(parts{{1, 2}})}, nil},
		{"2nodelms: the lowest", withDevice(2, "2nodelms", nil), steps{split(parts{{1}, {2}})}, []uint32{1}},
		{"2nodelms: the survivor", withDevice(2, "2nodelms", nil), steps{split(parts{{2}})}, []uint32{2}},
		{"2nodelms wants two nodes", withDevice(3, "2nodelms", nil), steps{split(parts{{1, 2}})}, nil},
		{"the test algorithm is switched off", withDevice(4, "test", nil), steps{split(half)}, nil},
	} {
		t.Run(tt.story, func(t *testing.T) {
			cl := tt.cfg.Cluster()
			for _, step := range tt.steps {
				cl = step(cl)
			}
			got := slices.DeleteFunc(cl.Running(), func(n uint32) bool { r, _ := cl.Result(n); return !r.Quorate })
			if !slices.Equal(got, tt.want) {
				for _, n := range cl.Running() {
					r, _ := cl.Result(n)
					t.Log(n, r)
				}
				t.Errorf("quorate: %v, want %v", got, tt.want)
			}
		})
	}
}

// TestSplitAgainstCluster: Split is one step of a Cluster that was whole.
func TestSplitAgainstCluster(t *testing.T) {
	for _, algorithm := range []string{"ffsplit", "lms"} {
		for _, tie := range []string{"", "highest", "2"} {
			for nodes := 2; nodes <= 5; nodes++ {
				cfg := withDevice(nodes, algorithm, breaker(tie))
				for _, p := range divisions(nodes) {
					for far := range uint32(nodes) + 1 { // this node does not reach the server; 0: all do
						near := slices.DeleteFunc(cfg.Nodes(), func(n uint32) bool { return n == far })
						cl := cfg.Cluster().Reach(near...).Split(p...)
						for i, r := range cfg.SplitReach(votequorum.History{}, p, func(n uint32) bool { return n != far }) {
							if all, some := quorate(cl, p[i]); r.Quorate != all {
								t.Errorf("%s %q, %d far, %v of %v: %+v, cluster all %v some %v", algorithm, tie, far, p[i], p, r, all, some)
							}
						}
					}
				}
			}
		}
	}
}

func quorate(cl votequorum.Cluster, part []uint32) (all, some bool) {
	all = true
	for _, n := range part {
		r, _ := cl.Result(n)
		all, some = all && r.Quorate, some || r.Quorate
	}
	return all, some
}

// divisions are all ways to divide nodes 1 to n.
func divisions(n int) []parts {
	if n == 0 {
		return []parts{{}}
	}
	var out []parts
	for _, p := range divisions(n - 1) {
		for i := range len(p) + 1 {
			q := make(parts, max(len(p), i+1))
			for k := range p {
				q[k] = slices.Clone(p[k])
			}
			q[i] = append(q[i], uint32(n))
			out = append(out, q)
		}
	}
	return out
}

// TestPartly: what is told of a part of which only some nodes get the vote.
func TestPartly(t *testing.T) {
	r := withDevice(4, "ffsplit", nil).SplitReach(votequorum.History{}, parts{{1, 2}, {3, 4}}, func(n uint32) bool { return n == 3 })
	want := "2 of 5 votes, 3 needed; only [3] get the quorum device's vote and go on"
	if got := r[1]; got.Quorate || got.Reason != want {
		t.Errorf("%+v, want %q", got, want)
	}
	if got := fmt.Sprint(r[0].Quorate); got != "false" {
		t.Errorf("%+v", r[0])
	}
}
