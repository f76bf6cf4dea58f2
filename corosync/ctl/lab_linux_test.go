package ctl_test

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

func TestMain(m *testing.M) {
	lab.Main()
	os.Exit(m.Run())
}

// rig is a real cluster with a Follower on one of its nodes.
type rig struct {
	t   *testing.T
	lab *lab.Lab
	f   *ctl.Follower
}

func newRig(t *testing.T, ctx context.Context) rig {
	t.Helper()
	lab.Require(t)
	l, err := lab.New(ctx, lab.Spec{
		Sites: []lab.Site{{Name: "a", Nodes: 2}, {Name: "b", Nodes: 1}},
		Links: 2,
		Totem: []lab.Option{{Key: "token", Value: "1000"}}, // effective: 1125 ms
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	inNode := ctl.Exec{Prefix: []string{"nsenter", "-t", strconv.Itoa(l.Node("a1").HolderPID()), "-n", "-m", "-i", "-u", "-p", "--"}}
	r := rig{t, l, ctl.New(ctl.Config{Runner: inNode, Log: ctl.LogSource{File: "/var/log/corosync/corosync.log"}})}
	runCtx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.f.Run(runCtx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

// until waits for a Status and returns when it was there.
func (r rig) until(what string, longest time.Duration, good func(corosync.Status) bool) time.Time {
	r.t.Helper()
	limit := time.NewTimer(longest)
	defer limit.Stop()
	for {
		changed := r.f.Changed()
		if good(r.f.Status()) {
			return time.Now()
		}
		select {
		case <-changed:
		case <-limit.C:
			r.t.Fatalf("%s: not within %v: %+v", what, longest, r.f.Status())
		}
	}
}

func joined(s corosync.Status) int {
	n := 0
	for _, m := range s.Members {
		if m.Joined {
			n++
		}
	}
	return n
}

// TestPushLatency measures, on a real Corosync, how long after its own log line of a new membership the Status has the
// members and the votes.
func TestPushLatency(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	r := newRig(t, ctx)
	r.until("stopped", 5*time.Second, in(corosync.DaemonStopped))
	if err := r.lab.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.lab.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
	r.until("all read", 15*time.Second, func(s corosync.Status) bool { return s.Daemon == corosync.DaemonRunning && complete3(s) })

	a1, b1 := r.lab.Node("a1"), r.lab.Node("b1")
	var members, votes []time.Duration
	change := func(what string, want int, act func() error) {
		begin := time.Now()
		acted := make(chan error, 1)
		go func() { acted <- act() }() // starting a daemon returns when it answers, maybe after the membership
		known := r.until(what+": members", 20*time.Second, func(s corosync.Status) bool { return joined(s) == want })
		settled := r.until(what+": votes", 20*time.Second, func(s corosync.Status) bool { return s.Quorum.Total == want })
		if err := <-acted; err != nil {
			t.Fatal(err)
		}
		line, err := a1.Log().WaitEvent(ctx, begin, lab.EventMembership)
		if err != nil {
			t.Fatal(err)
		}
		members, votes = append(members, known.Sub(line.At)), append(votes, settled.Sub(line.At))
	}
	for range 5 {
		change("stop", 2, b1.Corosync().Stop)
		change("start", 3, func() error { return b1.Corosync().Start(ctx) })
	}
	slices.Sort(members)
	slices.Sort(votes)
	t.Logf("members known after %v", members)
	t.Logf("votes known after %v", votes)
	if worst := members[len(members)-1]; worst > 100*time.Millisecond {
		t.Errorf("a membership was known only after %v", worst)
	}
	if worst := votes[len(votes)-1]; worst > 250*time.Millisecond {
		t.Errorf("votes were known only after %v", worst)
	}
}

func complete3(s corosync.Status) bool {
	return s.Quorum.Total == 3 && joined(s) == 3 && len(s.Links) == 4 && s.SRP.Known && s.Runtime.Timeouts.Token == 1125*time.Millisecond && s.Quorum.Votes[0].Name == "a1"
}

// TestRealDaemon takes a real daemon through its states.
func TestRealDaemon(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	r := newRig(t, ctx)
	if err := r.lab.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.lab.WaitFormed(ctx); err != nil {
		t.Fatal(err)
	}
	r.until("all read", 15*time.Second, complete3)
	a1 := r.lab.Node("a1")

	conf, err := corosync.Parse("corosync.conf", strings.NewReader(r.lab.Conf()))
	if err != nil {
		t.Fatal(err)
	}
	if drift := corosync.Drift(conf, r.f.Status().Runtime.Values); len(drift) > 0 {
		t.Errorf("drift from a file that was just loaded: %v", drift)
	}

	begin := time.Now()
	if _, err := a1.Run(ctx, "corosync-cmapctl", "-s", "totem.token", "u32", "2000"); err != nil {
		t.Fatal(err)
	}
	took := r.until("token", 5*time.Second, func(s corosync.Status) bool { return s.Runtime.Timeouts.Token == 2125*time.Millisecond }).Sub(begin)
	t.Logf("a changed token is known after %v", took)
	if drift := corosync.Drift(conf, r.f.Status().Runtime.Values); len(drift) == 0 {
		t.Error("a token set by hand is no drift")
	}

	if err := a1.LinkDown(1); err != nil {
		t.Fatal(err)
	}
	r.until("link 1 down", 10*time.Second, func(s corosync.Status) bool {
		return slices.ContainsFunc(s.Links, func(l corosync.LinkStatus) bool { return l.Link == 1 && !l.Connected })
	})
	if err := a1.LinkUp(1); err != nil {
		t.Fatal(err)
	}

	begin = time.Now()
	if err := a1.Corosync().Pause(); err != nil {
		t.Fatal(err)
	}
	took = r.until("hanging", 15*time.Second, in(corosync.DaemonHanging)).Sub(begin)
	t.Logf("a hanging daemon is known after %v", took)
	if s := r.f.Status(); !s.Stale || s.Quorum.Total != 3 {
		t.Errorf("hanging: %+v", s)
	}
	if err := a1.Corosync().Resume(); err != nil {
		t.Fatal(err)
	}
	r.until("running", 10*time.Second, complete2)

	begin = time.Now()
	if err := a1.Corosync().Kill(); err != nil {
		t.Fatal(err)
	}
	took = r.until("stopped", 5*time.Second, in(corosync.DaemonStopped)).Sub(begin)
	t.Logf("a killed daemon is known after %v", took)
	if took > time.Second {
		t.Errorf("a killed daemon was known only after %v", took)
	}
	if err := a1.Corosync().Start(ctx); err != nil {
		t.Fatal(err)
	}
	r.until("all read again", 30*time.Second, func(s corosync.Status) bool {
		return !s.Stale && s.Daemon == corosync.DaemonRunning && s.Quorum.Total == 3
	})

	seen := map[string]bool{}
	for len(r.f.Events()) > 0 {
		switch e := (<-r.f.Events()).What.(type) {
		case corosync.LinkDown:
			seen["link down"] = true
		case corosync.NewMembership:
			seen["membership"] = true
		case corosync.NotScheduled:
			seen["stall"] = seen["stall"] || e.For > time.Second
		case corosync.DaemonStart:
			seen["start"] = true
		}
	}
	for _, what := range []string{"link down", "membership", "stall", "start"} {
		if !seen[what] {
			t.Errorf("the log file told nothing of: %s", what)
		}
	}
}
