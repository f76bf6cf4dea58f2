package plan

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// State is one Design, judged.
type State struct {
	Nodes   []NodeState `json:"nodes"`
	Sites   []SiteState `json:"sites"` // empty if no sites were named
	Links   []LinkState `json:"links"`
	Timers  Timers      `json:"timers"`
	Quorum  Quorum      `json:"quorum"`
	Fence   Fence       `json:"fence"`
	Singles []Group     `json:"single_failures"`
	Doubles []Group     `json:"double_failures"`
	Cases   []Case      `json:"cases,omitempty"` // every failure, one by one, when that was asked for

	Switches  []Switch   `json:"link_deaths"`
	Losses    []Losses   `json:"token_losses"`
	Livelocks []Livelock `json:"livelocks"`

	Weak  []Weak   `json:"weak_points"`
	Notes []string `json:"notes"`
}

// NodeState is a node.
type NodeState struct {
	Name  string `json:"name"`
	ID    uint32 `json:"id"`
	Site  string `json:"site,omitempty"`
	Votes int    `json:"votes"`
	Armed bool   `json:"armed"` // assumed: its HA watchdog resets it a minute after it has lost quorum
}

// SiteState is a site.
type SiteState struct {
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
	Votes int    `json:"votes"`
}

// LinkState is a knet link.
type LinkState struct {
	Number       int     `json:"number"`
	Priority     int     `json:"priority"`
	PingInterval Seconds `json:"ping_interval"` // as really run, rounded up to knet's tick
	PingTimeout  Seconds `json:"ping_timeout"`
}

// Timers are the effective timers.
type Timers struct {
	Token       Seconds `json:"token"`
	Coefficient Seconds `json:"token_coefficient"`
	Consensus   Seconds `json:"consensus"`
	Retransmit  Seconds `json:"token_retransmit"`
	Retransmits int     `json:"token_retransmits_before_loss_const"`
	Hold        Seconds `json:"hold"`
	Membership  Seconds `json:"membership"` // from the last token to a new membership: token + consensus
	Round       Seconds `json:"round"`      // once around the ring, by the assumed round trip times
	Crossings   int     `json:"crossings"`  // hops of the ring that go from one site to another
}

// Quorum is how votes stand with all nodes present.
type Quorum struct {
	Expected   int      `json:"expected_votes"`
	Needed     int      `json:"needed"`
	SpareVotes int      `json:"spare_votes"` // votes above the threshold
	SpareNodes int      `json:"spare_nodes"` // nodes that may be lost at once, whichever they are
	Options    []string `json:"options"`     // two_node and the like, as they take effect
	Window     Seconds  `json:"last_man_standing_window,omitzero"`
	Device     *Device  `json:"qdevice,omitempty"`
}

// Device is the quorum device.
type Device struct {
	Host      string `json:"host,omitempty"`
	Algorithm string `json:"algorithm"`
	Votes     int    `json:"votes"`
	Site      string `json:"site,omitempty"` // where its server stands; absent: at a place of its own
}

// Fence is the budget of HA's watchdogs: a node whose lock is not renewed for a minute resets, in the majority too. While the
// membership is formed nothing can be renewed, and the last renewal may be ten seconds old by then (facts of pve-ha-manager:
// watchdog-mux.c, LRM.pm).
type Fence struct {
	Needed  Seconds `json:"needed"` // token + consensus + synchronization: nothing can be written meanwhile
	Usable  Seconds `json:"usable"` // of the minute, less the age of the last renewal
	Share   float64 `json:"share"`  // needed of usable
	First   Seconds `json:"reset_earliest"`
	Last    Seconds `json:"reset_latest"` // after the cut, a node without quorum resets between these two
	Exceeds bool    `json:"exceeds"`      // even nodes that keep quorum may reset
}

const (
	watchdog    = 60 * time.Second // CLIENT_WATCHDOG_TIMEOUT, watchdog-mux.c
	lrmRound    = 10 * time.Second // the lock is renewed once a round, LRM.pm
	synchronize = 1600 * time.Millisecond
)

func (w *world) describe() State {
	s := State{Nodes: []NodeState{}, Sites: []SiteState{}, Links: []LinkState{}, Notes: []string{}, Weak: []Weak{},
		Switches: []Switch{}, Losses: []Losses{}, Livelocks: []Livelock{}}
	for _, n := range w.d.Cluster.Nodes {
		s.Nodes = append(s.Nodes, NodeState{n.Name, n.ID, n.Site, w.quorum.NodeVotes[n.ID], w.d.armed(n.Name)})
	}
	for i, name := range w.sites {
		site := SiteState{Name: name, Nodes: bitCount(w.nodes[i])}
		for _, id := range w.ids(w.nodes[i]) {
			site.Votes += w.quorum.NodeVotes[id]
		}
		if name != "" {
			s.Sites = append(s.Sites, site)
		}
	}
	for _, l := range w.d.Cluster.Links {
		s.Links = append(s.Links, LinkState{l.Number, l.Priority, Seconds(l.Timeouts.EffectiveInterval), Seconds(l.Timeouts.PingTimeout)})
	}
	s.Timers, s.Quorum, s.Fence = w.timers(), w.votes(), w.fence()
	return s
}

func (w *world) timers() Timers {
	t, p := w.d.Cluster.Timeouts, w.d.Cluster.Totem
	out := Timers{
		Token: Seconds(t.Token), Consensus: Seconds(t.Consensus), Retransmit: Seconds(t.TokenRetransmit),
		Retransmits: t.TokenRetransmitsBeforeLossConst, Hold: Seconds(t.Hold), Membership: Seconds(t.Membership()),
		Coefficient: Seconds(coefficient(p.TokenCoefficient)),
	}
	best := w.d.Cluster.Links[w.best(w.links)].Number
	for i, a := range w.siteOf {
		b := w.siteOf[(i+1)%len(w.siteOf)]
		out.Round += Seconds(w.d.Network.Quality(w.sites[a], w.sites[b], best).RTT / 2)
		if a != b {
			out.Crossings++
		}
	}
	return out
}

// coefficient is token_coefficient with Corosync's default.
func coefficient(written *time.Duration) time.Duration {
	if written != nil {
		return *written
	}
	return 650 * time.Millisecond
}

func (w *world) votes() Quorum {
	q := w.quorum
	all := q.Outcome(votequorum.History{}, q.Nodes(), q.Device != nil)
	spare := q.Spare(votequorum.History{}, q.Nodes(), q.Device != nil)
	out := Quorum{Expected: all.Expected, Needed: all.Needed, SpareVotes: spare.Votes, SpareNodes: spare.Nodes, Options: []string{}}
	for _, o := range []struct {
		on   bool
		name string
	}{
		{q.TwoNode, "two_node"}, {q.WaitForAll, "wait_for_all"}, {q.AutoTieBreaker, "auto_tie_breaker " + q.AutoTieBreakerNode},
		{q.LastManStanding, "last_man_standing"}, {q.AllowDownscale, "allow_downscale"},
	} {
		if o.on {
			out.Options = append(out.Options, strings.TrimSpace(o.name))
		}
	}
	if q.LastManStanding {
		out.Window = Seconds(q.LastManStandingWindow)
	}
	if d := q.Device; d != nil {
		out.Device = &Device{Host: d.Host, Algorithm: cmp.Or(d.Algorithm, "ffsplit"), Votes: q.DeviceVotes(), Site: w.d.DeviceSite}
	}
	return out
}

func (w *world) fence() Fence {
	need, usable := w.d.Cluster.Timeouts.Membership()+synchronize, watchdog-lrmRound
	return Fence{
		Needed: Seconds(need), Usable: Seconds(usable), Share: float64(need) / float64(usable),
		First: Seconds(watchdog), Last: Seconds(watchdog + lrmRound), Exceeds: need > usable,
	}
}

// note adds a remark.
func (s *State) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// votesOnly is how many nodes may be lost at once after the quorum device was.
func votesOnly(w *world) int {
	h := votequorum.History{}
	r := w.quorum.Outcome(h, w.quorum.Nodes(), false)
	if !r.Quorate {
		return 0
	}
	return w.quorum.Spare(h, w.quorum.Nodes(), false).Nodes
}
