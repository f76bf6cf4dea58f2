package probe_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// beside starts a prober beside that of b, which probes a from another port.
func (x *pair) beside() *probe.Prober {
	p, err := probe.New(probe.Config{Network: x.host[1], NewPacer: x.host[1].NewPacer, Key: master(x.t), Wall: x.host[1].Wall})
	if err != nil {
		x.t.Fatal(err)
	}
	p.SetTargets([]probe.Target{{Path: probe.Path{Local: addrB, Remote: addrA}, From: 40000, Interval: 10 * time.Millisecond}})
	ctx, stop := context.WithCancel(x.t.Context())
	x.t.Cleanup(stop)
	x.wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			x.t.Error(err)
		}
	})
	return p
}

// Somebody who probes beside the agent of a host, from another port, is answered, and what the agent's peers know of its own probes stays
// as it is.
func TestBesideAnAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newPair(t)
		grid := stats.Grid{Begin: time.Now(), Slot: interval}
		time.Sleep(time.Second)
		beside := x.beside()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if o := beside.Observations(time.Now())[0]; o.Summary.Total.Received < 250 || o.Summary.Total.Lost > 0 {
			t.Errorf("beside: %+v", o)
		}
		slots, heard := x.p[0].Incoming(probe.Path{Local: addrA, Remote: addrB}, nil, grid, 25, time.Now())
		for i, s := range slots {
			if s.State != stats.SlotArrived {
				t.Errorf("slot %d: %+v", i, s)
			}
		}
		if !heard || len(slots) < 40 {
			t.Errorf("heard %v, %d slots", heard, len(slots))
		}
		if o := x.p[0].Observations(time.Now())[0]; o.Summary.Total.Lost > 0 || o.Path.Remote != addrB {
			t.Errorf("the agent's own: %+v", o)
		}
	})
}

// So is one who begins after the clock of that host was set back, while its agent goes on.
func TestBesideAfterClockSetBack(t *testing.T) {
	bubble(t, func(t *testing.T, x *pair) {
		x.host[1].SetClock(-10 * time.Minute)
		time.Sleep(time.Second)
		beside := x.beside()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if o := beside.Observations(time.Now())[0]; o.Summary.Total.Received < 250 || o.Summary.Total.Lost > 0 {
			t.Errorf("%+v", o)
		}
	})
}
