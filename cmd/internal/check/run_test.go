package check_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

const from, port, burst = 50000, 5412, 10_000

// conf is a cluster of a1, a2 and b1, b2, or of a1, a2 and b1 with one link.
func conf(nodes []string, links int, device bool) []byte {
	var b strings.Builder
	b.WriteString("totem {\n  version: 2\n  cluster_name: c\n  config_version: 4\n  transport: knet\n  secauth: on\n  token_coefficient: 125\n")
	for l := range links {
		fmt.Fprintf(&b, "  interface {\n    linknumber: %d\n  }\n", l)
	}
	b.WriteString("}\nnodelist {\n")
	for i, n := range nodes {
		fmt.Fprintf(&b, "  node {\n    name: %s\n    nodeid: %d\n    quorum_votes: 1\n", n, i+1)
		for l := range links {
			fmt.Fprintf(&b, "    ring%d_addr: %s\n", l, addr(i, l))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\nquorum {\n  provider: corosync_votequorum\n")
	if device {
		b.WriteString("  device {\n    model: net\n    votes: 1\n    net {\n      host: 192.0.2.9\n      algorithm: ffsplit\n    }\n  }\n")
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func addr(i, link int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(50 + link), 0, byte(i + 1)})
}

// faults is what the network does between the first node and those of the other place.
type faults struct {
	nodes     []string
	links     int
	device    bool
	burst     bool
	silent    bool // nobody answers
	out, back simnet.Link
	stop      time.Duration // the first node's process gets no time for so long
	breakOff  time.Duration // Ctrl-C
}

// measure runs a check over the simulated network.
func measure(t *testing.T, f faults, seed uint64) verdict.Verdict {
	t.Helper()
	var v verdict.Verdict
	synctest.Test(t, func(t *testing.T) {
		key, err := stamp.DeriveKey([]byte("a key of at least sixteen bytes"))
		if err != nil {
			t.Fatal(err)
		}
		net := simnet.New(seed)
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		c := check.Config{Key: key, Local: 1, Port: port, From: from, Interval: 50 * time.Millisecond, FullSize: 1472, FullInterval: 500 * time.Millisecond, For: 10 * time.Second}
		c.Rand = rand.New(rand.NewPCG(seed, 0))
		if f.burst {
			c.Interval, c.Burst = time.Millisecond, burst
		}
		sites := map[string]string{}
		for i, name := range f.nodes {
			sites[name] = name[:1]
			var own []netip.Addr
			for l := range f.links {
				own = append(own, addr(i, l))
			}
			host := net.Host(name, own...)
			if i == 0 {
				c.Network, c.NewPacer, c.Wall = host, host.NewPacer, host.Wall
				if f.stop > 0 {
					time.AfterFunc(3*time.Second, host.Stop)
					time.AfterFunc(3*time.Second+f.stop, host.Cont)
				}
				continue
			}
			for l := range f.links {
				out, back := simnet.Link{Delay: 100 * time.Microsecond}, simnet.Link{Delay: 100 * time.Microsecond}
				if name[0] != 'a' {
					out, back = f.out, f.back
				}
				net.Set(addr(0, l), addr(i, l), out)
				net.Set(addr(i, l), addr(0, l), back)
				c.Targets = append(c.Targets, check.Target{Peer: name, Node: uint32(i + 1), Link: l, Local: addr(0, l), Remote: addr(i, l)})
			}
			if f.silent {
				continue
			}
			r, err := probe.New(probe.Config{
				Network: host, NewPacer: host.NewPacer, Wall: host.Wall, Key: key, Reflect: own, Port: port, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				Rand: rand.New(rand.NewPCG(seed, uint64(i))),
			})
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				if err := r.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		running, cancel := context.WithCancel(ctx)
		if f.breakOff > 0 {
			time.AfterFunc(f.breakOff, cancel)
		}
		m, err := check.Run(running, c)
		cancel()
		stop()
		wg.Wait()
		if err != nil {
			t.Fatal(err)
		}
		v, err = verdict.Judge(verdict.Input{
			At: time.Now(), Source: "own probes", Conf: conf(f.nodes, f.links, f.device), Sites: sites, Local: 1, HA: verdict.HAArmed, Proxmox: true,
			Length: m.Length, Turns: m.Turns, Paths: m.Paths, Trace: m.Trace, Pauses: m.Pauses, Stopped: m.Stopped, Port: port,
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	return v
}

// TestRuns: the same network gives the same verdict, whatever the dice, and names the limit that broke first.
func TestRuns(t *testing.T) {
	two, four := []string{"a1", "a2", "b1"}, []string{"a1", "a2", "b1", "b2"}
	ms := func(n float64) simnet.Link {
		return simnet.Link{Delay: time.Duration(n * float64(time.Millisecond) / 2)}
	}
	lossy := func(loss float64) simnet.Link { return simnet.Link{Delay: time.Millisecond, Loss: loss} }
	for name, c := range map[string]struct {
		faults
		answer verdict.Answer
		first  string
	}{
		"clean, at one place":  {faults{nodes: []string{"a1", "a2", "a3"}, links: 2}, verdict.Go, ""},
		"clean, stretched":     {faults{nodes: four, links: 2, device: true, out: ms(2), back: ms(2)}, verdict.NotEnough, ""},
		"burst, clean":         {faults{nodes: four, links: 2, device: true, burst: true, out: ms(2), back: ms(2)}, verdict.NotEnough, ""},
		"burst, 40 ms":         {faults{nodes: four, links: 2, device: true, burst: true, out: ms(40), back: ms(40)}, verdict.NotEnough, verdict.LimitDelay},
		"burst, 1 % loss":      {faults{nodes: two, links: 1, burst: true, out: lossy(0.005), back: lossy(0.005)}, verdict.GoWithChanges, verdict.LimitLoss},
		"burst, 10 % loss":     {faults{nodes: two, links: 1, burst: true, out: lossy(0.05), back: lossy(0.05)}, verdict.NoGo, verdict.LimitLoss},
		"burst, no loss":       {faults{nodes: two, links: 1, burst: true, out: lossy(0), back: lossy(0)}, verdict.NotEnough, verdict.LimitVotes},
		"burst, one direction": {faults{nodes: two, links: 1, burst: true, out: lossy(0.1), back: ms(2)}, verdict.NoGo, verdict.LimitOneWay},
		"burst, the other one": {faults{nodes: two, links: 1, burst: true, out: ms(40), back: lossy(0.1)}, verdict.NoGo, verdict.LimitOneWay},
		"burst, black hole":    {faults{nodes: two, links: 1, burst: true, out: simnet.Link{MTU: 1400, BlackHole: true}, back: ms(2)}, verdict.GoWithChanges, verdict.LimitMTU},
		"black hole and loss":  {faults{nodes: two, links: 1, burst: true, out: simnet.Link{MTU: 1400, BlackHole: true, Loss: 0.01}, back: ms(2)}, verdict.GoWithChanges, verdict.LimitMTU},
		"black hole at 1400":   {faults{nodes: two, links: 1, out: simnet.Link{MTU: 1400, BlackHole: true}, back: ms(2)}, verdict.GoWithChanges, verdict.LimitMTU},
		"the host stalls":      {faults{nodes: []string{"a1", "a2", "a3"}, links: 2, stop: 2800 * time.Millisecond}, verdict.NoGo, verdict.LimitPause},
		"nobody answers":       {faults{nodes: two, links: 1, silent: true}, verdict.NotEnough, verdict.LimitVotes},
		"broken off after 3 s": {faults{nodes: []string{"a1", "a2", "a3"}, links: 2, breakOff: 3 * time.Second}, verdict.NotEnough, ""},
	} {
		t.Run(name, func(t *testing.T) {
			seeds := []uint64{1, 2}
			if testing.Short() {
				seeds = seeds[:1]
			}
			for _, seed := range seeds {
				v := measure(t, c.faults, seed)
				if v.Answer != c.answer || v.First != c.first {
					t.Errorf("seed %d: %s, first %q; want %s, %q: %s\n%+v\n%+v", seed, v.Answer, v.First, c.answer, c.first, v.Text, v.Limits, v.Paths)
				}
				if v.Basis.Stopped != (c.breakOff > 0) {
					t.Errorf("broken off: %v", v.Basis.Stopped)
				}
				c.faults.told(t, &v)
			}
		})
	}
}

// told holds the figures of a burst against what the network did: of both sizes 10,000 probes, each of them accounted for, and losses in the
// direction in which they were.
func (f faults) told(t *testing.T, v *verdict.Verdict) {
	t.Helper()
	if !f.burst {
		return
	}
	for i := range v.Paths {
		p := &v.Paths[i]
		if p.Full == nil {
			t.Fatalf("%s: full-size probes have no figures", p.Peer)
		}
		for name, x := range map[string]*verdict.Figures{"small": &p.Figures, "full": p.Full} {
			hole := f.out.MTU > 0 && name == "full" && p.Peer[0] != 'a'
			if x.Sent != burst || x.Received+x.Lost != burst || hole != (x.Received == 0) || x.LostForward+x.LostBackward > x.Lost {
				t.Errorf("%s, %s: %+v", p.Peer, name, x)
			}
			if p.Peer[0] == 'a' || hole {
				continue
			}
			if f.back.Loss == 0 && x.LostBackward > 0 || f.out.Loss == 0 && x.LostForward > 0 || f.out.Loss+f.back.Loss > 0 && x.LostForward+x.LostBackward < x.Lost*9/10 {
				t.Errorf("%s, %s: lost in the wrong direction: %+v", p.Peer, name, x)
			}
			if x.P50.Duration() < f.out.Delay+f.back.Delay || x.Max < x.P99 || x.P99 < x.P50 || (x.Burst > 0) != (x.Lost > 0) {
				t.Errorf("%s, %s: %+v", p.Peer, name, x)
			}
		}
	}
	way := map[bool]string{true: "from here to b1", false: "from b1 to here"}[f.back.Loss == 0]
	if l := v.Limits[2]; l.Status == verdict.Fail && !strings.Contains(l.Text, way) {
		t.Errorf("%q does not say %q", l.Text, way)
	}
}

// TestTurns: no more than eight paths are probed at a time, those to one peer together; each is probed in full, and the record has them all.
func TestTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("200,000 probes")
	}
	nodes := []string{"a1", "a2", "a3", "a4", "a5", "a6"}
	v := measure(t, faults{nodes: nodes, links: 2, burst: true}, 1)
	if len(v.Paths) != 10 || v.Basis.Paths != 10 || v.Basis.Probes != 10*2*burst || v.Basis.Length.Duration() < 20*time.Second || v.Basis.Assumed != 4*5*2 {
		t.Errorf("%+v", v.Basis)
	}
	if !slices.ContainsFunc(v.Rests, func(s string) bool { return strings.Contains(s, "2 turns") }) {
		t.Errorf("%q", v.Rests)
	}
}

// TestLongRun: what happened in the first hour is not forgotten in the third. Quantiles of a long run are those of its worst hour.
func TestLongRun(t *testing.T) {
	if testing.Short() {
		t.Skip("three hours of probes")
	}
	synctest.Test(t, func(t *testing.T) {
		a, b := addr(0, 0), addr(1, 0)
		net := simnet.New(1)
		here, there := net.Host("a", a), net.Host("b", b)
		ctx, stop := context.WithCancel(t.Context())
		r, err := probe.New(probe.Config{Network: there, NewPacer: there.NewPacer, Wall: there.Wall, Reflect: []netip.Addr{b}, Allow: []netip.Prefix{netip.PrefixFrom(a, 32)}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		time.AfterFunc(30*time.Minute, func() { net.SetBoth(a, b, simnet.Link{Down: true}) })
		time.AfterFunc(time.Hour, here.Stop)
		time.AfterFunc(time.Hour+2*time.Second, here.Cont)
		time.AfterFunc(30*time.Minute+4*time.Second, func() { net.SetBoth(a, b, simnet.Link{Delay: time.Millisecond}) })
		m, err := check.Run(ctx, check.Config{
			Network: here, NewPacer: here.NewPacer, Wall: here.Wall, Local: 1, Port: port, From: from, Interval: time.Second, For: 3 * time.Hour,
			Targets: []check.Target{{Peer: "b", Node: 2, Local: a, Remote: b}},
		})
		stop()
		wg.Wait()
		if p := m.Paths[0]; err != nil || p.WorstGap.Duration() < 3*time.Second || p.Lost < 3 || p.Burst < 3 || p.Received < 10_000 || m.Length != 3*time.Hour || m.Pauses.Longest < 1900*time.Millisecond {
			t.Errorf("%v: %v %v %+v", err, m.Length, m.Pauses, p)
		}
	})
}
