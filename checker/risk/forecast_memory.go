package risk

import (
	"reflect"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// What is remembered of earlier forecasts: as much as weighs as much as twenty new ones, of networks that lose as much, within a quarter.
const (
	fading  = 0.95
	alikeBy = 1.25
)

// inherit takes over what an earlier ensemble has simulated, as far as it still holds.
func (e *ensemble) inherit(old *ensemble) {
	if !reflect.DeepEqual(e.c, old.c) || !likely(e.usualLoss(), old.usualLoss()) {
		return
	}
	e.usual = old.usual.faded()
	for i, r := range e.rare {
		for k, o := range old.rare {
			if s := &e.strata[i]; s.n == 0 && e.lines[r.line].Name == old.lines[o.line].Name && likely(float64(e.burstOf(i).Mean), float64(old.burstOf(k).Mean)) {
				rate, vary := s.rate, s.vary
				*s = old.strata[k].faded()
				s.rate, s.vary = rate, vary
			}
		}
	}
	e.simulated = time.Duration(fading * float64(old.simulated))
}

// likely: two figures are the same, as far as a fit can tell.
func likely(a, b float64) bool { return a <= alikeBy*b && b <= alikeBy*a }

func (e *ensemble) burstOf(i int) totem.Burst {
	return e.lines[e.rare[i].line].Process.Bursts[e.rare[i].kind]
}

// usualLoss is the ratio of packets lost in what is usual, summed over all paths.
func (e *ensemble) usualLoss() float64 {
	sum := 0.0
	for i, l := range e.lines {
		n := float64(len(l.Paths))
		sum += n * l.Process.Loss
		for k, b := range l.Process.Bursts {
			if !slices.Contains(e.rare, rareBurst{i, k}) && b.Every > 0 {
				sum += n * float64(b.Mean) / float64(b.Mean+b.Every)
			}
		}
	}
	return sum
}

func (s stratum) faded() stratum {
	s.n *= fading
	s.time *= fading
	for i := range events {
		s.sum[i] *= fading
		s.sum2[i] *= fading
		s.both[i] *= fading
		s.count[i] *= fading
	}
	return s
}
