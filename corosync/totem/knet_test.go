package totem

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestFastDataUp(t *testing.T) {
	for version, want := range map[string]bool{
		"1.25": false, "1.25-2": false, "1.26": false, "1.27": true, "1.32-pve1": true, "1.9": false, "2.0": true, "1.28+ds1": true, "": true, "new": true,
	} {
		if got := FastDataUp(version); got != want {
			t.Errorf("FastDataUp(%q) = %v", version, got)
		}
	}
}

// linkUse counts on which links Totem's packets from 0 to 1 travel.
func linkUse(t *testing.T, mode LinkMode, priorities []int, dead int) []int {
	use := make([]int, len(priorities))
	cfg := proxmoxConfig(2, len(priorities), 3*time.Second, 0)
	for i, p := range priorities {
		cfg.Links[i].Priority = p
	}
	cfg.Mode = mode
	cfg.Traffic.Every = 100 * time.Millisecond
	cfg.Rand = rand.New(rand.NewPCG(1, 1))
	count := false
	cfg.Network = NetworkFunc(func(p Packet) (time.Duration, bool) {
		if count && p.Class != ClassPing && p.Class != ClassPong && p.From == 0 {
			use[p.Link]++
		}
		return time.Millisecond, p.Link != dead
	})
	r := mustNew(t, cfg)
	r.Run(20 * time.Second)
	count = true
	r.Run(30 * time.Second)
	if r.Stats().TokenLosses > 0 {
		t.Errorf("mode %v priorities %v dead %d: token lost", mode, priorities, dead)
	}
	return use
}

func TestLinkChoice(t *testing.T) {
	for _, tc := range []struct {
		name       string
		mode       LinkMode
		priorities []int
		dead       int
		used       []bool
	}{
		{"passive, highest wins", Passive, []int{1, 3, 2}, -1, []bool{false, true, false}},
		{"passive, equals: lowest number", Passive, []int{1, 1, 1}, -1, []bool{true, false, false}},
		{"passive, the best dead", Passive, []int{1, 3, 2}, 1, []bool{false, false, true}},
		{"active", Active, []int{1, 3, 2}, -1, []bool{true, true, true}},
		{"active, one dead", Active, []int{1, 3, 2}, 0, []bool{false, true, true}},
		{"round robin", RoundRobin, []int{1, 3, 2}, -1, []bool{true, true, true}},
		{"round robin, one dead", RoundRobin, []int{1, 3, 2}, 2, []bool{true, true, false}},
	} {
		use := linkUse(t, tc.mode, tc.priorities, tc.dead)
		for i, n := range use {
			if (n > 0) != tc.used[i] {
				t.Errorf("%s: %d packets on link %d of %v", tc.name, n, i, use)
			}
		}
		if tc.mode == RoundRobin {
			for i, n := range use {
				if tc.used[i] && n*2 < use[0] {
					t.Errorf("%s: not even: %v", tc.name, use)
				}
			}
		}
	}
}

// TestLatencyMean is knet's own arithmetic: whole microseconds, a mean over at most precision samples.
func TestLatencyMean(t *testing.T) {
	k := &knetParams{timeout: int64(time.Second), precision: 4}
	lk := &link{}
	for i, tc := range []struct {
		rtt  time.Duration
		want int64
	}{{100 * time.Microsecond, 100}, {200 * time.Microsecond, 150}, {300 * time.Microsecond, 200}, {1000 * time.Microsecond, 400}, {0, 300}, {0, 225}} {
		if !lk.pong(1, int64(tc.rtt), k) || lk.latency != tc.want {
			t.Errorf("sample %d: mean %d us, want %d", i, lk.latency, tc.want)
		}
	}
	if lk.pong(2, int64(2*time.Second), k) || lk.latency != 225 || lk.pongLast != 2 {
		t.Errorf("a pong later than the timeout must prove life and leave the mean: %+v", lk)
	}
}

// TestBackOff: the timeout falls from ten-fold to one-fold, one a second, plus twice the latency.
func TestBackOff(t *testing.T) {
	k := &knetParams{timeout: int64(1500 * time.Millisecond)}
	lk := &link{backoff: backoffStart, latency: 5000}
	for want := range 12 {
		lk.adjust(k)
		times := max(9-want, 1)
		if got := time.Duration(lk.adj); got != time.Duration(times)*1500*time.Millisecond+10*time.Millisecond {
			t.Errorf("after %d s: %v, want %d times", want+1, got, times)
		}
	}
}
