package probe_test

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

var (
	addrA = netip.MustParseAddr("10.0.0.1")
	addrB = netip.MustParseAddr("10.0.0.2")
)

// pair is two probers on a simulated network.
type pair struct {
	t    *testing.T
	net  *simnet.Net
	host [2]*simnet.Host
	p    [2]*probe.Prober
	stop [2]context.CancelFunc
	wg   sync.WaitGroup
	seed uint64
}

func master(t testing.TB) stamp.Master {
	m, err := stamp.DeriveKey(make([]byte, 128))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newPair starts two probers that probe each other every 50 ms.
func newPair(t *testing.T) *pair { return newPairWith(t, nil) }

// newPairWith starts them with changed configurations.
func newPairWith(t *testing.T, edit func(*probe.Config)) *pair {
	n := simnet.New(1)
	x := &pair{t: t, net: n}
	x.host = [2]*simnet.Host{n.Host("a", addrA), n.Host("b", addrB)}
	n.SetBoth(addrA, addrB, simnet.Link{Delay: 2 * time.Millisecond})
	x.start(0, edit)
	x.start(1, edit)
	t.Cleanup(x.close)
	return x
}

func (x *pair) close() {
	for _, stop := range x.stop {
		stop()
	}
	x.wg.Wait()
}

func (x *pair) target(i int) probe.Target {
	a := [2]netip.Addr{addrA, addrB}
	return probe.Target{Path: probe.Path{Local: a[i], Remote: a[1-i]}, FullSize: 1472}
}

// start starts one of the two; edit may change its configuration.
func (x *pair) start(i int, edit func(*probe.Config)) {
	x.seed++
	cfg := probe.Config{
		Network: x.host[i], NewPacer: x.host[i].NewPacer, Key: master(x.t), Wall: x.host[i].Wall,
		Rand: rand.New(rand.NewPCG(x.seed, 0)),
	}
	if edit != nil {
		edit(&cfg)
	}
	p, err := probe.New(cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	p.SetTargets([]probe.Target{x.target(i)})
	ctx, cancel := context.WithCancel(x.t.Context())
	x.p[i], x.stop[i] = p, cancel
	x.wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			x.t.Error(err)
		}
	})
}

// observe returns what one of the two knows of its path.
func (x *pair) observe(i int) probe.Observation {
	o := x.p[i].Observations(time.Now())
	if len(o) != 1 {
		x.t.Fatalf("%d observations, want 1", len(o))
	}
	return o[0]
}

func (x *pair) summary(i int) stats.Summary { return x.observe(i).Summary }

func TestHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newPair(t)
		time.Sleep(time.Minute)
		s := x.summary(0)
		w := s.Windows[1]
		if w.Lost != 0 || w.WorstGap != 0 || w.Sent < 200 || w.Sent > 220 || w.Received+1 < w.Sent {
			t.Errorf("10 s window: %+v", w)
		}
		if w.RTT.Min != 4*time.Millisecond || w.RTT.Max != 4*time.Millisecond || w.Jitter != 0 {
			t.Errorf("RTT %+v jitter %v, want exactly 4 ms and 0", w.RTT, w.Jitter)
		}
		if !s.RTT.Known || s.RTT.Smoothed != 4*time.Millisecond || s.Outage.For != 0 || s.Unanswered != 0 {
			t.Errorf("summary: %+v", s)
		}
		if !s.Forward.Known || !s.Backward.Known || s.Forward.Gap > 55*time.Millisecond || s.Backward.Gap > 55*time.Millisecond {
			t.Errorf("directions: %+v %+v", s.Forward, s.Backward)
		}
		if s.Full.Size != 1472 || s.Full.Sent < 17 || s.Full.Received != s.Full.Sent {
			t.Errorf("full: %+v", s.Full)
		}
		if n := x.p[0].Pauses(); n.Count != 0 {
			t.Errorf("pauses: %+v", n)
		}
		for r, n := range x.p[0].Counters().Dropped {
			if n != 0 {
				t.Errorf("dropped %v: %d", r, n)
			}
		}
	})
}

func contextWithCancel(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
