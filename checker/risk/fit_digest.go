package risk

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Digest is what of a record the fit needs: when packets of each path were lost or their fate is unknown, and how long they took. It
// grows only with trouble, so that it can reach back for a day where the record itself cannot.
type Digest struct {
	start       time.Time
	slot        time.Duration
	first, next int // slots added, as the record counts them
	paths       map[trace.Path]*pathDigest
}

// pathDigest is one path: stretches of lost and unknown packets, ascending; what lies between arrived.
type pathDigest struct {
	runs   []packed
	begin  int // slot before which nothing is known
	delays delays
}

// stretch is slots [from, until) with one fate.
type stretch struct {
	from, until int
	lost        bool // false: unknown
}

// packed is a stretch: its first slot, and its length times two, one more if the packets were lost.
type packed struct{ from, what uint32 }

func pack(s stretch) packed {
	return packed{uint32(s.from), uint32(s.until-s.from)<<1 | uint32(btoi(s.lost))}
}

func (p packed) stretch() stretch {
	return stretch{int(p.from), int(p.from) + int(p.what>>1), p.what&1 == 1}
}

// Limits of a Digest: what is older is forgotten. A sick path tells all that there is to know within minutes.
const (
	digestAge   = 24 * time.Hour
	digestRuns  = 4096 // of one path
	digestLeast = 256  // however many paths there are
	digestAll   = 300_000
)

// most is how many stretches of a path are kept.
func (d *Digest) most() int { return max(digestLeast, min(digestRuns, digestAll/max(1, len(d.paths)))) }

// NewDigest is an empty digest.
func NewDigest() *Digest { return &Digest{paths: map[trace.Path]*pathDigest{}} }

// Add takes in what is new in the record, before slot until. Another record (another Start or Slot) replaces what was there. The
// record is not kept.
func (d *Digest) Add(t *trace.Trace, until int) {
	if !d.start.Equal(t.Start) || d.slot != t.Slot {
		*d = Digest{start: t.Start, slot: t.Slot, paths: map[trace.Path]*pathDigest{}}
		d.first, _ = t.Span()
		d.next = d.first
	}
	if until <= d.next {
		return
	}
	for path, s := range t.Paths {
		p := d.paths[path]
		if p == nil {
			p = &pathDigest{begin: d.next}
			d.paths[path] = p
		}
		p.add(s, d.next, until)
		p.shrink(d.most())
	}
	for path, p := range d.paths {
		if t.Paths[path] == nil {
			p.append(stretch{d.next, until, false})
		}
	}
	d.next = until
	d.forget(until - int(digestAge/d.slot))
}

// Window is how long a record the digest holds.
func (d *Digest) Window() time.Duration { return time.Duration(d.next-d.first) * d.slot }

func (p *pathDigest) add(s *trace.Series, from, until int) {
	for slot := from; slot < until; {
		v, end := s.Run(slot)
		end = min(end, until)
		if v.State == trace.Arrived {
			p.delays.add(v.Delay, end-slot)
		} else {
			p.append(stretch{slot, end, v.State == trace.Lost})
		}
		slot = end
	}
}

func (p *pathDigest) append(s stretch) {
	if n := len(p.runs); n > 0 {
		if last := p.runs[n-1].stretch(); last.until == s.from && last.lost == s.lost {
			p.runs[n-1] = pack(stretch{last.from, s.until, s.lost})
			return
		}
	}
	p.runs = append(p.runs, pack(s))
}

// shrink forgets the oldest stretches, a quarter more than it must: moving is not free.
func (p *pathDigest) shrink(most int) {
	if n := len(p.runs) - most; n > 0 {
		n += most / 4
		p.begin = int(p.runs[n].from)
		p.runs = append(p.runs[:0], p.runs[n:]...)
	}
}

func (d *Digest) forget(before int) {
	if before <= d.first {
		return
	}
	d.first = before
	for path, p := range d.paths {
		i := 0
		for i < len(p.runs) && p.runs[i].stretch().until <= before {
			i++
		}
		p.runs = append(p.runs[:0], p.runs[i:]...)
		p.begin = max(p.begin, before)
		if len(p.runs) == 1 {
			if s := p.runs[0].stretch(); !s.lost && s.from <= before && s.until == d.next {
				delete(d.paths, path) // unknown for as long as we can remember
			}
		}
	}
}
