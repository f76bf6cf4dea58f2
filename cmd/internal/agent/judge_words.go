package agent

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// knetNews collects what the knets of all nodes say of their links.
type knetNews struct {
	heard map[uint32]time.Time // by peer: when the bulletin came that was read last
	words []risk.Word          // scratch
}

// step returns what has been said since the last time: the own knet's state as of now, and that of the peers in their new bulletins.
func (k *knetNews) step(now time.Time, local uint32, status corosync.Status, views []checker.PeerView) []risk.Word {
	k.words = k.words[:0]
	if status.Daemon == corosync.DaemonRunning && !status.Stale {
		for i := range status.Links {
			l := &status.Links[i]
			k.words = append(k.words, risk.Word{From: local, To: l.Node, Link: l.Link, Connected: l.Connected, Downs: l.DownCount, At: now})
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
		for _, p := range v.Paths {
			if p.State != mesh.Unknown {
				k.words = append(k.words, risk.Word{From: v.Node, To: p.Node, Link: p.Link, Connected: !p.KnetDown, At: v.At})
			}
		}
	}
	return k.words
}
