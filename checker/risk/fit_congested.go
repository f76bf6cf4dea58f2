package risk

import (
	"cmp"
	"slices"
)

// Where a failing scope loses only a part, single slots don't tell which scope it is: half of six packets lost look like all of a
// narrower scope. So blocks of half a second are looked at first, and their claims come before those of slots.
const (
	block         = 10
	blockEvidence = 14  // there are more scopes than claims: chance must make none
	partial       = 0.8 // above this share lost, slots tell more exactly
)

// tally is what a scope lost in a block.
type tally struct {
	block, lost int
	most        int // of it by a single path
	first, last int // slots with a loss
}

// lonely: nearly all is the loss of one path, which is no matter of the scope.
func (t *tally) lonely() bool { return 4*t.most > 3*t.lost }

// congested replaces claims of slots by claims of blocks where much is lost but not all.
func (f *field) congested() {
	for _, w := range f.winners() {
		s := &f.scopes[w.scope]
		c := claim{w.first, w.last + 1, 0, w.lost, 2, len(s.members)}
		c.known = f.tollOf(s, c.from, c.until).known
		if n := len(s.blocks); n > 0 && c.from-s.blocks[n-1].until <= block {
			c.from, c.lost = s.blocks[n-1].from, c.lost+s.blocks[n-1].lost
			c.known = f.tollOf(s, c.from, c.until).known
			s.blocks = s.blocks[:n-1]
		}
		s.blocks = append(s.blocks, c)
	}
	var partly []claim
	for i := range f.scopes {
		s := &f.scopes[i]
		s.blocks = slices.DeleteFunc(s.blocks, func(c claim) bool {
			return s.kind == scopePath || c.length() < 2 || 2*s.whole(c) >= c.lost
		})
		partly = append(partly, s.blocks...)
	}
	slices.SortFunc(partly, func(a, b claim) int { return cmp.Compare(a.from, b.from) })
	for i := range f.scopes {
		s := &f.scopes[i]
		s.claims = slices.DeleteFunc(s.claims, func(c claim) bool { return inside(partly, c.from) })
	}
}

// whole counts the packets that were lost in slots of c in which nearly all were.
func (s *scopeState) whole(c claim) int {
	lost := 0
	i, _ := slices.BinarySearchFunc(s.claims, c.from, func(a claim, slot int) int { return cmp.Compare(a.from, slot) })
	for ; i < len(s.claims) && s.claims[i].from < c.until; i++ {
		if a := s.claims[i]; float64(a.lost) >= partial*float64(a.known) {
			lost += a.lost
		}
	}
	return lost
}

// inside: the slot lies in one of the claims, or close by.
func inside(claims []claim, slot int) bool {
	for _, c := range claims {
		if slot >= c.from-block && slot < c.until+block {
			return true
		}
	}
	return false
}

// tollOf is what a scope's packets met in [from, until).
func (f *field) tollOf(s *scopeState, from, until int) toll {
	var t toll
	for _, m := range s.members {
		known, lost := until-from, 0
		for _, r := range overlapping(f.paths[m].runs, from, until) {
			n := min(r.until, until) - max(r.from, from)
			if r.lost {
				lost += n
			} else {
				known -= n
			}
		}
		t.add(f.paths[m].chance, known, lost)
	}
	return t
}

// overlapping are the stretches that reach into [from, until).
func overlapping(runs []stretch, from, until int) []stretch {
	i, _ := slices.BinarySearchFunc(runs, from+1, func(r stretch, slot int) int { return cmp.Compare(r.until, slot) })
	k := i
	for k < len(runs) && runs[k].from < until {
		k++
	}
	return runs[i:k]
}

// winner is a block with the scope that explains its losses best.
type winner struct {
	tally
	scope int
}

// winners goes through the blocks in which at least two paths lose packets.
func (f *field) winners() []winner {
	tallies := make([]tally, len(f.scopes))
	var touched []int
	var out []winner
	losses := f.losses()
	for i := 0; i < len(losses); {
		now := losses[i].block
		touched = touched[:0]
		first := losses[i].path
		several, total := false, 0
		for ; i < len(losses) && losses[i].block == now; i++ {
			l := losses[i]
			several = several || l.path != first
			total += l.lost
			for _, s := range f.paths[l.path].scopes {
				t := &tallies[s]
				if t.block != now+1 {
					*t = tally{block: now + 1, first: l.first, last: l.last}
					touched = append(touched, s)
				}
				t.lost += l.lost
				t.most = max(t.most, l.lost)
				t.first, t.last = min(t.first, l.first), max(t.last, l.last)
			}
		}
		if several {
			for _, i := range f.culprits(touched, tallies, now, total) {
				out = append(out, winner{tallies[i], i})
			}
		}
	}
	return out
}

// culprits are the scopes that explain a block.
func (f *field) culprits(touched []int, tallies []tally, now, total int) []int {
	f.options = f.options[:0]
	for _, i := range touched {
		s, t := &f.scopes[i], &tallies[i]
		if t.lost < 2 || t.lost < len(s.members) || t.lonely() && s.kind != scopePath {
			continue
		}
		toll := f.tollOf(s, f.from+now*block, min(f.to, f.from+(now+1)*block))
		e := toll.evidence(outright)
		for _, q := range partly {
			e = max(e, toll.evidence(q))
		}
		f.options = append(f.options, option{i, t.lost == total && t.lost == toll.known, e})
	}
	return f.explain(blockEvidence)
}

// blockLoss is what a path lost in a block, and in which slots first and last.
type blockLoss struct{ block, path, lost, first, last int }

func (f *field) losses() []blockLoss {
	var out []blockLoss
	for i := range f.paths {
		mine := len(out)
		for _, r := range f.paths[i].runs {
			if !r.lost {
				continue
			}
			for from := r.from; from < r.until; {
				b := (from - f.from) / block
				until := min(r.until, f.from+(b+1)*block)
				if n := len(out); n > mine && out[n-1].block == b {
					out[n-1].lost, out[n-1].last = out[n-1].lost+until-from, until-1
				} else {
					out = append(out, blockLoss{b, i, until - from, from, until - 1})
				}
				from = until
			}
		}
	}
	slices.SortStableFunc(out, func(a, b blockLoss) int { return cmp.Compare(a.block, b.block) })
	return out
}
