package lint

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// conf writes a corosync.conf: nodes n1, n2, ... on links of networks of their own, with more keys for its sections.
type conf struct {
	nodes   int
	links   int
	network string // of all links, with a place for link and node; "": 10.0.LINK.NODE
	totem   string
	quorum  string
	votes   map[int]int // by node; others have 1
	first   int         // number of the first link
}

func (c conf) parse(t *testing.T) *corosync.Config {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "totem {\n  version: 2\n  cluster_name: c\n  config_version: 1\n  secauth: on\n  %s\n}\nnodelist {\n", strings.ReplaceAll(c.totem, ";", "\n  "))
	for n := 1; n <= c.nodes; n++ {
		votes := 1
		if v, ok := c.votes[n]; ok {
			votes = v
		}
		fmt.Fprintf(&b, "  node {\n    name: n%d\n    nodeid: %d\n    quorum_votes: %d\n", n, n, votes)
		for l := c.first; l < c.first+max(c.links, 1); l++ {
			network := c.network
			if network == "" {
				network = "10.0.%d.%d"
			}
			fmt.Fprintf(&b, "    ring%d_addr: %s\n", l, fmt.Sprintf(network, l, n))
		}
		b.WriteString("  }\n")
	}
	fmt.Fprintf(&b, "}\nquorum {\n  provider: corosync_votequorum\n  %s\n}\n", strings.ReplaceAll(c.quorum, ";", "\n  "))
	parsed, err := corosync.Parse("corosync.conf", strings.NewReader(b.String()))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return parsed
}

// sites puts the first n nodes into site a, the rest of nodes into b.
func sites(n, nodes int) map[string]string {
	out := map[string]string{}
	for i := 1; i <= nodes; i++ {
		out[fmt.Sprintf("n%d", i)] = "a"
		if i > n {
			out[fmt.Sprintf("n%d", i)] = "b"
		}
	}
	return out
}

func runtimeWith(timeout time.Duration) corosync.Status {
	return corosync.Status{Runtime: corosync.Runtime{
		Known: true, Timeouts: totem.Timeouts{Token: 3650 * time.Millisecond},
		Links: map[int]totem.LinkTimeouts{0: {PingTimeout: timeout}},
	}}
}

func port(name string) Port { return Port{Name: name, MTU: 1500, Speed: 1000, Driver: "igb"} }

// example is a cluster that a rule is tried on.
type example struct {
	conf conf
	in   Input
}

// examples are one cluster that each rule finds something in, and one alike in which it finds nothing.
func examples() map[string]struct {
	bad, good example
	says      string // part of the bad one's title
} {
	type pair = struct {
		bad, good example
		says      string
	}
	bonded := func(b Bond) Input {
		return Input{Interfaces: []Interface{{Link: 0, Name: b.Name, Bonds: []Bond{b}, Ports: []Port{port("eno1"), port("eno2")}}}}
	}
	iface := func(link int, name string, ports ...Port) Interface {
		return Interface{Link: link, Name: name, MTU: 1500, Ports: ports}
	}
	three := conf{nodes: 3, links: 2}
	return map[string]pair{
		"single-link":           {bad: example{conf{nodes: 3}, Input{}}, good: example{three, Input{}}, says: "link 0 is the only link"},
		"links-one-network":     {bad: example{conf{nodes: 3, links: 2, network: "10.0.0.1%d%d"}, Input{}}, good: example{three, Input{}}, says: "10.0.0.0/24"},
		"no-link-0":             {bad: example{conf{nodes: 3, first: 1}, Input{}}, good: example{conf{nodes: 3}, Input{}}, says: "stays at 3s for 3 nodes"},
		"link-mode-rr":          {bad: example{conf{nodes: 3, links: 2, totem: "link_mode: rr"}, Input{}}, good: example{conf{nodes: 3, links: 2, totem: "link_mode: passive"}, Input{}}, says: "in turn"},
		"ring-host-name":        {bad: example{conf{nodes: 3, network: "ring%d-n%d.example"}, Input{}}, good: example{three, Input{}}, says: "3 ring addresses"},
		"fence-budget":          {bad: example{conf{nodes: 32}, Input{Proxmox: true}}, good: example{conf{nodes: 32, totem: "token_coefficient: 125"}, Input{Proxmox: true}}, says: "49.5s, of the 1m0s"},
		"token-coefficient":     {bad: example{conf{nodes: 9}, Input{Proxmox: true}}, good: example{conf{nodes: 9, totem: "token_coefficient: 125"}, Input{Proxmox: true}}, says: "9 nodes"},
		"token-short":           {bad: example{conf{nodes: 3, totem: "token: 1000;token_coefficient: 0"}, Input{}}, good: example{three, Input{}}, says: "1s"},
		"failover-late":         {bad: example{conf{nodes: 3, links: 2, totem: "interface {;linknumber: 0;knet_ping_timeout: 3000;knet_ping_interval: 1000;}"}, Input{}}, good: example{three, Input{}}, says: "when link 0 dies"},
		"knet-timers-stale":     {bad: example{conf{nodes: 3}, Input{Status: runtimeWith(5325 * time.Millisecond)}}, good: example{conf{nodes: 3}, Input{Status: runtimeWith(1825 * time.Millisecond)}}, says: "knet waits 5.325s"},
		"corosync-version":      {bad: example{three, Input{Status: corosync.Status{Software: "3.1.5"}}}, good: example{three, Input{Status: corosync.Status{Software: "3.1.10"}}}, says: "issue 660"},
		"even-split":            {bad: example{conf{nodes: 4}, Input{}}, good: example{conf{nodes: 4, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{}}, says: "two halves of 2"},
		"site-decides":          {bad: example{conf{nodes: 5}, Input{Sites: sites(3, 5)}}, good: example{conf{nodes: 4, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{Sites: sites(2, 4)}}, says: "without site a the other 2 nodes"},
		"two-nodes":             {bad: example{conf{nodes: 2}, Input{}}, good: example{conf{nodes: 2, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{}}, says: "no third vote"},
		"two-node-split":        {bad: example{conf{nodes: 2, quorum: "two_node: 1;wait_for_all: 0"}, Input{}}, good: example{conf{nodes: 2, quorum: "two_node: 1"}, Input{}}, says: "quorate at the same time"},
		"qdevice-odd":           {bad: example{conf{nodes: 3, quorum: qdevice("10.9.9.9", "lms", 0)}, Input{}}, good: example{conf{nodes: 4, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{}}, says: "2 votes beside 3 nodes: without it 0 nodes"},
		"qdevice-inside":        {bad: example{conf{nodes: 4, quorum: qdevice("10.0.0.2", "ffsplit", 1)}, Input{}}, good: example{conf{nodes: 4, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{}}, says: "is node n2"},
		"votes-uneven":          {bad: example{conf{nodes: 3, votes: map[int]int{1: 2}}, Input{}}, good: example{three, Input{}}, says: "between 1 and 2"},
		"links-one-port":        {bad: example{three, Input{Interfaces: []Interface{iface(0, "vmbr0.10", port("eno1")), iface(1, "vmbr0.20", port("eno1"))}}}, good: example{three, Input{Interfaces: []Interface{iface(0, "vmbr0", port("eno1")), iface(1, "vmbr1", port("eno2"))}}}, says: "leave this node by eno1"},
		"bond-mode":             {bad: example{three, bonded(Bond{Name: "bond0", Mode: "balance-rr"})}, good: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad"})}, says: "balance-rr"},
		"bond-lacp-slow":        {bad: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad", SlowLACP: true})}, good: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad"})}, says: "slow LACP"},
		"bond-active-backup":    {bad: example{three, bonded(Bond{Name: "bond0", Mode: "active-backup"})}, good: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad"})}, says: "bond0"},
		"shared-with-guests":    {bad: example{conf{nodes: 3}, Input{Interfaces: []Interface{{Link: 0, Name: "vmbr0", Guests: true}}}}, good: example{conf{nodes: 3}, Input{Interfaces: []Interface{{Link: 0, Name: "vmbr0"}}}}, says: "bridge vmbr0 with guests"},
		"shared-with-migration": {bad: example{three, migrating("10.0.0.0/24")}, good: example{three, migrating("10.9.0.0/24")}, says: "link 0, 10.0.0.0/24"},
		"networks-overlap": {
			bad:  example{three, Input{Interfaces: []Interface{on(0, "vmbr0", "10.0.0.1/24"), on(1, "vmbr1", "10.0.0.129/16")}}},
			good: example{three, Input{Interfaces: []Interface{on(0, "vmbr0", "10.0.0.1/24"), on(1, "vmbr1", "10.0.1.1/24")}}}, says: "10.0.0.0/24 of link 0 on vmbr0 and 10.0.0.0/16 of link 1 on vmbr1",
		},
		"link-routed": {
			bad:  example{three, routed("10.0.0.1/24", "10.9.0.2", "10.0.0.3")},
			good: example{three, routed("10.0.0.1/24", "10.0.0.2", "10.0.0.3")}, says: "reaches n2 through a router: vmbr0 has 10.0.0.0/24",
		},
		"address-leased": {
			bad:  example{three, Input{Interfaces: []Interface{{Link: 1, Name: "eno1", Address: netip.MustParseAddr("10.0.1.1"), Leased: true}}}},
			good: example{three, Input{Interfaces: []Interface{iface(1, "eno1")}}}, says: "address 10.0.1.1 of link 1 on eno1",
		},
		"bond-alone":     {bad: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad", Alone: true, Ports: 2})}, good: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad", Ports: 2})}, says: "one of its 2 ports is used"},
		"bond-port-down": {bad: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad", Ports: 2, Down: []string{"eno2"}})}, good: example{three, bonded(Bond{Name: "bond0", Mode: "802.3ad", Ports: 2})}, says: "lost eno2: 1 of 2 ports"},
		"mtu-differs":    {bad: example{three, knet(8885, 1397)}, good: example{three, knet(8885, 8885)}, says: "reaches n3 with 1397 bytes at most, others with 8885"},
		"mtu-path":       {bad: example{three, onMTU(9000, knet(1397, 1397))}, good: example{three, onMTU(1500, knet(1397, 1397))}, says: "reaches n2, n3 with 1397 bytes, though eno1 has an MTU of 9000"},
		"qdevice-near": {
			bad:  example{conf{nodes: 4, network: "10.%d.%d.1", quorum: qdevice("10.0.2.9", "ffsplit", 1)}, Input{Sites: sites(2, 4)}},
			good: example{conf{nodes: 4, network: "10.%d.%d.1", quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{Sites: sites(2, 4)}}, says: "network of site a",
		},
		"qdevice-sync": {
			bad:  example{conf{nodes: 16, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{Proxmox: true}},
			good: example{conf{nodes: 16, quorum: qdevice("10.9.9.9", "ffsplit", 1), totem: "token_coefficient: 125"}, Input{Proxmox: true}}, says: "56.6s, of which 30s",
		},
		"qdevice-master-wins": {
			bad:  example{conf{nodes: 4, quorum: strings.Replace(qdevice("10.9.9.9", "ffsplit", 1), "model", "master_wins: 1;model", 1)}, Input{}},
			good: example{conf{nodes: 4, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{}}, says: "master_wins is 1",
		},
		"mtu-port":             {bad: example{three, Input{Interfaces: []Interface{{Link: 0, Name: "vmbr0", MTU: 9000, Ports: []Port{port("eno1")}}}}}, good: example{three, Input{Interfaces: []Interface{iface(0, "vmbr0", port("eno1"))}}}, says: "MTU of 9000"},
		"port-slow":            {bad: example{three, Input{Interfaces: []Interface{iface(0, "eno1", Port{Name: "eno1", Speed: 100})}}}, good: example{three, Input{Interfaces: []Interface{iface(0, "eno1", port("eno1"))}}}, says: "100 Mbit/s"},
		"nic-driver":           {bad: example{three, Input{Interfaces: []Interface{iface(0, "eno1", Port{Name: "eno1", Driver: "e1000e"})}}}, good: example{three, Input{Interfaces: []Interface{iface(0, "eno1", port("eno1"))}}}, says: "e1000e"},
		"link-tunnel":          {bad: example{three, Input{Interfaces: []Interface{{Link: 0, Name: "wg0", Tunnel: "wireguard"}}}}, good: example{three, Input{Interfaces: []Interface{iface(0, "eno1", port("eno1"))}}}, says: "wg0, wireguard"},
		"clock-unsynchronized": {bad: example{three, Input{Unsynced: true}}, good: example{three, Input{}}, says: "not synchronized"},
	}
}

// on is an interface with an address in a network.
func on(link int, name, address string) Interface {
	p := netip.MustParsePrefix(address)
	return Interface{Link: link, Name: name, Address: p.Addr(), Network: p.Masked(), MTU: 1500}
}

// routed is node 1 with an address in a network, and the addresses of others on link 0.
func routed(own string, others ...string) Input {
	in := Input{Local: 1, Interfaces: []Interface{on(0, "vmbr0", own)}}
	for i, a := range others {
		in.Addresses = append(in.Addresses, corosync.Address{Node: uint32(i + 2), Addr: netip.MustParseAddr(a)})
	}
	return in
}

// knet is node 1 with what knet found for nodes 2, 3, ... on link 0.
func knet(mtu ...int) Input {
	in := Input{Local: 1}
	for i, n := range mtu {
		in.Status.Links = append(in.Status.Links, corosync.LinkStatus{Node: uint32(i + 2), Connected: true, MTU: n})
	}
	return in
}

// onMTU adds an interface of that MTU for link 0.
func onMTU(mtu int, in Input) Input {
	in.Interfaces = []Interface{{Link: 0, Name: "eno1", Address: netip.MustParseAddr("10.0.0.1"), MTU: mtu}}
	return in
}

// migrating is a node with two links on which guests migrate over a network.
func migrating(network string) Input {
	return Input{Local: 1, Migration: netip.MustParsePrefix(network), Addresses: []corosync.Address{
		{Node: 1, Link: 0, Addr: netip.MustParseAddr("10.0.0.1")}, {Node: 1, Link: 1, Addr: netip.MustParseAddr("10.1.0.1")},
		{Node: 2, Link: 0, Addr: netip.MustParseAddr("10.0.0.2")},
	}}
}

// qdevice is quorum.device as pvecm writes it; votes 0: not written.
func qdevice(host, algorithm string, votes int) string {
	v := ""
	if votes > 0 {
		v = fmt.Sprintf("votes: %d;", votes)
	}
	return fmt.Sprintf("device {;model: net;%snet {;host: %s;algorithm: %s;};}", v, host, algorithm)
}

func TestEveryRule(t *testing.T) {
	all := examples()
	for _, r := range Rules() {
		t.Run(r.Code, func(t *testing.T) {
			x, ok := all[r.Code]
			if !ok {
				t.Fatal("no example")
			}
			bad := of(r.Code, x.bad.check(t))
			if len(bad) == 0 {
				t.Fatal("nothing is found in the bad example")
			}
			if !strings.Contains(bad[0].Title, x.says) {
				t.Errorf("title %q does not say %q", bad[0].Title, x.says)
			}
			if good := of(r.Code, x.good.check(t)); len(good) > 0 {
				t.Errorf("found in the good example: %q", good[0].Title)
			}
			if r.Why == "" || r.Fix == "" || bad[0].Subject == "" {
				t.Error("without why, fix or subject")
			}
		})
	}
	if len(all) != len(Rules()) {
		t.Errorf("%d examples for %d rules", len(all), len(Rules()))
	}
}

func (x example) check(t *testing.T) []Finding {
	in := x.in
	in.Config = x.conf.parse(t)
	return Check(in)
}

func of(code string, all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Code != code })
}

var update = flag.Bool("update", false, "rewrite docs/lint.md")

func TestDocumented(t *testing.T) {
	const file = "../../docs/lint.md"
	if *update {
		if err := os.WriteFile(file, []byte(page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page() {
		t.Error("docs/lint.md is not what the rules say; go test ./checker/lint -update writes it")
	}
}

// page is docs/lint.md.
func page() string {
	var b strings.Builder
	b.WriteString("# Lint\n\nWeak points that are visible before anything fails: in corosync.conf, in what the running Corosync made of it, and in the interfaces of a\n" +
		"node. Each has a code, by which reports, metrics and pages name it. What the file says by mistake (misspelled keys, options that cancel each other)\n" +
		"is [config-warning](findings.md#config-warning) instead.\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n**Says** that %s.\n**Why** %s\n**Do** %s.\n", r.Code, r.Says, r.Why, upper(r.Fix))
	}
	b.WriteString(blind)
	return b.String()
}

// blind is what weak points a node cannot see.
const blind = `
# What no rule sees

Some of what makes clusters fail is out of a node's sight. Look at it by hand, once and after changes:

- **Switches.** Two cards that end in one switch, or two switches on one power feed. Pull one plug at a time, and look at both links.
- **The other end of a bond.** The switch's LACP rate, its hashing, a port that is up and carries nothing: all that shows of it is
  [path-loss](findings.md#path-loss) to some nodes and not to others.
- **Fail-over.** How long a bond, a router or a line of a provider takes to fail over against the token timeout: try it with HA disarmed, and read the worst gap.
- **Boot order.** Whether Corosync starts before the network is there: restart a node, and look whether it joins by itself.
- **What watches.** A monitoring system, a mail server or a DNS server that runs as a guest of this cluster falls silent together with it.
- **The quorum device's server.** What it runs on, and by which way each site reaches it.
- **Other nodes.** Each agent looks at its own interfaces only: look at the report of every node. What they say of their corosync.conf and timers to each other is compared:
  [config-version](findings.md#config-version), [token-differs](findings.md#token-differs).
- **Energy-saving Ethernet, flow control and offloads** of cards: ethtool shows them.
`

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func TestSeriousFirst(t *testing.T) {
	found := example{conf{nodes: 2, links: 1, totem: "token: 1000"}, Input{}}.check(t)
	if len(found) < 2 || !found[0].Serious || found[len(found)-1].Serious {
		t.Errorf("%+v", found)
	}
}

func TestNothingKnown(t *testing.T) {
	if found := Check(Input{}); found != nil {
		t.Errorf("%v", found)
	}
}

func TestOlder(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"3.1.7", "3.1.10", true}, {"3.1.10", "3.1.10", false}, {"3.1.10-pve2", "3.1.10", false}, {"3.0", "3.1.0", true},
		{"4.0.1", "3.1.10", false}, {"unknown", "3.1.10", false}, {"3.1", "3.1.6", true},
	} {
		if got := older(tt.a, tt.b); got != tt.want {
			t.Errorf("older(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}
