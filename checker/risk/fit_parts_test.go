package risk

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// The likelihood by powers of matrices is that of the plain forward recursion, slot by slot.
func TestLikelihoodTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		g := gilbert{p: rng.Float64() * 0.3, q: 0.1 + 0.89*rng.Float64(), every: 1 + 500*rng.Float64(), mean: 0.3 + 30*rng.Float64()}
		var s series
		for range 20 {
			n := 1 + rng.IntN(10)
			if rng.IntN(4) == 0 {
				n = rng.IntN(9000) + 1
			}
			s = append(s, hmmRun{fate(rng.IntN(3)), n})
		}
		bad := g.mean / (g.mean + g.every)
		stay := math.Exp(-1/g.mean - 1/g.every)
		a, b, want := 1-bad, bad, 0.0
		for _, r := range s {
			for range r.n {
				a, b = a*(1-bad*(1-stay))+b*(1-bad)*(1-stay), a*bad*(1-stay)+b*(1-(1-bad)*(1-stay))
				switch lostBad := 1 - (1-g.p)*(1-g.q); r.what {
				case isLost:
					a, b = a*g.p, b*lostBad
				case arrives:
					a, b = a*(1-g.p), b*(1-lostBad)
				}
				want += math.Log(a + b)
				a, b = a/(a+b), b/(a+b)
			}
		}
		var table [3]powers
		if got := g.likelihood(s, &table); math.Abs(got-want) > 1e-6*math.Abs(want) && !math.IsInf(got, -1) {
			t.Fatalf("%+v: %v, want %v", g, got, want)
		}
	}
}

// overlay is what laying masks slot by slot gives.
func TestOverlayTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	random := func(lost bool) []stretch {
		var out []stretch
		for at := rng.IntN(5); at < 60; at += 1 + rng.IntN(8) {
			until := at + 1 + rng.IntN(6)
			out = append(out, stretch{at, until, lost && rng.IntN(2) == 0})
			at = until
		}
		return out
	}
	paint := func(line []fate, s []stretch) {
		for _, r := range s {
			for i := r.from; i < min(r.until, len(line)); i++ {
				line[i] = isUnknown
				if r.lost {
					line[i] = isLost
				}
			}
		}
	}
	for range 500 {
		runs, masks := random(true), random(false)
		masks = append(masks, random(false)...)
		var want, got [80]fate
		paint(want[:], runs)
		paint(want[:], masks)
		out := overlay(runs, slices.Clone(masks))
		paint(got[:], out)
		if got != want {
			t.Fatalf("%v under %v:\ngot  %v\nwant %v", runs, masks, got, want)
		}
		for i := 1; i < len(out); i++ {
			if out[i].from < out[i-1].until {
				t.Fatalf("%v under %v: stretches overlap: %v", runs, masks, out)
			}
		}
	}
}

// A record that is taken in piece by piece is the same as one at once; another record takes its place.
func TestDigestInPieces(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 1, 2, 1)
	rng := rand.New(rand.NewPCG(9, 9))
	r := record(c, wan(c, Process{Loss: 0.05, Delay: Delay{Usual: 5 * time.Millisecond}}), 5*time.Minute, all, 0.1, rng)
	_, next := r.Span()
	whole, pieces := NewDigest(), NewDigest()
	whole.Add(r, next)
	for until := 0; until < next; until += 1 + rng.IntN(700) {
		pieces.Add(r, until)
	}
	pieces.Add(r, next)
	for p, want := range whole.paths {
		if got := pieces.paths[p]; !reflect.DeepEqual(got.runs, want.runs) || got.delays.total != want.delays.total {
			t.Errorf("%v: %d stretches, want %d", p, len(got.runs), len(want.runs))
		}
	}
	if pieces.Window() != 5*time.Minute {
		t.Errorf("window %v", pieces.Window())
	}
	r.Start = r.Start.Add(time.Hour)
	pieces.Add(r, 200)
	if pieces.Window() != 10*time.Second {
		t.Errorf("window of a new record %v", pieces.Window())
	}
}

// A digest stays small however sick a path is, and what it forgot is unknown.
func TestDigestForgets(t *testing.T) {
	s := &trace.Series{}
	for range 20000 {
		s.Append(1, trace.Sample{State: trace.Lost})
		s.Append(1, trace.Sample{State: trace.Arrived})
	}
	r := &trace.Trace{Slot: testSlot, Paths: map[trace.Path]*trace.Series{{From: 1, To: 2}: s}}
	d := NewDigest()
	d.Add(r, s.Next())
	p := d.paths[trace.Path{From: 1, To: 2}]
	if len(p.runs) > digestRuns || len(p.runs) < digestRuns/2 || p.begin != int(p.runs[0].from) {
		t.Errorf("%d stretches, from slot %d on", len(p.runs), p.begin)
	}
	if w := window(p, 0, 40000); w[0].lost || w[0].from != 0 || w[0].until != p.begin {
		t.Errorf("what was forgotten is %+v", w[0])
	}
}

func TestGammaDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []float64{0.5, 1.5, 30} {
		var x []float64
		sum := 0.0
		for range 20000 {
			v := gamma(rng, shape)
			x = append(x, v)
			sum += v
		}
		near(t, "mean", sum/20000, shape, 1.03)
		slices.Sort(x)
		low, high := gammaInterval(shape, shape)
		near(t, "high", high, x[19000], 1.05)
		if math.Abs(low-x[1000]) > 0.05*shape {
			t.Errorf("shape %v: low %v, want %v", shape, low, x[1000])
		}
	}
}

func TestDelays(t *testing.T) {
	var h delays
	for i := range 40000 {
		d := 5 * time.Millisecond
		if i%2000 < 10 { // half a second in which a queue stands at 80 ms: 0.5 %
			d = 80 * time.Millisecond
		}
		h.add(d, 1)
	}
	d := h.delay(testSlot)
	near(t, "usual", d.Usual.Seconds(), 0.005, 1.1)
	near(t, "99 %", d.P99.Seconds(), 0.005, 1.1)
	near(t, "99.9 %", d.P999.Seconds(), 0.080, 1.1)
	near(t, "most", d.Max.Seconds(), 0.080, 1.01)
	near(t, "queue", d.Step.Seconds(), 0.25, 1.1) // half a slot for each of ten: what is sure
}

// When the network gets worse, the forecast rests on what came after.
func TestChangeShortensTheWindow(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 1, 2, 1)
	rng := rand.New(rand.NewPCG(3, 9))
	good := record(c, wan(c, Process{Loss: 0.001, Delay: Delay{Usual: 5 * time.Millisecond}}), 40*time.Minute, all, 0, rng)
	bad := record(c, wan(c, Process{Loss: 0.03, Delay: Delay{Usual: 5 * time.Millisecond}}), 20*time.Minute, all, 0, rng)
	for p, s := range bad.Paths {
		for slot := 0; slot < s.Next(); {
			v, until := s.Run(slot)
			good.Paths[p].Append(until-slot, v)
			slot = until
		}
	}
	f := fitOf(c, good)
	if f.Window > 30*time.Minute || f.Window < 14*time.Minute {
		t.Errorf("window %v, steady %v", f.Window, f.Steady)
	}
	near(t, "loss", lossOf(f.Lines, trace.Path{From: 1, To: 3}), 0.03, 1.5)
}

// A node that is off for minutes is no fault of the network; a path that dies for as long is.
func TestAbsenceIsNoOutage(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 2, 3)
	off := func(paths []trace.Path) Fitted {
		rng := rand.New(rand.NewPCG(3, 4))
		r := record(c, Lines{{Paths: in(c, all), Process: Process{Delay: Delay{Usual: time.Millisecond}}}}, 10*time.Minute, all, 0, rng)
		for _, p := range paths {
			r.Paths[p].Append(100*20, trace.Sample{State: trace.Lost})
		}
		for _, s := range r.Paths {
			s.AppendTo(700*20, trace.Sample{State: trace.Arrived, Delay: time.Millisecond})
			s.Append(10*60*20, trace.Sample{State: trace.Arrived, Delay: time.Millisecond})
		}
		return fitOf(c, r)
	}
	if f := off(in(c, seenBy(2))); len(withBursts(f.Lines)) > 0 {
		t.Errorf("a node that was off:\n%s", describe(withBursts(f.Lines)))
	}
	f := off([]trace.Path{{From: 1, To: 2}, {From: 2, To: 1}})
	b := withBursts(f.Lines)
	if len(b) != 1 || b[0].Name != "a1 - a2, link 0" || b[0].Seen.Bursts[0] != 1 {
		t.Errorf("a path that was dead:\n%s", describe(b))
	}
	near(t, "length", b[0].Process.Bursts[0].Mean.Seconds(), 100, 1.3)
}

// Rare outages are not taken for long bursts: two kinds.
func TestKindsOfBursts(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 1, 3, 2)
	rng := rand.New(rand.NewPCG(3, 6))
	paths := in(c, func(p trace.Path) bool { return siteA(p.From) != siteA(p.To) })
	ls := append(wan(c, Process{Loss: 0.002, Delay: Delay{Usual: 5 * time.Millisecond}}), Line{Paths: paths, Process: Process{Bursts: []totem.Burst{
		{Every: 30 * time.Second, Mean: 120 * time.Millisecond}, {Every: 40 * time.Minute, Mean: 20 * time.Second},
	}}})
	f := fitOf(c, record(c, ls, 2*time.Hour, seenBy(1), 0, rng))
	found, rest := mainBursts(f.Lines)
	if found.Name != "a - b, link 0" || rest > 0.1 || len(found.Process.Bursts) != 2 {
		t.Fatalf("got\n%s", describe(withBursts(f.Lines)))
	}
	near(t, "short ones every", found.Process.Bursts[0].Every.Seconds(), 30, 1.3)
	near(t, "short ones last", found.Process.Bursts[0].Mean.Seconds(), 0.12, 1.3)
	near(t, "outages last", found.Process.Bursts[1].Mean.Seconds(), 20, 3)
}

// Where nobody told the sites, delays do: of all paths, or of those that one node sees.
func TestSitesByDelay(t *testing.T) {
	told := fitCluster(3*time.Second, 0, 1, 3, 2)
	blind := told
	blind.Nodes = slices.Clone(told.Nodes)
	for i := range blind.Nodes {
		blind.Nodes[i].Site = ""
	}
	local := Line{Paths: in(told, all), Process: Process{Delay: Delay{Usual: 150 * time.Microsecond}}}
	for _, tt := range []struct {
		name   string
		delay  time.Duration
		probed func(trace.Path) bool
		want   []string
	}{
		{"all paths", 2 * time.Millisecond, all, []string{"a1,a2,a3", "a1,a2,a3", "a1,a2,a3", "b1,b2", "b1,b2"}},
		{"one node's", 2 * time.Millisecond, seenBy(1), []string{"a1,a2,a3", "a1,a2,a3", "a1,a2,a3", "b1,b2", "b1,b2"}},
		{"the far node's", 2 * time.Millisecond, seenBy(4), []string{"a1,a2,a3", "a1,a2,a3", "a1,a2,a3", "b1,b2", "b1,b2"}},
		{"one place", 200 * time.Microsecond, all, []string{"", "", "", "", ""}},
	} {
		ls := append(Lines{local}, wan(told, Process{Delay: Delay{Usual: tt.delay}})...)
		r := record(blind, ls, time.Minute, tt.probed, 0, rand.New(rand.NewPCG(1, 1)))
		d := NewDigest()
		_, next := r.Span()
		d.Add(r, next)
		var got []string
		for _, n := range d.guessSites(blind).Nodes {
			got = append(got, n.Site)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
