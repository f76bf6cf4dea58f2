package agent

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/ctl"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// told is a journal that has lines, and then ends or goes on as it is told.
type told struct {
	lines []string // "SECONDS text", since the beginning of the test
	err   error
	calls int
}

func (j *told) Follow(ctx context.Context, _ time.Duration, line func(time.Time, string), _ ...string) error {
	j.calls++
	for _, l := range j.lines {
		var s float64
		fmt.Sscan(l, &s)
		line(time.Unix(0, 0).Add(time.Duration(s*float64(time.Second))), l)
	}
	if j.err != nil {
		return j.err
	}
	<-ctx.Done()
	return nil
}

// cutLog is the log of a cut of 55 s and more, with the times that a real one had (facts of the reset in +62.5 s).
func cutLog() []string {
	return []string{
		"2.15 pve1 corosync[900]:   [TOTEM ] Token has not been received in 2343 ms",
		"6.69 pve1 pmxcfs[1203]: [status] notice: node lost quorum",
		"7.1 pve1 pve-ha-lrm[1400]: lost lock 'ha_agent_pve1_lock - cfs lock update failed - Operation not permitted",
		"44.0 pve1 watchdog-mux[801]: client (PID 1400) watchdog is about to expire",
	}
}

// TestFenceLog: what was logged before the agent began counts, after a burst of lines that takes part of it back.
func TestFenceLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		j := &told{lines: append([]string{"-90 pve1 pmxcfs[1203]: [status] notice: node lost quorum", "-80 pve1 pmxcfs[1203]: [status] notice: node has quorum"}, cutLog()...)}
		a := New(Config{Journal: j})
		ended := make(chan error, 1)
		go func() { ended <- a.followFenceLog(ctx, func() {}) }()
		if got := a.fenceLogged(); got != (proxmox.FenceLog{}) {
			t.Errorf("before anything was read: %+v", got)
		}
		time.Sleep(2 * logSettle)
		at := func(s float64) time.Time { return time.Unix(0, 0).Add(time.Duration(s * float64(time.Second))) }
		want := proxmox.FenceLog{LostQuorum: at(6.69), LostLock: at(7.1), Warned: at(44)}
		got := a.fenceLogged()
		if got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		f := proxmox.FenceOf(proxmox.FenceInput{Node: "pve1", Now: at(46), Watchdog: proxmox.Yes, Log: got})
		if off := f.Reset.Likely.Sub(at(63)); f.Counting != proxmox.Yes || off.Abs() > 3*time.Second {
			t.Errorf("the countdown is %v off: %+v", off, f)
		}
		cancel()
		if err := <-ended; err != nil || j.calls != 1 {
			t.Errorf("%v, %d calls", err, j.calls)
		}
	})
}

// TestFenceLogAbsent: without a journal it is tried seldom, and nothing else happens; one that ends is read again soon.
func TestFenceLogAbsent(t *testing.T) {
	for _, tt := range []struct {
		err  error
		most int
	}{{fmt.Errorf("journalctl: %w", ctl.ErrAbsent), 6}, {fmt.Errorf("journalctl ended"), 31}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			j := &told{lines: cutLog(), err: tt.err}
			a := New(Config{Journal: j})
			if err := a.followFenceLog(ctx, func() {}); err != nil {
				t.Error(err)
			}
			if j.calls < tt.most-1 || j.calls > tt.most {
				t.Errorf("%v: %d calls", tt.err, j.calls)
			}
		})
	}
}
