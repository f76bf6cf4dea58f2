package risk

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// kind is one kind of bursts as they were seen.
type kind struct {
	totem.Burst
	seen    float64
	longest time.Duration
}

// kindsOf sorts bursts that were seen one by one, in slots known, into kinds: those whose lengths one exponential distribution can
// have made, and outages, which are too long for it.
func kindsOf(bursts []claim, known int, slot time.Duration) []kind {
	bursts = slices.Clone(bursts)
	slices.SortFunc(bursts, func(a, b claim) int { return cmp.Compare(a.length(), b.length()) })
	usual := len(bursts)
	for usual > 1 && outlier(bursts[:usual]) {
		usual--
	}
	if rest := len(bursts) - usual; rest > usual { // mostly outages: all are of one kind
		usual = len(bursts)
	}
	var out []kind
	for _, b := range [][]claim{bursts[:usual], bursts[usual:]} {
		if len(b) > 0 {
			out = append(out, kindOf(b, known, slot))
		}
	}
	return out
}

func (c claim) length() int { return c.until - c.from }

// outlier: the longest of the bursts, which are in order of length, is longer than chance would make one of exponential lengths in a
// thousand cases.
func outlier(bursts []claim) bool {
	n := len(bursts)
	sum := 0
	for _, b := range bursts[:n-1] {
		sum += b.length()
	}
	mean := float64(sum) / float64(n-1)
	return tooLong(float64(bursts[n-1].length()), mean, float64(n))
}

// tooLong: the longest of n exponential lengths is as long in less than one of a thousand cases.
func tooLong(longest, mean, n float64) bool {
	return 1-math.Pow(1-math.Exp(-longest/mean), n) < 1e-3
}

// kindOf is the process behind bursts. It is seen once per slot only: a run of slots is geometric, with the chance r = exp(-slot/mean) to
// go on, and what falls between two packets is not seen. The share of slots that are bad is that of the time.
func kindOf(bursts []claim, known int, slot time.Duration) kind {
	n, slots, packets, lost, longest := float64(len(bursts)), 0.0, 0, 0, 0
	for _, b := range bursts {
		slots += float64(b.length())
		packets += b.known
		lost += b.lost
		longest = max(longest, b.length())
	}
	r := (slots - n + 0.25) / (slots + 0.5)
	mean := -float64(slot) / math.Log(r)
	every := mean * (float64(known)/slots - 1)
	loss := float64(lost) / float64(packets)
	return kind{
		Burst:   totem.Burst{Every: max(time.Duration(every), 1), Mean: time.Duration(mean), Loss: loss},
		seen:    n,
		longest: time.Duration(longest) * slot,
	}
}
