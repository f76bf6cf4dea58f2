package risk

import (
	"math"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// delays is a histogram of one-way delays, in buckets an eighth of an octave wide. It forgets slowly: the last hour or two count.
type delays struct {
	counts [delayBuckets]float32
	total  float64
	most   time.Duration
	limit  time.Duration // above it a packet is slow: twice the median and a millisecond
	renew  float64       // total at which limit is computed anew
	above  bool          // the newest packet was slow
	slow   float64
	queues float64 // stretches of slow ones in a row
}

const (
	perOctave    = 8
	delayBuckets = 24 * perOctave // up to 16 s
	delayForget  = 1 << 17        // packets: an hour and three quarters at 20/s
)

func (h *delays) add(d time.Duration, n int) {
	if h.total+float64(n) > delayForget {
		h.fade()
		n = min(n, delayForget/2)
	}
	h.counts[delayBucket(d)] += float32(n)
	h.total += float64(n)
	h.most = max(h.most, d)
	if h.total >= h.renew {
		h.limit, h.renew = 2*h.quantile(0.5)+time.Millisecond, 2*h.total
	}
	slow := d > h.limit
	if slow {
		h.slow += float64(n)
		if !h.above {
			h.queues++
		}
	}
	h.above = slow
}

// fade halves all that was counted.
func (h *delays) fade() {
	for i := range h.counts {
		h.counts[i] /= 2
	}
	h.total, h.slow, h.queues, h.renew = h.total/2, h.slow/2, h.queues/2, 0
	h.most = h.quantile(1 - 1/h.total)
}

func delayBucket(d time.Duration) int {
	us := float64(d) / float64(time.Microsecond)
	if us <= 1 {
		return 0
	}
	return min(int(math.Log2(us)*perOctave), delayBuckets-1)
}

// quantile is the delay that a ratio q of the packets does not exceed, to the middle of its bucket.
func (h *delays) quantile(q float64) time.Duration {
	sum := 0.0
	for i, n := range h.counts {
		if sum += float64(n); sum >= q*h.total && n > 0 {
			return time.Duration(math.Exp2((float64(i)+0.5)/perOctave) * float64(time.Microsecond))
		}
	}
	return h.most
}

// delay is what the histogram tells of a path, with a packet per slot.
func (h *delays) delay(slot time.Duration) Delay {
	if h.total == 0 {
		return Delay{}
	}
	out := Delay{Usual: min(h.quantile(0.5), h.most), P99: min(h.quantile(0.99), h.most), P999: min(h.quantile(0.999), h.most), Max: h.most}
	if h.queues > 0 {
		out.Step = time.Duration(h.slow / h.queues * float64(slow(slot)))
	}
	return out
}

// slow is how long a queue took at least, of which a packet per slot saw one: it may have been shorter than the slot.
func slow(slot time.Duration) time.Duration { return max(slot/2, totem.JitterStep) }
