package probe_test

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// TestBurst: so many probes of each size leave, a millisecond apart, and then none; a peer with a key answers them all, and each size has an
// account of its own.
func TestBurst(t *testing.T) {
	const count, every = 10_000, time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		key, err := stamp.DeriveKey([]byte("a key of at least sixteen bytes"))
		if err != nil {
			t.Fatal(err)
		}
		a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		net := simnet.New(1)
		net.Set(a, b, simnet.Link{Delay: time.Millisecond, Loss: 0.05})
		net.Set(b, a, simnet.Link{Delay: time.Millisecond})
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		run := func(c probe.Config) *probe.Prober {
			p, err := probe.New(c)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if err := p.Run(ctx); err != nil {
					t.Error(err)
				}
			})
			return p
		}
		here, there := net.Host("a", a), net.Host("b", b)
		peer := run(probe.Config{Network: there, NewPacer: there.NewPacer, Wall: there.Wall, Key: key, Reflect: []netip.Addr{b}, Allow: []netip.Prefix{netip.PrefixFrom(a, 32)}})
		synctest.Wait()
		p := run(probe.Config{Network: here, NewPacer: here.NewPacer, Wall: here.Wall, Key: key})
		begin := time.Now()
		p.SetTargets([]probe.Target{{
			Path: probe.Path{Local: a, Remote: b}, From: 50000, Interval: every, FullInterval: every, FullSize: 1472, Burst: count,
		}})
		time.Sleep(count*every + 20*every)
		left := time.Since(begin)
		time.Sleep(10 * time.Second)
		o := p.Observations(time.Now())[0]
		stop()
		wg.Wait()
		for name, s := range map[string]*probe.Observation{"small": {Summary: o.Summary}, "full": {Summary: o.Full}} {
			n := s.Summary.Total
			if n.Sent != count || n.Received+n.Lost != count || n.LostForward != n.Lost || n.LostBackward != 0 || n.Lost < 400 || n.Lost > 600 {
				t.Errorf("%s: %+v", name, n)
			}
			if w := s.Summary.Windows[3]; w.RTT.P50 < 1900*time.Microsecond || w.RTT.Max > 3*time.Millisecond || w.WorstGap > 10*every {
				t.Errorf("%s: %+v", name, w)
			}
		}
		if n := peer.Counters().Dropped[probe.RateLimited]; n != 0 {
			t.Errorf("the peer's limits refused %d", n)
		}
		if sent := p.Counters().Sent; sent != 2*count {
			t.Errorf("%d sent, in %v", sent, left)
		}
	})
}
