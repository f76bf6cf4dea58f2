package checker

import (
	"cmp"
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

// readHA judges every node's watchdog. Without Proxmox's own account there is still what this node's files in /run and its log tell of it.
func (j *judge) readHA() {
	s := &j.in.Proxmox
	j.next.ha = j.prev.ha
	status := s.Known(proxmox.PartHA)
	if !status && !s.Known(proxmox.PartWatchdog) && j.in.FenceLog == (proxmox.FenceLog{}) {
		return
	}
	m := &j.next.ha
	j.ha = &HA{Known: true}
	if status {
		if state := string(s.HA.State); m.state != state || m.since.IsZero() {
			m.state, m.since = state, j.now()
		}
		j.ha.State, j.ha.Since, j.ha.Master = m.state, m.since, s.HA.Master
	}
	m.count(s)
	old := m.nodes
	m.nodes = make([]haNodeMemo, 0, len(old))
	for _, name := range j.fenceNodes() {
		memo := haNodeMemo{name: name}
		if i := slices.IndexFunc(old, func(o haNodeMemo) bool { return o.name == name }); i >= 0 {
			memo = old[i]
		}
		in, cut := j.fenceInput(&memo)
		f := proxmox.FenceOf(in)
		m.nodes = append(m.nodes, memo)
		j.fences = append(j.fences, nodeFence{in, f, cut})
		j.ha.Nodes = append(j.ha.Nodes, j.haNode(f))
	}
	for _, c := range j.cuts {
		if t := j.toll(c); t != nil {
			c.outcome.Toll = t
			c.outcome.Text += tollText(t)
		}
	}
}

// fenceNodes are the nodes that Proxmox knows, and this one if it is one of Proxmox's.
func (j *judge) fenceNodes() []string {
	names, own := j.in.Proxmox.FenceNodes(), j.ownName()
	if i, found := slices.BinarySearch(names, own); !found && own != "" && (j.in.Proxmox.Known(proxmox.PartWatchdog) || j.in.FenceLog != (proxmox.FenceLog{})) {
		names = slices.Insert(names, i, own)
	}
	return names
}

// ownName is what Proxmox calls the node that this agent is on.
func (j *judge) ownName() string {
	return cmp.Or(j.in.Proxmox.Origins[proxmox.PartWatchdog].View, j.local.Name)
}

// nodeFence is what is known of a node's watchdog, and what follows from it.
type nodeFence struct {
	in  proxmox.FenceInput
	out proxmox.Fence
	cut string // key of the incident that cut it off; "": none
}

// fenceInput is what is known of a node's watchdog: Proxmox's part, its log if it is this node's, and the cut as the probes saw it.
func (j *judge) fenceInput(m *haNodeMemo) (in proxmox.FenceInput, cut string) {
	in = j.in.Proxmox.FenceInput(m.name, j.now())
	if m.name == j.ownName() {
		in.Log = j.in.FenceLog
	}
	m.place(&in)
	in.Membership = j.token + j.consensus()
	if q := j.quorateNow(m.name); q != Unknown {
		in.Quorate = proxmox.Tri(q)
	}
	for _, c := range j.cuts {
		if c.outcome == nil || !slices.ContainsFunc(c.outcome.Loses, func(r NodeRef) bool { return r.Name == m.name }) {
			continue
		}
		if cut == "" { // the first that cut it off: nothing was renewed since
			cut, in.Cut = c.key(), proxmox.Span{Earliest: c.memo.since, Likely: c.memo.since, Latest: c.memo.since}
		}
		if c.outcome.Happened {
			in.Quorate = proxmox.No
		}
	}
	in.Lost = m.lostSpan(in.Quorate, in.Cut.Earliest, j.now())
	return in, cut
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
		Guests: j.next.ha.guests[f.Node],
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
