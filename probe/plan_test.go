package probe_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

func TestPlanDefaultsAndLimits(t *testing.T) {
	path := probe.Path{Local: addrA, Remote: addrB}
	for _, c := range []struct {
		target probe.Target
		want   []time.Duration // intervals: small, full
	}{
		{probe.Target{Path: path}, []time.Duration{50 * time.Millisecond}},
		{probe.Target{Path: path, FullSize: 1472}, []time.Duration{50 * time.Millisecond, 500 * time.Millisecond}},
		{probe.Target{Path: path, Interval: time.Microsecond}, []time.Duration{time.Millisecond}},
		{probe.Target{Path: path, Interval: time.Hour, FullSize: 100, FullInterval: time.Minute}, []time.Duration{time.Second, time.Minute}},
	} {
		var got []time.Duration
		for _, s := range probe.Plan([]probe.Target{c.target}) {
			got = append(got, s.Interval)
			if s.Phase < 0 || s.Phase >= s.Interval || s.Path != path || s.Full != (s.Interval == c.want[len(c.want)-1] && len(c.want) == 2) {
				t.Errorf("%+v: %+v", c.target, s)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: intervals %v, want %v", c.target, got, c.want)
		}
	}
}

// mesh returns the targets of one node with peers on links.
func mesh(peers, links int) []probe.Target {
	var out []probe.Target
	for l := range links {
		for n := range peers {
			out = append(out, probe.Target{
				Path: probe.Path{
					Local: netip.AddrFrom4([4]byte{10, 0, byte(l), 1}), Remote: netip.AddrFrom4([4]byte{10, 0, byte(l), byte(2 + n)}),
				},
				FullSize: 1472,
			})
		}
	}
	return out
}

// Probes are spread over the interval, and a path's phase does not depend on the others or on their order.
func TestPlanSpreads(t *testing.T) {
	targets := mesh(31, 3)
	plan := probe.Plan(targets)
	if len(plan) != 2*93 || !slices.IsSortedFunc(plan, func(a, b probe.Shot) int { return int(a.Phase - b.Phase) }) {
		t.Fatalf("%d shots", len(plan))
	}
	phases := map[time.Duration]int{}
	for _, s := range plan {
		if !s.Full {
			phases[s.Phase]++
		}
	}
	for p, n := range phases {
		if p%(10*time.Millisecond) != 0 || n > 30 {
			t.Errorf("%d of 93 probes leave at %v", n, p)
		}
	}
	if len(phases) != 5 {
		t.Errorf("%d instants, want 5: %v", len(phases), phases)
	}
	slices.Reverse(targets)
	alone := probe.Plan(targets[5:6])
	for _, s := range alone {
		if !slices.Contains(plan, s) {
			t.Errorf("%+v is not in the plan of all", s)
		}
	}
}

// What leaves has the size of a token, and of a full fragment, at the times of the plan.
func TestPlanIsExecuted(t *testing.T) {
	for _, c := range []struct {
		key   stamp.Master
		small int
	}{{master(t), 152}, {stamp.Master{}, 71}} {
		synctest.Test(t, func(t *testing.T) {
			n := simnet.New(1)
			h := n.Host("a", addrA)
			n.Host("b", addrB)
			p, err := probe.New(probe.Config{Network: h, NewPacer: h.NewPacer, Key: c.key})
			if err != nil {
				t.Fatal(err)
			}
			sizes, times := map[int]int{}, map[time.Duration]int{}
			begin := time.Now()
			n.Tap(func(k simnet.Packet) {
				sizes[len(k.Data)]++
				if len(k.Data) == c.small {
					times[k.At.Sub(begin)%(50*time.Millisecond)]++
				}
			})
			target := probe.Target{Path: probe.Path{Local: addrA, Remote: addrB}, FullSize: 1472}
			p.SetTargets([]probe.Target{target})
			done := make(chan error)
			ctx, cancel := contextWithCancel(t)
			go func() { done <- p.Run(ctx) }()
			time.Sleep(10*time.Second - time.Millisecond)
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if sizes[c.small] < 199 || sizes[c.small] > 200 || sizes[1472] < 19 || sizes[1472] > 20 || len(sizes) != 2 {
				t.Errorf("%v", sizes)
			}
			want := probe.Plan([]probe.Target{target})
			i := slices.IndexFunc(want, func(s probe.Shot) bool { return !s.Full })
			if len(times) != 1 || times[want[i].Phase] == 0 {
				t.Errorf("%v, want all at %v", times, want[i].Phase)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	if _, err := probe.New(probe.Config{}); err == nil {
		t.Error("a Prober without network")
	}
	for r := range probe.Reason(20) {
		if s := r.String(); s == "" || (r > probe.KernelDropped) != (s == "unknown") {
			t.Errorf("%d: %q", r, s)
		}
	}
}

// BenchmarkMesh is what one node with 31 peers on 3 links costs, 20 probes a second each, on the simulated network in real time. Its
// peers run in the same process, so half of the CPU time is theirs.
func BenchmarkMesh(b *testing.B) {
	n := simnet.New(1)
	targets := mesh(31, 3)
	hub := n.Host("hub")
	run := func(h *simnet.Host, targets []probe.Target) *probe.Prober {
		p, err := probe.New(probe.Config{Network: h, NewPacer: h.NewPacer, Key: master(b), Rand: rand.New(rand.NewPCG(1, 1))})
		if err != nil {
			b.Fatal(err)
		}
		p.SetTargets(targets)
		go func() {
			if err := p.Run(b.Context()); err != nil {
				b.Error(err)
			}
		}()
		return p
	}
	for l := range 3 {
		hub.Add(netip.AddrFrom4([4]byte{10, 0, byte(l), 1}))
	}
	p := run(hub, targets)
	for i, t := range targets {
		h := n.Host(fmt.Sprint("peer", i), t.Remote)
		t.Local, t.Remote = t.Remote, t.Local
		run(h, []probe.Target{t})
	}
	b.ReportAllocs()
	before, used, begin := p.Counters(), cpuTime(), time.Now()
	for b.Loop() {
		time.Sleep(time.Second)
		for range 4 {
			p.Observations(time.Now())
		}
	}
	after := p.Counters()
	spent := cpuTime() - used
	b.ReportMetric(100*spent.Seconds()/time.Since(begin).Seconds()/2, "%cpu")
	b.ReportMetric(float64(spent.Nanoseconds())/2/float64(after.Sent-before.Sent), "ns/probe")
	b.ReportMetric(float64(after.Sent-before.Sent)/time.Since(begin).Seconds(), "probes/s")
}
