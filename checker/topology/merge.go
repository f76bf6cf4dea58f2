package topology

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Input is what Merge makes a Cluster of. Everything is optional.
type Input struct {
	Config    *corosync.Config   // the last good corosync.conf
	Digest    string             // SHA-1 of its text in hexadecimal; "": not known
	Addresses []corosync.Address // its ring addresses, resolved
	Status    corosync.Status
	Hostname  string            // of this host, short or fully qualified
	Local     []netip.Addr      // addresses of this host's interfaces; nil: not known
	Sites     map[string]string // site by node name or nodeid, as the configuration has them
	Found     []Site            // by round trips; they count if the configuration names none
	Views     []mesh.View       // what peers said lately
	Proxmox   proxmox.Snapshot  // what Proxmox VE knows; the zero value: nothing
}

// Merge returns the one account of the cluster, and what its sources disagree on.
func Merge(in Input) (Cluster, []Disagreement) {
	m := merger{in: in, current: in.Status.Daemon == corosync.DaemonRunning && !in.Status.Stale}
	m.fromConfig()
	m.addresses()
	m.fromStatus()
	m.local()
	m.timeouts()
	m.sites()
	m.votes()
	m.versions()
	m.tokens()
	m.proxmox()
	return m.c, m.found
}

type merger struct {
	in      Input
	current bool // the daemon runs and what it said is not old
	c       Cluster
	found   []Disagreement
}

func (m *merger) report(d Disagreement) { m.found = append(m.found, d) }

func (m *merger) fromConfig() {
	cfg := m.in.Config
	if cfg == nil {
		return
	}
	m.c.Name, m.c.ConfigVersion = cfg.ClusterName, cfg.Version
	for _, n := range cfg.Nodes {
		name := n.Name
		if name == "" {
			name = n.Addrs[0]
		}
		if name == "" {
			name = fmt.Sprintf("node %d", n.ID)
		}
		m.c.Nodes = append(m.c.Nodes, Node{ID: n.ID, Name: name, Votes: n.Votes, Addrs: map[int]netip.Addr{}})
	}
	m.sortNodes()
	for _, l := range cfg.Links {
		m.c.Links = append(m.c.Links, Link{Number: l.Number, Port: l.Port, Priority: l.Priority})
	}
	slices.SortFunc(m.c.Links, func(a, b Link) int { return cmp.Compare(a.Number, b.Number) })
	quorum, notes, err := cfg.Quorum.Effective()
	m.c.Quorum = quorum
	for _, n := range notes {
		m.report(Disagreement{QuorumOptions, "quorum", n, true})
	}
	if err != nil {
		m.report(Disagreement{QuorumOptions, "quorum", "Corosync would not start with these options: " + err.Error(), true})
	}
}

func (m *merger) sortNodes() {
	slices.SortFunc(m.c.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
}

func (m *merger) addresses() {
	owner := map[netip.Addr]string{}
	for _, a := range m.in.Addresses {
		i := slices.IndexFunc(m.c.Nodes, func(n Node) bool { return n.ID == a.Node })
		if i < 0 || !a.Addr.IsValid() {
			continue
		}
		addr := a.Addr.Unmap()
		m.c.Nodes[i].Addrs[a.Link] = addr
		this := fmt.Sprintf("%s link %d", m.c.Nodes[i].Name, a.Link)
		if other, taken := owner[addr]; taken {
			m.report(Disagreement{AddressDuplicate, m.c.Nodes[i].Name, fmt.Sprintf("%s and %s both have address %s", other, this, addr), true})
			continue
		}
		owner[addr] = this
	}
	if m.in.Config == nil {
		return
	}
	for _, n := range m.in.Config.Nodes {
		for _, link := range slices.Sorted(maps.Keys(n.Addrs)) {
			if node, _ := m.c.Node(n.ID); !node.Addrs[link].IsValid() {
				m.report(Disagreement{AddressUnresolved, node.Name, fmt.Sprintf("ring%d_addr %q of %s does not resolve", link, n.Addrs[link], node.Name), true})
			}
		}
	}
}

// fromStatus adds members that only the daemon knows.
func (m *merger) fromStatus() {
	for _, s := range m.in.Status.Members {
		if _, known := m.c.Node(s.ID); known || !m.current || !s.Joined {
			continue
		}
		n := Node{ID: s.ID, Name: fmt.Sprintf("node %d", s.ID), Votes: 1}
		for _, v := range m.in.Status.Quorum.Votes {
			if v.ID == s.ID {
				n.Votes, n.Name = v.Votes, cmp.Or(v.Name, n.Name)
			}
		}
		m.c.Nodes = append(m.c.Nodes, n)
		if m.in.Config != nil {
			m.report(Disagreement{MemberUnknown, n.Name, fmt.Sprintf("Corosync has member %d, which the nodelist of %s has not", s.ID, m.in.Config.File), true})
		}
	}
	m.sortNodes()
	if m.in.Config == nil && len(m.c.Nodes) > 0 { // the best guess at votes that there is
		m.c.Quorum = votequorum.Config{Provider: m.in.Status.Quorum.Provider, NodeVotes: map[uint32]int{}}
		for _, n := range m.c.Nodes {
			m.c.Quorum.NodeVotes[n.ID] = n.Votes
		}
	}
}

// local finds the node that this host is: what the daemon says, else by name, else by address.
func (m *merger) local() {
	switch {
	case m.current && m.in.Status.LocalID != 0:
		m.c.Local = m.in.Status.LocalID
	default:
		m.c.Local = m.guessLocal()
	}
	n, known := m.c.Node(m.c.Local)
	if !known && len(m.c.Nodes) > 0 {
		m.report(Disagreement{LocalUnknown, "cluster", fmt.Sprintf("this host (%s) is not in the nodelist: neither its name nor one of its addresses", cmp.Or(m.in.Hostname, "no name")), true})
	}
	if m.in.Local == nil {
		return
	}
	for _, link := range slices.Sorted(maps.Keys(n.Addrs)) {
		if a := n.Addrs[link]; !slices.ContainsFunc(m.in.Local, func(l netip.Addr) bool { return l.Unmap().WithZone("") == a.WithZone("") }) {
			m.report(Disagreement{AddressNotLocal, fmt.Sprintf("link%d", link), fmt.Sprintf("address %s of link %d is on no interface of this host", a, link), true})
		}
	}
}

// guessLocal follows Corosync's order in spirit: the name first, then a fully qualified name, then addresses.
func (m *merger) guessLocal() uint32 {
	short, _, _ := strings.Cut(m.in.Hostname, ".")
	for _, want := range []string{m.in.Hostname, short} {
		for _, n := range m.c.Nodes {
			if want != "" && n.Name == want {
				return n.ID
			}
		}
	}
	for _, n := range m.c.Nodes {
		name, _, _ := strings.Cut(n.Name, ".")
		if _, err := netip.ParseAddr(n.Name); err != nil && short != "" && name == short {
			return n.ID
		}
	}
	for _, n := range m.c.Nodes {
		for _, a := range n.Addrs {
			if slices.ContainsFunc(m.in.Local, func(l netip.Addr) bool { return l.Unmap().WithZone("") == a.WithZone("") }) {
				return n.ID
			}
		}
	}
	return 0
}

// timeouts takes the daemon's effective timers, else what the file gives.
func (m *merger) timeouts() {
	run := m.in.Status.Runtime
	switch {
	case m.current && run.Known && run.Timeouts.Token > 0:
		m.c.Timeouts, m.c.TimeoutsFrom = run.Timeouts, "runtime"
	case m.in.Config != nil:
		m.c.Timeouts, m.c.TimeoutsFrom = m.in.Config.Timeouts(), "corosync.conf"
	}
	for i, l := range m.c.Links {
		if t, ok := run.Links[l.Number]; ok && m.c.TimeoutsFrom == "runtime" && t.PingTimeout > 0 {
			m.c.Links[i].Timers = t
			continue
		}
		params := totem.LinkParams{}
		if cfg, ok := m.in.Config.Link(l.Number); ok {
			params = cfg.Params
		}
		m.c.Links[i].Timers = params.Timeouts(m.c.Timeouts.Token)
	}
	if !m.current {
		return
	}
	for _, p := range run.Drift {
		m.report(Disagreement{RuntimeDrift, p.Key, p.Reason, seriousDrift(p.Key)})
	}
}

// seriousDrift: timers that decide when a link or the token is given up.
func seriousDrift(key string) bool {
	return strings.HasSuffix(key, ".token") || strings.HasSuffix(key, ".consensus") || strings.Contains(key, "knet_ping_") || strings.Contains(key, "knet_pong_")
}
