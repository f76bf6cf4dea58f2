package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Changes are what a plan changes of a Design; zero: nothing.
type Changes struct {
	Add           []NewNode
	Remove        []string // names of nodes
	Token         *time.Duration
	Coefficient   *time.Duration
	Retransmits   *int
	PingInterval  *time.Duration // of all links
	PingTimeout   *time.Duration
	Links         *int
	Device        *NewDevice
	NoDevice      bool
	DeviceSite    *string
	Votes         []NodeVotes
	TwoNode       *bool
	WaitForAll    *bool
	TieBreaker    *bool
	LastManStands *bool
}

// NewNode is a node that is added.
type NewNode struct{ Name, Site string }

// NewDevice is a quorum device that is set up, as `pvecm qdevice setup` does: an even count of nodes gets ffsplit with one vote,
// an odd one (which pvecm does only when forced) lms with one vote less than the nodes have.
type NewDevice struct {
	Host      string
	Algorithm string // "": as pvecm chooses
}

// NodeVotes gives a node other votes.
type NodeVotes struct {
	Node  string
	Votes int
}

// Apply returns the changed Design and what was changed, for people. d stays as it is.
func (c Changes) Apply(d Design) (Design, []string, error) {
	a := applier{d: d.clone()}
	for _, step := range []func(Changes) error{a.remove, a.add, a.votes, a.links, a.timers, a.device, a.options} {
		if err := step(c); err != nil {
			return Design{}, nil, err
		}
	}
	if len(a.done) == 0 {
		return a.d, nil, nil
	}
	a.d.retime()
	return a.d, a.done, a.d.check()
}

// clone copies all that Changes touch.
func (d Design) clone() Design {
	d.Cluster.Nodes = slices.Clone(d.Cluster.Nodes)
	d.Cluster.Links = slices.Clone(d.Cluster.Links)
	d.Cluster.Quorum.NodeVotes = maps.Clone(d.Cluster.Quorum.NodeVotes)
	if dev := d.Cluster.Quorum.Device; dev != nil {
		copied := *dev
		d.Cluster.Quorum.Device = &copied
	}
	return d
}

type applier struct {
	d    Design
	done []string
	grew bool // nodes were added or removed
}

func (a *applier) did(format string, args ...any) {
	a.done = append(a.done, fmt.Sprintf(format, args...))
}

func (a *applier) remove(c Changes) error {
	for _, name := range c.Remove {
		i := a.d.node(name)
		if i < 0 {
			return refuse("the nodes are "+a.d.names(), "--remove-node: no node is named %q", name)
		}
		delete(a.d.Cluster.Quorum.NodeVotes, a.d.Cluster.Nodes[i].ID)
		a.d.Cluster.Nodes = slices.Delete(a.d.Cluster.Nodes, i, i+1)
		a.grew = true
		a.did("without node %s", name)
	}
	if len(a.d.Cluster.Nodes) == 0 {
		return refuse("leave at least one", "--remove-node: no nodes are left")
	}
	return nil
}

// add gives a new node the lowest free nodeid, as pvecm does.
func (a *applier) add(c Changes) error {
	placed := a.d.Cluster.Nodes[0].Site != ""
	for _, n := range c.Add {
		switch {
		case n.Name == "":
			return refuse("--add-node NAME or --add-node NAME:SITE", "--add-node: a node needs a name")
		case a.d.node(n.Name) >= 0:
			return refuse("choose another name", "--add-node: there is a node %s already", n.Name)
		case placed && n.Site == "":
			return refuse(fmt.Sprintf("--add-node %s:SITE; the sites are %v", n.Name, a.d.sites()), "--add-node %s: the cluster has sites, so the node needs one", n.Name)
		case !placed && n.Site != "":
			return refuse("say with --site where the other nodes are", "--add-node %s:%s: the cluster has no sites", n.Name, n.Site)
		}
		id := uint32(1)
		for a.d.Cluster.Index(id) >= 0 {
			id++
		}
		a.d.Cluster.Nodes = append(a.d.Cluster.Nodes, risk.Node{ID: id, Name: n.Name, Site: n.Site})
		a.d.Cluster.Quorum.NodeVotes[id] = 1
		slices.SortFunc(a.d.Cluster.Nodes, func(x, y risk.Node) int { return cmp.Compare(x.ID, y.ID) })
		a.grew = true
		if n.Site != "" {
			a.did("with node %s in site %s", n.Name, n.Site)
		} else {
			a.did("with node %s", n.Name)
		}
	}
	if a.grew && a.d.Cluster.Quorum.ExpectedVotes > 0 {
		return refuse("take expected_votes out of corosync.conf: the nodelist says it", "quorum.expected_votes is written, so another count of nodes does not change it")
	}
	return nil
}

func (a *applier) votes(c Changes) error {
	for _, v := range c.Votes {
		i := a.d.node(v.Node)
		switch {
		case i < 0:
			return refuse("the nodes are "+a.d.names(), "--votes: no node is named %q", v.Node)
		case v.Votes < 1 || v.Votes > 255:
			return refuse("1 to 255; a node that shall not count is better left out", "--votes %s=%d: no number of votes", v.Node, v.Votes)
		}
		a.d.Cluster.Quorum.NodeVotes[a.d.Cluster.Nodes[i].ID] = v.Votes
		a.did("node %s has %d votes", v.Node, v.Votes)
	}
	return nil
}

func (a *applier) links(c Changes) error {
	if c.Links == nil || *c.Links == len(a.d.Cluster.Links) {
		return nil
	}
	if *c.Links == 1 {
		a.did("1 link")
	} else {
		a.did("%d links", *c.Links)
	}
	return a.d.setLinks(*c.Links)
}

func (a *applier) timers(c Changes) error {
	t := &a.d.Cluster.Totem
	if c.Token != nil {
		t.Token = *c.Token
		a.did("token %d", c.Token.Milliseconds())
	}
	if c.Coefficient != nil {
		t.TokenCoefficient = c.Coefficient
		a.did("token_coefficient %d", c.Coefficient.Milliseconds())
	}
	if c.Retransmits != nil {
		t.TokenRetransmitsBeforeLossConst = *c.Retransmits
		a.did("token_retransmits_before_loss_const %d", *c.Retransmits)
	}
	for i := range a.d.Cluster.Links {
		if c.PingInterval != nil {
			a.d.Cluster.Links[i].Params.PingInterval = *c.PingInterval
		}
		if c.PingTimeout != nil {
			a.d.Cluster.Links[i].Params.PingTimeout = *c.PingTimeout
		}
	}
	if c.PingInterval != nil {
		a.did("knet_ping_interval %d", c.PingInterval.Milliseconds())
	}
	if c.PingTimeout != nil {
		a.did("knet_ping_timeout %d", c.PingTimeout.Milliseconds())
	}
	return nil
}

// device sets the quorum device up or takes it away. pvecm wants it set up anew when nodes come or go.
func (a *applier) device(c Changes) error {
	q := &a.d.Cluster.Quorum
	switch {
	case c.NoDevice && c.Device != nil:
		return refuse("leave one of the two out", "--qdevice and --no-qdevice")
	case c.NoDevice && q.Device == nil:
		return refuse("", "--no-qdevice: there is none")
	case c.NoDevice:
		q.Device, a.d.DeviceSite = nil, ""
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
		if !slices.ContainsFunc(a.d.Cluster.Nodes, func(n risk.Node) bool { return a.d.Cluster.Quorum.NodeVotes[n.ID] != 1 }) {
			break
		}
		for _, v := range a.d.Cluster.Quorum.NodeVotes { // must be written when not all have one vote (votequorum_readconfig)
			votes += v
		}
		votes--
	default:
		return refuse("ffsplit or lms; without one pvecm's choice is taken", "--qdevice: unknown algorithm %q", n.Algorithm)
	}
	a.d.Cluster.Quorum.Device = &votequorum.Device{
		Model: "net", Host: n.Host, Algorithm: algorithm, Votes: votes, Timeout: 10 * time.Second, SyncTimeout: 30 * time.Second,
	}
	a.did("qdevice %s (%s, %s)", n.Host, algorithm, plural(a.d.Cluster.Quorum.DeviceVotes(), "vote"))
	return nil
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
	if c.TwoNode != nil && c.WaitForAll == nil && q.TwoNode != *c.TwoNode {
		q.WaitForAll = *c.TwoNode // two_node implies it unless the key is written
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
