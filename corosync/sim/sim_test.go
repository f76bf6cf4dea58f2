package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/sim"
)

func start() time.Time { return time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC) }

// outage is a time in which paths between two groups of nodes deliver nothing on a link; link -1: all.
type outage struct {
	from, to time.Duration
	link     int
	cut      func(a, b uint32) bool
}

func sites(a, b uint32) bool { return (a <= 2) != (b <= 2) } // site a from the rest

func network(outages ...outage) sim.Path {
	return func(from, to uint32, link int, at time.Time) (time.Duration, bool) {
		t := at.Sub(start())
		for _, o := range outages {
			if t >= o.from && t < o.to && (o.link < 0 || o.link == link) && o.cut(from, to) {
				return 0, false
			}
		}
		if sites(from, to) {
			return 5 * time.Millisecond, true
		}
		return 200 * time.Microsecond, true
	}
}

func newCluster(t *testing.T, links int, path sim.Path, change ...func(*sim.Config)) *sim.Cluster {
	t.Helper()
	cfg := sim.Config{Corosync: corosynctest.Stretched(links), Start: start(), Path: path, Seed: 1}
	for _, f := range change {
		f(&cfg)
	}
	c, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run steps to until and returns what the daemons logged.
func run(c *sim.Cluster, until time.Duration) []sim.NodeEvent {
	var events []sim.NodeEvent
	for t := c.Now(); !t.After(start().Add(until)); t = t.Add(20 * time.Millisecond) {
		events = append(events, c.Step(t)...)
	}
	return events
}

// first is the time of the first event of a type, from the start; -1 if there is none.
func first[T corosync.Occurrence](events []sim.NodeEvent, good func(uint32, T) bool) time.Duration {
	for _, e := range events {
		if w, ok := e.What.(T); ok && (good == nil || good(e.Node, w)) {
			return e.At.Sub(start())
		}
	}
	return -1
}

func between(t *testing.T, what string, got, low, high time.Duration) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s at %v, want %v to %v", what, got, low, high)
	}
}

func TestHealthy(t *testing.T) {
	c := newCluster(t, 2, network())
	if events := run(c, 10*time.Minute); len(events) > 0 {
		t.Errorf("a healthy cluster logged %+v", events[0])
	}
	got := c.Status(3)
	want := corosynctest.StretchedStatus(c.Now(), 3, 2)
	want.Since, want.LogSince, want.RingID, want.SRP = got.Since, got.LogSince, got.RingID, got.SRP
	want.Runtime.Values = got.Runtime.Values
	for i := range want.Links {
		l := &want.Links[i]
		l.TxPing, l.RxPong, l.LatencyAvg = got.Links[i].TxPing, got.Links[i].RxPong, got.Links[i].LatencyAvg
		if l.TxPing < 590 || l.RxPong != l.TxPing {
			t.Errorf("10 minutes of pings: %+v", got.Links[i])
		}
		rtt := 400 * time.Microsecond
		if sites(3, l.Node) {
			rtt = 10 * time.Millisecond
		}
		if l.LatencyAvg != rtt {
			t.Errorf("latency %v, want %v", l.LatencyAvg, rtt)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differs from the fixture: %s", d)
	}
	conf := corosynctest.Stretched(2)
	if drift := corosync.Drift(conf, got.Runtime.Values); len(drift) > 0 {
		t.Errorf("drift %v", drift)
	}
	if m := got.SRP.MeanTokenInterval; m < conf.Timeouts().Hold || m > conf.Timeouts().Hold+50*time.Millisecond {
		t.Errorf("mean token interval %v", m)
	}
}

// A cut site path, healed after 20 s: Corosync's own sequence, at its own times (effective token 3375 ms, consensus 4050 ms).
func TestCut(t *testing.T) {
	c := newCluster(t, 1, network(outage{10 * time.Second, 30 * time.Second, -1, sites}))
	events := run(c, 12*time.Second)
	between(t, "link down", first[corosync.LinkDown](events, nil), 10700*time.Millisecond, 12*time.Second)
	between(t, "no links", first[corosync.HostNoLinks](events, nil), 10700*time.Millisecond, 12*time.Second)
	events = append(events, run(c, 16*time.Second)...)
	between(t, "token warning", first[corosync.TokenWarning](events, nil), 11800*time.Millisecond, 12700*time.Millisecond)
	lost := first[corosync.TokenLost](events, nil)
	between(t, "token lost", lost, 12600*time.Millisecond, 13500*time.Millisecond)
	if s := c.Status(1); !s.Quorum.Quorate || s.Quorum.Total != 5 || s.TokenAt.Warned.IsZero() {
		t.Errorf("during gather the old quorum stands: %+v", s.Quorum)
	}
	events = append(events, run(c, 29*time.Second)...)
	split := first(events, func(_ uint32, m corosync.NewMembership) bool { return len(m.Left) > 0 })
	between(t, "split", split, lost+4*time.Second, lost+5*time.Second)
	for node := uint32(1); node <= 5; node++ {
		s := c.Status(node)
		quorate, total, rep := node > 2, 3, uint32(3)
		if node <= 2 {
			total, rep = 2, 1
		}
		if s.Quorum.Quorate != quorate || s.Quorum.Total != total || s.Quorum.Quorum != 3 || s.Quorum.Expected != 5 || len(s.Quorum.Votes) != total || s.RingID.Rep != rep {
			t.Errorf("node %d: %v %+v", node, s.RingID, s.Quorum)
		}
		joined := 0
		for _, m := range s.Members {
			if m.Joined {
				joined++
			}
		}
		if joined != total || len(s.Members) != 5 {
			t.Errorf("node %d: members %+v", node, s.Members)
		}
		for _, l := range s.Links {
			if l.Connected != ((l.Node <= 2) == (node <= 2)) {
				t.Errorf("node %d: %+v", node, l)
			}
		}
	}
	inquorate := first(events, func(n uint32, p corosync.PrimaryComponent) bool { return n == 1 && !p.Quorate })
	between(t, "quorum loss", inquorate, split, split+time.Second)

	events = run(c, 45*time.Second)
	up := first[corosync.LinkUp](events, nil)
	between(t, "link up", up, 31*time.Second, 34*time.Second)
	merged := first(events, func(n uint32, m corosync.NewMembership) bool { return n == 1 && len(m.Joined) == 3 })
	between(t, "merge", merged, up, up+2*time.Second)
	for node := uint32(1); node <= 5; node++ {
		if s := c.Status(node); !s.Quorum.Quorate || s.Quorum.Total != 5 || s.Members[4].JoinCount+s.Members[0].JoinCount != 3 || s.RingID.Rep != 1 {
			t.Errorf("node %d after the merge: %+v %+v", node, s.Quorum, s.Members)
		}
	}
	if s := c.Status(1); s.SRP.GatherEntered < 3 || s.SRP.TimeSinceToken > time.Second {
		t.Errorf("counters %+v", s.SRP)
	}
}

// With a second link a dead first one costs no token.
func TestSecondLink(t *testing.T) {
	c := newCluster(t, 2, network(outage{30 * time.Second, time.Hour, 0, sites}))
	events := run(c, 5*time.Minute)
	if first[corosync.LinkDown](events, nil) < 0 || first[corosync.TokenLost](events, nil) >= 0 || first[corosync.NewMembership](events, nil) >= 0 {
		t.Errorf("link down %v, token lost %v, membership %v", first[corosync.LinkDown](events, nil), first[corosync.TokenLost](events, nil), first[corosync.NewMembership](events, nil))
	}
	if s := c.Status(1); !s.Quorum.Quorate || len(s.Links) != 8 || s.Links[2].Connected || !s.Links[3].Connected || s.Links[2].TxPing <= s.Links[2].RxPong {
		t.Errorf("%+v", s.Links)
	}
}

func TestDaemons(t *testing.T) {
	c := newCluster(t, 1, network())
	run(c, 5*time.Second)
	c.StopDaemon(5)
	events := run(c, 10*time.Second)
	left := first(events, func(n uint32, m corosync.NewMembership) bool { return n == 1 && slices.Equal(m.Left, []uint32{5}) })
	between(t, "orderly leave", left, 5*time.Second, 6*time.Second)
	if at := first[corosync.LeaveMissing](events, nil); at >= 0 {
		t.Errorf("goodbye missed at %v", at)
	}
	if s := c.Status(5); s.Daemon != corosync.DaemonStopped || !s.Stale || s.Quorum.Total != 5 || s.Reason == "" {
		t.Errorf("stopped: %+v", s)
	}
	c.StartDaemon(5)
	events = run(c, 20*time.Second)
	if s := c.Status(5); s.Daemon != corosync.DaemonRunning || s.Stale || s.Quorum.Total != 5 || !s.Quorum.Quorate {
		t.Errorf("started: %+v", s)
	}
	if first(events, func(n uint32, _ corosync.DaemonStart) bool { return n == 5 }) < 0 {
		t.Error("no start in the log")
	}

	c.KillDaemon(4)
	events = run(c, 40*time.Second)
	between(t, "link down after a kill", first[corosync.LinkDown](events, nil), 20*time.Second, 20800*time.Millisecond)
	between(t, "membership after a kill", first(events, func(_ uint32, m corosync.NewMembership) bool { return slices.Equal(m.Left, []uint32{4}) }), 26*time.Second, 29*time.Second)

	c.Pause(2, 6*time.Second)
	if s := c.Status(2); s.Daemon != corosync.DaemonHanging || !s.Stale {
		t.Errorf("paused: %+v", s.Daemon)
	}
	events = run(c, 60*time.Second)
	if s := c.Status(2); s.Daemon != corosync.DaemonRunning || len(s.Stalls) != 1 || s.Stalls[0].For != 6*time.Second || s.Quorum.Total != 4 {
		t.Errorf("after the pause: %v %+v %+v", s.Daemon, s.Stalls, s.Quorum)
	}
	if first(events, func(n uint32, w corosync.NotScheduled) bool { return n == 2 && w.For == 6*time.Second }) < 0 {
		t.Error("the stall was not logged")
	}
	c.PowerOff(1)
	run(c, 75*time.Second)
	if s := c.Status(3); s.Quorum.Total != 3 || !s.Quorum.Quorate || s.RingID.Rep != 2 {
		t.Errorf("after a loss of power: %v %+v", s.RingID, s.Quorum)
	}
	if s := c.Status(9); s.Daemon != corosync.DaemonAbsent {
		t.Errorf("a node that is none: %+v", s)
	}
}

func TestCold(t *testing.T) {
	c := newCluster(t, 1, network(), func(cfg *sim.Config) { cfg.Cold = true })
	if s := c.Status(1); s.Daemon != corosync.DaemonStopped || s.Stale || s.Quorum.Known {
		t.Errorf("never ran: %+v", s)
	}
	for node := uint32(1); node <= 3; node++ {
		c.StartDaemon(node)
	}
	events := run(c, 20*time.Second)
	if s := c.Status(1); !s.Quorum.Quorate || s.Quorum.Total != 3 {
		t.Errorf("%+v", s.Quorum)
	}
	if first(events, func(n uint32, p corosync.PrimaryComponent) bool { return n == 1 && p.Quorate }) < 0 {
		t.Error("quorum was not logged")
	}
}

func TestWaitForAll(t *testing.T) {
	c := newCluster(t, 1, network(), func(cfg *sim.Config) { cfg.Cold, cfg.Corosync.Quorum.WaitForAll = true, true })
	for node := uint32(1); node <= 4; node++ {
		c.StartDaemon(node)
	}
	run(c, 20*time.Second)
	if s := c.Status(1); s.Quorum.Quorate || s.Quorum.Total != 4 || !slices.Contains(s.Quorum.Flags, "WaitForAll") {
		t.Errorf("four of five: %+v", s.Quorum)
	}
	c.StartDaemon(5)
	run(c, 40*time.Second)
	if s := c.Status(1); !s.Quorum.Quorate {
		t.Errorf("all: %+v", s.Quorum)
	}
	c.StopDaemon(2)
	run(c, 50*time.Second)
	c.StartDaemon(2)
	run(c, 70*time.Second)
	if s := c.Status(2); !s.Quorum.Quorate || s.Quorum.Total != 5 {
		t.Errorf("back among quorate peers: %+v", s.Quorum)
	}
}

// A line of a daemon's log, as Corosync would write it, must mean to the parser what the event says.
func TestTexts(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	path := network(outage{20 * time.Second, 40 * time.Second, -1, sites})
	c := newCluster(t, 2, func(from, to uint32, link int, at time.Time) (time.Duration, bool) {
		if noise.Float64() < 0.02 {
			return 0, false
		}
		return path(from, to, link, at)
	})
	events := run(c, time.Minute)
	c.Pause(3, 4*time.Second)
	events = append(events, run(c, 80*time.Second)...)
	c.StopDaemon(4)
	events = append(events, run(c, 90*time.Second)...)
	c.StartDaemon(4)
	events = append(events, run(c, 2*time.Minute)...)
	kinds := map[string]int{}
	for _, e := range events {
		line := fmt.Sprintf("%s [%d] %s corosync %-7s [%-6s] %s", e.At.Format("Jan 02 15:04:05.000"), e.PID, e.Host, e.Level, e.Tag, e.Text)
		got, ok := corosync.ParseLog(line, e.At)
		want := e.Event
		want.At = want.At.Truncate(time.Millisecond)
		same := cmp.Equal(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }))
		if !ok || !same {
			t.Errorf("%s\nmeans %+v, want %+v", line, got, want)
		}
		kinds[reflect.TypeOf(e.What).Name()]++
	}
	if len(kinds) < 12 {
		t.Errorf("only %v", kinds)
	}
}

// Equal clusters do the same, however they are stepped.
func TestDeterministic(t *testing.T) {
	record := func(step time.Duration) string {
		c := newCluster(t, 1, network(outage{3 * time.Second, 9 * time.Second, -1, sites}))
		var b strings.Builder
		for at := start(); at.Before(start().Add(30 * time.Second)); at = at.Add(step) {
			for _, e := range c.Step(at) {
				fmt.Fprintln(&b, e.At, e.Node, e.Text)
			}
		}
		return b.String()
	}
	want := record(20 * time.Millisecond)
	for _, step := range []time.Duration{20 * time.Millisecond, time.Millisecond, 3 * time.Second} {
		if got := record(step); got != want || got == "" {
			t.Errorf("steps of %v: %s", step, cmp.Diff(want, got))
		}
	}
}

func TestDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := sim.New(sim.Config{Corosync: corosynctest.Stretched(1), Start: time.Now(), Path: func(_, _ uint32, _ int, _ time.Time) (time.Duration, bool) {
			return time.Millisecond, true
		}})
		if err != nil {
			t.Fatal(err)
		}
		d := sim.NewDriver(c, 0)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { ended <- d.Run(ctx) }()
		daemon := d.Daemon(1)
		go func() { ended <- daemon.Run(ctx) }()
		if s := daemon.Status(); !s.Quorum.Quorate || d.Daemon(9) != nil {
			t.Errorf("%+v", s)
		}
		time.Sleep(time.Minute)
		begin := time.Now()
		d.Do(func(c *sim.Cluster) { c.StopDaemon(5) })
		for changed := daemon.Changed(); daemon.Status().Quorum.Total == 5; changed = daemon.Changed() {
			<-changed
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("known after %v", took)
		}
		if e := <-daemon.Events(); e.What == nil {
			t.Errorf("%+v", e)
		}
		n := 0
		for end := time.Now().Add(time.Minute); time.Now().Before(end); n++ {
			<-daemon.Changed()
		}
		if n > 130 {
			t.Errorf("%d changes in a quiet minute", n)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
