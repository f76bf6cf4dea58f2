package risk

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestHistory holds the windows against a list of all gaps there were. A window reaches back at most one of its stretches too far.
func TestHistory(t *testing.T) {
	type event struct {
		at, gap time.Duration
	}
	h, random := newHistory(), rand.New(rand.NewPCG(1, 2))
	var all []event
	now := 90 * time.Second
	for range 4000 {
		now += time.Duration(random.Int64N(int64(20 * time.Second)))
		gap := time.Duration(random.ExpFloat64() * 1e8)
		all = append(all, event{now, gap})
		b := h.at(now)
		b.gaps[0] = max(b.gaps[0], gap)
		b.covered += time.Millisecond
		for _, w := range []struct{ length, slack time.Duration }{
			{10 * time.Second, 2 * time.Second}, {time.Minute, 2 * time.Second}, {10 * time.Minute, 32 * time.Second},
			{time.Hour, 302 * time.Second}, {24 * time.Hour, 3602 * time.Second},
		} {
			var least, most time.Duration
			for _, e := range all {
				if now-e.at < w.length-time.Second {
					least = max(least, e.gap)
				}
				if now-e.at < w.length+w.slack {
					most = max(most, e.gap)
				}
			}
			if got := h.window(w.length, now, 1, func(time.Duration) time.Time { return time.Time{} }).Median; got < least || got > most {
				t.Fatalf("at %v, %v: %v, want %v to %v", now, w.length, got, least, most)
			}
		}
	}
}

// TestHistoryPause: after a pause of hours nothing old seems new, and nothing of the day is lost.
func TestHistoryPause(t *testing.T) {
	h := newHistory()
	none := func(time.Duration) time.Time { return time.Time{} }
	h.at(time.Minute).gaps[0] = time.Second
	h.at(5 * time.Hour)
	now := 5 * time.Hour
	if w := h.window(time.Hour, now, 1, none); w.Median != 0 {
		t.Errorf("the last hour has %v", w.Median)
	}
	if w := h.window(24*time.Hour, now, 1, none); w.Median != time.Second {
		t.Errorf("the day has %v", w.Median)
	}
}

// TestTrend: a margin that halves and stays so is told; one bad stretch, and an hour without enough to compare, are not.
func TestTrend(t *testing.T) {
	const token = 3 * time.Second
	hour := func(gaps ...time.Duration) Trend {
		h := newHistory()
		for i, g := range gaps {
			b := h.older[1].at(time.Duration(i+1) * 5 * time.Minute)
			b.covered, b.gaps[0] = 5*time.Minute, g
		}
		return h.trend(time.Duration(len(gaps)+1)*5*time.Minute, 1, token)
	}
	idle, bad := 600*time.Millisecond, 2200*time.Millisecond
	for _, c := range []struct {
		name           string
		gaps           []time.Duration
		known, falling bool
	}{
		{"too short", []time.Duration{idle, idle, bad, bad}, false, false},
		{"steady", []time.Duration{idle, idle, idle, idle, idle, idle, idle, idle}, true, false},
		{"one bad stretch", []time.Duration{idle, idle, idle, idle, idle, idle, idle, bad}, true, false},
		{"fallen", []time.Duration{idle, idle, idle, bad, idle, idle, bad, bad}, true, true},
		{"always bad", []time.Duration{bad, bad, bad, bad, bad, bad, bad, bad}, true, false},
	} {
		got := hour(c.gaps...)
		if got.Known != c.known || got.Falling(token) != c.falling {
			t.Errorf("%s: %+v, falling %v", c.name, got, got.Falling(token))
		}
	}
}
