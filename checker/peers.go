package checker

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker/topology"
)

// peer is what is thought of one other node at this instant.
type peer struct {
	node  topology.Node
	memo  *peerMemo
	paths []path // its part of judge.paths
	view  *PeerView
	// From the probes:
	heard    bool          // on some link, ever
	out      bool          // no link works, one at least was heard before
	since    time.Time     // when the last link that worked died
	gap      time.Duration // how long it is out
	interval time.Duration
	// From knet and Corosync:
	knet      KnetState // connected if one link is
	knetSince time.Time // since when no link is connected
	member    Tri
	verdict   verdict
	basis     string    // what confirmed a cut
	hidden    time.Time // no link is known to work, and this host's own stalls may be why: since when; else zero
	knetOnly  bool      // no probe ever told anything of it
}

// verdict is what a peer's silence means.
type verdict int

const (
	reachable verdict = iota
	neverHeard
	silent       // out, and it cannot be told yet why
	cutOff       // out, and confirmed by something else than probes
	muted        // probes pass again, but knet has not taken the links up
	silentAgent  // it lives: its agent is the one that does not answer
	stoppedAgent // its agent said so
	departed     // it left the membership in peace, or was no member when it went silent
)

// viewFresh is how old a peer's account may be to speak of the present: full-size probes carry one every half second.
const viewFresh = 3 * time.Second

// readPeers groups the paths by peer and decides what each peer's silence means.
func (j *judge) readPeers() {
	nodes := j.in.Cluster.Nodes
	j.peers = make([]peer, 0, len(nodes))
	j.next.peers = make([]peerMemo, 0, len(nodes))
	rest := j.paths
	old := j.prev.peers
	for i := range nodes {
		if nodes[i].ID == j.in.Cluster.Local {
			continue
		}
		p := peer{node: nodes[i], member: j.member(nodes[i].ID)}
		for len(rest) > 0 && rest[0].obs.Node < p.node.ID {
			rest = rest[1:]
		}
		n := 0
		for n < len(rest) && rest[n].obs.Node == p.node.ID {
			n++
		}
		p.paths, rest = rest[:n], rest[n:]
		for len(old) > 0 && old[0].node < p.node.ID {
			old = old[1:]
		}
		memo := peerMemo{node: p.node.ID}
		if len(old) > 0 && old[0].node == p.node.ID {
			memo = old[0]
		}
		j.next.peers = append(j.next.peers, memo) // capacity was reserved: pointers stay good
		p.memo = &j.next.peers[len(j.next.peers)-1]
		j.peers = append(j.peers, p)
	}
	for i := range j.peers {
		j.readPeer(&j.peers[i])
	}
}

func (j *judge) readPeer(p *peer) {
	for _, v := range j.views {
		if v.Node == p.node.ID {
			p.view = v
		}
	}
	j.aggregate(p)
	j.followMembership(p)
	j.followAgent(p)
	p.verdict = j.judgePeer(p)
	for i := range p.paths {
		j.excusePath(p, &p.paths[i])
		j.setState(&p.paths[i])
	}
	j.followGaps(p)
	switch {
	case !p.out:
		p.memo.agent = reachable
	case p.verdict == silentAgent, p.verdict == stoppedAgent:
		p.memo.agent = p.verdict
	}
	p.memo.out, p.memo.verdict = p.out, p.verdict
}

// aggregate makes one account of a peer's links.
func (j *judge) aggregate(p *peer) {
	works, down := false, 0
	known := 0
	var hidden, back time.Time // hidden: since when this host's stalls excuse a silence; back: since when answers come again on some link
	p.interval = defaultInterval
	for i := range p.paths {
		l := &p.paths[i]
		p.heard = p.heard || l.heard
		p.interval = max(p.interval, l.interval)
		switch {
		case l.out && (l.heard || l.obs.Err != ""):
			p.out, p.since = true, later(p.since, l.since)
			if b := l.memo.backAt; !b.IsZero() && (back.IsZero() || b.Before(back)) {
				back = b
			}
		case l.hostFelt: // nobody knows
			hidden = later(hidden, l.memo.feltSince)
		case l.heard:
			works = true
		}
		switch l.knet {
		case KnetConnected:
			known++
		case KnetDisconnected:
			known++
			down++
			p.knetSince = later(p.knetSince, l.memo.knetSince)
		}
	}
	switch {
	case works:
		p.out, p.since = false, time.Time{}
	case !hidden.IsZero():
		p.out, p.since, p.hidden = false, time.Time{}, hidden
	}
	switch {
	case known > 0 && down == known:
		p.knet = KnetDisconnected
	case known > 0:
		p.knet = KnetConnected
	}
	p.gap = max(0, j.ago(p.since)-j.ago(back))
}

// followMembership remembers whether the peer was a member when it went silent, and how it left.
func (j *judge) followMembership(p *peer) {
	m := p.memo
	if p.out && !m.out {
		m.outMember = p.member
		if p.member == Unknown {
			m.outMember = m.member
		}
	}
	if p.member == Unknown {
		return
	}
	if m.member == Yes && p.member == No {
		m.leftAt, m.left = j.now(), j.departure(p)
	}
	if p.member == Yes {
		m.left, m.outMember = notLeft, Yes
	}
	m.member = p.member
}

// departure tells how a member that is just gone has left. A leave message takes 0.3 s; a loss takes T + consensus, and knet or
// the probes see it long before. Somebody whose paths still work has left in peace.
func (j *judge) departure(p *peer) departure {
	v := p.memo.verdict
	seen := p.out && v != silentAgent && v != stoppedAgent && v != departed
	late := !j.next.daemon.evidence.IsZero() && j.ago(j.next.daemon.evidence) < 3*j.token
	switch {
	case seen && (late || p.gap >= j.token*3/2),
		p.knet == KnetDisconnected && j.ago(p.knetSince) >= j.token/2:
		return leftByLoss
	}
	return leftInPeace
}

// followAgent notices agents that were restarted: their numbering of views begins anew.
func (j *judge) followAgent(p *peer) {
	m := p.memo
	if p.view == nil {
		return
	}
	if m.sequence != 0 && p.view.Sequence < m.sequence && p.view.At.After(m.viewAt) {
		for i := range p.paths {
			p.paths[i].memo.silentUntil = j.now()
		}
	}
	m.sequence, m.viewAt = p.view.Sequence, p.view.At
}

// excusePath notes why the silence of one path is no outage of it.
func (j *judge) excusePath(p *peer, l *path) {
	if !l.out {
		return
	}
	switch {
	case p.verdict == stoppedAgent:
		l.excused = agentStopped
	case l.obs.Refused.After(l.since):
		l.excused = portClosed
	case p.verdict == silentAgent, j.knetContradicts(l):
		l.excused = knetContradict
	}
	if l.excused != notExcused {
		l.memo.silentUntil = j.now()
	}
}

// knetContradicts: knet says that the link lives, although it had the time to see it die.
func (j *judge) knetContradicts(l *path) bool {
	return l.knet == KnetConnected && !j.status.linksAt.Before(l.since.Add(l.detect))
}
