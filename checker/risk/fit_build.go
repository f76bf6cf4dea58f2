package risk

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// builder makes lines of what is left of a field when the claims of several paths are out of it: path by path.
type builder struct {
	field *field
	c     *Cluster
	d     *Digest
	out   *Fitted
	known map[trace.Path]*measured
}

// measured is a path's own process.
type measured struct {
	path    trace.Path
	packets float64 // outside of bursts
	lost    float64
	kinds   []kind
	delay   Delay
}

// group is the paths from one site to another on one link; or a single path, if sites are not known.
type group struct {
	from, to string
	path     trace.Path // zero, if sites are known
	link     int
}

// seriesMost bounds the work on one path's bursts, seriesAll on all of them.
const (
	seriesMost = 3000
	seriesAll  = 12 * seriesMost
)

func (b *builder) build() {
	b.measure()
	groups := map[group][]trace.Path{}
	var order []group
	for _, p := range allPaths(b.c) {
		g := b.group(p)
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], p)
	}
	for _, g := range order {
		b.add(g, groups[g])
	}
}

func (b *builder) group(p trace.Path) group {
	from, to := b.c.Nodes[b.c.Index(p.From)].Site, b.c.Nodes[b.c.Index(p.To)].Site
	if from == "" || to == "" {
		return group{path: p, link: p.Link}
	}
	return group{from: from, to: to, link: p.Link}
}

// measure fits each path on its own.
func (b *builder) measure() {
	f := b.field
	b.known = map[trace.Path]*measured{}
	most := max(500, min(seriesMost, seriesAll/max(1, len(f.paths))))
	for i := range f.paths {
		p := &f.paths[i]
		m := &measured{path: p.path, delay: b.d.paths[p.path].delays.delay(b.d.slot)}
		m.fit(f.masked(p), f.from, f.to, most, b.d)
		b.known[p.path] = m
	}
}

// fit finds what the path does on its own. A stretch that is too long for the bursts found is an outage of another kind: it is
// taken out, and the rest is fitted again.
func (m *measured) fit(runs []stretch, from, to, most int, d *Digest) {
	var outages []claim
	for {
		s := seriesOf(runs, from, to, most)
		known, lost := s.count()
		m.packets, m.lost = float64(known), float64(lost)
		g, bursty := fitBursts(s)
		if longest := longestOf(runs); bursty && len(outages) < 8 && g.outage(longest, known) {
			outages = append(outages, claim{longest.from, longest.until, longest.until - longest.from, longest.until - longest.from, 1, 1})
			runs = overlay(runs, []stretch{{longest.from, longest.until, false}})
			continue
		}
		m.kinds = kindsOf(outages, known, d.slot)
		if bursty {
			k := g.kind(known, d.slot)
			k.longest = max(k.longest, 0)
			m.kinds = append(m.kinds, k)
			m.packets *= g.every / (g.every + g.mean)
			m.lost = g.p * m.packets
		}
		return
	}
}

func longestOf(runs []stretch) stretch {
	var out stretch
	for _, r := range runs {
		if r.lost && r.until-r.from > out.until-out.from {
			out = r
		}
	}
	return out
}

// outage: a stretch is too long for the bursts of g, and others remain without it.
func (g gilbert) outage(s stretch, known int) bool {
	n := float64(known) / (g.every + g.mean)
	length := float64(s.until - s.from)
	if n < 2 || length < 3 {
		return false
	}
	mean := max((n*g.mean-length)/(n-1), 0.2) // of the others
	return tooLong(length, mean, n)
}

// add makes the lines of a group.
func (b *builder) add(g group, paths []trace.Path) {
	var known []*measured
	var silent []trace.Path
	for _, p := range paths {
		if m := b.known[p]; m != nil {
			known = append(known, m)
		} else {
			silent = append(silent, p)
		}
	}
	if len(known) == 0 {
		b.guess(silent)
		return
	}
	b.out.Guessed = append(b.out.Guessed, silent...)
	b.losses(g, known, paths, silent)
	b.bursts(known, paths)
	usual := known[len(known)/2].delay
	for _, m := range known {
		b.delay(m.path, m.delay)
	}
	for _, p := range silent {
		b.delay(p, usual)
	}
}

// losses adds what is lost packet by packet: as one figure, unless the paths differ.
func (b *builder) losses(g group, known []*measured, paths, silent []trace.Path) {
	packets, lost := 0.0, 0.0
	for _, m := range known {
		packets += m.packets
		lost += m.lost
	}
	all := Line{Name: b.lineName(paths), Paths: paths, Seen: Seen{Packets: packets, Lost: lost}}
	all.Process.Loss = lost / max(packets, 1)
	if alikeAll(known) {
		b.append(all)
		return
	}
	for _, m := range known {
		one := Line{Name: b.lineName([]trace.Path{m.path}), Paths: []trace.Path{m.path}, Seen: Seen{Packets: m.packets, Lost: m.lost}}
		one.Process.Loss = m.lost / max(m.packets, 1)
		b.append(one)
	}
	if all.Paths = silent; len(silent) > 0 {
		b.append(all)
	}
}

// bursts adds what single paths do. If only one of a site's paths is probed, its bursts are those of all: they share the line.
func (b *builder) bursts(known []*measured, paths []trace.Path) {
	for _, m := range known {
		if len(m.kinds) == 0 {
			continue
		}
		l := Line{Paths: []trace.Path{m.path}}
		if from, to := b.site(m.path.From), b.site(m.path.To); len(known) == 1 && from != to {
			l.Paths = paths
		}
		l.Name = b.lineName(l.Paths)
		l.take(m.kinds)
		b.out.Lines = append(b.out.Lines, l)
	}
}

func (b *builder) site(node uint32) string { return b.c.Nodes[b.c.Index(node)].Site }

// lineName is what paths have in common.
func (b *builder) lineName(paths []trace.Path) string {
	kind := scopePath
	if len(paths) > 1 {
		kind = scopeSites
	}
	for _, s := range scopesOf(b.c, paths[0]) {
		if s.kind == kind {
			return s.String()
		}
	}
	return fmt.Sprintf("within %s, link %d", b.site(paths[0].From), paths[0].Link)
}

// append adds a line, if it does anything.
func (b *builder) append(l Line) { b.out.Lines = append(b.out.Lines, l) }

// guess takes paths of which nothing is known like their other direction; else they are blind.
func (b *builder) guess(paths []trace.Path) {
	for _, p := range paths {
		like := b.like(p)
		if like == nil {
			b.out.Blind = append(b.out.Blind, p)
			continue
		}
		b.out.Guessed = append(b.out.Guessed, p)
		l := Line{Name: b.lineName([]trace.Path{p}), Paths: []trace.Path{p}, Seen: Seen{Packets: like.packets, Lost: like.lost}}
		l.Process = Process{Loss: like.lost / max(like.packets, 1), Delay: like.delay}
		b.append(l)
	}
}

// like is a measured path that an unknown one may be like: its other direction, or that of its site.
func (b *builder) like(p trace.Path) *measured {
	if m := b.known[trace.Path{From: p.To, To: p.From, Link: p.Link}]; m != nil {
		return m
	}
	if b.site(p.From) == "" || b.site(p.To) == "" {
		return nil
	}
	for _, o := range allPaths(b.c) {
		if m := b.known[o]; m != nil && o.Link == p.Link && b.site(o.From) == b.site(p.To) && b.site(o.To) == b.site(p.From) {
			return m
		}
	}
	return nil
}

func (b *builder) delay(p trace.Path, d Delay) {
	if d.Usual > 0 {
		b.append(Line{Name: b.lineName([]trace.Path{p}), Paths: []trace.Path{p}, Process: Process{Delay: d}})
	}
}

// alikeAll: all paths may have the same loss (chi-square, with room for four standard deviations).
func alikeAll(ms []*measured) bool {
	packets, lost := 0.0, 0.0
	for _, m := range ms {
		packets += m.packets
		lost += m.lost
	}
	if lost == 0 {
		return true
	}
	chi := 0.0
	for _, m := range ms {
		expected := m.packets * lost / packets
		if expected > 0 {
			chi += (m.lost - expected) * (m.lost - expected) / (expected * (1 - min(lost/packets, 0.99)))
		}
	}
	n := float64(len(ms) - 1)
	return chi <= n+4*max(1, n/2)+6
}

func byStart(s []stretch) {
	slices.SortFunc(s, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
}
