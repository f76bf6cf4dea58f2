package impair

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync/atomic"
)

// Set is a compiled list of rules. Judge must be called by one goroutine at a time; Drops may be read by others at any time.
type Set struct {
	top   Topology
	seed  uint64
	rules []*compiled
	paths [][]*lane // by path index: the rules that concern it, in order
}

// compiled is one rule with its lines and records; it is handed on from set to set while the rule stays the same.
type compiled struct {
	Rule
	key   string // canonical content
	lines map[lineKey]*line
	drops []dropCell // by path and kind
}

// lane is one rule on one path.
type lane struct {
	rule  *compiled
	line  *line
	drops []dropCell // by kind
}

type lineKey struct {
	from, to string
	link     int
}

// dropCell is written by the judging goroutine and read by any.
type dropCell struct {
	first, last, count atomic.Int64
}

// Drop is the record of what one rule dropped of one kind on one path.
type Drop struct {
	Rule  string  `json:"rule"`
	From  string  `json:"from"` // node
	To    string  `json:"to"`   // node
	Link  int     `json:"link"`
	Kind  Kind    `json:"kind"`
	First Instant `json:"first"` // instant at which the first lost packet met the hub
	Last  Instant `json:"last"`
	Count int64   `json:"count"`
}

// Compile makes a Set. Rules that are the same in prev (which may be nil) keep their lines and records. Names must be unique
// and not empty.
func Compile(top Topology, seed uint64, rules []Rule, prev *Set) (*Set, error) {
	s := &Set{top: top, seed: seed, paths: make([][]*lane, len(top.Nodes)*len(top.Nodes)*top.Links)}
	var errs []error
	seen := make(map[string]bool)
	for _, r := range rules {
		if r.Name == "" || seen[r.Name] {
			errs = append(errs, fmt.Errorf("rule %q: want a name of its own", r.Name))
		}
		seen[r.Name] = true
		if err := r.Validate(top); err != nil {
			errs = append(errs, err)
			continue
		}
		c, err := s.adopt(r, prev)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.rules = append(s.rules, c)
		s.lay(c)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Set) adopt(r Rule, prev *Set) (*compiled, error) {
	key, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("rule %q: %w", r.Name, err)
	}
	if prev != nil && len(prev.paths) == len(s.paths) {
		for _, c := range prev.rules {
			if c.Name == r.Name && c.key == string(key) {
				return c, nil
			}
		}
	}
	return &compiled{Rule: r, key: string(key), lines: make(map[lineKey]*line), drops: make([]dropCell, len(s.paths)*int(kinds))}, nil
}

// lay puts a rule on all paths that it is for.
func (s *Set) lay(c *compiled) {
	for from := range s.top.Nodes {
		for to := range s.top.Nodes {
			for link := range s.top.Links {
				key, ok := c.match(s.top, from, to, link)
				if !ok {
					continue
				}
				l := c.lines[key]
				if l == nil {
					l = newLine(s.seed, c.Name, key)
					c.lines[key] = l
				}
				i := s.path(from, to, link)
				s.paths[i] = append(s.paths[i], &lane{rule: c, line: l, drops: c.drops[i*int(kinds) : (i+1)*int(kinds)]})
			}
		}
	}
}

func (s *Set) path(from, to, link int) int {
	return (from*len(s.top.Nodes)+to)*s.top.Links + link
}

// match says whether the rule is for this path, and which line the path takes.
func (r *Rule) match(top Topology, from, to, link int) (lineKey, bool) {
	if from == to || len(r.Links) > 0 && !slices.Contains(r.Links, link) {
		return lineKey{}, false
	}
	a, b := top.Nodes[from], top.Nodes[to]
	byNode := r.byNode(top)
	if open := len(r.From) == 0 || len(r.To) == 0; open && a.Site == b.Site && !r.Inside && !byNode {
		return lineKey{}, false
	}
	there := names(r.From, a) && names(r.To, b)
	back := r.Both && names(r.From, b) && names(r.To, a)
	if !there && !back {
		return lineKey{}, false
	}
	if byNode {
		return lineKey{a.Name, b.Name, link}, true
	}
	return lineKey{a.Site, b.Site, link}, true
}

func (r *Rule) byNode(top Topology) bool {
	return slices.ContainsFunc(r.From, top.isNode) || slices.ContainsFunc(r.To, top.isNode)
}

func names(list []string, n Node) bool {
	return len(list) == 0 || slices.Contains(list, n.Name) || slices.Contains(list, n.Site)
}

// Rules returns the rules of the set, in order.
func (s *Set) Rules() []Rule {
	rules := make([]Rule, len(s.rules))
	for i, c := range s.rules {
		rules[i] = c.Rule
	}
	return rules
}

// Drops returns what each rule dropped so far, by rule, path and kind; what dropped nothing is left out.
func (s *Set) Drops() []Drop {
	var drops []Drop
	for _, c := range s.rules {
		for i := range c.drops {
			cell := &c.drops[i]
			n := cell.count.Load()
			if n == 0 {
				continue
			}
			path, link := i/int(kinds)/s.top.Links, i/int(kinds)%s.top.Links
			drops = append(drops, Drop{
				Rule: c.Name, Kind: Kind(i % int(kinds)), Link: link,
				From:  s.top.Nodes[path/len(s.top.Nodes)].Name,
				To:    s.top.Nodes[path%len(s.top.Nodes)].Name,
				First: Instant(cell.first.Load()), Last: Instant(cell.last.Load()), Count: n,
			})
		}
	}
	return drops
}

func (c *dropCell) add(now Instant) {
	if c.count.Load() == 0 {
		c.first.Store(int64(now))
	}
	c.last.Store(int64(now))
	c.count.Add(1)
}

// hash gives a line its own stream of random numbers, the same in each run.
func (k lineKey) hash(rule string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%d", rule, k.from, k.to, k.link)
	return h.Sum64()
}
