package agent

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// turnTold is for how long a change of knet's verdict is told to the peers: by then they have had it.
const turnTold = 10 * time.Second

// knetNews collects what the knets of all nodes say of their links.
type knetNews struct {
	turns map[linkEnd]turn     // of the own knet
	read  time.Time            // LinksAt as last noted
	heard map[uint32]time.Time // by peer: when the bulletin came that was read last
	words []risk.Word          // scratch
}

// linkEnd is the own end of a link.
type linkEnd struct {
	node uint32
	link int
}

// turn is what knet says of a link, and since when, if it was seen to change.
type turn struct {
	connected bool
	at        time.Time // zero: was never seen to change
}

// note follows the own knet's verdicts: a line of Corosync's log tells them within milliseconds.
func (k *knetNews) note(status corosync.Status) {
	if status.Daemon != corosync.DaemonRunning || status.Stale {
		k.turns = nil
		return
	}
	if k.turns != nil && status.LinksAt.Equal(k.read) {
		return
	}
	if k.turns == nil {
		k.turns = map[linkEnd]turn{}
	}
	k.read = status.LinksAt
	for i := range status.Links {
		l := &status.Links[i]
		end := linkEnd{l.Node, l.Link}
		switch old, known := k.turns[end]; {
		case !known:
			k.turns[end] = turn{connected: l.Connected}
		case old.connected != l.Connected:
			k.turns[end] = turn{l.Connected, status.LinksAt}
		}
	}
}

// since is for how long the own knet has said what it says of a link; 0: not known.
func (k *knetNews) since(now time.Time, node uint32, link int) time.Duration {
	if t := k.turns[linkEnd{node, link}]; !t.at.IsZero() && now.After(t.at) {
		return now.Sub(t.at)
	}
	return 0
}

// tell puts what changed of late into this node's bulletin. clock is the Prober's, now.
func (k *knetNews) tell(v *mesh.View, now time.Time, clock time.Duration) {
	for i := range v.Paths {
		p := &v.Paths[i]
		if d := k.since(now, p.Node, p.Link); d > 0 && d < turnTold {
			p.KnetTurn = uint32((clock - d) / time.Millisecond)
		}
	}
}

// step returns what has been said since the last time: the own knet's state as of now, and that of the peers in their new bulletins.
func (k *knetNews) step(now time.Time, local uint32, status corosync.Status, views []checker.PeerView, decoded map[uint32]decoded) []risk.Word {
	k.words = k.words[:0]
	if status.Daemon == corosync.DaemonRunning && !status.Stale {
		for i := range status.Links {
			l := &status.Links[i]
			k.words = append(k.words, risk.Word{
				From: local, To: l.Node, Link: l.Link, Connected: l.Connected, For: k.since(now, l.Node, l.Link), At: now,
				Counted: true, Downs: l.DownCount,
			})
		}
	}
	if k.heard == nil {
		k.heard = map[uint32]time.Time{}
	}
	for i := range views {
		v := &views[i]
		if !v.Corosync || v.Leaving || !v.At.After(k.heard[v.Node]) {
			continue
		}
		k.heard[v.Node] = v.At
		k.peer(v, decoded[v.Node])
	}
	return k.words
}

// peer takes the words of a bulletin.
func (k *knetNews) peer(v *checker.PeerView, d decoded) {
	for _, p := range v.Paths {
		if p.State == mesh.Unknown {
			continue
		}
		w := risk.Word{From: v.Node, To: p.Node, Link: p.Link, Connected: !p.KnetDown, At: v.At}
		if p.KnetTurn != 0 {
			before := time.Duration(int32(uint32(d.clock/time.Millisecond)-p.KnetTurn)) * time.Millisecond // it left
			if ago := v.At.Sub(d.left) + before; before >= 0 && before < 2*turnTold {
				w.For = max(ago, 1)
			}
		}
		k.words = append(k.words, w)
	}
}
