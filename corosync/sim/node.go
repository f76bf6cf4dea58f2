package sim

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// node is one daemon as its tools and its log would show it.
type node struct {
	c     *Cluster
	index int
	id    uint32
	name  string

	state  corosync.Daemon
	reason string
	since  time.Time

	ring    corosync.RingID
	present []uint32               // of the newest membership
	members map[uint32]*memberInfo // runtime.members: it keeps those that left
	peers   [][]knetLink           // [peer's index][link's index]; the own entry is unused

	history votequorum.History
	result  votequorum.Result
	decided []uint32 // the members that votequorum decided about
	ringOf  corosync.RingID

	srp       corosync.SRPStats
	lastToken time.Time
	meanToken float64 // nanoseconds, over about the last 100
	tokenAt   corosync.TokenEvents
	stalls    []corosync.Stall

	goodbye                  bool // it was told to stop
	pausedSince, pausedUntil time.Time
}

type memberInfo struct {
	joined bool
	joins  uint32
}

// knetLink is one link to one peer.
type knetLink struct {
	corosync.LinkStatus
	pingDelay time.Duration // of the last ping to the peer
	samples   int64
}

// pong notes that an answer is on its way (libknet/threads_rx.c, the running mean of process_pong).
func (l *knetLink) pong(after time.Duration) {
	const precision = 2048 // KNET_LINK_DEFAULT_PING_PRECISION
	l.RxPong++
	l.samples = min(l.samples+1, precision)
	l.LatencyAvg += (l.pingDelay + after - l.LatencyAvg) / time.Duration(l.samples)
}

func (c *Cluster) newNode(index int, n corosync.Node) *node {
	return &node{c: c, index: index, id: n.ID, name: n.Name, state: corosync.DaemonStopped, reason: "not started", since: c.now}
}

// begin puts a node where the model's ring begins: all long since together, or nothing runs.
func (n *node) begin() {
	n.fresh()
	if n.c.cfg.Cold {
		return
	}
	n.state, n.reason = corosync.DaemonRunning, ""
	n.ring = corosync.RingID{Rep: n.c.nodes[0].id, Seq: 4}
	for _, m := range n.c.nodes {
		n.present = append(n.present, m.id)
		n.members[m.id] = &memberInfo{true, 1}
		for l := range n.peers[m.index] {
			n.peers[m.index][l].Connected = true
			n.peers[m.index][l].UpCount = 1
		}
	}
	n.decide()
}

// fresh forgets all, as a new process does.
func (n *node) fresh() {
	n.ring, n.ringOf, n.present, n.decided = corosync.RingID{}, corosync.RingID{}, nil, nil
	n.members = map[uint32]*memberInfo{}
	n.history, n.result = votequorum.History{Members: []uint32{}, Waiting: n.c.cfg.Cold && n.c.votes.WaitForAll}, votequorum.Result{}
	n.srp, n.meanToken, n.lastToken, n.stalls = corosync.SRPStats{Known: true}, 0, n.c.now, nil
	n.goodbye, n.pausedUntil = false, time.Time{}
	n.peers = make([][]knetLink, len(n.c.nodes))
	for i, m := range n.c.nodes {
		n.peers[i] = make([]knetLink, len(n.c.links))
		for l, number := range n.c.links {
			n.peers[i][l].LinkStatus = corosync.LinkStatus{Node: m.id, Link: number, Enabled: true, DownCount: 1}
		}
	}
}

// turn notes a state of the daemon.
func (n *node) turn(state corosync.Daemon, reason string) {
	if n.state != state {
		n.state, n.since = state, n.c.now
	}
	n.reason = reason
}

// apply takes an event of the model.
func (n *node) apply(e totem.Event) {
	switch e.Kind {
	case totem.ProcessorStarted:
		n.fresh()
		n.history.Waiting = n.c.votes.WaitForAll
		n.turn(corosync.DaemonRunning, "")
		n.log("notice", "MAIN", corosync.DaemonStart{Version: n.c.cfg.Software})
	case totem.ProcessorStopped:
		if n.goodbye {
			n.log("notice", "MAIN", corosync.DaemonExit{Normal: true})
		}
		n.pausedUntil = time.Time{}
		n.turn(corosync.DaemonStopped, "Could not initialize corosync configuration API error 2")
	case totem.TokenReceived:
		n.token(e.Gap)
	case totem.TokenWarning:
		n.tokenAt.Warned = n.c.now
		n.log("notice", "TOTEM", corosync.TokenWarning{Silent: e.Gap.Truncate(time.Millisecond)})
	case totem.TokenLost:
		n.tokenLost(e)
	case totem.Gather:
		n.srp.GatherEntered++
		if e.Cause == totem.CauseConsensusExpired || e.Cause == totem.CauseConsensusTimeout {
			n.srp.ConsensusTimeouts++
		}
	case totem.Membership:
		n.membership(e)
	case totem.Synchronized:
		n.synchronized()
	case totem.LinkDown:
		n.linkDown(e.Peer, e.Link)
	case totem.LinkUp:
		n.linkUp(e.Peer, e.Link, e.Forced)
	case totem.FailedToReceive:
		n.log("error", "TOTEM", corosync.FailedToReceive{})
	}
}

// token notes the token's arrival.
func (n *node) token(gap time.Duration) {
	const window = 100 // as mtt_rx_token
	n.lastToken = n.c.now
	if n.meanToken == 0 {
		n.meanToken = float64(gap)
	}
	n.meanToken += (float64(gap) - n.meanToken) / window
}

func (n *node) tokenLost(e totem.Event) {
	if e.State.String() != "operational" {
		if e.State.String() == "commit" {
			n.srp.CommitTokenLost++
		}
		return // Corosync logs these at debug level only
	}
	n.srp.OperationalTokenLost++
	n.tokenAt.Lost = n.c.now
	t := n.c.cfg.Corosync.Timeouts()
	n.log("notice", "TOTEM", corosync.TokenLost{Token: t.Token, Consensus: t.Consensus})
}

// membership is totemsrp's confchg: cmap's members change now, votequorum follows with synchronization.
func (n *node) membership(e totem.Event) {
	n.ring = corosync.RingID{Rep: n.c.nodes[e.Ring.Rep()].id, Seq: e.Ring.Seq()}
	joined, left := n.c.ids(e.Joined), n.c.ids(e.Left)
	n.present = n.c.ids(e.Members)
	for _, id := range left {
		if m := n.members[id]; m != nil {
			m.joined = false
		}
	}
	for _, id := range n.present {
		m := n.members[id]
		if m == nil {
			m = &memberInfo{}
			n.members[id] = m
		}
		if !m.joined || slices.Contains(left, id) {
			m.joined = true
			m.joins++
		}
	}
	n.log("notice", "TOTEM", corosync.NewMembership{Ring: n.ring, Joined: joined, Left: left})
	if e.Failed != 0 {
		n.log("notice", "TOTEM", corosync.LeaveMissing{Nodes: n.c.ids(e.Failed)})
	}
}

func (n *node) linkDown(peer, link int) {
	l := &n.peers[peer][link]
	l.Connected = false
	l.DownCount++
	n.log("info", "KNET", corosync.LinkDown{Node: l.Node, Link: l.Link})
	if !slices.ContainsFunc(n.peers[peer], func(l knetLink) bool { return l.Connected }) {
		n.log("warning", "KNET", corosync.HostNoLinks{Node: l.Node})
	}
}

func (n *node) linkUp(peer, link int, forced bool) {
	l := &n.peers[peer][link]
	l.Connected = true
	l.UpCount++
	if !forced {
		n.log("info", "KNET", corosync.LinkUp{Node: l.Node, Link: l.Link})
	}
	n.log("info", "KNET", corosync.LinkReset{Node: l.Node, Link: l.Link})
}

// resume ends a pause.
func (n *node) resume() {
	d := n.pausedUntil.Sub(n.pausedSince)
	at := n.pausedUntil
	n.pausedUntil = time.Time{}
	if n.state != corosync.DaemonHanging {
		return
	}
	n.turn(corosync.DaemonRunning, "")
	threshold := n.c.cfg.Corosync.Timeouts().Token * 4 / 5 // exec/main.c, corosync_main_config: 0.8 of the token
	if d > threshold {
		n.stalls = slices.Insert(n.stalls, 0, corosync.Stall{At: at, For: d})
		n.stalls = n.stalls[:min(len(n.stalls), 10)]
		n.log("warning", "MAIN", corosync.NotScheduled{At: at.Truncate(time.Millisecond), For: d, Threshold: threshold})
	}
}

// ids are the node ids of a set of the model's processors.
func (c *Cluster) ids(s totem.Set) []uint32 {
	var ids []uint32
	for i := range s.All() {
		ids = append(ids, c.nodes[i].id)
	}
	return ids
}
