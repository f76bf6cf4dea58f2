package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Group is cases of the same kinds with the same impact.
type Group struct {
	Kinds    []Kind    `json:"kinds"`
	Impact   Impact    `json:"impact"`
	Count    int       `json:"cases"`
	Whole    bool      `json:"all_of_these_kinds"`          // every case of these kinds is in it
	Patterns []Pattern `json:"patterns"`                    // which cases, exactly
	Keep     Range     `json:"keep"`                        // how many living nodes keep quorum
	Reset    Range     `json:"reset"`                       // how many reset
	Stop     Range     `json:"stop"`                        // how many lose quorum and don't reset
	Spare    *Range    `json:"spare_nodes,omitempty"`       // of singles after which somebody has quorum: how many more may be lost at once
	Later    *Range    `json:"spare_nodes_later,omitempty"` // the same when last_man_standing's window has passed; absent: no difference
	Implied  bool      `json:"implied"`                     // of doubles: one of the two alone does it already
	Worst    Case      `json:"worst"`                       // one of those with the most resets
}

// Range is from the least to the most over the cases of a Group.
type Range struct {
	Least int `json:"least"`
	Most  int `json:"most"`
}

func (r *Range) add(n int, first bool) {
	if first {
		*r = Range{n, n}
	}
	r.Least, r.Most = min(r.Least, n), max(r.Most, n)
}

// Pattern is a set of cases: any one of One; or any one of One with any one of Other; or, with Two, any two of One.
type Pattern struct {
	One   []Failure `json:"one"`
	Other []Failure `json:"other,omitempty"`
	Two   bool      `json:"any_two_of_one,omitempty"`
}

// groupKey is what the cases of a group have in common.
type groupKey struct {
	one, other Kind
	impact     Impact
	implied    bool
	text       string // singles: who keeps quorum, and may still be lost; so that each line of a report says one thing
}

// groups sorts outcomes into groups, worst first.
func (w *world) groups(failures []Failure, outcomes []outcome, implied func(outcome) bool) []Group {
	members := map[groupKey][]int{}
	total := map[[2]Kind]int{}
	for i := range outcomes {
		k := w.key(failures, &outcomes[i])
		k.implied = implied != nil && implied(outcomes[i])
		members[k] = append(members[k], i)
		total[[2]Kind{k.one, k.other}]++
	}
	var out []Group
	for k, list := range members {
		g := Group{Kinds: []Kind{k.one}, Impact: k.impact, Implied: k.implied, Count: len(list), Whole: len(list) == total[[2]Kind{k.one, k.other}]}
		if k.other != "" {
			g.Kinds = append(g.Kinds, k.other)
		}
		w.measure(&g, failures, outcomes, list)
		g.Patterns = patterns(failures, outcomes, list)
		out = append(out, g)
	}
	slices.SortFunc(out, compareGroups)
	return out
}

func (w *world) key(failures []Failure, o *outcome) groupKey {
	k := groupKey{one: failures[o.failures[0]].Kind, impact: o.impact}
	if o.failures[1] >= 0 {
		k.other = failures[o.failures[1]].Kind
		return k
	}
	if k.one == Node || k.one == NodeCut {
		k.text = fmt.Sprint(bitCount(o.keep), bitCount(o.lose), bitCount(o.loose))
	} else {
		k.text = fmt.Sprint(w.counts(o.keep), w.counts(o.lose), w.counts(o.loose))
	}
	if o.impact == Freeze {
		k.text += fmt.Sprint(w.spare(o))
	}
	return k
}

func (w *world) measure(g *Group, failures []Failure, outcomes []outcome, list []int) {
	worst := -1
	for n, i := range list {
		o := &outcomes[i]
		resets := w.resets(o)
		g.Keep.add(bitCount(o.keep), n == 0)
		g.Reset.add(resets, n == 0)
		g.Stop.add(bitCount(o.lose)-resets, n == 0)
		if o.failures[1] < 0 && o.impact <= Partial {
			if g.Spare == nil {
				g.Spare, g.Later = &Range{}, &Range{}
			}
			now, later := w.spare(o)
			g.Spare.add(now, n == 0)
			g.Later.add(later, n == 0)
		}
		if worst < 0 || resets > w.resets(&outcomes[worst]) {
			worst = i
		}
	}
	if g.Later != nil && *g.Later == *g.Spare {
		g.Later = nil
	}
	g.Worst = w.tell(outcomes[worst], caseOf(failures, outcomes[worst]))
}

func caseOf(failures []Failure, o outcome) []Failure {
	if o.failures[1] < 0 {
		return []Failure{failures[o.failures[0]]}
	}
	return []Failure{failures[o.failures[0]], failures[o.failures[1]]}
}

func compareGroups(a, b Group) int {
	order := kinds()
	rank := func(g Group) int {
		r := 0
		for _, k := range g.Kinds {
			r = 10*r + slices.Index(order, k)
		}
		return r
	}
	text := func(g Group) string { return g.Worst.Failures[0].String() }
	return cmp.Or(cmp.Compare(b.Impact, a.Impact), cmp.Compare(rank(a), rank(b)), boolCompare(a.Implied, b.Implied),
		cmp.Compare(b.Reset.Most, a.Reset.Most), strings.Compare(text(a), text(b)))
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// patterns writes a set of cases as few products. Failures that occur with the same others are twins; each pair of classes
// of twins is a pattern.
func patterns(failures []Failure, outcomes []outcome, list []int) []Pattern {
	with := map[int]map[int]bool{}
	single := []Failure{}
	for _, i := range list {
		f, g := outcomes[i].failures[0], outcomes[i].failures[1]
		if g < 0 {
			single = append(single, failures[f])
			continue
		}
		link(with, f, g)
		link(with, g, f)
	}
	if len(single) > 0 {
		return []Pattern{{One: single}}
	}
	classes := twins(with, failures)
	var out []Pattern
	for i, a := range classes {
		if len(a) > 1 && with[a[0]][a[1]] {
			out = append(out, Pattern{One: pick(failures, a), Two: true})
		}
		for _, b := range classes[i+1:] {
			if with[a[0]][b[0]] {
				out = append(out, Pattern{One: pick(failures, a), Other: pick(failures, b)})
			}
		}
	}
	return out
}

func link(with map[int]map[int]bool, f, g int) {
	if with[f] == nil {
		with[f] = map[int]bool{}
	}
	with[f][g] = true
}

// twins divides failures of one kind into classes: two are in one class when they occur with the same others, apart from
// each other.
func twins(with map[int]map[int]bool, failures []Failure) [][]int {
	var all []int
	for f := range with {
		all = append(all, f)
	}
	slices.Sort(all)
	var classes [][]int
	for _, f := range all {
		at := slices.IndexFunc(classes, func(c []int) bool {
			return failures[c[0]].Kind == failures[f].Kind && areTwins(with, c[0], f) && (len(c) == 1 || with[c[0]][c[1]] == with[c[0]][f])
		})
		if at < 0 {
			classes = append(classes, []int{f})
		} else {
			classes[at] = append(classes[at], f)
		}
	}
	return classes
}

func areTwins(with map[int]map[int]bool, f, g int) bool {
	a, b := len(with[f]), len(with[g])
	if with[f][g] {
		a, b = a-1, b-1
	}
	if a != b {
		return false
	}
	for x := range with[f] {
		if x != g && !with[g][x] {
			return false
		}
	}
	return true
}

func pick(failures []Failure, indices []int) []Failure {
	out := make([]Failure, len(indices))
	for i, f := range indices {
		out[i] = failures[f]
	}
	return out
}
