package risk

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Node is a node as the model numbers them: processor i is Nodes[i] of its Cluster.
type Node struct {
	ID   uint32
	Name string
	Site string // "" if unknown
}

// Cluster is what the model has to know of a cluster. It is a value; What-ifs change a copy.
type Cluster struct {
	Nodes      []Node // ascending by ID
	Links      []Link // ascending by Number; the model's link i is Links[i]
	Totem      totem.Params
	Timeouts   totem.Timeouts // of Totem, or as the daemon runs them
	Mode       totem.LinkMode
	FastDataUp bool // libknet 1.27 and later
	Quorum     votequorum.Config
}

// Link is a knet link.
type Link struct {
	Number   int
	Priority int
	Params   totem.LinkParams   // as written
	Timeouts totem.LinkTimeouts // effective
}

// ErrNoRing is the answer to a configuration without nodes or links.
var ErrNoRing = errors.New("risk: the configuration has no nodes with a knet link")

// FromConfig makes a Cluster of a corosync.conf. Sites are by node name; libknet is its version, "" for a new one.
func FromConfig(c *corosync.Config, sites map[string]string, libknet string) (Cluster, error) {
	if len(c.Nodes) == 0 || len(c.Links) == 0 || c.Transport != "knet" {
		return Cluster{}, ErrNoRing
	}
	out := Cluster{Totem: c.Totem, Timeouts: c.Timeouts(), FastDataUp: totem.FastDataUp(libknet), Quorum: c.Quorum}
	switch c.LinkMode {
	case "active":
		out.Mode = totem.Active
	case "rr":
		out.Mode = totem.RoundRobin
	}
	for _, n := range c.Nodes {
		out.Nodes = append(out.Nodes, Node{n.ID, n.Name, sites[n.Name]})
	}
	slices.SortFunc(out.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	for _, l := range c.Links {
		out.Links = append(out.Links, Link{l.Number, l.Priority, l.Params, l.Params.Timeouts(out.Timeouts.Token)})
	}
	return out, nil
}

// Index is the model's number of a node; -1 if there is none.
func (c Cluster) Index(node uint32) int {
	return slices.IndexFunc(c.Nodes, func(n Node) bool { return n.ID == node })
}

// Run is how a ring is run.
type Run struct {
	Network totem.Network
	Traffic time.Duration // between the messages of each node; zero: none, the ring idles
	Rand    *rand.Rand    // phases; nil: all zero
	Spread  time.Duration // totem.Config.Spread
}

// Ring makes a formed ring of the cluster.
func (c Cluster) Ring(run Run) (*totem.Ring, error) {
	cfg := totem.Config{
		Nodes: len(c.Nodes), Timeouts: c.Timeouts, Mode: c.Mode, FastDataUp: c.FastDataUp,
		Traffic: totem.Traffic{Every: run.Traffic}, Network: run.Network, Rand: run.Rand, Spread: run.Spread,
	}
	for _, n := range c.Nodes {
		cfg.Names = append(cfg.Names, n.Name)
	}
	for _, l := range c.Links {
		cfg.Links = append(cfg.Links, totem.Link{Timeouts: l.Timeouts, Priority: l.Priority})
	}
	return totem.New(cfg)
}
