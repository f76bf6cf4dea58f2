package agent

import (
	"context"
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/probe/nic"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Host tells what carries addresses of this machine, and whether its clock is synchronized.
type Host interface {
	Interfaces(addrs []netip.Addr) ([]nic.Interface, error)
	ClockUnsynchronized() bool
}

// Machine is the machine this process runs on.
type Machine struct{}

// Interfaces implements Host.
func (Machine) Interfaces(addrs []netip.Addr) ([]nic.Interface, error) { return nic.Read(addrs) }

// ClockUnsynchronized implements Host.
func (Machine) ClockUnsynchronized() bool { return nic.ClockUnsynchronized() }

// lookEvery is how often the machine's interfaces are looked at. It is a task of its own: the kernel answers questions about a port only when
// nobody is setting one up.
const lookEvery = 30 * time.Second

// hostFacts are what a look at the machine gave.
type hostFacts struct {
	interfaces []lint.Interface
	unsynced   bool
}

// look keeps the facts of this machine fresh.
func (a *Agent) look(ctx context.Context, ready func()) error {
	ready()
	a.awaitConfig(ctx)
	for {
		if p := a.plan.Load(); p != nil {
			a.host.Store(&hostFacts{a.interfaces(p), a.config.Host.ClockUnsynchronized()})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookEvery):
		}
	}
}

// interfaces are what carries this node's ring addresses.
func (a *Agent) interfaces(p *plan) []lint.Interface {
	links := map[netip.Addr]int{}
	var addrs []netip.Addr
	for _, x := range p.addresses {
		if x.Node == p.local {
			links[x.Addr] = x.Link
			addrs = append(addrs, x.Addr)
		}
	}
	all, err := a.config.Host.Interfaces(addrs)
	if err != nil {
		a.log.Debug().Err(err).Msg("interfaces cannot be read")
	}
	return LintInterfaces(all, links)
}

// LintInterfaces tells package lint of interfaces; links has the link of each ring address.
func LintInterfaces(all []nic.Interface, links map[netip.Addr]int) []lint.Interface {
	out := make([]lint.Interface, 0, len(all))
	for _, i := range all {
		x := lint.Interface{
			Link: links[i.Address], Address: i.Address, Network: i.Network, Leased: i.Leased, Name: i.Name, Kind: i.Kind, MTU: i.MTU,
			Below: i.Below, Guests: i.Guests, Tunnel: i.Tunnel,
		}
		for _, b := range i.Bonds {
			x.Bonds = append(x.Bonds, lint.Bond(b))
		}
		for _, port := range i.Ports {
			x.Ports = append(x.Ports, lint.Port(port))
		}
		out = append(out, x)
	}
	return out
}

// lintEvery is how often weak points are looked for while corosync.conf stays.
const lintEvery = 5 * time.Second

// lintMemo is what the judge remembers of weak points.
type lintMemo struct {
	plan  *plan
	at    time.Time
	found []lint.Finding
}

// migration is where guests migrate: the network that is set, or the address of this node's host name.
func migration(s proxmox.Snapshot) netip.Prefix {
	if !s.Migration.Known || s.Migration.Network.IsValid() {
		return s.Migration.Network
	}
	if n, ok := s.Node(s.Origins[proxmox.PartWatchdog].View); ok && n.IP.IsValid() {
		return netip.PrefixFrom(n.IP, n.IP.BitLen())
	}
	return netip.Prefix{}
}

// siteNames are the sites of nodes by their names.
func siteNames(c topology.Cluster) map[string]string {
	out := map[string]string{}
	for _, n := range c.Nodes {
		if n.Site != "" {
			out[n.Name] = n.Site
		}
	}
	return out
}

// lint looks for weak points, now and then and after each change of corosync.conf.
func (j *judge) lint(now time.Time) []lint.Finding {
	p := j.plan
	if p == nil {
		return nil
	}
	if m := &j.weak; m.plan == p && now.Sub(m.at) < lintEvery {
		return m.found
	}
	pve := j.agent.pve()
	in := lint.Input{
		Config: p.config, Addresses: p.addresses, Status: j.status, Local: p.local,
		Sites: siteNames(j.cluster), Proxmox: j.agent.config.Proxmox != nil, Migration: migration(pve),
		Armed: pve.HA.State == proxmox.HAArmed,
	}
	if h := j.agent.host.Load(); h != nil {
		in.Interfaces, in.Unsynced = h.interfaces, h.unsynced
	}
	j.weak = lintMemo{p, now, lint.Check(in)}
	return j.weak.found
}
