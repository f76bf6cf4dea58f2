package stats

import (
	"math"
	"math/bits"
	"time"
)

// The histogram is log-linear, as HdrHistogram's and Prometheus' native ones are: subBins equal bins in each power of two. It is
// our own because this package is a leaf, because two of them merge exactly, and because it takes 1.5 KB and about 2 ns a sample.
const (
	unitShift = 6                       // values are counted in units of 64 ns
	subBits   = 4                       // 16 bins in each power of two: a bin is at most 1/16 wide, its middle at most 1/32 wrong
	subBins   = 1 << subBits            //
	octaves   = 23                      // the last one ends at 2^33 ns, 8.6 s; longer values fall into the last bin
	binCount  = subBins * (octaves + 1) // with the linear part below 1 us
)

// Histogram counts durations. Its quantiles are within 1/32 (3.2 %) of a sample of that rank, for durations from 1 us to 8.6 s
// (within 32 ns below); Min, Max and Mean are exact. The zero value is ready to use.
type Histogram struct {
	count    uint64
	sum      time.Duration
	min, max time.Duration
	bins     [binCount]uint32
}

// Add counts one duration. Negative ones count as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.span(1, d, d, d)
	h.bins[binOf(d)]++
}

// Merge adds all samples of o; the result equals that of adding them one by one.
func (h *Histogram) Merge(o *Histogram) {
	h.span(o.count, o.sum, o.min, o.max)
	for i, n := range o.bins {
		h.bins[i] += n
	}
}

// span accounts for n samples with that sum, least and greatest, apart from the bins.
func (h *Histogram) span(n uint64, sum, least, greatest time.Duration) {
	if n == 0 {
		return
	}
	if h.count == 0 || least < h.min {
		h.min = least
	}
	h.max = max(h.max, greatest)
	h.sum += sum
	h.count += n
}

// Count returns the number of samples.
func (h *Histogram) Count() uint64 { return h.count }

// Quantile returns the sample of rank ceil(q*Count) within the stated error, 0 without samples.
func (h *Histogram) Quantile(q float64) time.Duration {
	var out [1]time.Duration
	h.quantiles([]float64{q}, out[:])
	return out[0]
}

// Quantiles returns what a Window tells of a histogram.
func (h *Histogram) Quantiles() Quantiles {
	if h.count == 0 {
		return Quantiles{}
	}
	var v [4]time.Duration
	h.quantiles([]float64{0.5, 0.9, 0.99, 0.999}, v[:])
	return Quantiles{
		Count: h.count, Min: h.min, P50: v[0], P90: v[1], P99: v[2], P999: v[3], Max: h.max,
		Mean: h.sum / time.Duration(h.count),
	}
}

// quantiles fills out with the quantiles qs, which ascend, in one walk over the bins.
func (h *Histogram) quantiles(qs []float64, out []time.Duration) {
	if h.count == 0 {
		return
	}
	var seen uint64
	next := 0
	for i, n := range h.bins {
		if n == 0 {
			continue
		}
		seen += uint64(n)
		for next < len(qs) && seen >= rank(qs[next], h.count) {
			out[next] = min(max(middle(i), h.min), h.max)
			next++
		}
		if next == len(qs) {
			return
		}
	}
	for ; next < len(qs); next++ {
		out[next] = h.max
	}
}

// rank is the nearest-rank definition: the smallest k with k/n >= q.
func rank(q float64, n uint64) uint64 {
	return uint64(min(max(math.Ceil(q*float64(n)), 1), float64(n)))
}

// binOf returns the bin that d falls into.
func binOf(d time.Duration) int {
	u := uint64(d) >> unitShift
	if u < subBins {
		return int(u)
	}
	exp := bits.Len64(u) - subBits - 1
	if exp >= octaves {
		return binCount - 1
	}
	return exp<<subBits + int(u>>exp)
}

// middle returns the middle of bin i.
func middle(i int) time.Duration {
	if i < 2*subBins {
		return time.Duration(i)<<unitShift + 1<<(unitShift-1)
	}
	exp := i>>subBits - 1
	lower := time.Duration(i-exp<<subBits) << (exp + unitShift)
	return lower + 1<<(exp+unitShift-1)
}
