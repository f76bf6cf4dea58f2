package agent

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// TestKnetNews: a change of the own knet's verdict is known to the moment, here and, over a bulletin that comes late, by a peer.
func TestKnetNews(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	status := func(at time.Duration, connected bool) corosync.Status {
		return corosync.Status{
			Daemon: corosync.DaemonRunning, LinksAt: start.Add(at),
			Links: []corosync.LinkStatus{{Node: 2, Connected: connected, DownCount: 3}, {Node: 3, Connected: true}},
		}
	}
	const clock = 1<<32*time.Millisecond - 500*time.Millisecond // the author's, at the start: it is about to begin anew
	var own, peer knetNews
	own.note(status(0, true))
	own.note(status(700*time.Millisecond, false))
	now := start.Add(time.Second)
	words := own.step(now, 1, status(700*time.Millisecond, false), nil, nil)
	if len(words) != 2 || words[0].Connected || words[0].For != 300*time.Millisecond || words[0].Downs != 3 || !words[1].Connected || words[1].For != 0 {
		t.Fatalf("%+v", words)
	}
	v := mesh.View{Node: 1, Corosync: true, Paths: []mesh.Path{{Node: 2, State: mesh.Up, KnetDown: true}, {Node: 3, State: mesh.Up}, {Node: 4}}}
	own.tell(&v, now, clock+time.Second)
	left, came := now.Add(400*time.Millisecond), now.Add(405*time.Millisecond)
	views := []checker.PeerView{{View: v, At: came}}
	words = peer.step(came.Add(50*time.Millisecond), 2, corosync.Status{}, views, map[uint32]decoded{1: {left: left, clock: clock + 1400*time.Millisecond}})
	if len(words) != 2 || words[0].Connected || words[0].For != 705*time.Millisecond || !words[0].At.Equal(came) || words[1].For != 0 {
		t.Fatalf("%+v", words)
	}
	if words = peer.step(came.Add(time.Second), 2, corosync.Status{}, views, nil); len(words) > 0 {
		t.Errorf("the same bulletin again: %+v", words)
	}
	v.Paths[0].KnetTurn = 0
	own.tell(&v, now.Add(turnTold), clock)
	if v.Paths[0].KnetTurn != 0 {
		t.Error("what is old is told")
	}
	own.note(corosync.Status{Daemon: corosync.DaemonStopped})
	own.note(status(2*time.Second, true))
	if own.since(now.Add(time.Hour), 2, 0) != 0 {
		t.Error("a daemon that starts has changed nothing")
	}
}
