package corosync

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// checker collects what Corosync refuses after it has parsed a file: corosync_log_config_read, totem_config_read,
// totem_config_validate and totem_volatile_config_validate.
type checker struct {
	*Config
	problems []Problem
}

// add blames a key of cmap, on the line that set it.
func (k *checker) add(key, reason, hint string) {
	k.problems = append(k.problems, Problem{File: k.File, Line: k.Lines[key], Key: key, Reason: reason, Hint: hint})
}

// check returns everything that makes Corosync refuse the file, in the order of the file.
func check(c *Config) []Problem {
	k := &checker{Config: c}
	if len(c.Nodes) > maxNodes {
		k.add("nodelist", fmt.Sprintf("%d nodes: Corosync has room for %d", len(c.Nodes), maxNodes), "")
		return k.problems
	}
	k.logging()
	if !k.transport() { // blame nothing else on it
		fixed := *c
		fixed.Transport = "knet"
		k.Config = &fixed
	}
	k.crypto()
	k.linkMode()
	k.interfaces()
	k.nodes()
	k.nodeIDs()
	k.links()
	k.families()
	k.limits()
	k.version()
	sortProblems(k.problems)
	return k.problems
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
}

func (k *checker) version() {
	if v, ok := k.Values.u32("totem.version"); !ok || v != 2 {
		k.add("totem.version", "Corosync reads only version 2", "write `version: 2` into totem{}")
	}
}

func (k *checker) transport() bool {
	ok := slices.Contains([]string{"knet", "udpu", "udp"}, k.Transport)
	if !ok {
		k.add("totem.transport", excerpt(k.Transport)+" is not a transport", "use knet, which is the default")
	}
	return ok
}

func (k *checker) crypto() {
	cipher, hash := cryptoOf(k.Values)
	if cipher != "none" && hash == "none" {
		k.add("totem.crypto_cipher", "a cipher needs a crypto_hash other than none", "add `crypto_hash: sha256`")
	}
	if k.Crypto && k.Transport != "knet" {
		key := "totem.crypto_cipher"
		if _, written := k.Values[key]; !written {
			key = "totem.secauth"
		}
		k.add(key, "only knet encrypts", "use `transport: knet`, or `secauth: off` without a cipher and a hash")
	}
}

func (k *checker) linkMode() {
	if !slices.Contains([]string{"passive", "active", "rr"}, k.LinkMode) {
		k.add("totem.link_mode", excerpt(k.LinkMode)+" is not a link mode", "use passive, active or rr")
	}
}

// interfaces is get_interface_params with the checks of totem_config_validate.
func (k *checker) interfaces() {
	for _, l := range k.Links {
		prefix := fmt.Sprintf("totem.interface.%d.", l.Number)
		if l.Number > maxLink {
			if key := k.anyKey(prefix); key != "" {
				k.add(key, fmt.Sprintf("link number %d is above %d", l.Number, maxLink), "links have the numbers 0 to 7")
			}
			continue
		}
		if t := l.Transport; t != "udp" && t != "sctp" {
			k.add(prefix+"knet_transport", excerpt(t)+" is not a transport of knet", "use udp or sctp")
		}
		if ttl, ok := k.Values.unsigned(prefix+"ttl", typeU8); ok && ttl != 1 && k.Transport != "udp" {
			k.add(prefix+"ttl", "only the udp transport can have a ttl other than 1", "remove the line")
		}
		if k.Transport != "knet" && l.Priority != 1 {
			k.add(prefix+"knet_link_priority", "only knet has link priorities", "remove the line or use `transport: knet`")
		}
		k.oldAddress(prefix + "mcastaddr")
		if !k.bindnetReplaced(l.Number) {
			k.oldAddress(prefix + "bindnetaddr")
		}
	}
	k.multicast()
}

// anyKey finds the first written key of a prefix.
func (k *checker) anyKey(prefix string) string {
	found := ""
	for key := range k.Values {
		if strings.HasPrefix(key, prefix) && (found == "" || key < found) {
			found = key
		}
	}
	return found
}

// oldAddress checks bindnetaddr or mcastaddr, which Corosync resolves even where it does not use them.
func (k *checker) oldAddress(key string) {
	if addr, ok := k.Values.str(key); ok {
		k.address(key, addr)
	}
}

// bindnetReplaced: the local node's ringN_addr overwrites the bindnetaddr of link n, unless bindnetaddr of link 0 is there
// without a ring0_addr (config_convert_nodelist_to_interface).
func (k *checker) bindnetReplaced(n int) bool {
	if _, bind := k.Values.str("totem.interface.0.bindnetaddr"); bind {
		if _, ring := k.Values.str("nodelist.node.0.ring0_addr"); !ring {
			return false
		}
	}
	return slices.ContainsFunc(k.Nodes, func(node Node) bool { _, ok := node.Addrs[n]; return ok })
}

// multicast is what only the udp transport needs.
func (k *checker) multicast() {
	if k.Transport != "udp" || len(k.Links) == 0 || k.Links[0].Number > maxLink {
		return
	}
	prefix := fmt.Sprintf("totem.interface.%d.", k.Links[0].Number)
	if s, _ := k.Values.str(prefix + "broadcast"); s == "yes" {
		return
	}
	group, written := k.Values.str(prefix + "mcastaddr")
	if !written {
		if _, named := k.Values.str("totem.cluster_name"); !named {
			k.add(prefix+"mcastaddr", "no multicast address", "write mcastaddr or a cluster_name, or use `transport: knet`")
		}
		return
	}
	if a, ok := literalOf(group, k.IPVersion); ok && !a.IsMulticast() {
		k.add(prefix+"mcastaddr", group+" is not a multicast address", "use an address of 239.192.0.0/16, or `transport: knet`")
	}
}

// address refuses what cannot become an address under ip_version (totemip_parse). Host names are Resolve's task.
func (k *checker) address(key, addr string) bool {
	a, ok := literalOf(addr, k.IPVersion)
	switch {
	case !ok:
		if reason, hint := badName(addr); reason != "" {
			k.add(key, reason, hint)
			return false
		}
	case k.IPVersion == "ipv4" && !a.Is4():
		k.add(key, addr+" is an IPv6 address under ip_version ipv4", "use an IPv4 address or `ip_version: ipv4-6`")
		return false
	case k.IPVersion == "ipv6" && a.Is4():
		k.add(key, addr+" is an IPv4 address under ip_version ipv6", "use an IPv6 address or `ip_version: ipv6-4`")
		return false
	}
	return true
}

// nodes is put_nodelist_members_to_config.
func (k *checker) nodes() {
	if nodelistIgnored(k.Values) {
		return
	}
	for _, n := range k.Nodes {
		if len(n.Addrs) == 0 {
			continue
		}
		prefix := fmt.Sprintf("nodelist.node.%d.", n.Position)
		k.nodeID(n, prefix)
		for link, addr := range n.Addrs {
			key := prefix + "ring" + strconv.Itoa(link) + "_addr"
			if link > maxLink {
				k.add(key, fmt.Sprintf("link number %d is above %d", link, maxLink), "links have the numbers 0 to 7")
				continue
			}
			k.address(key, addr)
		}
	}
}

func (k *checker) nodeID(n Node, prefix string) {
	line := prefix + "nodeid"
	if _, ok := k.Lines[line]; !ok { // blame the node
		line = k.anyKey(prefix)
	}
	switch {
	case k.Transport == "knet" && n.ID == 0:
		k.add(line, "knet needs a nodeid for every node", "add `nodeid: N` with a number of its own")
	case k.Transport == "knet" && n.ID > maxKnetNodeID:
		k.add(line, fmt.Sprintf("knet needs a nodeid below %d", maxKnetNodeID+1), "")
	case n.ID == 0:
		if a, ok := literalOf(n.Addrs[0], k.IPVersion); ok && a.Is6() {
			k.add(line, "IPv6 needs a nodeid", "add `nodeid: N` with a number of its own")
		}
	}
}

// nodeIDs is check_for_duplicate_nodeids. It compares a position with those that come before it in cmap, until one is not
// smaller: as keys sort as text (0, 1, 10, 2), a list of more than ten nodes is compared in part. The rest is a warning.
func (k *checker) nodeIDs() {
	for i, n := range k.Nodes {
		for _, other := range k.Nodes[:i] {
			if n.ID == 0 || n.ID != other.ID {
				continue
			}
			if _, explicit := k.Values.u32(fmt.Sprintf("nodelist.node.%d.nodeid", other.Position)); !explicit {
				continue
			}
			if k.compared(n.Position, other.Position) {
				k.add(fmt.Sprintf("nodelist.node.%d.nodeid", n.Position), fmt.Sprintf("nodeid %d appears twice", n.ID), "give every node a number of its own")
				break
			}
		}
	}
}

func (k *checker) compared(position, earlier int) bool {
	return !slices.ContainsFunc(k.Nodes, func(n Node) bool {
		return n.Position >= position && strconv.Itoa(n.Position)+"." < strconv.Itoa(earlier)+"."
	})
}

// limits is totem_volatile_config_validate.
func (k *checker) limits() {
	seen := map[string]bool{}
	for _, err := range k.Totem.Check() {
		key, reason, hint := limitText(err, k.Config)
		if !seen[key] {
			k.add(key, reason, hint)
		}
		seen[key] = true
	}
}
