package checker

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// TestPlaced: once seen, a stamp stays where it is on the time line, whatever is done to the clock afterwards.
func TestPlaced(t *testing.T) {
	start := time.Now() // with a monotonic reading
	wall := func(d time.Duration) time.Time { return start.Round(0).Add(d) }
	m := haNodeMemo{name: "a"}
	in := proxmox.FenceInput{Now: start, LRM: proxmox.LRM{Stamp: wall(-5 * time.Second), Lock: wall(-7 * time.Second)}}
	m.place(&in)
	if in.LRM.Stamp != start.Add(-5*time.Second) || in.LRM.Lock != start.Add(-7*time.Second) {
		t.Errorf("placed at %v and %v", in.LRM.Stamp.Sub(start), in.LRM.Lock.Sub(start))
	}
	// An hour's step looks to the wall clock as if an hour had passed; the monotonic one says 10 s. The stamps are the old ones,
	// and the log has a line by the new clock.
	stepped := start.Round(0).Add(time.Hour)
	in = proxmox.FenceInput{Now: stepped, LRM: proxmox.LRM{Stamp: wall(-5 * time.Second), Lock: wall(-7 * time.Second)}}
	in.Log.LostLock = wall(time.Hour - 2*time.Second)
	m.place(&in)
	if in.LRM.Stamp != start.Add(-5*time.Second) || !in.Log.LostLock.Equal(stepped.Add(-2*time.Second)) {
		t.Errorf("moved to %v, the new line is at %v", in.LRM.Stamp.Sub(start), in.Log.LostLock.Sub(stepped))
	}
	in = proxmox.FenceInput{Now: stepped}
	if m.place(&in); m.stamp != (placed{}) || m.log[1] != (placed{}) || !in.LRM.Stamp.IsZero() {
		t.Error("what is gone is remembered")
	}
}

// TestLostSpan: quorum was lost between the last sight of it and the first without; not earlier than the cut, and not so long ago
// that an armed node could not be there any more.
func TestLostSpan(t *testing.T) {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	m := haNodeMemo{}
	if s := m.lostSpan(proxmox.No, time.Time{}, at(0)); s.Latest != at(0) || s.Earliest != at(-75) || s.Likely != at(-37.5) {
		t.Errorf("without it from the first: %+v", s)
	}
	if s := m.lostSpan(proxmox.No, time.Time{}, at(9)); s.Latest != at(0) {
		t.Errorf("it goes on: %+v", s)
	}
	if s := m.lostSpan(proxmox.Yes, time.Time{}, at(20)); s.Known() {
		t.Errorf("it is back: %+v", s)
	}
	if s := m.lostSpan(proxmox.No, time.Time{}, at(21)); s != (proxmox.Span{Earliest: at(20), Likely: at(21), Latest: at(21)}) {
		t.Errorf("seen going: %+v", s)
	}
	m = haNodeMemo{had: at(0)}
	if s := m.lostSpan(proxmox.No, at(25), at(30)); s.Earliest != at(25) {
		t.Errorf("after a cut: %+v", s)
	}
	if s := m.lostSpan(proxmox.Unknown, time.Time{}, at(31)); s.Known() || !m.lost.IsZero() {
		t.Errorf("unknown: %+v", s)
	}
}
