package ctl_test

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

// hurried hurries for ten seconds, and tells how often tools were called meanwhile.
func (b bench) hurried() (calls int) {
	b.tools.Reset()
	for range 10_000 {
		b.f.Hurry()
		time.Sleep(time.Millisecond)
	}
	for _, n := range b.tools.Calls() {
		calls += n
	}
	return calls
}

// TestHurryLargeCluster: where a reading takes the daemon a while, it is left in peace for most of the time, however much one hurries.
func TestHurryLargeCluster(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Take(80 * time.Millisecond)
		time.Sleep(5 * time.Second)
		if calls := b.hurried(); calls < 20 || calls > 55 {
			t.Errorf("%d calls in 10 s", calls)
		}
	})
}
