package totem

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// sendEvery counts what a line delivers of a packet every gap.
func sendEvery(l *Line, gap time.Duration, n int) (delivered int, least, most time.Duration) {
	rng := rand.New(rand.NewPCG(1, 9))
	least = math.MaxInt64
	for i := range n {
		if d, ok := l.deliver(time.Duration(i)*gap, rng); ok {
			delivered++
			least, most = min(least, d), max(most, d)
		}
	}
	return delivered, least, most
}

func TestLineLoss(t *testing.T) {
	got, least, most := sendEvery(&Line{Delay: time.Millisecond, Loss: 0.1}, time.Millisecond, 100_000)
	if got < 89_500 || got > 90_500 || least != time.Millisecond || most != least {
		t.Errorf("delivered %d of 100000 in %v to %v", got, least, most)
	}
}

// TestLineBurst: bursts of 100 ms every 900 ms lose a tenth.
func TestLineBurst(t *testing.T) {
	got, _, _ := sendEvery(&Line{Burst: Burst{Every: 900 * time.Millisecond, Mean: 100 * time.Millisecond}}, time.Millisecond, 2_000_000)
	if share := float64(got) / 2_000_000; share < 0.88 || share > 0.92 {
		t.Errorf("delivered %.3f, want 0.9", share)
	}
}

func TestLineJitter(t *testing.T) {
	l := &Line{Delay: 10 * time.Millisecond, Jitter: 8 * time.Millisecond}
	rng := rand.New(rand.NewPCG(1, 9))
	last := time.Duration(0)
	for i := range 100_000 {
		at := time.Duration(i) * time.Millisecond
		d, _ := l.deliver(at, rng)
		if d < 10*time.Millisecond || d > 18*time.Millisecond {
			t.Fatalf("delay %v", d)
		}
		if at+d < last {
			t.Fatalf("at %v a packet overtakes the one before", at)
		}
		last = at + d
	}
}

func TestLinesCalm(t *testing.T) {
	wan := Line{Delay: time.Millisecond, Outages: []Span{{10 * time.Second, 12 * time.Second}, {20 * time.Second, 21 * time.Second}}}
	n := NewSites([]int{1, 1}, 1, Line{}, wan, rand.New(rand.NewPCG(1, 1)))
	for _, tc := range []struct{ now, want time.Duration }{{0, 10 * time.Second}, {9 * time.Second, 10 * time.Second}, {12 * time.Second, 20 * time.Second}, {30 * time.Second, math.MaxInt64}} {
		if got := n.CalmUntil(tc.now); got != tc.want {
			t.Errorf("at %v calm until %v, want %v", tc.now, got, tc.want)
		}
	}
	inside := NewSites([]int{1, 1}, 1, Line{}, wan, nil)
	if got := inside.CalmUntil(11 * time.Second); got > 11*time.Second {
		t.Errorf("calm until %v in an outage", got)
	}
	for _, tc := range []struct {
		at time.Duration
		ok bool
	}{{9999 * time.Millisecond, true}, {10 * time.Second, false}, {11999 * time.Millisecond, false}, {12 * time.Second, true}, {20500 * time.Millisecond, false}} {
		if _, ok := n.Deliver(Packet{At: tc.at, From: 0, To: 1}); ok != tc.ok {
			t.Errorf("at %v delivered: %v", tc.at, ok)
		}
	}
	n.Line(0, 1, 0).Loss = 0.5
	n.Changed()
	if got := n.CalmUntil(30 * time.Second); got > 30*time.Second {
		t.Errorf("calm until %v on a lossy line", got)
	}
}

// TestLinesCalmTwin asks a network with outages again and again, and one that has forgotten all: both promise the same, or neither anything.
func TestLinesCalmTwin(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 3))
		n := NewSites([]int{1, 2, 1}, 2, Line{}, Line{Delay: time.Millisecond}, nil)
		randomOutages(n, rng, 5*time.Minute)
		if seed%2 == 0 { // one that never ends
			line := n.Line(0, 1, 0)
			line.Outages = append(line.Outages, Span{6 * time.Minute, math.MaxInt64})
		}
		for now := time.Duration(0); now < 8*time.Minute; now += time.Duration(rng.Int64N(int64(time.Second))) {
			got := n.CalmUntil(now)
			n2 := *n
			n2.Changed()
			if want := n2.CalmUntil(now); got != want && (got > now || want > now) {
				t.Fatalf("seed %d: at %v calm until %v, a fresh look says %v", seed, now, got, want)
			}
		}
	}
}
