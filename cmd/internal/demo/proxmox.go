package demo

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// The simulated HA goes by the times of the real one: an LRM renews its lock at the start of each round, with quorum only.
const (
	lrmRound = 10 * time.Second
	pveEvery = time.Second
)

// guests are how many guests each node carries; c1 is a small room that only votes.
func guests() map[string]int { return map[string]int{"a1": 5, "a2": 4, "b1": 8, "b2": 6} }

// unmanaged is how many of a node's guests are not under HA.
const unmanaged = 2

// pve is the demo's Proxmox VE: what its nodes have written.
type pve struct {
	nodes []corosync.Node
	mu    sync.Mutex
	lrms  map[string]proxmox.LRM
}

func newPVE(nodes []corosync.Node) *pve { return &pve{nodes: nodes, lrms: map[string]proxmox.LRM{}} }

// write lets a node's LRM begin a round if one is due, and returns what all have written.
func (p *pve) write(node string, phase time.Duration, now time.Time) []proxmox.LRM {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lrms[node]
	if round := now.Add(-phase).Truncate(lrmRound).Add(phase); l.Stamp.Before(round) {
		l = proxmox.LRM{Node: node, State: "wait_for_agent_lock", Mode: "active", Stamp: now.Truncate(time.Second)}
		if n := guests()[node]; n > 0 {
			l.State, l.Lock, l.Active = "active", l.Stamp, n-unmanaged
		}
		p.lrms[node] = l
	}
	var all []proxmox.LRM
	for _, n := range p.nodes {
		if l, ok := p.lrms[n.Name]; ok {
			all = append(all, l)
		}
	}
	return all
}

// node is what one of its nodes sees: everything with quorum, the past without.
func (p *pve) node(n corosync.Node, daemon agent.Daemon) *pveNode {
	out := &pveNode{pve: p, node: n, daemon: daemon}
	out.latest.Store(&proxmox.Snapshot{})
	return out
}

// pveNode is an agent.Proxmox.
type pveNode struct {
	pve    *pve
	node   corosync.Node
	daemon agent.Daemon
	latest atomic.Pointer[proxmox.Snapshot]
}

// Latest implements agent.Proxmox.
func (n *pveNode) Latest() proxmox.Snapshot { return *n.latest.Load() }

// Run implements agent.Proxmox.
func (n *pveNode) Run(ctx context.Context) error {
	ticker := time.NewTicker(pveEvery)
	defer ticker.Stop()
	var seen []proxmox.LRM
	for {
		now, status := time.Now(), n.daemon.Status()
		if status.Quorum.Quorate {
			seen = n.pve.write(n.node.Name, time.Duration(n.node.ID)*2*time.Second, now)
		}
		s := n.snapshot(now, status, seen)
		n.latest.Store(&s)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// snapshot is what pmxcfs holds on this node.
func (n *pveNode) snapshot(now time.Time, status corosync.Status, seen []proxmox.LRM) proxmox.Snapshot {
	s := proxmox.Snapshot{
		At: now, View: n.node.Name, Standalone: proxmox.No, ClusterName: "demo",
		Quorate: proxmox.TriOf(status.Quorum.Known && status.Quorum.Quorate),
		HA:      proxmox.HA{State: proxmox.HAArmed, Master: "a1", LRMs: seen},
	}
	for part := range proxmox.PartCount {
		s.Origins[part] = proxmox.Origin{Source: proxmox.FromFiles, At: now, View: n.node.Name}
	}
	s.Origins[proxmox.PartConf], s.Origins[proxmox.PartQDevice] = proxmox.Origin{}, proxmox.Origin{}
	s.Views = []proxmox.View{{Source: proxmox.FromFiles, Node: n.node.Name, At: now, Quorate: s.Quorate}}
	s.Watchdog = proxmox.Watchdog{Active: proxmox.TriOf(guests()[n.node.Name] > 0), Mux: proxmox.Yes, LRM: proxmox.Yes, CRM: proxmox.Yes}
	for _, l := range seen {
		if l.Node == s.HA.Master {
			s.HA.CRMStamp = l.Stamp
		}
	}
	id := 100
	for _, other := range n.pve.nodes {
		online := slices.ContainsFunc(status.Members, func(m corosync.Member) bool { return m.ID == other.ID && m.Joined })
		s.Nodes = append(s.Nodes, proxmox.Node{ID: other.ID, Name: other.Name, Local: other.ID == n.node.ID, Online: proxmox.TriOf(online)})
		for i := range guests()[other.Name] {
			g := proxmox.Guest{ID: id, Kind: proxmox.VM, Node: other.Name, Running: proxmox.Yes}
			s.Guests = append(s.Guests, g)
			if i >= unmanaged {
				s.Services = append(s.Services, proxmox.Service{SID: g.SID(), Node: other.Name, State: "started", Request: "started"})
			}
			id++
		}
	}
	return s
}
