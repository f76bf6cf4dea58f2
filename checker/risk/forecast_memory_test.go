package risk

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// onLink is a network between the sites of a cluster of 3 and 1 of which one link alone does anything.
func onLink(link int, p Process) Lines {
	c := fitCluster(time.Second, 0, link+1, 3, 1)
	return Lines{{Name: "wan", Paths: in(c, func(x trace.Path) bool { return siteA(x.From) != siteA(x.To) && x.Link == link }), Process: p}}
}

// What a Forecaster remembers of another network is no evidence, even if as much is lost as before, or nothing: on another link, in longer or
// heavier bursts, or if packets are only late.
func TestForecasterForgetsOtherNetworks(t *testing.T) {
	usual := Delay{Usual: 5 * time.Millisecond}
	bursts := func(every, mean time.Duration, loss float64) Process {
		return Process{Bursts: []totem.Burst{{Every: every, Mean: mean, Loss: loss}}, Delay: usual}
	}
	wide := func(p99 time.Duration) Process {
		return Process{Delay: Delay{Usual: 5 * time.Millisecond, P99: p99, P999: 2 * p99, Max: 3 * p99}}
	}
	for _, tt := range []struct {
		name         string
		links        int
		before, then Lines
		usual        bool // what is usual differs, not only an outage
	}{
		{"the same loss on the other link", 2, onLink(1, Process{Loss: 0.3, Delay: usual}), onLink(0, Process{Loss: 0.3, Delay: usual}), true},
		{"late packets", 1, onLink(0, wide(5*time.Millisecond)), onLink(0, wide(800*time.Millisecond)), true},
		{
			"fewer bursts, but longer ones", 1, onLink(0, bursts(20*time.Second, 100*time.Millisecond, 1)),
			onLink(0, bursts(240*time.Second, 1200*time.Millisecond, 1)), true,
		},
		{
			"bursts that lose less", 1, onLink(0, bursts(time.Minute, 400*time.Millisecond, 1)),
			onLink(0, bursts(time.Minute, 400*time.Millisecond, 0.5)), true,
		},
		{"outages that lose all", 1, onLink(0, bursts(5*time.Hour, 20*time.Second, 0.1)), onLink(0, bursts(5*time.Hour, 20*time.Second, 1)), false},
	} {
		c := fitCluster(time.Second, 0, tt.links, 3, 1)
		fit := func(ls Lines) Fitted { return Fitted{Lines: ls, Window: 24 * time.Hour, Known: 1} }
		var m Forecaster
		rng := rand.New(rand.NewPCG(1, 15))
		for range 10 {
			m.Predict(c, fit(tt.before), rng, rounds(1))
		}
		got := m.Predict(c, fit(tt.then), rng, rounds(6))
		fresh := Predict(c, fit(tt.then), rng, rounds(6))
		if tt.usual && got.Simulated != fresh.Simulated {
			t.Errorf("%s: %v simulated, %v by a new Forecaster; token losses %+v and %+v", tt.name, got.Simulated, fresh.Simulated, got.TokenLoss, fresh.TokenLoss)
		}
		if a, b := got.TokenLoss.PerHour, fresh.TokenLoss.PerHour; !tt.usual && (a < b/1.5 || a > b*1.5) {
			t.Errorf("%s: %v token losses an hour, a new Forecaster says %v", tt.name, a, b)
		}
	}
}

// A network that gets worse little by little is another one in the end: each fit is like the last one, but not like the first.
func TestForecasterNoticesDrift(t *testing.T) {
	c := fitCluster(time.Second, 0, 1, 3, 2)
	var m Forecaster
	rng := rand.New(rand.NewPCG(1, 15))
	loss, most := 0.001, time.Duration(0)
	for range 20 {
		f := m.Predict(c, Fitted{Lines: wan(c, Process{Loss: loss}), Window: 24 * time.Hour, Known: 1}, rng, rounds(1))
		most, loss = max(most, f.Simulated), loss*1.1
	}
	if most > 5*2*halfOf {
		t.Errorf("%v remembered", most)
	}
}

// unchanged are networks whose fits must not differ by more than chance, however the record grows.
var unchanged = []struct {
	name    string
	own     Process
	burst   totem.Burst
	unknown float64
	kept    float64 // share of what may be remembered at most
}{
	{name: "nothing lost", own: Process{Delay: Delay{Usual: 5 * time.Millisecond}}, kept: 0.9},
	{name: "a packet now and then", own: Process{Loss: 0.00002, Delay: Delay{Usual: 5 * time.Millisecond}}, kept: 0.6},
	{name: "loss", own: Process{Loss: 0.01, Delay: Delay{Usual: 5 * time.Millisecond}}, unknown: 0.1, kept: 0.6},
	{
		name: "bursts", own: Process{Loss: 0.001, Delay: Delay{Usual: 5 * time.Millisecond}},
		burst: totem.Burst{Every: time.Minute, Mean: 300 * time.Millisecond}, unknown: 0.05, kept: 0.4,
	},
	{
		name: "queues", own: Process{Delay: Delay{Usual: 5 * time.Millisecond, P99: 20 * time.Millisecond, P999: 80 * time.Millisecond, Max: 200 * time.Millisecond}},
		kept: 0.4,
	},
}

// While the network stays as it is, fits of a growing record differ by chance: that must not cost the memory.
func TestForecasterRemembersThroughNoise(t *testing.T) {
	const step, forecasts = 2 * time.Minute, 25
	for _, tt := range unchanged {
		t.Run(tt.name, func(t *testing.T) {
			sum, most := 0.0, 0.0
			for seed := range uint64(2) {
				rng := rand.New(rand.NewPCG(seed, 16))
				c := fitCluster(time.Second, 0, 1, 2, 2)
				ls := wan(c, tt.own)
				if tt.burst.Every > 0 {
					ls = append(ls, Line{Paths: in(c, func(p trace.Path) bool { return p.From <= 2 && p.To > 2 }), Process: Process{Bursts: []totem.Burst{tt.burst}}})
				}
				r := record(c, ls, 10*time.Minute+forecasts*step, all, tt.unknown, rng)
				var m Forecaster
				d, memory := NewDigest(), 0.0
				for i := range forecasts {
					d.Add(r, int((10*time.Minute+time.Duration(i)*step)/testSlot))
					memory = fading*memory + (2 * halfOf).Seconds()
					sum += m.Predict(c, d.Fit(c), rng, rounds(1)).Simulated.Seconds()
					most += memory
				}
			}
			t.Logf("%.0f %% remembered", 100*sum/most)
			if sum < tt.kept*most {
				t.Errorf("%.0f %% of what could be is remembered", 100*sum/most)
			}
		})
	}
}
