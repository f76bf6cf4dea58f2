package stats

import "time"

// fullRing is how many full-size probes are remembered: more than Full's ten seconds at the shortest sensible interval.
const fullRing = 64

// fullWindow is the time that Full tells about.
const fullWindow = 10 * time.Second

// fullSize accounts for full-size probes, apart from all others.
type fullSize struct {
	size   int
	next   uint32
	begun  bool
	probes [fullRing]record

	sent, received, excused uint64 // since the beginning
}

// FullSent tells that a full-size probe left. Their sequence numbers are their own.
func (p *Path) FullSent(seq uint32, at time.Time) {
	f := &p.full
	if !f.begun || seq-f.next >= fullRing {
		f.begun, f.probes = true, [fullRing]record{}
	} else {
		for ; f.next != seq; f.next++ {
			f.probes[f.next%fullRing] = record{}
		}
	}
	f.next = seq + 1
	f.sent++
	f.probes[seq%fullRing] = record{at: p.since(at), fate: pending}
}

// FullReply tells that an authentic reply to a full-size probe arrived. It returns what the reply was.
func (p *Path) FullReply(seq uint32, at time.Time) Fate {
	f := &p.full
	if !f.begun || f.next-seq-1 >= fullRing {
		return Foreign
	}
	switch r := &f.probes[seq%fullRing]; r.fate {
	case void:
		return Foreign
	case answered:
		return Duplicate
	default:
		if r.fate == shielded {
			f.excused--
		}
		r.fate = answered
		f.received++
		p.heard.any(p.since(at))
		return Fresh
	}
}

// excuse takes out the probes that left in a time.
func (f *fullSize) excuse(from, to int64) {
	for i := range f.probes {
		if r := &f.probes[i]; r.fate == pending && r.at >= from && r.at <= to {
			r.fate = shielded
			f.excused++
		}
	}
}

// summary counts the probes whose fate is decided, of the window and of all.
func (f *fullSize) summary(now int64, lostAfter time.Duration) Full {
	s := Full{Size: f.size, AllSent: f.sent - f.excused, AllReceived: f.received}
	for i := range f.probes {
		r := &f.probes[i]
		age := time.Duration(now - r.at)
		if r.fate == pending && age < lostAfter {
			s.AllSent--
		}
		switch {
		case age > fullWindow:
		case r.fate == answered:
			s.Sent++
			s.Received++
		case r.fate == pending && age >= lostAfter:
			s.Sent++
		}
	}
	return s
}
