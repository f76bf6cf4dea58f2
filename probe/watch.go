package probe

import (
	"sync"
	"time"
)

// stallAfter is how late this process must wake up for that to be a stall of the host: above it, what was measured
// meanwhile says nothing about the network. Corosync itself warns when it was not scheduled for 0.8 of the token timeout; a
// busy but sane machine of two cores woke up within 14 ms in 999 of 1000 cases.
const stallAfter = 30 * time.Millisecond

// pauseWindow is the time that Pauses.Longest is about.
const pauseWindow = 10 * time.Second

// Pauses tells when this host did not run.
type Pauses struct {
	Longest time.Duration // longest stall that ended in the last 10 s
	Ended   time.Time     // end of that one; zero if there was none
	Last    time.Time     // end of the newest; zero if there was none
	Count   uint64
	Total   time.Duration
}

// stall is one of them.
type stall struct{ from, to time.Time }

// watch compares when the pacer should have woken up with when it did.
type watch struct {
	mu     sync.Mutex
	due    time.Time // when the pacer should run; zero before the first
	recent []stall
	pauses Pauses
}

// expect sets when the pacer should run next.
func (w *watch) expect(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due = at
}

// late returns the stall that goes on, or just ended, at now. The same time is never told twice.
func (w *watch) late(now time.Time) (stall, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.due.IsZero() || now.Sub(w.due) <= stallAfter {
		return stall{}, false
	}
	s := stall{w.due, now}
	w.due = now
	w.pauses.Count++
	w.pauses.Total += s.to.Sub(s.from)
	w.pauses.Last = now
	w.note(s)
	return s, true
}

// note keeps the stalls of the last 10 s; pieces of one are joined.
func (w *watch) note(s stall) {
	for len(w.recent) > 0 && s.to.Sub(w.recent[0].to) > pauseWindow {
		w.recent = w.recent[1:]
	}
	if n := len(w.recent); n > 0 && !s.from.After(w.recent[n-1].to) {
		w.recent[n-1].to = s.to
		return
	}
	w.recent = append(w.recent, s)
}

// Pauses tells when this host stalled: a process that is not scheduled cannot measure, and a Corosync beside it
// probably was not scheduled either.
func (p *Prober) Pauses() Pauses {
	now := time.Now()
	p.checkStall(now)
	w := &p.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.pauses
	for _, s := range w.recent {
		if d := s.to.Sub(s.from); now.Sub(s.to) <= pauseWindow && d > out.Longest {
			out.Longest, out.Ended = d, s.to
		}
	}
	return out
}

// checkStall tells all paths of a stall, if there is one.
func (p *Prober) checkStall(now time.Time) {
	s, ok := p.watch.late(now)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.paths {
		q.hostPause(s.from, s.to)
	}
}

// hostPause tells that what may have been lost between two instants is this host's own fault.
func (q *path) hostPause(from, to time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.HostPause(from, to)
	if q.large != nil {
		q.large.HostPause(from, to)
	}
	q.windows.at = time.Time{}
}
