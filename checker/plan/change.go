package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
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
	known := a.d.sites()
	placed := known[0] != ""
	for _, n := range c.Add {
		switch {
		case n.Name == "":
			return refuse("--add-node NAME or --add-node NAME:SITE", "--add-node: a node needs a name")
		case a.d.node(n.Name) >= 0:
			return refuse("choose another name", "--add-node: there is a node %s already", n.Name)
		case placed && n.Site == "":
			return refuse(fmt.Sprintf("--add-node %s:SITE; the sites are %s", n.Name, strings.Join(a.d.sites(), ", ")), "--add-node %s: the cluster has sites, so the node needs one", n.Name)
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
		switch {
		case n.Site == "":
			a.did("with node %s", n.Name)
		case slices.Contains(known, n.Site):
			a.did("with node %s in site %s", n.Name, n.Site)
		default:
			a.did("with node %s in a new site %s", n.Name, n.Site)
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
