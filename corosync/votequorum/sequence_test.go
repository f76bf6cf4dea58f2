package votequorum_test

import (
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// TestLastManStanding tells of five nodes that die one by one, with and without the window between.
func TestLastManStanding(t *testing.T) {
	c := cluster(5)
	c.LastManStanding = true
	cl := c.Cluster().Split([]uint32{1, 2, 3})
	expect(t, cl, 1, "three of five are left", votequorum.Result{Quorate: true, Votes: 3, Needed: 3, Expected: 5})
	expect(t, cl.Split([]uint32{1, 2}), 1, "two, before the window has passed", votequorum.Result{Votes: 2, Needed: 3, Expected: 5})
	cl = cl.Window()
	expect(t, cl, 1, "the window makes three the whole", votequorum.Result{Quorate: true, Votes: 3, Needed: 2, Expected: 3})
	cl = cl.Split([]uint32{1, 2}).Window()
	expect(t, cl, 1, "and then two", votequorum.Result{Quorate: true, Votes: 2, Needed: 2, Expected: 2})
	expect(t, cl.Split([]uint32{1}), 1, "but never one", votequorum.Result{Votes: 1, Needed: 2, Expected: 2})
	cl = cl.Split([]uint32{1, 2, 5})
	expect(t, cl, 5, "who comes back counts at once", votequorum.Result{Quorate: true, Votes: 3, Needed: 2, Expected: 3})
	expect(t, cl.Split([]uint32{1, 2, 3, 4, 5}), 4, "and all five are five again", votequorum.Result{Quorate: true, Votes: 5, Needed: 3, Expected: 5})
}

// TestLastManWithTieBreaker: with auto_tie_breaker the window goes down to one.
func TestLastManWithTieBreaker(t *testing.T) {
	c := cluster(4)
	c.LastManStanding, c.AutoTieBreaker = true, true
	cl := c.Cluster().Split([]uint32{1, 2}, []uint32{3, 4}).Window()
	expect(t, cl, 1, "the tie-breaker's half becomes the whole", votequorum.Result{Quorate: true, Votes: 2, Needed: 2, Expected: 2})
	expect(t, cl, 3, "the other half waits", votequorum.Result{Votes: 2, Needed: 3, Expected: 4})
	cl = cl.Split([]uint32{1}, []uint32{3, 4})
	expect(t, cl, 1, "half of two, and the lowest", votequorum.Result{Quorate: true, Votes: 1, Needed: 2, Expected: 2})
	expect(t, cl.Window(), 1, "the last man", votequorum.Result{Quorate: true, Votes: 1, Needed: 1, Expected: 1})
}

// TestWaitForAll: it waits after a start, and whenever quorum was lost; a quorate peer ends it.
func TestWaitForAll(t *testing.T) {
	c := cluster(3)
	c.WaitForAll = true
	cl := c.Cluster().Split([]uint32{1, 2}, []uint32{3})
	expect(t, cl, 1, "two of three go on", votequorum.Result{Quorate: true, Votes: 2, Needed: 2, Expected: 3})
	healed := cl.Split([]uint32{1}, []uint32{2, 3})
	expect(t, healed, 2, "a quorum that falls apart on the way waits for all", votequorum.Result{Votes: 2, Needed: 2, Expected: 3})
	cold := cl.Split().Split([]uint32{1, 2})
	expect(t, cold, 1, "after a blackout two are not enough", votequorum.Result{Votes: 2, Needed: 2, Expected: 3})
	expect(t, cold.Split([]uint32{1, 2, 3}), 1, "three are", votequorum.Result{Quorate: true, Votes: 3, Needed: 2, Expected: 3})
	joined := cl.Split([]uint32{1, 2}).Split([]uint32{1, 2, 3})
	expect(t, joined, 3, "who starts beside a quorum does not wait", votequorum.Result{Quorate: true, Votes: 3, Needed: 2, Expected: 3})
}

// TestDownscale: an orderly leave lowers expected votes to the count of nodes, but never the threshold below what is configured.
func TestDownscale(t *testing.T) {
	c := cluster(4)
	c.AllowDownscale = true
	cl := c.Cluster().Leave(4)
	expect(t, cl, 1, "three left", votequorum.Result{Quorate: true, Votes: 3, Needed: 3, Expected: 3})
	expect(t, cl.Leave(3), 1, "two do not keep it", votequorum.Result{Votes: 2, Needed: 3, Expected: 2})
	expect(t, c.Cluster().Split([]uint32{1, 2, 3}), 1, "a loss is no leave", votequorum.Result{Quorate: true, Votes: 3, Needed: 3, Expected: 4})
}

// TestTracking: with expected_votes_tracking a file knows how many there once were, and quorum.expected_votes says nothing.
func TestTracking(t *testing.T) {
	c := cluster(3)
	c.ExpectedVotes, c.ExpectedVotesTracking = 9, true
	cl := c.Cluster()
	expect(t, cl, 1, "the nodes are counted", votequorum.Result{Quorate: true, Votes: 3, Needed: 2, Expected: 3})
	expect(t, cl.Split([]uint32{1}).Split([]uint32{1, 2}), 2, "a node that starts remembers", votequorum.Result{Quorate: true, Votes: 2, Needed: 2, Expected: 3})
}

// TestTieBreakerRegroups: the tie-breaker is the lowest of the last membership with a quorum of votes, also for nodes that lost it.
func TestTieBreakerRegroups(t *testing.T) {
	c := cluster(4)
	c.AutoTieBreaker = true
	cl := c.Cluster().Split([]uint32{1}, []uint32{2}, []uint32{3, 4})
	expect(t, cl, 3, "half without the lowest", votequorum.Result{Votes: 2, Needed: 3, Expected: 4})
	cl = cl.Split([]uint32{1, 2}, []uint32{3, 4})
	expect(t, cl, 2, "half with it", votequorum.Result{Quorate: true, Votes: 2, Needed: 3, Expected: 4})
	fresh := cl.Split().Split([]uint32{1, 2})
	expect(t, fresh, 1, "daemons that never saw a quorum know no lowest node", votequorum.Result{Votes: 2, Needed: 3, Expected: 4})
}

func expect(t *testing.T, cl votequorum.Cluster, node uint32, story string, want votequorum.Result) {
	t.Helper()
	got, _ := cl.Result(node)
	if got.Quorate != want.Quorate || got.Votes != want.Votes || got.Needed != want.Needed || got.Expected != want.Expected {
		t.Errorf("%s: node %d: %+v, want %+v", story, node, got, want)
	}
}
