package risk

import (
	"slices"
	"time"
)

// Trend compares the last ten minutes with the hour before.
type Trend struct {
	Known  bool
	Before time.Duration // usual worst gap of five minutes, in the hour before
	Now    time.Duration // the smaller one of the two newest five minutes
}

// Falling tells that the margin has halved, and stays so, and what is left is little.
func (t Trend) Falling(token time.Duration) bool {
	if !t.Known || token <= 0 {
		return false
	}
	before, now := float64(token-t.Before), float64(token-t.Now)
	return now <= before/2 && t.Now >= token/2
}

// trend is told once there are half an hour to compare with. Both of the newest stretches must be worse: one bad event is none.
func (h *history) trend(now time.Duration, rings int, token time.Duration) Trend {
	hour := &h.older[1]
	index := int64(now / hour.width)
	var before []time.Duration
	newest := time.Duration(-1)
	for i := range hour.buckets {
		b := &hour.buckets[i]
		if b.covered < hour.width/2 || b.index >= index || b.index < index-12 {
			continue
		}
		gap := b.median(rings)
		if b.index < index-2 {
			before = append(before, gap)
		} else if newest < 0 || gap < newest {
			newest = gap
		}
	}
	if len(before) < 6 || newest < 0 {
		return Trend{}
	}
	slices.Sort(before)
	return Trend{Known: true, Before: before[len(before)/2], Now: newest}
}
