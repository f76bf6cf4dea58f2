package risk

import (
	"slices"
	"time"
)

// maxRings is how many rings may run beside each other.
const maxRings = 16

// recentFor is how long what happened stays apart by seconds: only that much can be taken back.
const recentFor = 60

// bucket is what happened to the rings in a stretch of time.
type bucket struct {
	index     int64 // of the stretch: its begin divided by its width; valid with covered > 0 or worst
	covered   time.Duration
	gaps      [maxRings]time.Duration
	losses    [maxRings]uint32
	downs     [maxRings]uint32
	tight     [maxRings]uint32       // gaps that came close to the token
	held      [maxHeld]time.Duration // gaps of the rings that are held to what knet did
	heldRings int                    // how many of those there were
	spells    int                    // times at which rings came close to it, or over it
	worst     mark
	real      Real
}

// mark is the worst gap of a bucket.
type mark struct {
	gap time.Duration
	at  time.Duration // its end, in the trace's time
	hop Hop
}

// merge adds another bucket's account.
func (b *bucket) merge(o *bucket) {
	b.covered += o.covered
	for i := range b.gaps {
		b.gaps[i] = max(b.gaps[i], o.gaps[i])
		b.losses[i] += o.losses[i]
		b.downs[i] += o.downs[i]
		b.tight[i] += o.tight[i]
	}
	for i := range b.held {
		b.held[i] = max(b.held[i], o.held[i])
	}
	b.heldRings = max(b.heldRings, o.heldRings)
	b.spells += o.spells
	if o.worst.gap > b.worst.gap {
		b.worst = o.worst
	}
	b.real.Losses += o.real.Losses
	b.real.InCuts += o.real.InCuts
	b.real.Warnings += o.real.Warnings
	b.real.Gap = max(b.real.Gap, o.real.Gap)
}

// level keeps buckets of one width.
type level struct {
	width   time.Duration
	buckets []bucket // [index % len]
}

// at returns the bucket of an instant, emptied if it holds an older one.
func (l *level) at(t time.Duration) *bucket {
	index := int64(t / l.width)
	b := &l.buckets[index%int64(len(l.buckets))]
	if b.index != index {
		*b = bucket{index: index}
	}
	return b
}

// add merges into sum what of the last n buckets up to an instant is held.
func (l *level) add(sum *bucket, t time.Duration, n int) {
	index := int64(t / l.width)
	for i := range l.buckets {
		if b := &l.buckets[i]; b.index > index-int64(n) && b.index <= index {
			sum.merge(b)
		}
	}
}

// history is what happened to the rings in the last day: by the second for a minute, then coarser and coarser.
type history struct {
	recent  level
	older   [3]level      // ten minutes, hour, day
	settled int64         // seconds before this one are in older
	tightAt time.Duration // when a ring was last close to losing the token; zero: never
}

// spell counts a new spell of trouble, if the last one is over for long enough: one outage is one spell, whatever the rings make of it.
func (h *history) spell(b *bucket, now, apart time.Duration) {
	if h.tightAt == 0 || now-h.tightAt > apart {
		b.spells++
	}
	h.tightAt = now
}

func newHistory() history {
	mk := func(width time.Duration, n int) level { return level{width, make([]bucket, n+1)} }
	return history{
		recent: level{time.Second, make([]bucket, recentFor+1)},
		older:  [3]level{mk(30*time.Second, 20), mk(5*time.Minute, 12), mk(time.Hour, 24)},
	}
}

// at returns the bucket of the present second, and puts away the seconds that are a minute old.
func (h *history) at(t time.Duration) *bucket {
	second := int64(t / time.Second)
	end := min(second-recentFor, h.settled+recentFor+1) // after a long pause no more than that is held
	for ; h.settled < end; h.settled++ {
		h.putAway(h.settled)
	}
	h.settled = max(h.settled, second-recentFor)
	return h.recent.at(t)
}

func (h *history) putAway(second int64) {
	b := &h.recent.buckets[second%int64(len(h.recent.buckets))]
	if b.index != second {
		return
	}
	for i := range h.older {
		h.older[i].at(time.Duration(second) * time.Second).merge(b)
	}
	*b = bucket{index: -1}
}

// takeBack forgets what the rings did from an instant on, as far as it is not put away. What Corosync said stays.
func (h *history) takeBack(since time.Duration) {
	for i := range h.recent.buckets {
		if b := &h.recent.buckets[i]; time.Duration(b.index+1)*time.Second > since {
			*b = bucket{index: b.index, real: b.real}
		}
	}
}

// correct gives a held ring another one's gaps from an instant on, as far as they are not put away; without another they were no longer than most.
func (h *history) correct(ring, other int, since, most time.Duration) {
	for i := range h.recent.buckets {
		b := &h.recent.buckets[i]
		switch {
		case time.Duration(b.index+1)*time.Second <= since:
		case other >= 0:
			b.held[ring] = b.held[other]
		default:
			b.held[ring] = min(b.held[ring], most)
		}
	}
}

// window sums up what happened up to an instant.
func (h *history) window(length, t time.Duration, rings int, at func(time.Duration) time.Time) Window {
	var sum bucket
	h.recent.add(&sum, t, min(int(length/time.Second), recentFor+1))
	for i := range h.older {
		if l := &h.older[i]; length == l.width*time.Duration(len(l.buckets)-1) {
			l.add(&sum, t, len(l.buckets))
		}
	}
	w := Window{Length: length, Covered: min(length, sum.covered), Worst: sum.worst.gap, Hop: sum.worst.hop, Spells: sum.spells, Real: sum.real}
	if sum.worst.gap > 0 {
		w.At = at(sum.worst.at)
	}
	for i := range rings {
		w.LinkDowns += float64(sum.downs[i]) / float64(rings)
		w.Losses += float64(sum.losses[i]) / float64(rings)
		w.Tight += float64(sum.tight[i]) / float64(rings)
		if sum.losses[i] > 0 {
			w.LossShare += 1 / float64(rings)
		}
	}
	w.Median = sum.median(rings)
	return w
}

// median is the worst gap of the ring in the middle: of those that are held to what knet did, or if there are none of all.
func (b *bucket) median(rings int) time.Duration {
	gaps := b.gaps[:rings]
	if b.heldRings > 0 {
		gaps = b.held[:b.heldRings]
	}
	if len(gaps) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(gaps))[len(gaps)/2]
}
