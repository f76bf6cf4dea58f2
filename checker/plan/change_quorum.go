package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// device sets the quorum device up or takes it away. pvecm wants it set up anew when nodes come or go.
func (a *applier) device(c Changes) error {
	q := &a.d.Cluster.Quorum
	switch {
	case c.NoDevice && c.Device != nil:
		return refuse("leave one of the two out", "--qdevice and --no-qdevice")
	case c.NoDevice && q.Device == nil:
		return refuse("", "--no-qdevice: there is none")
	case c.NoDevice:
		q.Device, a.d.DeviceSite, a.d.VotesByHand = nil, "", false
		a.did("without qdevice")
		return nil
	case c.Device != nil:
		if err := a.setUp(*c.Device); err != nil {
			return err
		}
	case a.grew && q.Device != nil:
		if err := a.setUp(NewDevice{Host: q.Device.Host}); err != nil {
			return err
		}
	}
	if c.DeviceSite != nil {
		if q.Device == nil {
			return refuse("add --qdevice HOST", "--qdevice-site without a qdevice")
		}
		if *c.DeviceSite != "" && !slices.Contains(a.d.sites(), *c.DeviceSite) {
			return refuse("leave --qdevice-site out: then it stands at a place of its own", "--qdevice-site: no site is named %q", *c.DeviceSite)
		}
		a.d.DeviceSite = *c.DeviceSite
		if c.Device == nil {
			a.did("qdevice in site %s", *c.DeviceSite)
		}
	}
	return nil
}

func (a *applier) setUp(n NewDevice) error {
	even := len(a.d.Cluster.Nodes)%2 == 0
	algorithm := cmp.Or(n.Algorithm, map[bool]string{true: "ffsplit", false: "lms"}[even])
	votes := 0
	switch algorithm {
	case "ffsplit":
		votes = 1
		for _, node := range a.d.Cluster.Nodes {
			if v := a.d.Cluster.Quorum.NodeVotes[node.ID]; v != 1 {
				return refuse("use lms, or give every node one vote", "--qdevice: ffsplit needs one vote for every node, node %s has %d", node.Name, v)
			}
		}
	case "lms":
		votes = a.mustWrite()
	default:
		return refuse("ffsplit or lms; without one pvecm's choice is taken", "--qdevice: unknown algorithm %q", n.Algorithm)
	}
	a.d.Cluster.Quorum.Device = &votequorum.Device{
		Model: "net", Host: n.Host, Algorithm: algorithm, Votes: votes, Timeout: 10 * time.Second, SyncTimeout: 30 * time.Second,
	}
	a.d.VotesByHand = algorithm == "lms" && votes > 0
	a.did("qdevice %s (%s, %s)", n.Host, algorithm, plural(a.d.Cluster.Quorum.DeviceVotes(), "vote"))
	return nil
}

// mustWrite is what quorum.device.votes must be with lms where votequorum does not derive them: with uneven votes and where expected_votes
// is written (votequorum_readconfig). 0: it derives the same itself.
func (a *applier) mustWrite() int {
	q, sum := a.d.Cluster.Quorum, 0
	for _, v := range q.NodeVotes {
		sum += v
	}
	if sum == len(q.NodeVotes) && q.ExpectedVotes == 0 {
		return 0
	}
	return sum - 1
}

func (a *applier) options(c Changes) error {
	q := &a.d.Cluster.Quorum
	set := func(to *bool, want *bool, name string) {
		if want != nil && *to != *want {
			*to = *want
			a.did("%s %s", name, map[bool]string{true: "on", false: "off"}[*want])
		}
	}
	if c.TwoNode != nil && *c.TwoNode && len(a.d.Cluster.Nodes) != 2 {
		return refuse("it lets one node go on when two are expected", "--two-node with %s", plural(len(a.d.Cluster.Nodes), "node"))
	}
	a.d.waits = a.d.waits || c.WaitForAll != nil
	if c.TwoNode != nil && !a.d.waits {
		q.WaitForAll = *c.TwoNode
	}
	set(&q.TwoNode, c.TwoNode, "two_node")
	set(&q.WaitForAll, c.WaitForAll, "wait_for_all")
	set(&q.AutoTieBreaker, c.TieBreaker, "auto_tie_breaker")
	set(&q.LastManStanding, c.LastManStands, "last_man_standing")
	if q.LastManStanding && q.LastManStandingWindow == 0 {
		q.LastManStandingWindow = 10 * time.Second // DEFAULT_LMS_WIN, exec/votequorum.c
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
