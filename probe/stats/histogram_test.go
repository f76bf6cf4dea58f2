package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// samples draws durations that spread over the histogram's whole range.
func samples(r *rand.Rand, n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(math.Exp(r.Float64() * math.Log(9e9)))
	}
	return out
}

// within says whether a quantile is as near to the true sample as the histogram promises.
func within(got, want time.Duration) bool {
	return (got - want).Abs() <= max(want/32, 32)
}

// The dumb twin: sort all samples and take the one of that rank.
func TestQuantilesAgainstSortedSamples(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 3, 10, 99, 1000, 20000} {
		var h Histogram
		all := samples(r, n)
		for _, d := range all {
			h.Add(d)
		}
		slices.Sort(all)
		for _, q := range []float64{0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1} {
			want := all[max(int(math.Ceil(q*float64(n))), 1)-1]
			if got := h.Quantile(q); !within(got, min(want, 1<<33)) {
				t.Errorf("%d samples: quantile %v: %v, want %v", n, q, got, want)
			}
		}
		var sum time.Duration
		for _, d := range all {
			sum += d
		}
		w := h.Quantiles()
		if w.Min != all[0] || w.Max != all[n-1] || w.Count != uint64(n) || w.Mean != sum/time.Duration(n) {
			t.Errorf("%d samples: %+v, want min %v max %v", n, w, all[0], all[n-1])
		}
		if w.P50 != h.Quantile(0.5) || w.P90 != h.Quantile(0.9) || w.P99 != h.Quantile(0.99) || w.P999 != h.Quantile(0.999) {
			t.Errorf("%+v differs from the single quantiles", w)
		}
	}
}

func TestMergeIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var a, b, both Histogram
	for i, d := range samples(r, 5000) {
		both.Add(d)
		if i%3 == 0 {
			a.Add(d)
		} else {
			b.Add(d)
		}
	}
	a.Merge(&b)
	a.Merge(&Histogram{})
	if a != both {
		t.Error("merged histogram differs from the one of all samples")
	}
	var empty Histogram
	empty.Merge(&both)
	if empty != both {
		t.Error("merge into an empty one differs")
	}
	if (&Histogram{}).Quantiles() != (Quantiles{}) || (&Histogram{}).Quantile(0.5) != 0 {
		t.Error("empty histogram has quantiles")
	}
}

// Each bin holds what its middle says, and bins follow each other without holes.
func TestBins(t *testing.T) {
	last := 0
	for d := time.Duration(0); d < 9*time.Second; d += max(d/200, 1) {
		i := binOf(d)
		if i < last || i > last+1 {
			t.Fatalf("%v falls into bin %d after bin %d", d, i, last)
		}
		last = i
		if d < 1<<33 && !within(middle(i), d) {
			t.Fatalf("%v: middle of its bin is %v", d, middle(i))
		}
	}
	if binOf(math.MaxInt64) != binCount-1 || last != binCount-1 {
		t.Errorf("last bin is %d, of %d", last, binCount)
	}
}

func BenchmarkHistogramAdd(b *testing.B) {
	all := samples(rand.New(rand.NewPCG(3, 3)), 1024)
	var h Histogram
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		h.Add(all[i&1023])
		i++
	}
}
