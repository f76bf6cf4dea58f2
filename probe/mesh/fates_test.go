package mesh

import (
	"math/rand/v2"
	"testing"
	"time"
)

// troubled is a view in which all kinds of things happen to packets.
func troubled(seed uint64, peers int) View {
	r := rand.New(rand.NewPCG(seed, 9))
	v := sample(peers, 2, 1)
	v.Fates.Window = 1 + r.IntN(maxWindow)
	for i := range v.Paths {
		p := &v.Paths[i]
		p.In = randomTold(r, v.Fates.Window)
		if r.IntN(3) == 0 {
			out := randomTold(r, v.Fates.Window)
			p.Out = &out
		}
	}
	return v
}

func randomTold(r *rand.Rand, window int) Told {
	t := Told{Lag: r.IntN(maxLag + 1)}
	kinds, most := 1+r.IntN(4), 1+r.IntN(window)
	for left := window; left > 0; {
		x := Run{Slots: 1 + r.IntN(min(left, most)), Fate: []Fate{Usual, Lost, Late, Untold}[r.IntN(kinds)]}
		if x.Fate == Late {
			x.Delay = time.Duration(1+r.IntN(10_000)) * time.Millisecond
		}
		t.Runs = append(t.Runs, x)
		left -= x.Slots
	}
	return t
}

// spread is the dumb twin of runs: one entry a slot.
func (t Told) spread() (out []Run) {
	for _, r := range t.Runs {
		for range r.Slots {
			out = append(out, Run{1, r.Fate, r.Delay})
		}
	}
	return out
}

// checkTold compares what came with what was told, slot by slot.
func checkTold(t *testing.T, i int, got, want Path, f Fates) {
	t.Helper()
	if (got.Out == nil) != (want.Out == nil) {
		t.Fatalf("path %d: out %v, want %v", i, got.Out, want.Out)
	}
	checkSlots(t, i, got.In, want.In, f)
	if want.Out != nil {
		checkSlots(t, i, *got.Out, *want.Out, f)
	}
}

func checkSlots(t *testing.T, i int, got, want Told, f Fates) {
	t.Helper()
	a, b := got.spread(), want.spread()
	if want.all(Untold) && len(a) == 0 {
		return // nothing is known, in fewer bytes
	}
	if len(a) != len(b) || got.Lag != want.Lag && !(want.all(Lost) && got.Lag == f.Lag && want.Lag < f.Lag) {
		t.Fatalf("path %d: %+v, want %+v", i, got, want)
	}
	for k := range a {
		if a[k].Fate != b[k].Fate || (a[k].Delay-b[k].Delay).Abs() > b[k].Delay/32 {
			t.Fatalf("path %d slot %d: %+v, want %+v", i, k, a[k], b[k])
		}
	}
}

func TestFates(t *testing.T) {
	for seed := range uint64(300) {
		v := troubled(seed, 3)
		got, err := Decode(EncodeMax(nil, v, 1<<16))
		if err != nil || got.Fates != v.Fates || len(got.Paths) != len(v.Paths) {
			t.Fatalf("%v: %+v, want %+v", err, got.Fates, v.Fates)
		}
		for i, p := range v.Paths {
			checkTold(t, i, got.Paths[i], p, v.Fates)
		}
	}
}

// What healthy paths, dead ones and lossy ones cost, in bytes more than without fates.
func TestCost(t *testing.T) {
	const window = 40
	none := sample(4, 2, 1)
	none.Fates = Fates{}
	plain := len(Encode(nil, none)) + 13 // what Fates itself takes
	r := rand.New(rand.NewPCG(1, 1))
	lossy := func(ratio float64) Told {
		var t Told
		for range window {
			f := Usual
			if r.Float64() < ratio {
				f = Lost
			}
			if n := len(t.Runs); n > 0 && t.Runs[n-1].Fate == f {
				t.Runs[n-1].Slots++
			} else {
				t.Runs = append(t.Runs, Run{Slots: 1, Fate: f})
			}
		}
		return t
	}
	for _, c := range []struct {
		name string
		in   Told
		most int // of one path
	}{
		{"healthy", Told{Runs: []Run{{Slots: window}}}, 0},
		{"all lost", Told{Lag: 19, Runs: []Run{{Slots: window, Fate: Lost}}}, 0},
		{"unknown", Told{}, 0},
		{"one lost", Told{Runs: []Run{{Slots: 10}, {Slots: 1, Fate: Lost}, {Slots: 29}}}, 4},
		{"one late", Told{Runs: []Run{{Slots: 10}, {1, Late, time.Second}, {Slots: 29}}}, 5},
		{"half lost", lossy(0.5), 6},
		{"a tenth lost", lossy(0.1), 6},
	} {
		v := sample(4, 2, 1)
		for i := range v.Paths {
			v.Paths[i].In = c.in
		}
		if n := len(Encode(nil, v)) - plain; n > c.most*len(v.Paths) {
			t.Errorf("%s: %d bytes for %d paths, want at most %d each", c.name, n, len(v.Paths), c.most)
		}
	}
}

// A full view has room for what happens on some of its paths: it stays whole.
func TestLargeClusterInTrouble(t *testing.T) {
	v := sample(31, 3, 1)
	for i := range v.Paths {
		if i%6 == 0 {
			v.Paths[i].In = Told{Runs: []Run{{Slots: 10}, {Slots: 2, Fate: Lost}, {Slots: 28}}}
		}
	}
	b := Encode(nil, v)
	got, err := Decode(b)
	if err != nil || got.Partial || len(b) > MaxSize {
		t.Fatalf("%v, partial %v, %d bytes", err, got.Partial, len(b))
	}
}

// When not all fits, paths that lose something are told each time, before the healthy ones.
func TestLossyFirst(t *testing.T) {
	v := sample(60, 4, 0xc0a80001)
	for i := range v.Paths {
		v.Paths[i].State, v.Paths[i].KnetDown = Up, false
	}
	v.Paths[123].In = Told{Runs: []Run{{Slots: 39}, {Slots: 1, Fate: Lost}}}
	for range 7 {
		v.Sequence++
		got, err := Decode(Encode(nil, v))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range got.Paths {
			found = found || p.Node == v.Paths[123].Node && p.Link == v.Paths[123].Link && len(p.In.Runs) == 2
		}
		if !found {
			t.Fatal("the lossy path is not told")
		}
	}
}

func TestPackLate(t *testing.T) {
	for d := time.Millisecond; d < time.Minute; d += d / 7 {
		if got := unpackLate(packLate(d)); (got - d).Abs() > d/32 {
			t.Errorf("%v becomes %v", d, got)
		}
	}
	for _, d := range []time.Duration{-1, 0, time.Microsecond} {
		if got := unpackLate(packLate(d)); got != time.Millisecond {
			t.Errorf("%v becomes %v", d, got)
		}
	}
}
