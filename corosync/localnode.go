package corosync

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// LocalNode finds this machine in the nodelist by Corosync's own rules (exec/totemconfig.c find_local_node): the host name
// against every node's name and ring0_addr, then the host name with its domain taken off label by label, then against names
// cut at their first dot, then this machine's IPv4 addresses as text, at last any resolved ring0_addr that this machine has.
// hostname is that of uname, addrs are the addresses of all interfaces, resolved is what Resolve gave. The error is a
// Problem with a hint; with the node it says that Corosync knows this node but does not start on it.
//
// Corosync also tries the names that DNS has for its own addresses, and what a node's name resolves to; both are left out.
func LocalNode(c *Config, hostname string, addrs []netip.Addr, resolved []Address) (Node, error) {
	nodes := inCmapOrder(c.Nodes)
	for _, match := range nameTests(hostname, addrs) {
		for _, n := range nodes {
			if n.Name != "" && match(n.Name) || n.Addrs[0] != "" && match(n.Addrs[0]) {
				return n, canStart(c, n)
			}
		}
	}
	for _, n := range nodes {
		if ownsLink0(n, addrs, resolved) {
			return n, canStart(c, n)
		}
	}
	return Node{}, notInNodelist(c, hostname, addrs)
}

// nameTests are the steps of find_local_node that compare words, in their order.
func nameTests(hostname string, addrs []netip.Addr) []func(name string) bool {
	tries := []func(name string) bool{func(name string) bool { return name == hostname }}
	short := hostname
	for i := strings.LastIndexByte(short, '.'); i >= 0; i = strings.LastIndexByte(short, '.') {
		cut := short[:i]
		short = cut
		tries = append(tries, func(name string) bool { return name == cut })
	}
	tries = append(tries, func(name string) bool {
		label, _, _ := strings.Cut(name, ".")
		return label == short
	})
	for _, a := range addrs {
		if a.Unmap().Is4() { // IPv6 misses here for a reason of its own: Corosync passes too short a length
			tries = append(tries, func(name string) bool { return name == a.Unmap().String() })
		}
	}
	return tries
}

// canStart finds what keeps Corosync from starting on a node that it has found: no nodeid, or no address on a link
// (totem_config_read, configure_link_params, totem_config_validate).
func canStart(c *Config, n Node) error {
	p := Problem{File: c.File, Line: c.Lines[fmt.Sprintf("nodelist.node.%d.name", n.Position)], Key: fmt.Sprintf("nodelist.node.%d", n.Position)}
	ignored := nodelistIgnored(c.Values)
	if literal, ok := literalOf(n.Addrs[0], c.IPVersion); n.ID == 0 && !ignored && (c.Transport == "knet" || n.Addrs[0] == "" || ok && literal.Is6()) {
		p.Reason = fmt.Sprintf("this machine, node %s, has no nodeid: Corosync does not start here", nodeName(n))
		p.Hint = "add `nodeid: N` with a number of its own"
		return p
	}
	for _, l := range c.Links {
		if _, ok := n.Addrs[l.Number]; ok || givesPort(c.Values, l.Number) || ignored && len(n.Addrs) > 0 {
			continue
		}
		p.Reason = fmt.Sprintf("this machine, node %s, has no address on link %d: Corosync does not start here", nodeName(n), l.Number)
		p.Hint = "give every node an address on every link"
		return p
	}
	return nil
}

// givesPort: an interface{} section with any key gives its link a port, also where the node has no address, unless it says 0.
func givesPort(values Map, link int) bool {
	if v, ok := values[fmt.Sprintf("totem.interface.%d.mcastport", link)]; ok {
		return v.Text != "0"
	}
	for key := range values {
		if n, _, ok := interfaceKey(key); ok && n == link {
			return true
		}
	}
	return false
}

// inCmapOrder sorts positions as text, as cmap's keys are: 0, 1, 10, 2.
func inCmapOrder(nodes []Node) []Node {
	return slices.SortedStableFunc(slices.Values(nodes), func(a, b Node) int {
		return cmp.Compare(strconv.Itoa(a.Position)+".", strconv.Itoa(b.Position)+".")
	})
}

func ownsLink0(n Node, addrs []netip.Addr, resolved []Address) bool {
	has := func(a netip.Addr) bool {
		return slices.ContainsFunc(addrs, func(own netip.Addr) bool { return own.Unmap().WithZone("") == a.Unmap() })
	}
	if a, ok := parseLiteral(n.Name); ok && has(a) {
		return true
	}
	return slices.ContainsFunc(resolved, func(a Address) bool { return a.Link == 0 && a.Node == n.ID && has(a.Addr) })
}

func notInNodelist(c *Config, hostname string, addrs []netip.Addr) Problem {
	var names, own []string
	for _, n := range c.Nodes {
		names = append(names, nodeName(n))
	}
	for _, a := range addrs {
		if !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			own = append(own, a.String())
		}
	}
	return Problem{
		File:   c.File,
		Line:   c.Lines["nodelist.node.0.name"],
		Key:    "nodelist",
		Reason: fmt.Sprintf("no node is this machine: its host name is %q and its addresses are %s; the file has the nodes %s", hostname, orNone(own), orNone(names)),
		Hint:   "a node's name must be the machine's host name, or its ring0_addr one of the machine's addresses",
	}
}

func orNone(words []string) string {
	const most = 12
	switch {
	case len(words) == 0:
		return "none"
	case len(words) > most:
		return fmt.Sprintf("%s and %d more", listOf(words[:most]), len(words)-most)
	}
	return listOf(words)
}
