package ctl_test

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

// TestHurryLargeCluster: where a reading takes the daemon a while, it is left in peace for most of the time, however much one hurries.
func TestHurryLargeCluster(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Take(80 * time.Millisecond)
		time.Sleep(5 * time.Second)
		b.tools.Reset()
		for range 10_000 {
			b.f.Hurry()
			time.Sleep(time.Millisecond)
		}
		calls := 0
		for _, n := range b.tools.Calls() {
			calls += n
		}
		if calls < 20 || calls > 55 {
			t.Errorf("%d calls in 10 s", calls)
		}
	})
}
