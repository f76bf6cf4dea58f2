package proxmox

import "time"

// Span is an instant that is not known exactly: between Earliest and Latest, most likely at Likely. The zero Span is unknown.
type Span struct {
	Earliest, Likely, Latest time.Time
}

// Known tells whether anything is known of the instant.
func (s Span) Known() bool { return !s.Latest.IsZero() }

// Left is the time from now to each end of the span; negative once it has passed.
func (s Span) Left(now time.Time) (least, likely, most time.Duration) {
	return s.Earliest.Sub(now), s.Likely.Sub(now), s.Latest.Sub(now)
}

// whole is s with what was left out filled in: an instant of which only the latest is known may be that.
func (s Span) whole() Span {
	if s.Likely.IsZero() {
		s.Likely = s.Latest
	}
	if s.Earliest.IsZero() {
		s.Earliest = s.Likely
	}
	return s
}

// around is the span of t-early to t+late.
func around(t time.Time, early, late time.Duration) Span {
	return Span{t.Add(-early), t, t.Add(late)}
}

// plus is the span of something that follows between least and most after s, and mostly after likely.
func (s Span) plus(least, likely, most time.Duration) Span {
	if !s.Known() {
		return Span{}
	}
	return Span{s.Earliest.Add(least), s.Likely.Add(likely), s.Latest.Add(most)}
}

// within narrows s to what o leaves of it. When they contradict each other, s stands.
func (s Span) within(o Span) Span {
	if !o.Known() {
		return s
	}
	if !s.Known() {
		return o
	}
	n := s
	if o.Earliest.After(n.Earliest) {
		n.Earliest = o.Earliest
	}
	if o.Latest.Before(n.Latest) {
		n.Latest = o.Latest
	}
	if n.Latest.Before(n.Earliest) {
		return s
	}
	switch {
	case n.Likely.Before(n.Earliest):
		n.Likely = n.Earliest
	case n.Likely.After(n.Latest):
		n.Likely = n.Latest
	}
	return n
}
