package risk

import (
	"testing"
	"time"
)

// TestLiveFollowsKnet: short blackouts of a lone link, in which the phases of the heartbeats decide whether knet takes it down. Rings held to what the
// real knets said tell what the real ring had, within 15 % or a retransmit interval; the worst free one what it might have had.
func TestLiveFollowsKnet(t *testing.T) {
	near, bounded, kept, runs := 0, 0, 0, 0
	for _, token := range []time.Duration{time.Second, 0} {
		for _, share := range []float64{0.05, 0.1, 0.2, 0.3} {
			for seed := range uint64(6) {
				w := newWorld(t, stretched(t, 1, token), seed, "1.25", nil)
				w.honest, w.status.LogSince = true, w.trace.Start
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
				if (w.losses > 0) == (w.margin.Ten.Ratio(full) == 0) {
					kept++
				}
			}
		}
	}
	if near*100 < runs*97 || bounded < runs || kept*100 < runs*97 {
		t.Errorf("of %d runs %d are within 15 %% or a retransmit interval, in %d the worst ring bounds the real one, in %d a lost token is told, and only that",
			runs, near, bounded, kept)
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

// TestLiveRefuted: a ring in hindsight that loses the token where the real one, which tells of its own, did not, was wrong about where the token was. Of a
// daemon that tells nothing that cannot be said.
func TestLiveRefuted(t *testing.T) {
	for _, silent := range []bool{false, true} {
		w := newWorld(t, stretched(t, 1, 0), 4, "1.25", sick{every: 60 * time.Second, length: 1500 * time.Millisecond}.weather)
		w.run(30 * time.Second)
		w.status.Stale = silent // and of its losses it never tells
		w.run(60 * time.Second)
		full := w.cluster.Timeouts.Token
		if m := w.margin.Ten; (m.Median >= full) != silent || m.Worst < full || m.Median < full/2 {
			t.Errorf("silent %v: %+v", silent, m)
		}
	}
}
