package risk

import (
	"reflect"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// fading is what is left of the memory after each forecast: at last it weighs as much as twenty new ones.
const fading = 0.95

// inherit takes over what an earlier ensemble has simulated, as far as it still holds: all of it is of networks like the one that the memory
// began with, so that a slow change is none the less one.
func (e *ensemble) inherit(old *ensemble) {
	if !reflect.DeepEqual(e.c, old.c) || !e.network.like(old.network, e.c.Timeouts.TokenRetransmit/slowShare) {
		return
	}
	e.network = old.network
	e.usual = old.usual.faded()
	for i, r := range e.rare {
		for k, o := range old.rare {
			if s, was := &e.strata[i], &old.strata[k]; s.n == 0 && sameLine(&e.lines[r.line], &old.lines[o.line]) && sameBurst(s.burst, was.burst) {
				s.inherit(was)
			}
		}
	}
	e.simulated = time.Duration(fading * float64(old.simulated))
}

func sameLine(a, b *Line) bool { return a.Name == b.Name && slices.Equal(a.Paths, b.Paths) }

// sameBurst: rings fare alike in both, however often they come.
func sameBurst(a, b totem.Burst) bool {
	return likely(float64(a.Mean), float64(b.Mean), alikeBy) && likely(lossIn(a), lossIn(b), alikeBy)
}

// inherit takes over the trials of a burst; how often it comes is known anew.
func (s *stratum) inherit(old *stratum) {
	rate, vary := s.rate, s.vary
	*s = old.faded()
	s.rate, s.vary = rate, vary
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
