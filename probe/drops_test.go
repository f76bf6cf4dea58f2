package probe_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
)

// leakyNetwork is a network whose kernel drops what arrives while it leaks.
type leakyNetwork struct {
	probe.Network
	leaks atomic.Bool
	drops atomic.Uint64
	asked atomic.Uint64
}

// Listen implements probe.Network.
func (n *leakyNetwork) Listen(ctx context.Context, c probe.ListenConfig) (probe.Conn, error) {
	conn, err := n.Network.Listen(ctx, c)
	return &leakyConn{Conn: conn, net: n}, err
}

type leakyConn struct {
	probe.Conn
	net *leakyNetwork
}

// ReadBatch implements probe.Conn.
func (c *leakyConn) ReadBatch(ms []probe.Message) (int, error) {
	n, err := c.Conn.ReadBatch(ms)
	if !c.net.leaks.Load() {
		return n, err
	}
	for i := range n {
		if ms[i].Kind == probe.Datagram {
			ms[i].Kind, ms[i].Key = probe.TxStamp, ^uint32(0) // of nothing
			c.net.drops.Add(1)
		}
	}
	return n, err
}

// Drops implements probe.DropCounter.
func (c *leakyConn) Drops() (uint64, error) {
	c.net.asked.Add(1)
	return c.net.drops.Load(), nil
}

// What our own kernel dropped is not the network's fault, and is told.
func TestKernelDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		x := &pair{t: t, net: n, host: [2]*simnet.Host{n.Host("a", addrA), n.Host("b", addrB)}}
		n.SetBoth(addrA, addrB, healthy)
		leaky := &leakyNetwork{Network: x.host[0]}
		x.start(0, func(c *probe.Config) { c.Network = leaky })
		x.start(1, nil)
		t.Cleanup(x.close)
		watch := func(d time.Duration) {
			for range d / (100 * time.Millisecond) {
				time.Sleep(100 * time.Millisecond)
				x.p[0].Observations(time.Now())
				x.p[0].Counters()
			}
		}
		watch(10 * time.Second)
		leaky.leaks.Store(true)
		watch(400 * time.Millisecond)
		leaky.leaks.Store(false)
		watch(5 * time.Second)
		s := x.summary(0)
		if w := s.Windows[2]; w.Lost != 0 || w.HostPaused == 0 || w.WorstGap != 0 || w.WorstGapBackward != 0 || s.Outage.For != 0 {
			t.Errorf("%+v, gaps %v %v", w.Counters, w.WorstGap, w.WorstGapBackward)
		}
		if got := x.dropped(0, probe.KernelDropped); got != leaky.drops.Load() || got == 0 {
			t.Errorf("%d told, want %d", got, leaky.drops.Load())
		}
		if n := leaky.asked.Load(); n > 17 {
			t.Errorf("asked %d times in 15 s", n)
		}
		// Loss of the network is still seen, also in a second with drops.
		leaky.drops.Add(1)
		n.Set(addrB, addrA, simnet.Link{Down: true})
		watch(3 * time.Second)
		if o := x.summary(0).Outage; o.For < 1900*time.Millisecond || o.HostPaused { // all but that second
			t.Errorf("%+v", o)
		}
	})
}
