package corosync_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync"
)

func TestLocalNode(t *testing.T) {
	conf := func(names, rings string) *corosync.Config {
		var b strings.Builder
		b.WriteString("totem {\n  version: 2\n}\nnodelist {\n")
		ring := strings.Fields(rings)
		for i, name := range strings.Fields(names) {
			id := string(rune('1' + i))
			b.WriteString("  node {\n    nodeid: " + id + "\n    ring0_addr: " + ring[i] + "\n")
			if name != "-" {
				b.WriteString("    name: " + name + "\n")
			}
			b.WriteString("  }\n")
		}
		c, err := corosync.Parse("test.conf", strings.NewReader(b.String()+"}\n"))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	v4 := conf("n1 n2 n3", "10.0.0.1 10.0.0.2 10.0.0.3")
	tests := []struct {
		name     string
		conf     *corosync.Config
		hostname string
		addrs    string
		want     int // position, -1: none
	}{
		{"name", v4, "n2", "", 1},
		{"case matters", v4, "N2", "", -1},
		{"a name is not a prefix", v4, "n22", "", -1},
		{"host with a domain", v4, "n2.example.org", "", 1},
		{"name before address", v4, "n1", "10.0.0.3", 0},
		{"node with a domain", conf("x.org n2.example.org", "10.0.0.1 10.0.0.2"), "n2", "", 1},
		{"both with different domains", conf("x.org n2.example.org", "10.0.0.1 10.0.0.2"), "n2.other.net", "", 1},
		{"ring0_addr is the host name", conf("- -", "alpha beta"), "beta", "", 1},
		{"address", v4, "elsewhere", "127.0.0.1 10.0.0.3", 2},
		{"mapped address", v4, "elsewhere", "::ffff:10.0.0.3", 2},
		{"IPv6 address", conf("a b", "fd00::1 fd00::2"), "elsewhere", "::1 fd00::2", 1},
		{"resolved name", conf("a b", "alpha.lan beta.lan"), "elsewhere", "10.0.0.8", 1},
		{"link-local with a zone", conf("a b", "fe80::1 fe80::2"), "elsewhere", "fe80::2%eth0", 1},
		{"none", v4, "elsewhere", "192.0.2.1 fe80::1", -1},
	}
	resolver := &names{list: map[string]string{"alpha.lan": "10.0.0.7", "beta.lan": "10.0.0.8", "alpha": "10.1.0.1", "beta": "10.1.0.2"}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resolved, _ := corosync.Resolve(t.Context(), resolver, tt.conf)
			var addrs []netip.Addr
			for word := range strings.FieldsSeq(tt.addrs) {
				addrs = append(addrs, netip.MustParseAddr(word))
			}
			n, err := corosync.LocalNode(tt.conf, tt.hostname, addrs, resolved)
			if tt.want < 0 {
				p, ok := err.(corosync.Problem)
				if !ok || p.Hint == "" || !strings.Contains(p.Reason, tt.hostname) || !strings.Contains(p.Reason, "n1, n2, n3") {
					t.Errorf("node %d, error %v", n.Position, err)
				}
				return
			}
			if err != nil || n.Position != tt.want {
				t.Errorf("got node %d, %v, want %d", n.Position, err, tt.want)
			}
		})
	}
}
