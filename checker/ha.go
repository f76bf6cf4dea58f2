package checker

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// HA is what Proxmox VE's HA does and would do: which nodes reset themselves when they lose quorum, and when.
type HA struct {
	Known  bool      `json:"known"`  // Proxmox VE was read; false: nothing below is
	State  string    `json:"state"`  // standby, armed, disarming, disarmed; "" unknown
	Since  time.Time `json:"since"`  // when this state was first seen
	Master string    `json:"master"` // the node whose CRM is manager; "" none or unknown
	Nodes  []HANode  `json:"nodes"`  // by name
}

// HANode is one node's watchdog.
type HANode struct {
	Name     string `json:"name"`
	Armed    Tri    `json:"armed"`    // resets itself about a minute after losing quorum
	Counting Tri    `json:"counting"` // its watchdog is not being renewed now
	Reason   string `json:"reason"`   // for both
	Basis    string `json:"basis"`    // what the countdown rests on: lock, log, lrm_status, cut, quorum; "" unknown
	NoReturn *Until `json:"no_return,omitempty"`
	Reset    *Until `json:"reset,omitempty"`
	Guests   int    `json:"guests"` // that run or may run there
}

// Until is how long it is to an instant that is not known exactly; negative once it has passed. Valid while the node is Counting.
type Until struct {
	Earliest Seconds `json:"earliest"`
	Likely   Seconds `json:"likely"`
	Latest   Seconds `json:"latest"`
}

// Toll is what the resets of a cut cost, as Proxmox VE's HA would go about it.
type Toll struct {
	Resets   []NodeRef `json:"resets"`             // armed nodes that lose quorum
	In       *Until    `json:"in,omitempty"`       // to the first of their resets, if the cut lasts
	Guests   int       `json:"guests"`             // on those nodes
	Restarts int       `json:"restarts"`           // HA services that start again elsewhere
	Stuck    int       `json:"stuck"`              // HA services that can start nowhere
	Complete bool      `json:"complete,omitempty"` // guests and services are known well enough to be counted
}

// haMemo is what one Step leaves to the next about HA.
type haMemo struct {
	state string
	since time.Time
	lost  []lostQuorum // by node
	toll  *tollMemo
}

// lostQuorum is when a node was first seen without quorum.
type lostQuorum struct {
	node string
	at   time.Time
}

// tollMemo keeps the toll of a cut until what it was made of changes: it takes longer than the rest of a Step.
type tollMemo struct {
	at    time.Time // of the Snapshot
	loses []NodeRef
	blast proxmox.Blast
}

// readHA judges every node's watchdog.
func (j *judge) readHA() {
	s := &j.in.Proxmox
	if !s.Known(proxmox.PartHA) {
		return
	}
	j.next.ha = j.prev.ha
	m := &j.next.ha
	if state := string(s.HA.State); m.state != state || m.since.IsZero() {
		m.state, m.since = state, j.now()
	}
	j.ha = &HA{Known: true, State: m.state, Since: m.since, Master: s.HA.Master}
	lost := make([]lostQuorum, 0, len(m.lost))
	for _, name := range s.FenceNodes() {
		in := j.fenceInput(name)
		if in.Quorate == proxmox.No {
			l := lostQuorum{name, j.now()}
			if i := slices.IndexFunc(m.lost, func(o lostQuorum) bool { return o.node == name }); i >= 0 {
				l = m.lost[i]
			}
			lost = append(lost, l)
			in.Lost = proxmox.Span{Earliest: in.Cut.Earliest, Likely: l.at, Latest: l.at}
		}
		j.fences = append(j.fences, in)
		j.ha.Nodes = append(j.ha.Nodes, j.haNode(proxmox.FenceOf(in)))
	}
	m.lost = lost
	for _, c := range j.cuts {
		if t := j.toll(c); t != nil {
			c.outcome.Toll = t
			c.outcome.Text += tollText(t)
		}
	}
}

// fenceInput is what is known of a node's watchdog: Proxmox's part, and the cut as the probes saw it.
func (j *judge) fenceInput(name string) proxmox.FenceInput {
	in := j.in.Proxmox.FenceInput(name, j.now())
	in.Membership = j.token + j.consensus()
	if q := j.quorateNow(name); q != Unknown {
		in.Quorate = proxmox.Tri(q)
	}
	for _, c := range j.cuts {
		if c.outcome == nil || !slices.ContainsFunc(c.outcome.Loses, func(r NodeRef) bool { return r.Name == name }) {
			continue
		}
		in.Cut = proxmox.Span{Earliest: c.memo.since, Likely: c.memo.since, Latest: c.memo.since}
		if c.outcome.Happened {
			in.Quorate = proxmox.No
		}
	}
	return in
}

// fence is what is known of a node's watchdog.
func (j *judge) fence(name string) (proxmox.FenceInput, bool) {
	i := slices.IndexFunc(j.fences, func(in proxmox.FenceInput) bool { return in.Node == name })
	if i < 0 {
		return proxmox.FenceInput{}, false
	}
	return j.fences[i], true
}

// quorateNow is what a node's own votequorum says: here, or in a bulletin that is fresh.
func (j *judge) quorateNow(name string) Tri {
	if name == j.local.Name {
		if q := j.in.Status.Quorum; j.status.fresh && q.Known {
			return triOf(q.Quorate)
		}
		return Unknown
	}
	for _, v := range j.views {
		if j.nodeName(v.Node) == name && v.Corosync && j.ago(v.At) <= viewFresh {
			return triOf(v.Quorate)
		}
	}
	return Unknown
}

func triOf(b bool) Tri {
	if b {
		return Yes
	}
	return No
}

func (j *judge) haNode(f proxmox.Fence) HANode {
	n := HANode{
		Name: f.Node, Armed: Tri(f.Armed), Counting: Tri(f.Counting), Reason: f.Why, Basis: f.From,
		Guests: len(j.in.Proxmox.GuestsOn(f.Node)),
	}
	if f.Counting == proxmox.Yes {
		n.NoReturn, n.Reset = j.until(f.NoReturn), j.until(f.Reset)
	}
	return n
}

func (j *judge) until(s proxmox.Span) *Until {
	if !s.Known() {
		return nil
	}
	least, likely, most := s.Left(j.now())
	return &Until{Seconds(least), Seconds(likely), Seconds(most)}
}

// toll is what a cut costs: the armed nodes among those that lose quorum reset, their guests go down, and HA restarts what it may.
func (j *judge) toll(c *cut) *Toll {
	o := c.outcome
	if o == nil || j.ha == nil || len(o.Loses) == 0 {
		return nil
	}
	t := &Toll{Resets: []NodeRef{}}
	var first proxmox.Span
	for _, in := range j.fences {
		i := slices.IndexFunc(o.Loses, func(r NodeRef) bool { return r.Name == in.Node })
		if i < 0 {
			continue
		}
		f := proxmox.FenceOf(in)
		if !o.Happened {
			f = in.CutAt(c.memo.since)
		}
		if f.Armed != proxmox.Yes {
			continue
		}
		t.Resets = append(t.Resets, o.Loses[i])
		t.Guests += len(j.in.Proxmox.GuestsOn(in.Node))
		if f.Reset.Known() && (!first.Known() || f.Reset.Likely.Before(first.Likely)) {
			first = f.Reset
		}
	}
	if len(t.Resets) == 0 {
		return t
	}
	t.In = j.until(first)
	b := j.blast(t.Resets)
	t.Restarts, t.Stuck, t.Complete = len(b.Moves), len(b.Stuck), b.Known
	if len(o.Keeps) == 0 { // nobody is left to restart them
		t.Restarts, t.Stuck = 0, t.Restarts+t.Stuck
	}
	return t
}

// blast is Proxmox's answer to the loss of nodes, made anew when the Snapshot or the nodes are others.
func (j *judge) blast(lost []NodeRef) proxmox.Blast {
	old := j.prev.ha.toll
	if old != nil && old.at.Equal(j.in.Proxmox.At) && slices.Equal(old.loses, lost) {
		j.next.ha.toll = old
		return old.blast
	}
	names := make([]string, len(lost))
	for i, n := range lost {
		names[i] = n.Name
	}
	j.next.ha.toll = &tollMemo{j.in.Proxmox.At, lost, j.in.Proxmox.BlastRadius(names...)}
	return j.next.ha.toll.blast
}
