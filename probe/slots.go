package probe

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// clockOf is a stamp as a duration from the origin that all stamps of a clock share (for 68 years). Only differences count.
func clockOf(t stamp.Timestamp, f stamp.Format) time.Duration { return t.Sub(0, f) }

// Clock is what the clock that stamps our probes shows: a peer finds it in Bulletin.Clock.
func (p *Prober) Clock() time.Duration {
	return clockOf(stamp.NewTimestamp(p.cfg.Wall(), stamp.NTP), stamp.NTP)
}

// Incoming appends what became of what a peer sent on a path: see stats.Path.Incoming. Not heard: no requests of the peer came of late, so
// that silence says nothing, or its agent is gone.
func (p *Prober) Incoming(path Path, out []stats.Slot, g stats.Grid, from int, now time.Time) (_ []stats.Slot, heard bool) {
	q := p.lookup(path)
	if q == nil {
		return out, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stats.Incoming(out, g, from, now), q.stats.HearsRequests(now)
}

// RoundTrips appends what became of our own probes on a path, both ways: see stats.Path.RoundTrips.
func (p *Prober) RoundTrips(path Path, out, back []stats.Slot, g stats.Grid, from int, now time.Time) (_, _ []stats.Slot) {
	q := p.lookup(path)
	if q == nil {
		return out, back
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stats.RoundTrips(out, back, g, from, now)
}

func (p *Prober) lookup(at Path) *path {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paths[at]
}
