package sim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// dataMTU is what knet leaves of 1500 bytes on IPv4 with encryption.
const dataMTU = 1397

// Status is what corosync/ctl would say on a node now. A node that does not exist has no Corosync.
func (c *Cluster) Status(node uint32) corosync.Status {
	status := corosync.Status{At: c.now, Daemon: corosync.DaemonAbsent, Since: c.cfg.Start}
	c.with(node, func(i int) { status = c.nodes[i].status() })
	return status
}

func (n *node) status() corosync.Status {
	s := corosync.Status{
		At: n.c.now, Daemon: n.state, Reason: n.reason, Since: n.since, TokenAt: n.tokenAt,
		LocalID: n.id, RingID: n.ringOf, Members: n.memberList(), Quorum: n.quorumStatus(),
		Links: n.linkList(), LinksAt: n.c.now, SRP: n.srp, Runtime: n.c.fixed,
		LogSince: n.c.cfg.Start, Software: n.c.cfg.Software, Libknet: n.c.cfg.Libknet, Stalls: slices.Clone(n.stalls),
	}
	s.SRP.TimeSinceToken = n.c.now.Sub(n.lastToken).Truncate(time.Millisecond)
	s.SRP.MeanTokenInterval = time.Duration(n.meanToken).Truncate(time.Millisecond)
	if n.state != corosync.DaemonRunning {
		if len(n.members) == 0 { // it never ran
			return corosync.Status{Daemon: n.state, Reason: n.reason, Since: n.since}
		}
		s.At, s.LinksAt, s.Stale = n.since, n.since, true
	}
	return s
}

func (n *node) memberList() []corosync.Member {
	members := make([]corosync.Member, 0, len(n.members))
	for _, id := range slices.Sorted(maps.Keys(n.members)) {
		m := n.members[id]
		members = append(members, corosync.Member{
			ID: id, Joined: m.joined, JoinCount: m.joins, ConfigVersion: n.c.cfg.Corosync.Version, IP: n.c.memberIP(id),
		})
	}
	return members
}

// memberIP is "r(0) ip(10.0.0.1) r(1) ip(10.1.0.1)" (exec/totemsrp.c totemsrp_ifaces_print).
func (c *Cluster) memberIP(id uint32) string {
	var parts []string
	for _, m := range c.cfg.Corosync.Nodes {
		if m.ID != id {
			continue
		}
		for _, l := range c.links {
			parts = append(parts, "r("+strconv.Itoa(l)+") ip("+m.Addrs[l]+")")
		}
	}
	return strings.Join(parts, " ")
}

func (n *node) linkList() []corosync.LinkStatus {
	var links []corosync.LinkStatus
	for i, peer := range n.peers {
		if i == n.index {
			continue
		}
		for _, l := range peer {
			if l.MTU = dataMTU; l.UpCount == 0 {
				l.MTU = 0
			}
			l.LatencyAvg = l.LatencyAvg.Truncate(time.Microsecond)
			links = append(links, l.LinkStatus)
		}
	}
	return links
}

// runtime are the effective values: the file's, for nothing drifts here.
func (c *Cluster) runtime() corosync.Runtime {
	conf := c.cfg.Corosync
	r := corosync.Runtime{Known: true, Timeouts: conf.Timeouts(), Links: map[int]totem.LinkTimeouts{}, Values: corosync.Map{}}
	for _, l := range conf.Links {
		r.Links[l.Number] = l.Params.Timeouts(r.Timeouts.Token)
	}
	maps.Copy(r.Values, conf.Values)
	maps.Copy(r.Values, conf.RuntimeValues())
	return r
}
