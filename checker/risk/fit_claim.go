package risk

import (
	"cmp"
	"math"
	"slices"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// field is the record of a window, ready to be asked which paths failed together.
type field struct {
	from, to int // slots
	paths    []knownPath
	scopes   []scopeState
	lost     []int    // scratch: the paths that lose now
	options  []option // scratch: what may explain it
	question int      // number of times that options were collected
}

// knownPath is a path that was probed.
type knownPath struct {
	path   trace.Path
	runs   []stretch // lost or unknown, inside the window; ascending, apart
	scopes []int     // in order of preference
	known  int       // slots
	loss   float64   // ratio lost, on its own: the present estimate
	chance chance    // of loss
	now    fate
}

// fate is what becomes of a path's packets at one moment of a sweep.
type fate uint8

const (
	arrives fate = iota
	isLost
	isUnknown
)

// scopeState is what a sweep knows of a scope.
type scopeState struct {
	scope
	members []int   // of field.paths
	chance  float64 // mean loss of its members on their own
	now     toll
	asked   int     // for the last time: field.question
	claims  []claim // of slots
	blocks  []claim // of blocks: where only a part is lost
}

// claim is a stretch in which so many of a scope's known paths lost their packets that the scope must have failed.
type claim struct {
	from, until int
	known, lost int // packets
	fewest      int // paths lost, at least
	most        int // paths known, at most
}

// newField prepares the window [from, to) of a digest.
func newField(c *Cluster, d *Digest, from, to int) *field {
	f := &field{from: from, to: to}
	index := map[scope]int{}
	for _, path := range allPaths(c) {
		p := d.paths[path]
		if p == nil {
			continue
		}
		k := knownPath{path: path, runs: window(p, from, to)}
		k.count(to - from)
		if k.known == 0 {
			continue
		}
		for _, s := range scopesOf(c, path) {
			i, ok := index[s]
			if !ok {
				i = len(f.scopes)
				index[s] = i
				f.scopes = append(f.scopes, scopeState{scope: s})
			}
			f.scopes[i].members = append(f.scopes[i].members, len(f.paths))
			k.scopes = append(k.scopes, i)
		}
		f.paths = append(f.paths, k)
	}
	return f
}

// window is what of a path lies in [from, to).
func window(p *pathDigest, from, to int) []stretch {
	var out []stretch
	if p.begin > from {
		out = append(out, stretch{from, min(p.begin, to), false})
		from = min(p.begin, to)
	}
	for _, run := range p.runs {
		r := run.stretch()
		if r.from, r.until = max(r.from, from), min(r.until, to); r.from < r.until {
			out = append(out, r)
		}
	}
	return out
}

// count finds how much is known, and a first estimate of the loss that is not in bursts: from losses that stand alone.
func (k *knownPath) count(slots int) {
	lost, alone := 0, 0
	k.known = slots
	for _, r := range k.runs {
		if !r.lost {
			k.known -= r.until - r.from
			continue
		}
		lost += r.until - r.from
		if r.until-r.from == 1 {
			alone++
		}
	}
	if k.known <= 0 {
		k.known = 0
		return
	}
	k.loss = unalone(float64(alone)/float64(k.known), float64(lost)/float64(k.known))
}

// unalone is the independent loss p at which a share of packets is lost with neighbours that arrive: p(1-p)². Above a quarter the
// two can't be told apart: then all loss counts.
func unalone(alone, all float64) float64 {
	if all > 0.25 {
		return all
	}
	p := alone
	for range 20 {
		p = min(alone/((1-p)*(1-p)), all)
	}
	return p
}

// A claim takes evidence: so much more likely (as a logarithm) must it be that the scope failed than that its paths lost their packets
// by chance.
const claimEvidence = 7

// claim sweeps over the window and gives each moment in which several paths lose packets to the scope that explains it best. Then
// it estimates anew what the paths lose by chance.
func (f *field) claim() {
	for i := range f.paths {
		f.paths[i].chance = chanceOf(f.paths[i].loss)
	}
	for i := range f.scopes {
		s := &f.scopes[i]
		s.claims, s.blocks, s.now, s.chance = nil, nil, toll{}, 0
		for _, m := range s.members {
			s.chance += f.paths[m].loss / float64(len(s.members))
			s.now.add(f.paths[m].chance, 1, 0)
		}
	}
	for i := range f.paths {
		f.paths[i].now = arrives
	}
	f.lost = f.lost[:0]
	turns := f.turns()
	for i := 0; i < len(turns); {
		slot := turns[i].slot
		for ; i < len(turns) && turns[i].slot == slot; i++ {
			f.turn(turns[i].path, turns[i].now)
		}
		if i < len(turns) && len(f.lost) > 1 {
			f.award(slot, turns[i].slot)
		}
	}
	f.congested()
	for i := range f.scopes {
		f.scopes[i].doubt(f.to - f.from)
	}
	f.reckon()
}

// turn is a moment at which the fate of a path's packets changes.
type turn struct {
	slot, path int
	now        fate
}

func (f *field) turns() []turn {
	var out []turn
	for i := range f.paths {
		for _, r := range f.paths[i].runs {
			now := isUnknown
			if r.lost {
				now = isLost
			}
			out = append(out, turn{r.from, i, now}, turn{r.until, i, arrives})
		}
	}
	slices.SortFunc(out, func(a, b turn) int { return cmp.Or(a.slot-b.slot, a.path-b.path, cmp.Compare(a.now, b.now)) })
	return out
}

// turn keeps the counts of all scopes. A stretch may begin in the slot in which the one before ends: in the order of turns.
func (f *field) turn(path int, now fate) {
	p := &f.paths[path]
	lost, known := btoi(now == isLost)-btoi(p.now == isLost), btoi(now != isUnknown)-btoi(p.now != isUnknown)
	p.now = now
	for _, s := range p.scopes {
		f.scopes[s].now.add(p.chance, known, lost)
	}
	switch {
	case lost > 0:
		f.lost = append(f.lost, path)
	case lost < 0:
		f.lost = slices.DeleteFunc(f.lost, func(i int) bool { return i == path })
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// award gives the slots [from, until) to the scopes that explain them, if there is enough evidence.
func (f *field) award(from, until int) {
	f.options = f.options[:0]
	f.question++
	for _, p := range f.lost {
		for _, i := range f.paths[p].scopes {
			if s := &f.scopes[i]; s.asked != f.question && s.now.lost > 0 {
				s.asked = f.question
				f.options = append(f.options, option{i, s.now.lost == len(f.lost) && s.now.lost == s.now.known, s.now.evidence(outright)})
			}
		}
	}
	n := until - from
	for _, o := range f.explain(claimEvidence) {
		if s := &f.scopes[o]; s.now.lost > 1 {
			s.claims = append(s.claims, claim{from, until, n * s.now.known, n * s.now.lost, s.now.lost, s.now.known})
		}
	}
}

// doubt drops claims that chance alone would make as often.
func (s *scopeState) doubt(slots int) {
	if len(s.claims) == 0 {
		return
	}
	claimed, fewest, most := 0, math.MaxInt, 0
	for _, c := range s.claims {
		claimed += c.until - c.from
		fewest, most = min(fewest, c.fewest), max(most, c.most)
	}
	expected := float64(slots) * atLeast(fewest, most, s.chance)
	if n := float64(claimed); n < 4*expected || n < 3 && expected > 0.01 || n-expected < 4*math.Sqrt(expected) {
		s.claims = nil
	}
}

// atLeast is the chance that at least k of n paths lose a packet, each with probability p.
func atLeast(k, n int, p float64) float64 {
	sum, term := 0.0, math.Pow(1-p, float64(n))
	for i := range n {
		if i >= k {
			sum += term
		}
		term *= float64(n-i) / float64(i+1) * p / (1 - p)
	}
	return min(1, sum+term)
}
