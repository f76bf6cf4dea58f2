package totem

import (
	"math/rand/v2"
	"testing"
	"time"
)

// chaos plays random faults on a random cluster, then heals everything.
func chaos(t *testing.T, seed uint64) *Ring {
	rng := rand.New(rand.NewPCG(seed, 5))
	sizes := [][]int{{2, 1}, {3, 2}, {1, 1}, {3, 3, 1}, {5}}[rng.IntN(5)]
	nodes := 0
	for _, n := range sizes {
		nodes += n
	}
	links := 1 + rng.IntN(2)
	cfg := proxmoxConfig(nodes, links, time.Duration(1000+rng.IntN(3000))*time.Millisecond, 125*time.Millisecond)
	cfg.Rand = rng
	cfg.FastDataUp = rng.IntN(2) == 0
	cfg.Mode = LinkMode(rng.IntN(3))
	cfg.Cold = rng.IntN(4) == 0
	cfg.Traffic.Every = time.Duration(rng.IntN(3)) * 500 * time.Millisecond
	loss := []float64{0, 0.02, 0.2}[rng.IntN(3)]
	lines := NewSites(sizes, links, Line{Delay: 100 * time.Microsecond}, Line{Delay: 4 * time.Millisecond, Loss: loss, Jitter: time.Duration(rng.IntN(2)) * time.Millisecond}, rng)
	cfg.Network = lines
	r := mustNew(t, cfg)
	at := time.Duration(0)
	for at < time.Minute {
		at += time.Duration(rng.Int64N(int64(4 * time.Second)))
		checkEvents(t, r, r.Run(at))
		i := rng.IntN(nodes)
		switch rng.IntN(8) {
		case 0:
			r.Kill(i)
		case 1:
			r.PowerOff(i)
		case 2:
			r.Stop(i)
		case 3, 4:
			r.Start(i)
		case 5:
			r.Pause(i, time.Duration(rng.Int64N(int64(6*time.Second))))
		default:
			line := lines.Line(i, rng.IntN(nodes), rng.IntN(links))
			line.Outages = append(line.Outages, Span{at, at + time.Duration(rng.Int64N(int64(8*time.Second)))})
			lines.Changed()
		}
	}
	for _, l := range lines.paths {
		l.Loss, l.Jitter, l.Outages = 0, 0, nil
	}
	lines.Changed()
	for i := range nodes {
		r.Start(i)
	}
	checkEvents(t, r, r.Run(at+2*time.Minute))
	return r
}

// checkEvents checks what must hold of events whatever happens.
func checkEvents(t *testing.T, r *Ring, events []Event) {
	t.Helper()
	last := time.Duration(0)
	for _, e := range events {
		if e.At < last {
			t.Fatalf("time went back: %v after %v", e.At, last)
		}
		last = e.At
		if e.Kind == Membership && (!e.Members.Has(e.Node) || e.Ring.Rep() != e.Members.lowest() || !e.Members.holds(e.Joined) || e.Left&e.Members&^e.Joined != 0) {
			t.Fatalf("membership that cannot be: %s", e.Describe(nil))
		}
	}
	if r.Now() < last {
		t.Fatalf("now %v before the last event %v", r.Now(), last)
	}
}

// TestChaos: whatever happened, once all is well again all processors find each other. Two in a hundred may still be in
// the livelock of joins that Corosync's rules allow (see joinEcho).
func TestChaos(t *testing.T) {
	seeds := trials(100)
	livelocks := 0
	for _, r := range repeat(seeds, func(seed uint64) *Ring { return chaos(t, seed) }) {
		if r.whole() {
			continue
		}
		livelocks++
		if r.Stats().JoinEchoes < 1000 {
			t.Errorf("not one ring two minutes after all was well:\n%s", r.Describe())
		}
	}
	if livelocks > 1+seeds/50 {
		t.Errorf("%d of %d clusters never became one ring", livelocks, seeds)
	}
}
