package checker

import (
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// haMemo is what one Step leaves to the next about HA.
type haMemo struct {
	state    string
	since    time.Time
	nodes    []haNodeMemo // by name
	guests   map[string]int
	guestsAt time.Time // of the Snapshot that guests were counted in
	toll     *tollMemo
}

// tollMemo keeps the toll of a cut until what it was made of changes: it takes longer than the rest of a Step.
type tollMemo struct {
	at    time.Time // of the Snapshot
	loses []NodeRef
	blast proxmox.Blast
}

// count counts the guests that run or may run on each node, when the Snapshot is another one.
func (m *haMemo) count(s *proxmox.Snapshot) {
	if m.guests != nil && m.guestsAt.Equal(s.At) {
		return
	}
	m.guestsAt, m.guests = s.At, map[string]int{}
	for i := range s.Guests {
		if g := &s.Guests[i]; !g.Template && g.Running != proxmox.No {
			m.guests[g.Node]++
		}
	}
}

// haNodeMemo is what is remembered of one node's watchdog.
type haNodeMemo struct {
	name  string
	stamp placed    // of its LRM
	lock  placed    // of its LRM
	log   [5]placed // as in proxmox.FenceLog
	had   time.Time // when it was last seen with quorum; zero: never
	lost  time.Time // when it was first seen without quorum; zero: it has it, or nobody knows
}

// placed is a stamp of a wall clock on the time line of Input.Now, which no step of the clock bends: it stays where it was when it was
// first seen. A countdown neither jumps nor ends when somebody sets the clock.
type placed struct{ raw, at time.Time }

func (p *placed) place(raw *time.Time, now time.Time) {
	if raw.IsZero() {
		*p = placed{}
		return
	}
	if !p.raw.Equal(*raw) {
		*p = placed{*raw, now.Add(raw.Sub(now))}
	}
	*raw = p.at
}

// place puts all stamps of in on the time line of its Now.
func (m *haNodeMemo) place(in *proxmox.FenceInput) {
	m.stamp.place(&in.LRM.Stamp, in.Now)
	m.lock.place(&in.LRM.Lock, in.Now)
	for i, raw := range []*time.Time{&in.Log.LostQuorum, &in.Log.LostLock, &in.Log.Warned, &in.Log.Expired, &in.Log.Abandoned} {
		m.log[i].place(raw, in.Now)
	}
}

// livesWithout is how long an armed node lives without quorum, at most.
const livesWithout = 75 * time.Second

// lostSpan is when a node lost quorum, going by when it was seen with and without: unknown while it has it, or nobody can tell.
func (m *haNodeMemo) lostSpan(quorate proxmox.Tri, cut, now time.Time) proxmox.Span {
	switch quorate {
	case proxmox.Yes:
		m.had, m.lost = now, time.Time{}
		return proxmox.Span{}
	case proxmox.No:
		if m.lost.IsZero() {
			m.lost = now
		}
		earliest := latest(latest(m.had, m.lost.Add(-livesWithout)), cut)
		likely := m.lost
		if m.had.IsZero() && cut.IsZero() {
			likely = m.lost.Add(-livesWithout / 2)
		}
		return proxmox.Span{Earliest: earliest, Likely: likely, Latest: m.lost}
	}
	m.lost = time.Time{}
	return proxmox.Span{}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
