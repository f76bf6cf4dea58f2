package advice

import (
	"math"
	"slices"
	"time"
)

// trouble says whether anything asks for a change.
func (s *search) trouble(now *trial) bool {
	return now.tally.losses > 0 || expected(now) || !now.easy(closeShare) || !now.Bounds.LowerHolds() || !now.Bounds.UpperHolds()
}

// look tries candidates, a few good ones more in each round, until one is found that leaves nothing to be desired or all were tried.
func (s *search) look(now *trial) (tried []*trial, best *trial) {
	left := s.knobs.candidates()
	for len(left) > 0 && (best == nil || !best.easy(easyShare)) {
		n := s.firstLook(left, &tried)
		left = left[n:]
		best = s.best(now, s.promising(tried))
	}
	return tried, best
}

// firstLook tries candidates on little of the record, until enough of them are easy with it: what comes later changes more. It
// returns how many it tried.
func (s *search) firstLook(left []candidate, tried *[]*trial) int {
	good := 0
	over := s.record.stretchOf(s.scaled(shortTrial))
	for i, c := range left {
		t := s.make(c, len(*tried))
		*tried = append(*tried, t)
		if t.Refused != "" {
			continue
		}
		s.test(t, over)
		if t.tally.losses > 0 || !t.easy(easyShort) {
			continue
		}
		if s.drill(t); t.Refused == "" {
			good++
		}
		if good == survivors {
			return i + 1
		}
	}
	return len(left)
}

// bad counts what is to be avoided: token losses, or where there is hardly a token to lose, stretches of ten seconds without the whole
// cluster in service.
func (s *search) bad(t *trial) int {
	if s.heavy {
		return int(t.tally.broken / (10 * time.Second))
	}
	return t.tally.losses
}

// share is the longest time without the token, in tokens.
func (t *trial) share() float64 { return t.Figures.WorstGap.Seconds() / t.Bounds.Token.Seconds() }

// easy says whether the token was never later than a share of its timeout.
func (t *trial) easy(share float64) bool {
	return t.share() < share
}

// promising are the candidates that lost the token least often, those of equal merit in the order of preference.
func (s *search) promising(tried []*trial) []*trial {
	var out []*trial
	for _, t := range tried {
		if t.Refused == "" {
			out = append(out, t)
		}
	}
	merit := func(t *trial) int {
		if t.easy(easyShort) {
			return 2 * class(s.bad(t))
		}
		return 2*class(s.bad(t)) + 1
	}
	slices.SortStableFunc(out, func(a, b *trial) int { return merit(a) - merit(b) })
	return out
}

// class puts counts that differ little together: 0 and 1, 2 and 3, 4 to 7, ...
func class(n int) int {
	c := 0
	for n > 1 {
		n /= 2
		c++
	}
	return c
}

// best tries the most promising candidates that pass the drill as long as the present settings, and takes one; nil if none helps.
func (s *search) best(now *trial, promising []*trial) *trial {
	var passed []*trial
	for _, t := range promising {
		if t.Drill == nil {
			s.drill(t)
		}
		if t.Refused == "" {
			passed = append(passed, t)
		}
		if len(passed) == survivors {
			break
		}
	}
	slices.SortFunc(passed, func(a, b *trial) int { return a.order - b.order })
	over := s.record.stretchOf(s.scaled(longTrial))
	for i, t := range passed {
		if !t.long {
			s.test(t, over)
			t.long = true
		}
		if s.bad(t) == 0 && t.easy(easyShare) && s.helps(now, t) && s.confirmed(now, t) {
			return s.choose(now, passed[:i+1]) // what comes later changes more, and cannot do better
		}
	}
	for {
		t := s.choose(now, passed)
		if t == nil || t.Forecast != nil || s.confirmed(now, t) {
			return t
		}
	}
}

// choose takes the smallest change among those that do about as well as the best, and that Corosync would not warn under if there is
// one; nil if none helps.
func (s *search) choose(now *trial, long []*trial) *trial {
	long = slices.DeleteFunc(slices.Clone(long), func(t *trial) bool { return t.Refused != "" || !s.helps(now, t) })
	if len(long) == 0 {
		return nil
	}
	best := slices.MinFunc(long, func(a, b *trial) int { return s.bad(a) - s.bad(b) })
	slices.SortFunc(long, func(a, b *trial) int { return a.order - b.order })
	good := func(t *trial) bool { return s.bad(t) <= max(1, 2*s.bad(best)) }
	i := slices.IndexFunc(long, func(t *trial) bool { return good(t) && t.easy(easyShare) })
	if i < 0 {
		i = slices.IndexFunc(long, good)
	}
	t := long[i]
	s.out.Partly = t.tally.losses > 1 && (s.bad(t)*cutWell > s.bad(now) || t.Figures.Broken > brokenMuch)
	return t
}

// helps says whether a candidate is better than the present settings beyond chance: it loses the token less often, and the cluster is
// whole for at least as long; or it keeps a bound that they do not, and is no worse. A longer token that is lost as often does not help.
func (s *search) helps(now, t *trial) bool {
	before, after := float64(s.bad(now)), float64(s.bad(t))
	if t.tally.broken > now.tally.broken+now.tally.broken/10 {
		return false
	}
	few := before <= 1 // whether one phase of the timers lost the token once is chance: what it came close to counts as much
	switch {
	case !now.Bounds.UpperHolds():
		return after <= before+2*math.Sqrt(before)
	case few && (!now.Bounds.LowerHolds() || expected(now)):
		return after == 0
	case few:
		return after == 0 && t.easy(easyShare) && t.share() < closeShare*now.share()
	}
	return after*cutPartly <= before && before-after > 2*math.Sqrt(before+after)-1
}
