package ctl_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

// bench is a Follower on scripted tools, in a bubble.
type bench struct {
	t     *testing.T
	tools *corosynctest.Tools
	f     *ctl.Follower
}

// follow runs test in a bubble with a running Follower.
func follow(t *testing.T, cfg ctl.Config, first corosync.Daemon, test func(b bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tools := corosynctest.NewTools(corosynctest.Recorded("healthy3"))
		tools.Set(first)
		cfg.Runner = tools
		b := bench{t, tools, ctl.New(cfg)}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.f.Run(ctx) }()
		synctest.Wait()
		test(b)
		cancel()
		before := time.Now()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(before); took > 100*time.Millisecond {
			t.Errorf("Run needed %v to end", took)
		}
	})
}

// until waits for a Status and returns how long that took.
func (b bench) until(what string, longest time.Duration, good func(corosync.Status) bool) time.Duration {
	b.t.Helper()
	begin := time.Now()
	limit := time.NewTimer(longest)
	defer limit.Stop()
	for {
		changed := b.f.Changed()
		if good(b.f.Status()) {
			return time.Since(begin)
		}
		select {
		case <-changed:
		case <-limit.C:
			b.t.Fatalf("%s: not within %v: %+v", what, longest, b.f.Status())
		}
	}
}

func in(state corosync.Daemon) func(corosync.Status) bool {
	return func(s corosync.Status) bool { return s.Daemon == state }
}

// complete tells that every part was read.
func complete(s corosync.Status) bool {
	return s.Daemon == corosync.DaemonRunning && s.Quorum.Known && len(s.Members) == 3 && len(s.Links) == 4 && s.SRP.Known && s.Runtime.Known &&
		s.Software == "3.1.7" && s.Quorum.Votes[0].Name == "pve1" && !s.Stale
}

func member(s corosync.Status, id uint32) corosync.Member {
	for _, m := range s.Members {
		if m.ID == id {
			return m
		}
	}
	return corosync.Member{}
}

// The life of a daemon as the Follower should see it.
func TestLife(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonStopped, func(b bench) {
		b.until("stopped", 50*time.Millisecond, in(corosync.DaemonStopped))
		if s := b.f.Status(); s.Stale || s.Reason != "Could not initialize corosync configuration API error 2" {
			t.Errorf("before it ever ran: %+v", s)
		}
		b.tools.Set(corosync.DaemonStarting)
		b.until("starting", 5*time.Second, in(corosync.DaemonStarting))
		b.tools.Set(corosync.DaemonRunning)
		b.until("running", 5*time.Second, in(corosync.DaemonRunning))
		b.until("complete", 200*time.Millisecond, complete)

		time.Sleep(20 * time.Second) // in the bubble
		b.tools.Answer(corosynctest.Recorded("majority"))
		b.tools.Say("corosync-cmapctl", "modify> runtime.members.3.status (str) = left")
		took := b.until("membership", time.Second, func(s corosync.Status) bool { return !member(s, 3).Joined })
		if took > time.Millisecond {
			t.Errorf("membership known after %v", took)
		}
		took = b.until("votes", time.Second, func(s corosync.Status) bool { return s.Quorum.Total == 2 && s.RingID.Seq == 17 })
		if took > 100*time.Millisecond {
			t.Errorf("votes known after %v", took)
		}

		b.tools.Set(corosync.DaemonHanging)
		b.until("hanging", 8*time.Second, in(corosync.DaemonHanging))
		if s := b.f.Status(); !s.Stale || s.Quorum.Total != 2 {
			t.Errorf("hanging: the old values should be kept and marked: %+v", s)
		}
		b.tools.Set(corosync.DaemonRunning)
		b.until("running again", 8*time.Second, complete2)

		b.tools.Set(corosync.DaemonStopped) // killed: the streams end
		took = b.until("killed", time.Second, in(corosync.DaemonStopped))
		if took > 50*time.Millisecond {
			t.Errorf("death known after %v", took)
		}
		b.tools.Set(corosync.DaemonAbsent)
		b.until("absent", 6*time.Second, in(corosync.DaemonAbsent))
		b.tools.Set(corosync.DaemonDenied)
		b.until("denied", 6*time.Second, in(corosync.DaemonDenied))
	})
}

func complete2(s corosync.Status) bool {
	return s.Daemon == corosync.DaemonRunning && !s.Stale && s.Quorum.Known
}

// A daemon that is away costs a question every few seconds, and one change of Status.
func TestNoErrorLoop(t *testing.T) {
	for _, state := range []corosync.Daemon{corosync.DaemonStopped, corosync.DaemonAbsent, corosync.DaemonDenied, corosync.DaemonHanging, corosync.DaemonStarting} {
		follow(t, ctl.Config{Log: ctl.LogSource{None: true}}, state, func(b bench) {
			b.until("away", 10*time.Second, in(state))
			time.Sleep(time.Minute)
			b.tools.Reset()
			changed := b.f.Changed()
			time.Sleep(10 * time.Minute)
			calls := 0
			for command, n := range b.tools.Calls() {
				calls += n
				if command != "corosync-cfgtool -s" {
					t.Errorf("%v: %d times %s", state, n, command)
				}
			}
			if calls < 60 || calls > 125 {
				t.Errorf("%v: %d questions in 10 minutes", state, calls)
			}
			select {
			case <-changed:
				t.Errorf("%v: the Status changed: %+v", state, b.f.Status())
			default:
			}
		})
	}
}

// What polling costs a healthy daemon.
func TestGentle(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Reset()
		time.Sleep(10 * time.Minute)
		total := 0
		for command, n := range b.tools.Calls() {
			total += n
			if strings.HasPrefix(command, "corosync-cfgtool") || strings.Contains(command, "stats.knet.node ") {
				t.Errorf("%d times %s", n, command)
			}
		}
		if total < 600 || total > 700 {
			t.Errorf("%d calls in 10 minutes: %v", total, b.tools.Calls())
		}
		if b.f.Status().Stale {
			t.Error("stale")
		}
	})
}

// A reading of the links that takes long is made seldom.
func TestSlowLinks(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Take(500 * time.Millisecond)
		time.Sleep(time.Minute)
		b.tools.Reset()
		time.Sleep(10 * time.Minute)
		links := 0
		for command, n := range b.tools.Calls() {
			if strings.Contains(command, "stats.knet") {
				links += n
			}
		}
		if links < 20 || links > 26 {
			t.Errorf("%d readings of 0.5 s in 10 minutes", links)
		}
	})
}

// quorumtool may answer with the old membership for a while, with a quorum device for half a minute.
func TestQuorumSettles(t *testing.T) {
	follow(t, ctl.Config{Quorum: time.Hour}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Reset()
		b.tools.Say("corosync-cmapctl", "modify> runtime.members.3.status (str) = left")
		time.Sleep(25 * time.Second)
		if s := b.f.Status(); s.Quorum.Total != 3 {
			t.Errorf("votes %d", s.Quorum.Total)
		}
		if n := b.tools.Calls()["corosync-quorumtool -s -i"]; n < 25 || n > 35 {
			t.Errorf("%d questions in 25 s", n)
		}
		b.tools.Answer(corosynctest.Recorded("majority"))
		b.until("votes", 1100*time.Millisecond, func(s corosync.Status) bool { return s.Quorum.Total == 2 })
		b.tools.Reset()
		time.Sleep(10 * time.Second)
		if n := b.tools.Calls()["corosync-quorumtool -s -i"]; n > 0 {
			t.Errorf("%d questions after it settled", n)
		}
	})
}

// A ring of the same members anew changes no key of cmap: the monitor tells.
func TestSameMembersAgain(t *testing.T) {
	follow(t, ctl.Config{Quorum: time.Hour}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.Answer(corosynctest.Recorded("link0down")) // ring 1.d
		b.tools.Say("corosync-quorumtool", "Quorum information", "------------------")
		took := b.until("ring", time.Second, func(s corosync.Status) bool { return s.RingID.Seq == 13 })
		if took > 50*time.Millisecond {
			t.Errorf("after %v", took)
		}
	})
}

// A reload changes effective values, links and votes.
func TestReload(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.AnswerWith(ctl.Output{Stdout: []byte("runtime.config.totem.token (u32) = 10650\n")}, "corosync-cmapctl", "runtime.config.")
		b.tools.Say("corosync-cmapctl", "create> config.reload_in_progress (u8) = 1", "modify> config.reload_in_progress (u8) = 0")
		took := b.until("token", time.Second, func(s corosync.Status) bool { return s.Runtime.Timeouts.Token == 10650*time.Millisecond })
		if took > 200*time.Millisecond {
			t.Errorf("after %v", took)
		}
	})
}

// A daemon that is killed and started again between two questions is another daemon: all is read anew.
func TestQuickRestart(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		time.Sleep(time.Minute)
		b.tools.Answer(corosynctest.Recorded("majority"))
		b.tools.Set(corosync.DaemonStopped)
		synctest.Wait()
		b.tools.Set(corosync.DaemonRunning)
		b.until("read anew", 100*time.Millisecond, func(s corosync.Status) bool { return s.Quorum.Total == 2 && !member(s, 3).Joined })
		b.tools.Reset()
		time.Sleep(2 * time.Second)
		calls := b.tools.Calls()
		if calls["corosync-quorumtool -m -i"] != 1 {
			t.Errorf("the monitor was not started again: %v", calls)
		}
	})
}

// Garbage is no answer: the values stay, the daemon keeps its state, and in time they are called old.
func TestGarbage(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		b.tools.AnswerWith(ctl.Output{Stdout: []byte("\x00\xff garbage")}, "corosync-quorumtool")
		time.Sleep(time.Minute)
		s := b.f.Status()
		if s.Daemon != corosync.DaemonRunning || !s.Stale || s.Quorum.Total != 3 {
			t.Errorf("%+v", s)
		}
		calls := 0
		b.tools.Reset()
		time.Sleep(time.Minute)
		for _, n := range b.tools.Calls() {
			calls += n
		}
		if calls > 100 {
			t.Errorf("%d calls in a minute", calls)
		}
	})
}

// stuck is a Runner whose tools cannot even be killed.
type stuck struct{ release chan struct{} }

func (s stuck) Run(context.Context, string, ...string) (ctl.Output, error) {
	<-s.release
	return ctl.Output{}, context.DeadlineExceeded
}

func (s stuck) Stream(ctx context.Context, _ func(string), _ string, _ ...string) (ctl.Output, error) {
	<-ctx.Done()
	return ctl.Output{}, ctx.Err()
}

func TestUnkillable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stuck{make(chan struct{})}
		f := ctl.New(ctl.Config{Runner: s})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		time.Sleep(6 * time.Second)
		if st := f.Status(); st.Daemon != corosync.DaemonHanging {
			t.Errorf("%+v", st)
		}
		time.Sleep(10 * time.Minute)
		cancel()
		begin := time.Now()
		if err := <-ended; err != nil || time.Since(begin) > 3*time.Second {
			t.Errorf("Run ended with %v after %v", err, time.Since(begin))
		}
		close(s.release)
	})
}

// Hurry reads links and votes at once, but not faster than there is news.
func TestHurry(t *testing.T) {
	follow(t, ctl.Config{}, corosync.DaemonRunning, func(b bench) {
		b.until("complete", time.Second, complete)
		time.Sleep(1500 * time.Millisecond)
		b.tools.Answer(corosynctest.Recorded("link0down"))
		b.f.Hurry()
		took := b.until("link", time.Second, func(s corosync.Status) bool { return !s.Links[2].Connected })
		if took > 50*time.Millisecond {
			t.Errorf("read after %v", took)
		}
		if calls := b.hurried(); calls > 100 {
			t.Errorf("%d calls in 10 s", calls)
		}
	})
}
