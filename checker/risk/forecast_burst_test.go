package risk

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// uncut runs rings through whole bursts, however long.
func uncut(t *testing.T, c Cluster, l Line, n int, rng *rand.Rand) (s stratum) {
	t.Helper()
	b := l.Process.Bursts[0]
	for range n {
		length := time.Duration(rng.ExpFloat64() * float64(b.Mean))
		net := newSimulated(c, Lines{}, rng)
		net.fail(c, l.Paths, totem.Burst{Loss: b.Loss}, before, before+length)
		ring, err := c.Ring(Run{Network: net, Traffic: traffic, Rand: rng})
		if err != nil {
			t.Fatal(err)
		}
		until := before + length + after + 4*c.Timeouts.Token
		counts := newCounter(c).run(ring, until)
		var sum [events]float64
		for i, x := range counts {
			sum[i] = float64(x)
		}
		s.add(counts, sum, until.Hours())
	}
	return s
}

// A long burst counts for as much as if it were simulated to its end, whether all is quiet in it after a while or trouble goes on.
func TestLongBurstsTwin(t *testing.T) {
	if testing.Short() {
		t.Skip("many simulated hours")
	}
	c := fitCluster(time.Second, 0, 1, 2, 1)
	both := acrossSites2(c)
	for _, tt := range []struct {
		name  string
		paths []trace.Path
		loss  float64
		mean  time.Duration
	}{
		{"outage", both, 1, 5 * time.Minute},
		{"outage of one direction", in(c, func(p trace.Path) bool { return p.To == 3 }), 1, 5 * time.Minute},
		{"outage between two nodes", in(c, func(p trace.Path) bool { return p.From+p.To == 3 }), 1, 5 * time.Minute},
		{"half is lost", both, 0.5, 5 * time.Minute},
		{"some is lost", both, 0.05, 5 * time.Minute},
		{"some is lost, not for long", both, 0.05, 30 * time.Second},
	} {
		l := Line{Name: "x", Paths: tt.paths, Process: Process{Bursts: []totem.Burst{{Every: 1000 * time.Hour, Mean: tt.mean, Loss: tt.loss}}}}
		want := uncut(t, c, l, 100, rand.New(rand.NewPCG(1, 17)))
		e := newEnsemble(c, Fitted{Lines: Lines{l}}, rand.New(rand.NewPCG(2, 17)))
		for range 150 {
			if err := e.burst(0); err != nil {
				t.Fatal(err)
			}
		}
		got := &e.strata[0]
		for i := range events {
			a, b := got.sum[i]/got.n, want.sum[i]/want.n
			deviation := math.Sqrt((got.sum2[i]/got.n-a*a)/got.n + (want.sum2[i]/want.n-b*b)/want.n)
			t.Logf("%s, kind %d: %.2f, whole bursts %.2f, standard deviation %.2f", tt.name, i, a, b, deviation)
			if math.Abs(a-b) > 3*deviation+1e-9 || deviation > 0.25*b+0.05 {
				t.Errorf("%s, kind %d: %.2f, whole bursts %.2f, standard deviation %.2f", tt.name, i, a, b, deviation)
			}
		}
		if hours := want.time / want.n; math.Abs(got.time/got.n-hours) > 0.3*hours {
			t.Errorf("%s: stands for %.3f hours, whole bursts %.3f", tt.name, got.time/got.n, hours)
		}
	}
}

// However long an outage was, a piece of the forecast is not: probes wait for it.
func TestForecastInShortPieces(t *testing.T) {
	c := fitCluster(3*time.Second, 125*time.Millisecond, 1, 3, 2)
	day := totem.Burst{Every: 23 * time.Hour, Mean: 44 * time.Minute}
	ls := append(wan(c, Process{Delay: Delay{Usual: 5 * time.Millisecond}}),
		Line{Name: "x", Paths: acrossSites(c), Process: Process{Bursts: []totem.Burst{day}}, Seen: Seen{Bursts: []float64{1}, Longest: []time.Duration{day.Mean}}})
	e := newEnsemble(c, Fitted{Lines: ls, Window: 24 * time.Hour, Known: 1}, rand.New(rand.NewPCG(1, 15)))
	last, cut := time.Duration(0), 0
	for range 20 {
		if !e.round() {
			t.Fatal(e.err)
		}
		if piece := e.simulated - last; piece > 4*halfOf {
			t.Errorf("%v in one piece", piece)
		}
		last = e.simulated
		cut += btoi(e.strata[0].time > e.strata[0].n*(4*halfOf).Hours())
	}
	if cut == 0 {
		t.Error("no burst was long")
	}
}

// A ring that begins in the midst of a burst does not count its begin.
func TestBurstsBegunBefore(t *testing.T) {
	if testing.Short() {
		t.Skip("many simulated hours")
	}
	c := fitCluster(time.Second, 0, 1, 2, 1)
	ls := Lines{{Name: "x", Paths: acrossSites2(c), Process: Process{Bursts: []totem.Burst{{Every: 10 * time.Minute, Mean: 10 * time.Minute}}}}}
	want := exact(t, c, ls, 20, rand.New(rand.NewPCG(1, 18)))
	f := Fitted{Lines: ls, Known: 1, Window: 1000 * time.Hour, Steady: true}
	got := Predict(c, f, rand.New(rand.NewPCG(2, 18)), rounds(200))
	for i, e := range []Expect{got.LinkFlap, got.TokenLoss, got.Split, got.QuorumLoss} {
		near(t, "kind "+string(rune('0'+i)), e.PerHour, want[i], 2)
	}
}
