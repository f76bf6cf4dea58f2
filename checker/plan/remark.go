package plan

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// remark adds what an operator should know and no failure shows.
func (w *world) remark(s *State) {
	_, notes, _ := w.d.Cluster.Quorum.Effective()
	s.Notes = append(s.Notes, notes...)
	if s.Fence.Share >= 0.5 && !s.Fence.Exceeds {
		s.note("fence budget: a failure stops all writes for %s, %.0f %% of what the watchdogs leave", units.Time(s.Fence.Needed.Duration()), 100*s.Fence.Share)
	}
	w.remarkDevice(s)
	w.remarkPaths(s)
	if t := w.d.Cluster.Timeouts; t.Consensus*10 < t.Token*12-10*time.Millisecond {
		s.note("consensus is %s, less than 1.2 times the token: corosync.conf(5) asks for that much", units.Time(t.Consensus))
	}
}

func (w *world) remarkDevice(s *State) {
	d := w.quorum.Device
	if d == nil {
		return
	}
	if len(s.Nodes)%2 != 0 {
		s.note("a qdevice with an odd number of nodes: pvecm sets it up only when forced. With its %s, once it is lost %s may be lost any more", plural(s.Quorum.Device.Votes, "vote"), spareWithout(w))
	}
	if w.d.VotesByHand {
		s.note("%s", w.d.handNote())
	}
	if w.d.DeviceSite != "" {
		s.note("the qdevice stands in site %s and is lost together with it", w.d.DeviceSite)
	}
	if sync := d.SyncTimeout; sync > 0 && w.d.Cluster.Timeouts.Membership()+sync > s.Fence.Usable.Duration() {
		s.note("while the qdevice's server does not answer, a new membership may wait %s for it: then the watchdogs run out", units.Time(sync))
	}
}

// handNote says what pvecm leaves out.
func (d *Design) handNote() string {
	why := "not all nodes have one vote"
	if d.Cluster.Quorum.ExpectedVotes > 0 {
		why = "quorum.expected_votes is written"
	}
	return fmt.Sprintf("`votes: %d` must be written by hand into quorum.device: pvecm writes none with lms, and as %s, Corosync would not start without",
		d.Cluster.Quorum.Device.Votes, why)
}

// spareWithout says how many nodes may be lost when the quorum device is.
func spareWithout(w *world) string {
	h := votesOnly(w)
	if h == 0 {
		return "no node"
	}
	return "only " + plural(h, "node")
}

func (w *world) remarkPaths(s *State) {
	worst := w.d.Network.Within.RTT
	eachPair(w.sites, func(a, b string) {
		for _, l := range w.d.Cluster.Links {
			worst = max(worst, w.d.Network.Quality(a, b, l.Number).RTT)
		}
	})
	switch {
	case worst > 10*time.Millisecond && len(s.Nodes) > 3:
		s.note("a round trip of %s: Proxmox calls more than 10 ms with more than three nodes unlikely to be stable", units.Time(worst))
	case worst > 5*time.Millisecond:
		s.note("a round trip of %s: Proxmox asks for less than 5 ms", units.Time(worst))
	}
	for _, g := range s.Singles {
		if g.Impact == Loose && len(w.d.Cluster.Links) > 1 {
			s.note("if two sites don't hear each other on any of the %d links while a third hears both, the ring does not settle: let the links take different routes",
				len(w.d.Cluster.Links))
			break
		}
	}
}
