package risk

import (
	"testing"
	"time"
)

// TestLiveFollowsKnet: short blackouts of a lone link, in which the phases of the heartbeats decide whether knet takes it down. Rings held to what the
// real knets said tell what the real ring had, within 15 % or a retransmit interval; the worst free one what it might have had.
func TestLiveFollowsKnet(t *testing.T) {
	near, bounded, runs := 0, 0, 0
	for _, token := range []time.Duration{time.Second, 0} {
		for _, share := range []float64{0.05, 0.1, 0.2} {
			for seed := range uint64(5) {
				w := newWorld(t, stretched(t, 1, token), seed, "1.25", nil)
				full := w.cluster.Timeouts.Token
				dark := 40*time.Second + time.Duration(seed)*217*time.Millisecond
				w.weather = func(from, to uint32, _ int, at time.Duration) (time.Duration, float64) {
					if between(from, to) && at >= dark && at < dark+time.Duration(share*float64(full)) {
						return 0, 1
					}
					return 5 * time.Millisecond, 0
				}
				w.run(65 * time.Second)
				real, said, worst := min(w.worst, full), min(w.margin.Ten.Median, full), min(w.margin.Ten.Worst, full)
				slack := max(real*15/100, w.cluster.Timeouts.TokenRetransmit)
				runs++
				if (real - said).Abs() <= slack {
					near++
				} else {
					t.Logf("token %v, %v of it dark, seed %d: the ring's worst gap was %v, Live says %v", full, share, seed, real, said)
				}
				if real-worst <= slack {
					bounded++
				}
			}
		}
	}
	if near*100 < runs*95 || bounded < runs {
		t.Errorf("of %d runs %d are within 15 %% or a retransmit interval, and in %d the worst ring bounds the real one", runs, near, bounded)
	}
}

// TestLiveDeaf: without a word of knet the rings in hindsight are free ones.
func TestLiveDeaf(t *testing.T) {
	w := newWorld(t, stretched(t, 1, 0), 4, "1.25", sick{every: 30 * time.Second, length: 1200 * time.Millisecond}.weather)
	w.deaf = true
	w.run(80 * time.Second)
	if m := w.margin; !m.Known || m.Ten.Ratio(m.Token) > 0.1 {
		t.Errorf("%+v", m.Ten)
	}
}
