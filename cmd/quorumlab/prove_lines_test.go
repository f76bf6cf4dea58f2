//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

var pairOfNodes = []member{{"a1", 1}, {"b1", 2}}

// ring is the line of a node that is in a new ring.
func ring(ms int, node, id string, left ...uint32) lab.Line {
	return lab.Line{Node: node, At: at(ms), Event: lab.EventMembership, Ring: id, Left: left}
}

func lostBy(ms int, node string) lab.Line {
	return lab.Line{Node: node, At: at(ms), Event: lab.EventTokenLost}
}

func linkLine(ms int, node string, peer uint32, event lab.Event) lab.Line {
	return lab.Line{Node: node, At: at(ms), Event: event, Peer: peer}
}

// story: the cluster starts, a loss begins at 0 and ends at 10 s; in it the token is lost once by both and once by one, who stays alone for a while.
func story() []lab.Line {
	return []lab.Line{
		linkLine(-6100, "a1", 2, lab.EventLinkUp), linkLine(-6000, "b1", 1, lab.EventLinkUp),
		ring(-5000, "a1", "1.8"), ring(-5000, "b1", "1.8"),
		{Node: "a1", At: at(700), Event: lab.EventTokenWarning}, linkLine(800, "b1", 1, lab.EventLinkDown),
		lostBy(1000, "a1"), lostBy(1010, "b1"), ring(2000, "a1", "1.c"), linkLine(2000, "b1", 1, lab.EventLinkUp), ring(2004, "b1", "1.c"),
		lostBy(5000, "b1"), ring(7000, "b1", "2.10", 1), ring(7100, "a1", "1.10", 2), ring(8000, "a1", "1.14"), ring(8010, "b1", "1.14"),
		lostBy(10100, "a1"), // when the loss is over
	}
}

func TestLossCounted(t *testing.T) {
	var c lossCell
	c.count(pairOfNodes, story(), at(0), at(10000))
	want := lossCell{Breaks: []time.Duration{time.Second, 5 * time.Second}, Lost: 3, Downs: 1, Warnings: 1, Left: 2}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}

func TestTrialNoted(t *testing.T) {
	c := trialCell{Effective: time.Second, Cuts: []cutOf{{For: 500 * time.Millisecond}}}
	c.note(pairOfNodes, story()[:11], at(0))
	want := c
	want.Lost, want.Formed, want.Healed = time.Second, 2*time.Second, 2004*time.Millisecond
	want.Warned, want.Down, want.Downs = 700*time.Millisecond, 800*time.Millisecond, 1
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	late := trialCell{Effective: time.Second, Cuts: []cutOf{{For: 500 * time.Millisecond}}}
	late.note(pairOfNodes, story(), at(2100))
	if late.Lost != 0 || !late.Split {
		t.Errorf("what breaks after the horizon is not the cut's: %+v", late)
	}
}

func TestMutedBy(t *testing.T) {
	clock := func(i impair.Instant) time.Time { return cutAt.Add(time.Duration(i)) }
	muted := mutedBy(pairOfNodes, story(), clock)
	second := linkLine(-6000, "b1", 1, lab.EventLinkUp)
	second.Link = 1
	if two := mutedBy(pairOfNodes, append([]lab.Line{second}, story()...), clock); two(1, 0, 0, impair.Instant(900*time.Millisecond)) {
		t.Error("while one link is up, what comes over the other one is taken too")
	}
	for _, c := range []struct {
		ms         int
		node, from int
		want       bool
	}{
		{-7000, 1, 0, true}, // not up yet
		{0, 1, 0, false}, {900, 1, 0, true}, {2100, 1, 0, false},
		{900, 0, 1, false}, // each end judges for itself
	} {
		if got := muted(c.node, c.from, 0, impair.Instant(time.Duration(c.ms)*time.Millisecond)); got != c.want {
			t.Errorf("node %d from %d at %d ms: %v", c.node, c.from, c.ms, got)
		}
	}
}
