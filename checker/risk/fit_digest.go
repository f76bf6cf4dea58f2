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
	runs   []stretch
	begin  int // slot before which nothing is known
	delays delays
}

// stretch is slots [from, until) with one fate.
type stretch struct {
	from, until int
	lost        bool // false: unknown
}

// Limits of a Digest: what is older is forgotten.
const (
	digestAge  = 24 * time.Hour
	digestRuns = 4096 // of one path; a sick path tells all that there is to know within minutes
)

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
	}
	for path, p := range d.paths {
		if t.Paths[path] == nil {
			p.append(d.next, until, trace.Unknown)
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
			p.append(slot, end, v.State)
		}
		slot = end
	}
}

func (p *pathDigest) append(from, until int, state trace.State) {
	lost := state == trace.Lost
	if n := len(p.runs); n > 0 && p.runs[n-1].until == from && p.runs[n-1].lost == lost {
		p.runs[n-1].until = until
		return
	}
	if len(p.runs) >= digestRuns { // a quarter at a time: moving is not free
		p.begin = p.runs[digestRuns/4].from
		p.runs = append(p.runs[:0], p.runs[digestRuns/4:]...)
	}
	p.runs = append(p.runs, stretch{from, until, lost})
}

func (d *Digest) forget(before int) {
	if before <= d.first {
		return
	}
	d.first = before
	for path, p := range d.paths {
		i := 0
		for i < len(p.runs) && p.runs[i].until <= before {
			i++
		}
		p.runs = append(p.runs[:0], p.runs[i:]...)
		p.begin = max(p.begin, before)
		if len(p.runs) == 1 && !p.runs[0].lost && p.runs[0].from <= before && p.runs[0].until == d.next {
			delete(d.paths, path) // unknown for as long as we can remember
		}
	}
}

// times is how long so many slots are.
func (d *Digest) times(slots int) time.Duration { return time.Duration(slots) * d.slot }
