package ctl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

// A daemon without links to anybody - the first node of a cluster, or one whose transport is not knet - is as healthy as any other.
func TestNoLinks(t *testing.T) {
	tests := map[string]ctl.Output{
		"one node": {Stdout: []byte("stats.knet.node1.link0.connected (u8) = 1\nstats.knet.node1.link0.enabled (u8) = 1\n")},
		"udpu":     {Code: 1}, // there are no such keys, of which Corosync before 3.1 makes a success
	}
	for name, keys := range tests {
		follow(t, ctl.Config{}, corosync.DaemonStopped, func(b bench) {
			b.tools.AnswerWith(keys, "corosync-cmapctl", "-m", "stats", "stats.knet.node")
			b.tools.Set(corosync.DaemonRunning)
			b.until("running", 5*time.Second, in(corosync.DaemonRunning))
			time.Sleep(time.Minute)
			b.tools.Reset()
			time.Sleep(time.Minute)
			if s := b.f.Status(); s.Stale || len(s.Links) != 0 || time.Since(s.LinksAt) > 3*time.Second {
				t.Errorf("%s: %+v", name, s)
			}
			if n := b.tools.Calls()["corosync-cfgtool -s"]; n != 0 {
				t.Errorf("%s: asked %d times in a minute whether it lives", name, n)
			}
			b.tools.AnswerWith(corosynctest.Recorded("healthy3").Output("corosync-cmapctl", "-m", "stats", "stats.knet.node"),
				"corosync-cmapctl", "-m", "stats", "stats.knet.node")
			b.until("links", 3*time.Second, complete) // somebody has joined
		})
	}
}

// No links is another answer than none at all.
func TestLinksUnanswered(t *testing.T) {
	for _, out := range []ctl.Output{
		{Stderr: "Failed to initialize the cmap API. Error CS_ERR_TRY_AGAIN\n", Code: 1},
		{Stdout: []byte("\x00\xff garbage")},
	} {
		follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
			b.until("complete", time.Second, complete)
			b.tools.AnswerWith(out, "corosync-cmapctl", "-m", "stats")
			time.Sleep(time.Minute)
			if s := b.f.Status(); !s.Stale || len(s.Links) != 4 {
				t.Errorf("%+v: %+v", out, s)
			}
		})
	}
}

// A link that is gone is noticed by the keys that are not there any more, also if it was the first.
func TestLinkRemoved(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.AnswerWith(ctl.Output{Stderr: "Can't get key stats.knet.node2.link0.enabled. Error CS_ERR_NOT_EXIST\n", Code: 1},
			"corosync-cmapctl", "-m", "stats", "-g", "stats.knet.node2.link0.enabled")
		b.tools.AnswerWith(ctl.Output{Stdout: []byte("stats.knet.node3.link0.enabled (u8) = 1\n")}, "corosync-cmapctl", "-m", "stats", "stats.knet.node")
		b.until("removed", 3*time.Second, func(s corosync.Status) bool { return len(s.Links) == 1 && s.Links[0].Node == 3 })
	})
}

// A reload that comes while the known links are read has added one all the same.
func TestLinkAdded(t *testing.T) {
	all := []string{"-m", "stats", "stats.knet.node"}
	follow(t, ctl.Config{}, corosync.DaemonStopped, func(b bench) {
		b.tools.AnswerWith(corosynctest.Recorded("healthy3").Output("corosync-cmapctl", "-m", "stats", "stats.knet.node2."), "corosync-cmapctl", all...)
		b.tools.Set(corosync.DaemonRunning)
		b.until("two links", 5*time.Second, func(s corosync.Status) bool { return len(s.Links) == 2 })
		b.tools.AnswerWith(corosynctest.Recorded("healthy3").Output("corosync-cmapctl", all...), "corosync-cmapctl", all...)
		b.tools.Take(500 * time.Millisecond)
		b.tools.Reset()
		for reading := false; !reading; time.Sleep(10 * time.Millisecond) {
			for command := range b.tools.Calls() {
				reading = reading || strings.Contains(command, "-g stats.knet")
			}
		}
		b.tools.Say("corosync-cmapctl", "modify> config.reload_in_progress (u8) = 0")
		b.until("four links", 10*time.Second, complete)
	})
}
