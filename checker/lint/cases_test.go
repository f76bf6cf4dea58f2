package lint

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// TestCases: what rules find, or leave alone, besides their examples.
func TestCases(t *testing.T) {
	three := conf{nodes: 3, links: 2}
	far := map[string]string{"n1": "a", "n2": "a", "n3": "b"}
	sited := func(in Input) Input { in.Sites = far; return in }
	fixed := three
	fixed.totem = "knet_mtu: 1300"
	unsure := knet(469, 1397)
	cut := knet(8885, 1397)
	cut.Status.Links[1].Connected = false
	six := knet(1365, 1365)
	six.Interfaces = []Interface{{Link: 0, Name: "eno1", Address: netip.MustParseAddr("2001:db8::1"), MTU: 1500}}
	near := func(host string) conf { return conf{nodes: 4, links: 1, quorum: qdevice(host, "ffsplit", 1)} }
	for _, tt := range []struct {
		name string
		x    example
		code string
		want string // of the findings with that code, their titles; "": none
	}{
		{"another site may well be reached by less", example{three, sited(knet(8885, 1397))}, "mtu-differs", ""},
		{"and the interface takes more than that way", example{three, onMTU(9000, sited(knet(8885, 1397)))}, "mtu-path",
			"on link 0 knet reaches n3 with 1397 bytes, though eno1 has an MTU of 9000"},
		{"knet_mtu was not found", example{fixed, knet(1300, 1397)}, "mtu-differs", ""},
		{"path MTU discovery has only begun", example{three, unsure}, "mtu-differs", ""},
		{"a link that is down", example{three, cut}, "mtu-differs", ""},
		{"IPv6 takes more", example{three, six}, "mtu-path", ""},
		{"a tunnel on the way", example{three, onMTU(1500, knet(1317, 1317))}, "mtu-path", "on link 0 knet reaches n2, n3 with 1317 bytes, though eno1 has an MTU of 1500"},
		{"addresses with routes of their own", example{three, Input{Interfaces: []Interface{on(0, "lo", "10.0.0.1/32"), on(1, "vmbr1", "10.0.0.2/24")}}}, "networks-overlap", ""},
		{"one interface is another rule's", example{three, Input{Interfaces: []Interface{on(0, "vmbr0", "10.0.0.1/24"), on(1, "vmbr0", "10.0.0.2/24")}}}, "networks-overlap", ""},
		{"in either order", example{three, Input{Interfaces: []Interface{on(1, "vmbr1", "10.0.0.2/24"), on(0, "vmbr0", "10.0.0.1/24")}}}, "networks-overlap",
			"10.0.0.0/24 of link 0 on vmbr0 and 10.0.0.0/24 of link 1 on vmbr1 overlap"},
		{"known networks that are small", example{conf{nodes: 3, links: 2, network: "10.0.0.1%d%d"},
			Input{Interfaces: []Interface{on(0, "vmbr0", "10.0.0.101/29"), on(1, "vmbr1", "10.0.0.111/29")}}}, "links-one-network", ""},
		{"many behind a router", example{conf{nodes: 7}, routed("10.0.0.1/24", "10.9.0.2", "10.9.0.3", "10.9.0.4", "10.9.0.5", "10.9.0.6", "10.9.0.7")}, "link-routed",
			"link 0 reaches n2, n3, n4 and 3 more through a router: vmbr0 has 10.0.0.0/24"},
		{"an address with a route of its own", example{three, routed("10.0.0.1/32", "10.0.0.2")}, "link-routed", ""},
		{"sites by nodeid", example{conf{nodes: 5}, Input{Sites: map[string]string{"1": "a", "2": "a", "3": "a", "n4": "b", "n5": "b"}}}, "site-decides",
			"without site a the other 2 nodes have 2 of 5 votes and need 3"},
		{"who this node is, is not known", example{three, func() Input { in := routed("10.0.0.1/24", "10.9.0.2"); in.Local = 0; return in }()}, "link-routed", ""},
		{"VLANs of one bridge without ports", example{three, Input{Interfaces: []Interface{
			{Link: 0, Name: "vmbr0.10", Below: []string{"vmbr0"}}, {Link: 1, Name: "vmbr0.20", Below: []string{"vmbr0"}}}}}, "links-one-port", "links 0 and 1 both leave this node by vmbr0"},
		{"a VLAN above the other link's bridge", example{three, Input{Interfaces: []Interface{
			{Link: 0, Name: "vmbr0"}, {Link: 1, Name: "vmbr0.20", Below: []string{"vmbr0"}}}}}, "links-one-port", "links 0 and 1 both leave this node by vmbr0"},
		{"one stretched network says nothing of where the device is", example{near("10.0.0.9"), Input{Sites: sites(2, 4)}}, "qdevice-near", ""},
		{"a device on a node is another rule's", example{near("10.0.0.2"), Input{Sites: sites(2, 4)}}, "qdevice-near", ""},
		{"no sites", example{conf{nodes: 4, network: "10.%d.%d.1", quorum: qdevice("10.0.2.9", "ffsplit", 1)}, Input{}}, "qdevice-near", ""},
		{"a short wait for the device", example{conf{nodes: 16, quorum: strings.Replace(qdevice("10.9.9.9", "ffsplit", 1), "model", "sync_timeout: 10000;model", 1)}, Input{Proxmox: true}}, "qdevice-sync", ""},
		{"no HA, no budget", example{conf{nodes: 16, quorum: qdevice("10.9.9.9", "ffsplit", 1)}, Input{}}, "qdevice-sync", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var titles []string
			for _, f := range of(tt.code, tt.x.check(t)) {
				titles = append(titles, f.Title)
			}
			if got := strings.Join(titles, "\n"); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestArmed: one link is a matter for working hours where its loss resets nodes.
func TestArmed(t *testing.T) {
	for _, armed := range []bool{false, true} {
		f := of("single-link", example{conf{nodes: 3}, Input{Armed: armed}}.check(t))
		if len(f) != 1 || f[0].Serious != armed || strings.Contains(f[0].Title, "HA is armed") != armed {
			t.Errorf("armed %v: %+v", armed, f)
		}
	}
}

// TestInputKept: rules leave what they look at as it was.
func TestInputKept(t *testing.T) {
	in := routed("10.0.0.1/24", "10.9.0.2")
	in.Config = conf{nodes: 3}.parse(t)
	in.Interfaces = append([]Interface{{Link: 1, Name: "x"}}, in.Interfaces...)
	in.Status.Links = []corosync.LinkStatus{{Node: 3, Connected: true, MTU: 1397}, {Node: 2, Connected: true, MTU: 8885}}
	Check(in)
	if in.Interfaces[0].Name != "x" || in.Interfaces[1].Name != "vmbr0" || in.Status.Links[0].Node != 3 {
		t.Errorf("%+v", in)
	}
}
