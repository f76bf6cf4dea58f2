package corosync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
)

// Resolver looks up host names; *net.Resolver is one. network is "ip", "ip4" or "ip6".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// parallelLookups bounds how many names are looked up at a time.
const parallelLookups = 16

// Resolve gives the address of every ringN_addr as Corosync would choose it by ip_version (exec/totemip.c totemip_parse):
// literal addresses without a lookup, of a name's addresses the first one of the preferred family. Addresses are ordered by
// node id and link; those that do not resolve are missing and have a problem, and so have links with both families and
// addresses that two nodes share. ctx bounds the lookups.
//
// Corosync resolves once, when it starts or reloads: the answer of today may differ from what the daemon runs with.
func Resolve(ctx context.Context, r Resolver, c *Config) ([]Address, []Problem) {
	hosts := map[string]bool{}
	resolved := map[string]netip.Addr{}
	for _, n := range c.Nodes {
		for _, addr := range n.Addrs {
			if a, ok := literalOf(addr, c.IPVersion); ok {
				resolved[addr] = a
			} else {
				hosts[addr] = true
			}
		}
	}
	failed := lookupAll(ctx, r, c.IPVersion, hosts, resolved)
	var addresses []Address
	k := &checker{Config: c}
	for _, n := range c.Nodes {
		for link, addr := range n.Addrs {
			if a, ok := resolved[addr]; ok {
				addresses = append(addresses, Address{Node: n.ID, Link: link, Addr: a})
				continue
			}
			k.add(fmt.Sprintf("nodelist.node.%d.ring%d_addr", n.Position, link), fmt.Sprintf("%s does not resolve: %s: Corosync does not start with it", addr, failed[addr]),
				"write the IP address, or add the name to /etc/hosts on every node")
		}
	}
	slices.SortFunc(addresses, func(a, b Address) int { return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Link, b.Link)) })
	k.afterResolution(hosts, resolved)
	sortProblems(k.problems)
	return addresses, k.problems
}

// lookupAll fills resolved and returns why the others failed.
func lookupAll(ctx context.Context, r Resolver, ipVersion string, hosts map[string]bool, resolved map[string]netip.Addr) map[string]string {
	failed := map[string]string{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallelLookups)
	for host := range hosts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			a, reason := lookup(ctx, r, ipVersion, host)
			mu.Lock()
			defer mu.Unlock()
			if reason != "" {
				failed[host] = reason
				return
			}
			resolved[host] = a
		})
	}
	wg.Wait()
	return failed
}

func lookup(ctx context.Context, r Resolver, ipVersion, host string) (addr netip.Addr, reason string) {
	if reason, _ := badName(host); reason != "" {
		return netip.Addr{}, reason
	}
	network := map[string]string{"ipv4": "ip4", "ipv6": "ip6"}[ipVersion]
	found, err := r.LookupNetIP(ctx, cmp.Or(network, "ip"), host)
	if err != nil {
		if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
			return netip.Addr{}, "no such host"
		}
		return netip.Addr{}, err.Error()
	}
	for i, a := range found {
		found[i] = a.Unmap().WithZone("")
	}
	v4 := slices.IndexFunc(found, netip.Addr.Is4)
	v6 := slices.IndexFunc(found, netip.Addr.Is6)
	order := []int{v6, v4}
	switch ipVersion {
	case "ipv4":
		order = []int{v4}
	case "ipv6":
		order = []int{v6}
	case "ipv4-6":
		order = []int{v4, v6}
	}
	for _, i := range order {
		if i >= 0 {
			return found[i], ""
		}
	}
	return netip.Addr{}, "no address of ip_version " + ipVersion
}
