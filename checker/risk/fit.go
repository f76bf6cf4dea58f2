package risk

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Fitted is the network as the probes saw it: Digest.Fit makes one of a record.
type Fitted struct {
	Lines   Lines         // every path of which anything is known or can be guessed is on at least one
	Window  time.Duration // of the record that it rests on
	Known   float64       // share of the packets in the window whose fate is known, over the paths that are probed and the blind ones
	Probed  int           // paths of which something is known
	Lost    int           // packets seen lost
	Guessed []trace.Path  // paths that nobody probed: taken like others between the same sites, or the other way
	Blind   []trace.Path  // paths of which nothing is known at all; they are taken to lose nothing
	Steady  bool          // the first half of the window is like the second
}

// shortest is how long a window a change of the network may leave to fit.
const shortest = 10 * time.Minute

// Fit finds the loss and delay processes behind the digest. If the network changed meanwhile, only what came after counts, as far as
// that is long enough.
func (d *Digest) Fit(c Cluster) Fitted {
	c = d.guessSites(c)
	from, to := d.remembered(), d.next
	for {
		f := newField(&c, d, from, to)
		steady := f.steady()
		half := (to - from) / 2
		if steady || time.Duration(half)*d.slot < shortest {
			out := f.fit(&c, d)
			out.Steady = steady
			return out
		}
		from = to - half
	}
}

// remembered is the slot since which at least half of the paths are remembered.
func (d *Digest) remembered() int {
	var begins []int
	for _, p := range d.paths {
		begins = append(begins, p.begin)
	}
	if len(begins) == 0 {
		return d.first
	}
	slices.Sort(begins)
	return max(d.first, begins[len(begins)/2])
}

// fit finds the processes behind a window.
func (f *field) fit(c *Cluster, d *Digest) Fitted {
	f.claim()
	f.claim() // now with a better idea of chance
	out := Fitted{Window: time.Duration(f.to-f.from) * d.slot}
	known := 0
	for i := range f.paths {
		known += f.paths[i].known
		for _, r := range f.paths[i].runs {
			if r.lost {
				out.Lost += r.until - r.from
			}
		}
	}
	for i := range f.scopes {
		out.Lines = append(out.Lines, f.scopeLine(c, &f.scopes[i], d.slot)...)
	}
	b := builder{field: f, c: c, d: d, out: &out}
	b.build()
	out.Probed = len(f.paths)
	if all := (out.Probed + len(out.Blind)) * (f.to - f.from); all > 0 {
		out.Known = float64(known) / float64(all)
	}
	return out
}

// longestAbsence bounds a failure of all of a node's paths on all links: what lasts longer is a node that was off, which is no fault of
// the network's.
const longestAbsence = 20 * time.Second

// scopeLine is the line behind a scope's claims; none without claims.
func (f *field) scopeLine(c *Cluster, s *scopeState, slot time.Duration) Lines {
	bursts := s.bursts()
	if s.kind == scopeNodeAll {
		kept := bursts[:0]
		for _, b := range bursts {
			if time.Duration(b.length())*slot <= longestAbsence {
				kept = append(kept, b)
			}
		}
		bursts = kept
	}
	if len(bursts) == 0 {
		return nil
	}
	first, second := 0, 0 // of the members, by what is known of them: a claim takes two
	for _, m := range s.members {
		if k := f.paths[m].known; k > first {
			first, second = k, first
		} else {
			second = max(second, k)
		}
	}
	l := Line{Name: s.String()}
	for _, p := range allPaths(c) {
		for _, o := range scopesOf(c, p) {
			if o == s.scope {
				l.Paths = append(l.Paths, p)
			}
		}
	}
	l.take(kindsOf(bursts, second, slot))
	return Lines{l}
}

// take adds kinds of bursts to a line.
func (l *Line) take(kinds []kind) {
	for _, k := range kinds {
		l.Process.Bursts = append(l.Process.Bursts, k.Burst)
		l.Seen.Bursts = append(l.Seen.Bursts, k.seen)
		l.Seen.Longest = append(l.Seen.Longest, k.longest)
	}
}

// apart is how many slots without loss end an event of the network, for the look at whether it is steady: a second.
const apart = 20

// steady compares the halves of the window: how often packets are lost, and how many.
func (f *field) steady() bool {
	middle := f.from + (f.to-f.from)/2
	var events, lost, known [2]float64
	var all []stretch
	for i := range f.paths {
		known[0] += float64(middle - f.from)
		known[1] += float64(f.to - middle)
		for _, r := range f.paths[i].runs {
			for half, n := range [2]int{max(0, min(r.until, middle)-r.from), max(0, r.until-max(r.from, middle))} {
				if r.lost {
					lost[half] += float64(n)
				} else {
					known[half] -= float64(n)
				}
			}
			if r.lost {
				all = append(all, r)
			}
		}
	}
	byStart(all)
	end := -apart
	for _, r := range all {
		if r.from >= end+apart {
			events[btoi(r.from >= middle)]++
		}
		end = max(end, r.until)
	}
	if known[0] <= 0 || known[1] <= 0 {
		return true // nothing to compare
	}
	return alike(events[0], known[0], events[1], known[1], 1.5) &&
		(events[0]+events[1] < 20 || alike(lost[0]/4, known[0], lost[1]/4, known[1], 2)) // losses come in company: a quarter of the evidence
}

// alike: counts a and b in times (or numbers) m and n differ by less than a factor, or by what chance may make.
func alike(a, m, b, n, factor float64) bool {
	expected := (a + b) * m / (m + n)
	spread := expected * n / (m + n)
	if d := a - expected; d*d < 16*spread+1 {
		return true
	}
	ratio := (a / m) / max(b/n, 1e-12)
	return ratio < factor && ratio > 1/factor
}
