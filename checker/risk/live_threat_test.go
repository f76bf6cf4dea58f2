package risk

import (
	"testing"
	"time"
)

// TestThreatenedInTime: loss between the sites grows slowly, on the lone link or on both, until a real ring loses its token. The threat is
// told at least a minute before, in most runs: a ring may lose its token at any time, with a small chance.
func TestThreatenedInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of a cluster")
	}
	for _, c := range []struct {
		links int
		grows float64 // by that much in an hour
		least int     // of ten runs
	}{{1, 0.05, 8}, {2, 0.5, 8}} {
		inTime := 0
		for seed := range uint64(10) {
			w := newWorld(t, stretched(t, c.links, 0), seed, "1.32", func(from, to uint32, _ int, at time.Duration) (time.Duration, float64) {
				if !between(from, to) {
					return 200 * time.Microsecond, 0
				}
				return 5 * time.Millisecond, max(0, c.grows*(at-30*time.Second).Hours())
			})
			var told time.Duration
			for w.losses == 0 && w.slots < int(time.Hour/slot) {
				w.step()
				if told == 0 && w.margin.Ten.Threatened() {
					told = time.Duration(w.slots) * slot
				}
			}
			lost := time.Duration(w.slots) * slot
			t.Logf("%d links, seed %d: told after %v, lost after %v", c.links, seed, told, lost)
			if told > 0 && lost-told >= time.Minute {
				inTime++
			}
		}
		if inTime < c.least {
			t.Errorf("%d links: a minute before in %d of 10 runs", c.links, inTime)
		}
	}
}

// TestNotThreatened: networks on which a ring loses no token, however noisy, are no threat.
func TestNotThreatened(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of a cluster")
	}
	for _, c := range []struct {
		name  string
		links int
		token time.Duration
		path  func(w *world, link int, at time.Duration) (time.Duration, float64)
	}{
		{"3 % on one of two links", 2, 0, func(_ *world, link int, _ time.Duration) (time.Duration, float64) {
			return 5 * time.Millisecond, 0.03 * float64(1-link)
		}},
		{"3 % on one of two links, a token of a second", 2, time.Second, func(_ *world, link int, _ time.Duration) (time.Duration, float64) {
			return 5 * time.Millisecond, 0.03 * float64(1-link)
		}},
		{"jitter of 20 ms on a lone link", 1, 0, func(w *world, _ int, _ time.Duration) (time.Duration, float64) {
			return 10*time.Millisecond + time.Duration(w.draw.Int64N(20e6)), 0
		}},
		{"a link that flaps, beside another", 2, 0, func(_ *world, link int, at time.Duration) (time.Duration, float64) {
			if link == 0 && at%(5*time.Minute) < 20*time.Second {
				return 0, 1
			}
			return 5 * time.Millisecond, 0
		}},
	} {
		for seed := range uint64(2) {
			var w *world
			w = newWorld(t, stretched(t, c.links, c.token), seed, "1.32", func(from, to uint32, link int, at time.Duration) (time.Duration, float64) {
				if !between(from, to) {
					return 200 * time.Microsecond, 0
				}
				return c.path(w, link, at)
			})
			told := time.Duration(0)
			for w.slots < int(12*time.Minute/slot) {
				w.step()
				if told == 0 && w.margin.Ten.Threatened() {
					told = time.Duration(w.slots) * slot
					t.Logf("%+v", w.margin.Ten)
				}
			}
			if told > 0 || w.losses > 0 {
				t.Errorf("%s, seed %d: told after %v, %d real losses", c.name, seed, told, w.losses)
			}
		}
	}
}
