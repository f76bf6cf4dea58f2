package risk

import (
	"cmp"
	"slices"
)

// option is a scope that may explain losses.
type option struct {
	scope    int
	whole    bool // it explains all of them, and all that it has
	evidence float64
}

// manyOptions is up to how many options are looked at in pairs.
const manyOptions = 96

// explain picks the option that explains losses best, or the two that do if one cannot explain them all: two lines that fail at the same time
// must not be taken for a wider one that fails in part. None: there is less evidence than least.
func (f *field) explain(least float64) []int {
	f.options = slices.DeleteFunc(f.options, func(o option) bool { return o.evidence <= 0 })
	slices.SortStableFunc(f.options, func(a, b option) int { return cmp.Compare(f.scopes[a.scope].kind, f.scopes[b.scope].kind) })
	var best option
	most := least
	for _, o := range f.options {
		if o.evidence > most+equal {
			best, most = o, o.evidence
		}
	}
	if most == least {
		return nil
	}
	out := []int{best.scope}
	if best.whole || len(f.options) > manyOptions {
		return out
	}
	most += claimEvidence // a second cause is less likely than one
	for i, a := range f.options {
		for _, b := range f.options[i+1:] {
			if sum := a.evidence + b.evidence; sum > most+equal && f.apart(a.scope, b.scope) {
				out, most = []int{a.scope, b.scope}, sum
			}
		}
	}
	return out
}

// equal is how near two figures of evidence are that differ by rounding alone.
const equal = 1e-9

// apart: two scopes have no path in common. Members ascend.
func (f *field) apart(a, b int) bool {
	x, y := f.scopes[a].members, f.scopes[b].members
	for len(x) > 0 && len(y) > 0 {
		switch {
		case x[0] == y[0]:
			return false
		case x[0] < y[0]:
			x = x[1:]
		default:
			y = y[1:]
		}
	}
	return true
}
