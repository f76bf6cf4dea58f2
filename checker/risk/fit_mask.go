package risk

import (
	"cmp"
	"math"
	"slices"
)

// reckon estimates what each path loses outside of the claims on it.
func (f *field) reckon() {
	for i := range f.paths {
		p := &f.paths[i]
		known, lost := f.unclaimed(p)
		if known == 0 {
			continue
		}
		if r := float64(lost) / float64(known); r < p.loss || p.loss == 0 {
			p.loss = r
		}
	}
}

// unclaimed counts a path's packets outside of claims.
func (f *field) unclaimed(p *knownPath) (known, lost int) {
	for _, r := range f.masked(p) {
		if r.lost {
			lost += r.until - r.from
		} else {
			known -= r.until - r.from
		}
	}
	return known + f.to - f.from, lost
}

// masked are a path's stretches with everything unknown that was claimed, or that nobody could tell: whether a scope fails that is known to,
// or the path alone, while the path is the only one known.
func (f *field) masked(p *knownPath) []stretch {
	var masks []stretch
	for _, i := range p.scopes {
		bursts := f.scopes[i].bursts()
		for _, b := range bursts {
			masks = append(masks, stretch{b.from, b.until, false})
		}
		if len(bursts) > 0 {
			masks = append(masks, f.alone(p, &f.scopes[i])...)
		}
	}
	if len(masks) == 0 {
		return p.runs
	}
	return overlay(p.runs, masks)
}

// alone is when of a scope's paths only p is known.
func (f *field) alone(p *knownPath, s *scopeState) []stretch {
	out := []stretch{{f.from, f.to, false}}
	for _, m := range s.members {
		if other := &f.paths[m]; other.path != p.path && len(out) > 0 {
			out = common(out, other.runs)
		}
	}
	return out
}

// common is where stretches and what is unknown in others overlap.
func common(a, b []stretch) []stretch {
	var out []stretch
	for len(a) > 0 && len(b) > 0 {
		if from, until := max(a[0].from, b[0].from), min(a[0].until, b[0].until); from < until && !b[0].lost {
			out = append(out, stretch{from, until, false})
		}
		if a[0].until < b[0].until {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// overlay lays masks of unknown over stretches.
func overlay(runs, masks []stretch) []stretch {
	slices.SortFunc(masks, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var out []stretch
	add := func(s stretch) {
		if s.from >= s.until {
			return
		}
		if n := len(out); n > 0 && out[n-1].until == s.from && out[n-1].lost == s.lost {
			out[n-1].until = s.until
			return
		}
		out = append(out, s)
	}
	at := 0 // everything before is in out
	runsUpTo := func(slot int) {
		for len(runs) > 0 && runs[0].from < slot {
			r := runs[0]
			add(stretch{max(r.from, at), min(r.until, slot), r.lost})
			if r.until > slot {
				break
			}
			runs = runs[1:]
		}
		at = max(at, slot)
	}
	for _, m := range masks {
		runsUpTo(m.from)
		add(stretch{max(m.from, at), m.until, false})
		at = max(at, m.until)
	}
	runsUpTo(math.MaxInt)
	return out
}

// bridge is how many slots without a claim do not end a burst: within one, a few packets may pass.
const bridge = 2

// bursts are a scope's claims, those close to each other joined.
func (s *scopeState) bursts() []claim {
	all := slices.Concat(s.claims, s.blocks)
	slices.SortFunc(all, func(a, b claim) int { return cmp.Compare(a.from, b.from) })
	var out []claim
	for _, c := range all {
		if n := len(out); n > 0 && c.from-out[n-1].until <= bridge {
			b := &out[n-1]
			gap := max(0, c.from-b.until) * c.most
			b.until, b.known, b.lost = max(b.until, c.until), b.known+c.known+gap, b.lost+c.lost
			continue
		}
		out = append(out, c)
	}
	return out
}
