package corosynctest

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// Names of the nodes of Stretched, by id from 1: two sites of two nodes and a third with one.
func stretchedNames() []string { return []string{"a1", "a2", "b1", "b2", "w1"} }

// StretchedConf is the corosync.conf of a stretched cluster as pvecm of Proxmox VE 9.1 writes it: nodes a1, a2 (site a,
// ids 1 and 2), b1, b2 (site b, 3 and 4) and w1 (a witness site, 5), on 1 to 8 links. Link L of node N has the address
// 10.(50+L).SITE.N, site a being 1. The effective token is 3375 ms.
func StretchedConf(links int) string {
	var b strings.Builder
	b.WriteString("totem {\n  version: 2\n  cluster_name: stretched\n  config_version: 7\n  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n  token_coefficient: 125\n")
	for l := range links {
		fmt.Fprintf(&b, "  interface {\n    linknumber: %d\n  }\n", l)
	}
	b.WriteString("}\n\nnodelist {\n")
	for i, name := range stretchedNames() {
		fmt.Fprintf(&b, "  node {\n    name: %s\n    nodeid: %d\n    quorum_votes: 1\n", name, i+1)
		for l := range links {
			fmt.Fprintf(&b, "    ring%d_addr: %s\n", l, stretchedAddr(i, l))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n\nquorum {\n  provider: corosync_votequorum\n}\n\nlogging {\n  debug: off\n  to_syslog: yes\n}\n")
	return b.String()
}

func stretchedAddr(i, link int) string { return fmt.Sprintf("10.%d.%d.%d", 50+link, 1+i/2, 1+i) }

// Stretched is StretchedConf, parsed.
func Stretched(links int) *corosync.Config {
	c, err := corosync.Parse("corosync.conf", strings.NewReader(StretchedConf(links)))
	if err != nil {
		panic(fmt.Sprintf("corosynctest: %v", err))
	}
	return c
}

// StretchedStatus is what ctl says on a node of Stretched when all is well. Change what a test is about; nothing is shared
// between two calls.
func StretchedStatus(at time.Time, node uint32, links int) corosync.Status {
	c := Stretched(links)
	s := corosync.Status{
		At: at, LinksAt: at, Since: at.Add(-24 * time.Hour), LogSince: at.Add(-24 * time.Hour), Daemon: corosync.DaemonRunning, Software: "3.1.10", LocalID: node,
		RingID: corosync.RingID{Rep: 1, Seq: 0x2c},
		Quorum: corosync.QuorumStatus{
			Known: true, Provider: "corosync_votequorum", Quorate: true, Expected: 5, HighestExpected: 5, Total: 5, Quorum: 3,
			Flags: []string{"Quorate"},
		},
		SRP: corosync.SRPStats{
			Known: true, GatherEntered: 9, TimeSinceToken: 120 * time.Millisecond, MeanTokenInterval: c.Timeouts().Hold,
		},
		Runtime: c.RuntimeValues().Runtime(),
	}
	for i, n := range c.Nodes {
		var ip []string
		for l := range links {
			ip = append(ip, fmt.Sprintf("r(%d) ip(%s)", l, stretchedAddr(i, l)))
			if n.ID != node {
				s.Links = append(s.Links, corosync.LinkStatus{
					Node: n.ID, Link: l, Enabled: true, Connected: true, MTU: 1397, DownCount: 1, UpCount: 1, TxPing: 86000, RxPong: 86000,
					LatencyAvg: 400 * time.Microsecond,
				})
			}
		}
		s.Members = append(s.Members, corosync.Member{ID: n.ID, Joined: true, JoinCount: 1, ConfigVersion: 7, IP: strings.Join(ip, " ")})
		s.Quorum.Votes = append(s.Quorum.Votes, corosync.MemberVotes{ID: n.ID, Votes: 1, Name: n.Name})
	}
	return s
}
