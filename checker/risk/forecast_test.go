package risk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// rounds lets a forecast do so many.
func rounds(n int) func() bool {
	return func() bool { n--; return n > 0 }
}

// labRows are what a real Corosync did in four minutes each, with independent loss between two sites in both directions, one link and 10 ms
// round trip.
var labRows = []struct {
	loss        float64
	sizes       []int
	token       time.Duration
	coefficient time.Duration
	perMinute   float64 // times the ring re-formed
	downs       float64 // in four minutes
}{
	{0.01, []int{2, 1}, 1000, 0, 7.75, 35},
	{0.01, []int{2, 1}, 3000, 125, 0.75, 22},
	{0.01, []int{3, 2}, 1000, 0, 6.5, 94},
	{0.01, []int{3, 2}, 3000, 125, 0.25, 44},
	{0.05, []int{2, 1}, 1000, 0, 12.5, 78},
	{0.05, []int{2, 1}, 3000, 125, 3.75, 59},
	{0.05, []int{3, 2}, 1000, 0, 13.0, 242},
	{0.05, []int{3, 2}, 3000, 125, 4.25, 150},
	{0.10, []int{2, 1}, 1000, 0, 12.5, 97},
	{0.10, []int{2, 1}, 3000, 125, 4.5, 75},
	{0.10, []int{3, 2}, 1000, 0, 10.25, 289},
	{0.10, []int{3, 2}, 3000, 125, 3.5, 226},
}

// A forecast from twenty minutes of probes over a path with a known loss is within a factor of two of what the real Corosync did there. Two
// rows rest on three events and one: there the interval must hold the count that chance may have made four times smaller or larger.
func TestForecastAgainstLab(t *testing.T) {
	var table strings.Builder
	for i, row := range labRows {
		rng := rand.New(rand.NewPCG(uint64(i), 3))
		c := fitCluster(row.token*time.Millisecond, row.coefficient*time.Millisecond, 1, row.sizes...)
		ls := wan(c, Process{Loss: row.loss, Delay: Delay{Usual: 5 * time.Millisecond}})
		f := fitOf(c, record(c, ls, 20*time.Minute, seenBy(1), 0.05, rng))
		got := Predict(c, f, rng, rounds(25))
		if !got.Enough {
			t.Fatalf("%v: %s", row, got.Reason)
		}
		loss, flap := got.TokenLoss, got.LinkFlap
		fmt.Fprintf(&table, "%4.0f %% %v %4d: %5.2f per min, forecast %5.2f (%.2f to %.2f); %3.0f downs, %3.0f (%.0f to %.0f)\n", row.loss*100, row.sizes, row.token,
			row.perMinute, loss.PerHour/60, loss.Low/60, loss.High/60, row.downs, flap.PerHour/15, flap.Low/15, flap.High/15)
		room := 2.0
		if row.perMinute < 1 {
			room = 4
		}
		near(t, fmt.Sprint(row, " token losses"), loss.PerHour/60, row.perMinute, room)
		near(t, fmt.Sprint(row, " link downs"), flap.PerHour/15, row.downs, 1.5)
	}
	t.Log("\n" + table.String())
}

// exact is what the model does on known lines, as it comes, over a long time: per hour.
func exact(t *testing.T, c Cluster, ls Lines, hours int, rng *rand.Rand) (rates [events]float64) {
	t.Helper()
	for range hours {
		ring, err := c.Ring(Run{Network: ls.Network(c, rng), Traffic: traffic, Rand: rng})
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range newCounter(c).run(ring, time.Hour) {
			rates[i] += float64(n) / float64(hours)
		}
	}
	return rates
}

// acrossSites are all paths between the sites, in both directions and on all links.
func acrossSites(c Cluster) []trace.Path {
	return in(c, func(p trace.Path) bool { return siteA(p.From) != siteA(p.To) })
}

// Making seldom bursts happen gives the rates that waiting for them does.
func TestRareBurstsTwin(t *testing.T) {
	if testing.Short() {
		t.Skip("many simulated hours")
	}
	c := fitCluster(3*time.Second, 125*time.Millisecond, 1, 3, 2)
	ls := append(wan(c, Process{Loss: 0.0005, Delay: Delay{Usual: 5 * time.Millisecond}}), Line{Paths: acrossSites(c), Process: Process{Bursts: []totem.Burst{
		{Every: 10 * time.Minute, Mean: 6 * time.Second},
	}}})
	want := exact(t, c, ls, 12, rand.New(rand.NewPCG(1, 11)))
	f := Fitted{Lines: ls, Known: 1, Window: 1000 * time.Hour, Steady: true}
	got := Predict(c, f, rand.New(rand.NewPCG(2, 11)), rounds(80))
	for i, e := range []Expect{got.LinkFlap, got.TokenLoss, got.Split, got.QuorumLoss} {
		t.Logf("%.3f per hour, forecast %.3f (%.3f to %.3f)", want[i], e.PerHour, e.Low, e.High)
		near(t, fmt.Sprint("kind ", i), e.PerHour, want[i], 1.5)
		if e.Rare {
			t.Errorf("kind %d is called rare", i)
		}
	}
}

// Two links that share the provider's line fail together: what looks like redundancy is none. Taken for independent, the same losses would cost
// no token in years.
func TestSharedOutagesOfTwoLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("many simulated hours")
	}
	c := fitCluster(3*time.Second, 125*time.Millisecond, 2, 3, 2)
	burst := totem.Burst{Every: 4 * time.Minute, Mean: 1200 * time.Millisecond}
	shared := append(wan(c, Process{Delay: Delay{Usual: 5 * time.Millisecond}}), Line{Paths: acrossSites(c), Process: Process{Bursts: []totem.Burst{burst}}})
	apart := wan(c, Process{Bursts: []totem.Burst{burst}, Delay: Delay{Usual: 5 * time.Millisecond}})
	rng := rand.New(rand.NewPCG(1, 12))
	want := exact(t, c, shared, 10, rng)
	f := fitOf(c, record(c, shared, 3*time.Hour, seenBy(1), 0.05, rng))
	if b := withBursts(f.Lines); len(b) != 1 || b[0].Name != "a - b, all links" || len(b[0].Paths) != 24 {
		t.Errorf("found\n%s", describe(b))
	}
	got := Predict(c, f, rng, rounds(60))
	t.Logf("%.2f token losses an hour, forecast %+v", want[tokenLoss], got.TokenLoss)
	near(t, "token losses", got.TokenLoss.PerHour, want[tokenLoss], 2)

	g := fitOf(c, record(c, apart, 3*time.Hour, seenBy(1), 0.05, rng))
	wide := 0.0
	for _, l := range withBursts(g.Lines) {
		for _, b := range l.Process.Bursts {
			if len(l.Paths) > 6 { // chance lets two fail at once
				wide += b.Mean.Seconds() / b.Every.Seconds()
			}
		}
	}
	if wide > 0.1*burst.Mean.Seconds()/burst.Every.Seconds() {
		t.Errorf("independent links: found\n%s", describe(withBursts(g.Lines)))
	}
	without := exact(t, c, apart, 10, rng)
	alone := Predict(c, g, rng, rounds(60))
	t.Logf("independent links: %.2f token losses an hour, forecast %+v", without[tokenLoss], alone.TokenLoss)
	if x := alone.TokenLoss; x.Low > without[tokenLoss]*1.2 || x.High < without[tokenLoss]/1.2 || without[tokenLoss] > want[tokenLoss]/4 {
		t.Errorf("independent links: %+v, want %.2f", x, without[tokenLoss])
	}
}

// The intervals hold the truth about as often as they say, however short the record.
func TestIntervalsHoldTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("many simulated hours")
	}
	c := fitCluster(1000*time.Millisecond, 0, 1, 2, 1)
	ls := append(wan(c, Process{Loss: 0.001, Delay: Delay{Usual: 5 * time.Millisecond}}), Line{Paths: acrossSites2(c), Process: Process{Bursts: []totem.Burst{
		{Every: 90 * time.Second, Mean: 250 * time.Millisecond},
	}}})
	want := exact(t, c, ls, 20, rand.New(rand.NewPCG(1, 13)))
	const records = 24
	var held [2]int
	for seed := range uint64(records) {
		rng := rand.New(rand.NewPCG(seed, 14))
		f := fitOf(c, record(c, ls, 12*time.Minute, all, 0, rng))
		got := Predict(c, f, rng, rounds(12))
		for i, e := range []Expect{got.LinkFlap, got.TokenLoss} {
			if e.Low <= want[i] && want[i] <= e.High {
				held[i]++
			}
		}
	}
	t.Logf("true rates %.2f; held in %d and %d of %d", want[:2], held[0], held[1], records)
	for i, n := range held {
		if n < records*3/4 {
			t.Errorf("kind %d: %d of %d intervals hold the truth", i, n, records)
		}
	}
}

func acrossSites2(c Cluster) []trace.Path {
	return in(c, func(p trace.Path) bool { return (p.From == 3) != (p.To == 3) })
}

func TestNotEnoughData(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 1, 2, 1)
	for _, tt := range []struct {
		f    Fitted
		want string
		wait time.Duration
	}{
		{Fitted{Window: time.Hour}, "nothing is known", 0},
		{Fitted{Window: time.Hour, Known: 0.3}, "70 % of the packets is unknown", 0},
		{Fitted{Window: 40 * time.Second, Known: 1}, "40s of probes; a first figure after 10m0s", 560 * time.Second},
		{Fitted{Window: 90 * time.Second, Known: 1, Lost: 1000}, "1m30s of probes", 510 * time.Second},
		{Fitted{Window: 3 * time.Minute, Known: 1, Lost: 1000}, "", 0},
		{Fitted{Window: 10 * time.Minute, Known: 0.9}, "", 0},
	} {
		got := Predict(c, tt.f, rand.New(rand.NewPCG(1, 1)), rounds(1))
		if got.Enough != (tt.want == "") || !strings.Contains(got.Reason, tt.want) || got.Wait != tt.wait {
			t.Errorf("%+v: %+v", tt.f, got)
		}
		if !got.Enough && got.TokenLoss != (Expect{}) {
			t.Errorf("%+v: figures without data: %+v", tt.f, got)
		}
	}
}

// What a short record did not show is not called rarer than the record can tell; the more is known, the rarer it may be called. Time in which
// nobody watched tells nothing.
func TestRareIsBoundedByTheRecord(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 1, 2, 1)
	ls := wan(c, Process{Delay: Delay{Usual: 5 * time.Millisecond}})
	for _, tt := range []struct {
		window time.Duration
		known  float64
	}{{10 * time.Minute, 1}, {time.Hour, 1}, {time.Hour, 0.5}, {5 * time.Hour, 1}} {
		got := Predict(c, Fitted{Lines: ls, Window: tt.window, Known: tt.known}, rand.New(rand.NewPCG(1, 1)), rounds(100))
		_, least, _ := got.TokenLoss.Every()
		if watched := time.Duration(tt.known * float64(tt.window)); !got.TokenLoss.Rare || least > watched/3 || least < watched/4 {
			t.Errorf("%v of %v known: %+v", watched, tt.window, got.TokenLoss)
		}
	}
}

// A Forecaster's figures get better as it goes on, and are new when the network is another.
func TestForecasterRemembers(t *testing.T) {
	c := fitCluster(3*time.Second, 125*time.Millisecond, 1, 3, 2)
	fitted := func(loss float64) Fitted {
		return Fitted{Lines: wan(c, Process{Loss: loss, Delay: Delay{Usual: 5 * time.Millisecond}}), Window: 24 * time.Hour, Known: 1}
	}
	var m Forecaster
	rng := rand.New(rand.NewPCG(1, 15))
	first := m.Predict(c, fitted(0.01), rng, rounds(3))
	var last Forecast
	for range 15 {
		last = m.Predict(c, fitted(0.0105), rng, rounds(3))
	}
	width := func(e Expect) float64 { return (e.High - e.Low) / e.PerHour }
	if last.Simulated < 5*first.Simulated || width(last.TokenLoss) > width(first.TokenLoss) {
		t.Errorf("first %+v, last %+v", first, last)
	}
	if worse := m.Predict(c, fitted(0.05), rng, rounds(3)); worse.Simulated > first.Simulated || worse.TokenLoss.PerHour < 3*last.TokenLoss.PerHour {
		t.Errorf("after the network got worse: %+v", worse)
	}
	if other := m.Predict(fitCluster(1000*time.Millisecond, 0, 1, 3, 2), fitted(0.05), rng, rounds(3)); other.Simulated > first.Simulated {
		t.Errorf("after a change of the configuration: %+v", other)
	}
}

// What a forecast costs: the fit once, then as many rounds as there is time for. In the record are all paths, as agents tell each other.
func BenchmarkForecast(b *testing.B) {
	for _, loss := range []float64{0, 0.001, 0.05} {
		for _, sizes := range [][]int{{3, 2}, {16, 16}} {
			rng := rand.New(rand.NewPCG(1, 3))
			c := fitCluster(3*time.Second, 125*time.Millisecond, 1, sizes...)
			ls := append(wan(c, Process{Loss: loss, Delay: Delay{Usual: 5 * time.Millisecond}}),
				Line{Paths: acrossSites(c), Process: Process{Bursts: []totem.Burst{{Every: 2 * time.Minute, Mean: 300 * time.Millisecond}}}})
			t := record(c, ls, 20*time.Minute, all, 0.02, rng)
			d := NewDigest()
			_, next := t.Span()
			d.Add(t, next)
			var f Fitted
			b.Run(fmt.Sprint("fit/", loss, sizes), func(b *testing.B) {
				for b.Loop() {
					f = d.Fit(c)
				}
			})
			b.Run(fmt.Sprint("round/", loss, sizes), func(b *testing.B) {
				for b.Loop() {
					Predict(c, f, rng, rounds(1))
				}
			})
		}
	}
}
