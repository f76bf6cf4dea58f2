//go:build linux

package lab

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// Spec describes a lab. The zero value of each field but Sites is a sound default.
type Spec struct {
	Name   string        // of the run and its directory; default: from the program's name and pid
	Dir    string        // directory of all runs; default /run/quorumlab
	Sites  []Site        // sites in order; their nodes are named after them: a1, a2, b1
	Links  int           // knet links; default 1
	IPv6   bool          // corosync.conf names the IPv6 addresses (both families always exist)
	MTU    int           // of each link; default 1500
	Totem  []Option      // totem options beside those of pvecm; Value "" takes one of those away
	Link   []Option      // options of every interface{} section
	Quorum []Option      // quorum options beside the provider
	Votes  []int         // quorum_votes of the nodes, in order; default 1 each
	Device *Qdevice      // quorum device; StartDevice starts it
	Rules  []impair.Rule // first rules of the hub
	Seed   uint64        // of all random draws of the hub; 0: 1
	Load   bool          // a CPG message per second and node, as pmxcfs sends
	NoWait bool          // fail at once when another lab runs
}

// Site is a place with nodes.
type Site struct {
	Name  string
	Nodes int
}

// Option is one "key: value" of corosync.conf.
type Option struct{ Key, Value string }

const (
	defaultDir = "/run/quorumlab"
	defaultMTU = 1500
	maxLinks   = 8 // knet: KNET_MAX_LINK
	maxNodes   = 16
)

var siteName = regexp.MustCompile(`^[a-z][a-z-]{0,15}$`)

// layout is a Spec with everything worked out.
type layout struct {
	Spec
	nodes []place
}

// place is one node: its name, site, nodeid and addresses by link.
type place struct {
	name, site string
	id         uint32
	addr4      []netip.Addr
	addr6      []netip.Addr
}

// addr returns the ring address of a link.
func (p place) addr(link int, v6 bool) netip.Addr {
	if v6 {
		return p.addr6[link]
	}
	return p.addr4[link]
}

func (s Spec) layout() (*layout, error) {
	if s.Links == 0 {
		s.Links = 1
	}
	if s.MTU == 0 {
		s.MTU = defaultMTU
	}
	if s.Dir == "" {
		s.Dir = defaultDir
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	if err := s.validate(); err != nil {
		return nil, err
	}
	l := &layout{Spec: s}
	for i, site := range s.Sites {
		for k := range site.Nodes {
			p := place{name: site.Name + strconv.Itoa(k+1), site: site.Name, id: uint32(len(l.nodes) + 1)}
			for link := range s.Links {
				p.addr4 = append(p.addr4, netip.AddrFrom4([4]byte{10, byte(50 + link), byte(i + 1), byte(k + 1)}))
				p.addr6 = append(p.addr6, addr6(link, i+1, k+1))
			}
			l.nodes = append(l.nodes, p)
		}
	}
	return l, nil
}

// addr6 is fd00:(50+link)::site:node, the numbers written as they read.
func addr6(link, site, node int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("fd00:%d::%d:%d", 50+link, site, node))
}

func (s *Spec) validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf("spec: "+format, args...)) }
	if len(s.Sites) == 0 {
		add("sites: want at least one")
	}
	names, total := map[string]int{}, 0
	for _, site := range s.Sites {
		names[site.Name]++
		total += site.Nodes
		if !siteName.MatchString(site.Name) {
			add("site %q: name: want lower-case letters", site.Name)
		}
		if site.Nodes < 1 {
			add("site %q: nodes: %d: want at least 1", site.Name, site.Nodes)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if names[name] > 1 {
			add("site %q: named twice", name)
		}
	}
	if total > maxNodes {
		add("nodes: %d: want at most %d (two cores carry five)", total, maxNodes)
	}
	if s.Links < 1 || s.Links > maxLinks {
		add("links: %d: want 1 to %d", s.Links, maxLinks)
	}
	if s.MTU < 1280 || s.MTU > 9000 {
		add("mtu: %d: want 1280 to 9000", s.MTU)
	}
	return errors.Join(errs...)
}

// Topology is what rules may name in a lab of this kind.
func (s Spec) Topology() (impair.Topology, error) {
	l, err := s.layout()
	if err != nil {
		return impair.Topology{}, err
	}
	return l.topology(), nil
}

// topology is what the rules of the hub may name.
func (l *layout) topology() impair.Topology {
	top := impair.Topology{Links: l.Links}
	for _, p := range l.nodes {
		top.Nodes = append(top.Nodes, impair.Node{Name: p.name, Site: p.site})
	}
	return top
}
