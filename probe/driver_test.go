package probe_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/probe/udp"
)

// scenario is a fault on the paths between two probers and what one of them must see. It is played on the simulated network
// (no time passes) and on loopback sockets.
type scenario struct {
	name  string
	out   simnet.Link // from a to b
	back  simnet.Link // from b to a
	lasts time.Duration
	check func(t *testing.T, w stats.Window, o probe.Observation)
}

// scenarios are played after some seconds of health and followed by some, so that the fate of every probe is decided.
func scenarios() []scenario {
	const blackout = 300 * time.Millisecond
	down, loss := simnet.Link{Down: true}, simnet.Link{Loss: 0.2}
	near := func(g time.Duration) bool { return (g - blackout).Abs() <= interval+20*time.Millisecond }
	return []scenario{
		{"healthy", simnet.Link{}, simnet.Link{}, 3 * time.Second, func(t *testing.T, w stats.Window, o probe.Observation) {
			if w.Lost+w.Duplicated+w.Corrupt != 0 || w.Received < 80 || !o.Summary.RTT.Known || o.Err != "" {
				t.Errorf("%+v %+v", w, o)
			}
		}},
		{"lost on the way out", loss, simnet.Link{}, 4 * time.Second, func(t *testing.T, w stats.Window, _ probe.Observation) {
			if w.LostForward < 5 || w.LostBackward != 0 || w.LostForward != w.Lost {
				t.Errorf("%+v", w)
			}
		}},
		{"lost on the way back", simnet.Link{}, loss, 4 * time.Second, func(t *testing.T, w stats.Window, _ probe.Observation) {
			if w.LostBackward < 5 || w.LostForward != 0 || w.LostBackward != w.Lost {
				t.Errorf("%+v", w)
			}
		}},
		{"blackout", down, down, blackout, func(t *testing.T, w stats.Window, _ probe.Observation) {
			if !near(w.WorstGap) || w.Lost < 5 || w.Lost > 7 {
				t.Errorf("worst gap %v, %+v", w.WorstGap, w.Counters)
			}
		}},
		{"blackout on the way out", down, simnet.Link{}, blackout, func(t *testing.T, w stats.Window, _ probe.Observation) {
			if !near(w.WorstGapForward) || w.WorstGapBackward > 20*time.Millisecond {
				t.Errorf("worst gaps %v %v", w.WorstGapForward, w.WorstGapBackward)
			}
		}},
		{"duplicates", simnet.Link{}, simnet.Link{Duplicate: 0.5}, 3 * time.Second, func(t *testing.T, w stats.Window, _ probe.Observation) {
			if w.Duplicated < 20 || w.Lost != 0 || w.Received > w.Sent {
				t.Errorf("%+v", w)
			}
		}},
		{"corruption", simnet.Link{}, simnet.Link{Corrupt: 0.3}, 3 * time.Second, func(t *testing.T, w stats.Window, _ probe.Observation) {
			if w.Corrupt < 10 || w.LostBackward < 5 || w.LostForward != 0 {
				t.Errorf("%+v", w)
			}
		}},
		{"reordering", simnet.Link{}, simnet.Link{Reorder: 0.3, ReorderBy: 120 * time.Millisecond}, 4 * time.Second,
			func(t *testing.T, w stats.Window, _ probe.Observation) {
				if w.Reordered < 5 || w.Lost != 0 || w.Duplicated != 0 {
					t.Errorf("%+v", w)
				}
			}},
	}
}

func TestScenariosSimulated(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := newPair(t)
				s.judge(t, s.play(x.p[0], func(out, back simnet.Link) {
					out.Delay, back.Delay = rtt/2, rtt/2
					x.net.Set(addrA, addrB, out)
					x.net.Set(addrB, addrA, back)
				}))
			})
		})
	}
}

func TestScenariosOnLoopback(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds of real time")
	}
	all := scenarios()
	seen := make([]played, len(all))
	var wg sync.WaitGroup
	for i, s := range all {
		pid := os.Getpid()
		a := netip.AddrFrom4([4]byte{127, byte(1 + pid>>8%250), byte(pid), byte(2*i + 1)})
		sick := &sickNetwork{Network: udp.Network{}, rng: rand.New(rand.NewPCG(3, uint64(i)))}
		p := loopback(t, sick, a, a.Next())
		wg.Go(func() {
			seen[i] = s.play(p, func(out, back simnet.Link) { sick.set(a, out, back) })
		})
	}
	wg.Wait()
	for i, s := range all {
		t.Run(s.name, func(t *testing.T) { s.judge(t, seen[i]) })
	}
}

// played is what a scenario came to.
type played struct {
	seen   []probe.Observation
	pauses probe.Pauses
}

// play lets a scenario happen.
func (s scenario) play(p *probe.Prober, set func(out, back simnet.Link)) played {
	time.Sleep(1500 * time.Millisecond)
	set(s.out, s.back)
	time.Sleep(s.lasts)
	set(simnet.Link{}, simnet.Link{})
	time.Sleep(1500 * time.Millisecond)
	return played{p.Observations(time.Now()), p.Pauses()}
}

// judge checks a scenario over the last 10 s.
func (s scenario) judge(t *testing.T, p played) {
	if len(p.seen) != 1 {
		t.Fatalf("%d observations", len(p.seen))
	}
	if p.pauses.Longest > 2*interval {
		t.Skipf("this machine stalled for %v: nothing to be learned here", p.pauses.Longest)
	}
	s.check(t, p.seen[0].Summary.Windows[1], p.seen[0])
}

// loopback starts two probers on two loopback addresses and returns the first.
func loopback(t *testing.T, n probe.Network, addrs ...netip.Addr) *probe.Prober {
	var out []*probe.Prober
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	for i, a := range addrs {
		p, err := probe.New(probe.Config{
			Network: n, Key: master(t), NewPacer: func() (probe.Pacer, error) { return udp.NewPacer() },
		})
		if err != nil {
			t.Fatal(err)
		}
		p.SetTargets([]probe.Target{{Path: probe.Path{Local: a, Remote: addrs[1-i]}}})
		wg.Go(func() {
			if err := p.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		out = append(out, p)
	}
	return out[0]
}

// sickNetwork is a real network whose sockets mistreat what is sent.
type sickNetwork struct {
	probe.Network

	mu        sync.Mutex
	rng       *rand.Rand
	a         netip.Addr
	out, back simnet.Link
}

// set gives the rules for what a sends, and for what others do.
func (n *sickNetwork) set(a netip.Addr, out, back simnet.Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.a, n.out, n.back = a, out, back
}

// Listen implements probe.Network.
func (n *sickNetwork) Listen(ctx context.Context, c probe.ListenConfig) (probe.Conn, error) {
	conn, err := n.Network.Listen(ctx, c)
	if err != nil {
		return nil, err
	}
	return &sickConn{Conn: conn, net: n}, nil
}

type sickConn struct {
	probe.Conn
	net *sickNetwork
}

// WriteBatch implements probe.Conn.
func (c *sickConn) WriteBatch(ms []probe.Message) (int, error) {
	for i := range ms {
		for range c.copies(&ms[i]) {
			if _, err := c.Conn.WriteBatch(ms[i : i+1]); err != nil {
				return i, err
			}
		}
	}
	return len(ms), nil
}

// copies says how often a datagram is to be sent now; it may damage it, or send it later.
func (c *sickConn) copies(m *probe.Message) int {
	n := c.net
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.back
	if c.LocalAddr().Addr() == n.a {
		l = n.out
	}
	switch {
	case l.Down || n.rng.Float64() < l.Loss:
		m.Key = ^uint32(0) // no stamp will ever tell of it
		return 0
	case n.rng.Float64() < l.Duplicate:
		return 2
	case n.rng.Float64() < l.Corrupt:
		m.Buf[n.rng.IntN(m.N)] ^= 4
	case n.rng.Float64() < l.Reorder:
		later := probe.Message{Buf: slices.Clone(m.Buf[:m.N]), N: m.N, Addr: m.Addr}
		time.AfterFunc(l.ReorderBy, func() {
			if _, err := c.Conn.WriteBatch([]probe.Message{later}); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		})
		m.Key = ^uint32(0)
		return 0
	}
	return 1
}
