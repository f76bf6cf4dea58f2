package plan

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Limits of what is planned.
const (
	MaxNodes = totem.MaxProcessors
	MaxSites = 8
	MaxRTT   = 2 * time.Second // two hops over a geostationary satellite are 1.2 s
	MaxLoss  = 0.9
)

// Design is a cluster as it is or as it might be, with what is assumed of the places and paths that no file tells.
type Design struct {
	Cluster    risk.Cluster // nodes carry their sites; either all of them or none
	DeviceSite string       // the site where the quorum device's server stands; "": a place of its own
	// VotesByHand: the quorum device is one that Changes set up, and pvecm's result would not start: it writes no quorum.device.votes with lms
	// (PVE/CLI/pvecm.pm), and votequorum does not derive them here.
	VotesByHand bool
	Armed       map[string]bool // by node name: its HA watchdog is active; nil: all are
	Network     Network
	Assumed     bool // no configuration was read: links, timers and votes are those that Proxmox VE gives a new cluster

	waits bool // quorum.wait_for_all is written, on or off: two_node changes nothing of it (votequorum_readconfig, wait_for_all_autoset)
}

// Site is a place with nodes that share its fate.
type Site struct {
	Name  string
	Nodes []string
}

// InputError is a design or change that makes no sense, with what to do about it.
type InputError struct {
	Reason string
	Hint   string
}

// Error implements error.
func (e *InputError) Error() string { return e.Reason }

// Hints are what to do about it.
func (e *InputError) Hints() []string { return []string{e.Hint} }

func refuse(hint, format string, args ...any) error {
	return &InputError{Reason: fmt.Sprintf(format, args...), Hint: hint}
}

// newCoefficient is the token_coefficient of clusters that pve-cluster 9.1.0 and later create (API2/ClusterConfig.pm).
const newCoefficient = 125 * time.Millisecond

// New designs a cluster of sites with as many links, all else as Proxmox VE 9.2 creates it.
func New(sites []Site, links int) (Design, error) {
	if len(sites) == 0 {
		return Design{}, refuse("say --config FILE, or --site a=3,b=2", "neither a configuration nor sites")
	}
	coefficient := newCoefficient
	d := Design{Assumed: true, Network: DefaultNetwork()}
	d.Cluster.FastDataUp = true
	d.Cluster.Totem = totem.Params{HasLink0: true, TokenCoefficient: &coefficient}
	d.Cluster.Quorum = votequorum.Config{Provider: "corosync_votequorum", NodeVotes: map[uint32]int{}}
	for _, s := range sites {
		for _, name := range s.Nodes {
			id := uint32(len(d.Cluster.Nodes) + 1)
			d.Cluster.Nodes = append(d.Cluster.Nodes, risk.Node{ID: id, Name: name})
			d.Cluster.Quorum.NodeVotes[id] = 1
		}
	}
	if err := d.setLinks(links); err != nil {
		return Design{}, err
	}
	if err := d.place(sites); err != nil {
		return Design{}, err
	}
	d.retime()
	return d, d.check()
}

// FromConfig designs the cluster of a corosync.conf. sites may be empty; else each node belongs to one.
func FromConfig(c *corosync.Config, sites []Site) (Design, error) {
	if c.Transport != "knet" {
		return Design{}, refuse("plan knows knet's rules only; `transport: knet` is what Corosync 3 uses by default",
			"%s: totem.transport is %s", c.File, c.Transport)
	}
	if len(c.Nodes) == 0 || len(c.Links) == 0 {
		return Design{}, refuse("a plan needs a nodelist with ring0_addr", "%s: no nodes with a link", c.File)
	}
	named := *c // the caller's stays as it is
	c, named.Nodes = &named, slices.Clone(c.Nodes)
	names := map[string]bool{}
	for i, n := range c.Nodes {
		if n.Name == "" { // allowed with one link
			c.Nodes[i].Name = fmt.Sprintf("node%d", n.ID)
		}
		if names[c.Nodes[i].Name] {
			return Design{}, refuse("give every node a name of its own", "%s: two nodes are named %q", c.File, c.Nodes[i].Name)
		}
		names[c.Nodes[i].Name] = true
	}
	cluster, err := risk.FromConfig(c, nil, "")
	if err != nil {
		return Design{}, err
	}
	d := Design{Cluster: cluster, Network: DefaultNetwork()}
	_, d.waits = c.Values["quorum.wait_for_all"]
	if err := d.place(sites); err != nil {
		return Design{}, err
	}
	return d, d.check()
}

// place gives every node its site.
func (d *Design) place(sites []Site) error {
	seen := map[string]bool{}
	for _, s := range sites {
		if s.Name == "" || seen[s.Name] {
			return refuse("give every site a name of its own", "site %q appears twice or has no name", s.Name)
		}
		seen[s.Name] = true
		if len(s.Nodes) == 0 {
			return refuse("--site "+s.Name+"=NODE,NODE or --site "+s.Name+":COUNT", "site %s has no nodes", s.Name)
		}
		for _, name := range s.Nodes {
			i := d.node(name)
			if i < 0 {
				return refuse("the nodes are "+d.names(), "site %s: no node is named %q", s.Name, name)
			}
			if d.Cluster.Nodes[i].Site != "" {
				return refuse("a node has one site", "node %s is in site %s and in site %s", name, d.Cluster.Nodes[i].Site, s.Name)
			}
			d.Cluster.Nodes[i].Site = s.Name
		}
	}
	return nil
}

func (d *Design) setLinks(links int) error {
	if links < 1 || links > totem.MaxLinks {
		return refuse("", "%d links: knet carries 1 to %d", links, totem.MaxLinks)
	}
	d.Cluster.Links = slices.Clone(d.Cluster.Links[:min(links, len(d.Cluster.Links))])
	for n := 0; len(d.Cluster.Links) < links; n++ {
		if !slices.ContainsFunc(d.Cluster.Links, func(l risk.Link) bool { return l.Number == n }) {
			d.Cluster.Links = append(d.Cluster.Links, risk.Link{Number: n, Priority: 1})
		}
	}
	slices.SortFunc(d.Cluster.Links, func(a, b risk.Link) int { return a.Number - b.Number })
	return nil
}

// retime computes the effective timers anew.
func (d *Design) retime() {
	c := &d.Cluster
	c.Totem.Nodes = len(c.Nodes)
	c.Timeouts = c.Totem.Timeouts()
	for i, l := range c.Links {
		c.Links[i].Timeouts = l.Params.Timeouts(c.Timeouts.Token)
	}
}

// check refuses what cannot be planned or what Corosync would not start with.
func (d *Design) check() error {
	c := &d.Cluster
	switch n := len(c.Nodes); {
	case n == 0:
		return refuse("", "no nodes are left")
	case n > MaxNodes:
		return refuse("the model of the token carries no more", "%d nodes: at most %d can be planned", n, MaxNodes)
	}
	if n := len(d.sites()); n > MaxSites {
		return refuse("take places that fail together for one site", "%d sites: at most %d can be planned", n, MaxSites)
	}
	placed := slices.ContainsFunc(c.Nodes, func(n risk.Node) bool { return n.Site != "" })
	for _, n := range c.Nodes {
		if placed && n.Site == "" {
			return refuse("name it in a --site, or as NAME:SITE in --add-node", "node %s has no site, though others have", n.Name)
		}
	}
	for _, err := range c.Totem.Check() {
		return refuse("choose a longer token or fewer retransmits", "totem.%v: Corosync would not start", err)
	}
	for _, l := range c.Links {
		for _, err := range l.Params.Check(c.Timeouts.Token) {
			return refuse("choose longer timers", "link %d: %v", l.Number, err)
		}
	}
	return d.checkQuorum()
}

func (d *Design) checkQuorum() error {
	for _, n := range d.Cluster.Nodes {
		if v := d.Cluster.Quorum.NodeVotes[n.ID]; v < 0 || v > 255 {
			return refuse("votes are 0 to 255: the daemon keeps sums in one byte", "node %s: %d votes", n.Name, v)
		}
	}
	q, _, err := d.Cluster.Quorum.Effective()
	if err != nil {
		return refuse(d.quorumHint(err), "%v: votequorum refuses to start", err)
	}
	if all := q.Outcome(votequorum.History{}, q.Nodes(), q.Device != nil); !all.Quorate {
		return refuse("check votes and expected_votes", "even with all nodes present there is no quorum: %s", all.Reason)
	}
	return nil
}

// quorumHint is what to do about an error of votequorum's.
func (d *Design) quorumHint(err error) string {
	switch {
	case errors.Is(err, votequorum.ErrNoVotes):
		return "write a nodelist"
	case errors.Is(err, votequorum.ErrTieBreakerLMS):
		return "add wait_for_all, or leave one of the two out"
	case errors.Is(err, votequorum.ErrDeviceVotesUnknown):
		return "write quorum.device.votes; in a plan, --qdevice sets the quorum device up anew, with votes"
	case errors.Is(err, votequorum.ErrDeviceVotesHigh):
		sum := 0
		for _, v := range d.Cluster.Quorum.NodeVotes {
			sum += v
		}
		return fmt.Sprintf("take quorum.expected_votes out of corosync.conf, or make it %d: all votes, those of the quorum device among them",
			sum+d.Cluster.Quorum.DeviceVotes())
	}
	return "leave one of the two out"
}

// node is the index of the node with that name; -1 if there is none.
func (d *Design) node(name string) int {
	return slices.IndexFunc(d.Cluster.Nodes, func(n risk.Node) bool { return n.Name == name })
}

func (d *Design) names() string {
	s := ""
	for i, n := range d.Cluster.Nodes {
		if i > 0 {
			s += " "
		}
		s += n.Name
	}
	return s
}

// sites are the names of the sites in the order of their first nodes; one nameless if no node has a site.
func (d *Design) sites() []string {
	var out []string
	for _, n := range d.Cluster.Nodes {
		if !slices.Contains(out, n.Site) {
			out = append(out, n.Site)
		}
	}
	return out
}

func (d *Design) armed(name string) bool { return d.Armed == nil || d.Armed[name] }
