package topology_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

const conf = `totem {
  version: 2
  cluster_name: lab
  config_version: 7
  transport: knet
  token_coefficient: 125
  interface {
    linknumber: 0
  }
  interface {
    linknumber: 3
    knet_ping_timeout: 900
    knet_ping_interval: 300
  }
}
nodelist {
  node {
    name: b1
    nodeid: 4
    ring0_addr: 10.0.0.4
    ring3_addr: 10.3.0.4
  }
  node {
    name: a1
    nodeid: 1
    quorum_votes: 2
    ring0_addr: 10.0.0.1
    ring3_addr: 10.3.0.1
  }
  node {
    name: a2
    nodeid: 2
    ring0_addr: 10.0.0.2
    ring3_addr: 10.3.0.2
  }
}
quorum {
  provider: corosync_votequorum
}
`

func parse(t *testing.T, text string) *corosync.Config {
	t.Helper()
	c, err := corosync.Parse("corosync.conf", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// input is a cluster of three without disagreement.
func input(t *testing.T) topology.Input {
	cfg := parse(t, conf)
	in := topology.Input{
		Config: cfg, Hostname: "a1.example.org", Local: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.3.0.1")},
		Sites: map[string]string{"a1": "a", "a2": "a", "b1": "b"},
	}
	for _, n := range cfg.Nodes {
		for l, a := range n.Addrs {
			in.Addresses = append(in.Addresses, corosync.Address{Node: n.ID, Link: l, Addr: netip.MustParseAddr(a)})
		}
	}
	in.Status = corosync.Status{
		Daemon: corosync.DaemonRunning, LocalID: 1,
		Members: []corosync.Member{{ID: 1, Joined: true, ConfigVersion: 7}, {ID: 2, Joined: true, ConfigVersion: 7}, {ID: 4, Joined: true, ConfigVersion: 7}},
		Quorum:  corosync.QuorumStatus{Known: true, Quorate: true, Expected: 4, Total: 4, Quorum: 3, Votes: []corosync.MemberVotes{{ID: 1, Votes: 2}, {ID: 2, Votes: 1}, {ID: 4, Votes: 1}}},
		Runtime: corosync.Runtime{Known: true, Timeouts: cfg.Timeouts(), Links: map[int]totem.LinkTimeouts{0: totem.LinkParams{}.Timeouts(cfg.Timeouts().Token)}},
	}
	in.Proxmox = proxmox.Snapshot{
		View: "a1", Standalone: proxmox.No, Quorate: proxmox.Yes, StatusQuorate: proxmox.Yes, Conf: proxmox.Conf{Version: 7},
		Nodes: []proxmox.Node{{ID: 1, Name: "a1", Online: proxmox.Yes}, {ID: 2, Name: "a2", Online: proxmox.Yes}, {ID: 4, Name: "b1", Online: proxmox.Yes}},
	}
	for part := range proxmox.PartCount {
		in.Proxmox.Origins[part] = proxmox.Origin{Source: proxmox.FromFiles, View: "a1", At: time.Unix(1, 0)}
	}
	return in
}

func TestMerge(t *testing.T) {
	c, d := topology.Merge(input(t))
	if len(d) != 0 {
		t.Errorf("disagreements: %+v", d)
	}
	if c.Name != "lab" || c.ConfigVersion != 7 || c.Local != 1 || c.TimeoutsFrom != "runtime" || c.Timeouts.Token != 3125*time.Millisecond {
		t.Errorf("%+v", c)
	}
	var ids []uint32
	for _, n := range c.Nodes {
		ids = append(ids, n.ID)
	}
	if !slices.Equal(ids, []uint32{1, 2, 4}) {
		t.Errorf("nodes %v, want ascending", ids)
	}
	if n, ok := c.Node(4); !ok || n.Name != "b1" || n.Site != "b" || n.Addrs[3] != netip.MustParseAddr("10.3.0.4") {
		t.Errorf("%+v", n)
	}
	if l, ok := c.Link(3); !ok || l.Timers.PingTimeout != 900*time.Millisecond || l.Timers.EffectiveInterval != 400*time.Millisecond {
		t.Errorf("link 3: %+v: cmap has no such link, so the file's timers hold", l)
	}
	if l, ok := c.Link(0); !ok || l.Timers.PingTimeout != 1562*time.Millisecond {
		t.Errorf("link 0: %+v", l)
	}
	if _, ok := c.Link(1); ok {
		t.Error("there is no link 1")
	}
	if c.Quorum.Expected() != 4 {
		t.Errorf("expected votes %d", c.Quorum.Expected())
	}
}

// TestDisagreements changes one thing at a time and tells what must be said.
func TestDisagreements(t *testing.T) {
	tests := []struct {
		name string
		edit func(*topology.Input)
		want topology.Code
		text string
	}{
		{"not in the nodelist", func(in *topology.Input) {
			in.Status, in.Hostname, in.Local = corosync.Status{}, "elsewhere", []netip.Addr{netip.MustParseAddr("192.0.2.1")}
		}, topology.LocalUnknown, "this host (elsewhere)"},
		{"an edited file", func(in *topology.Input) { in.Digest, in.Proxmox.Conf.Digest = "aa", "bb" }, topology.ProxmoxConfig, "different contents under one config_version, 7"},
		{"a newer file in pmxcfs", func(in *topology.Input) { in.Proxmox.Conf.Version = 8 }, topology.ProxmoxConfig, "config_version 8, the file that Corosync reads here 7"},
		{"another name in Proxmox", func(in *topology.Input) { in.Proxmox.Nodes[2].Name = "b9" }, topology.ProxmoxNodes, "node 4 is b9 to Proxmox VE and b1 in the nodelist"},
		{"a node too many in Proxmox", func(in *topology.Input) {
			in.Proxmox.Nodes = append(in.Proxmox.Nodes, proxmox.Node{Name: "old"})
		}, topology.ProxmoxNodes, "has a node old"},
		{"a node too few in Proxmox", func(in *topology.Input) { in.Proxmox.Nodes = in.Proxmox.Nodes[:2] }, topology.ProxmoxNodes, "the nodelist has b1"},
		{"pmxcfs down on a member", func(in *topology.Input) { in.Proxmox.Nodes[2].Online = proxmox.No }, topology.ProxmoxMembers, "pmxcfs does not reach it"},
		{"two opinions of quorum", func(in *topology.Input) {
			in.Proxmox.Quorate, in.Proxmox.StatusQuorate = proxmox.No, proxmox.No
		}, topology.ProxmoxQuorum, "votequorum says quorum, pmxcfs says no quorum"},
		{"the API's cache", func(in *topology.Input) { in.Proxmox.StatusQuorate = proxmox.No }, topology.ProxmoxStatus, "GET /cluster/status says no quorum"},
		{"unknown member", func(in *topology.Input) {
			in.Status.Members = append(in.Status.Members, corosync.Member{ID: 9, Joined: true})
		}, topology.MemberUnknown, "member 9"},
		{"drift", func(in *topology.Input) {
			in.Status.Runtime.Drift = []corosync.Problem{{Key: "totem.interface.0.knet_ping_timeout", Reason: "runs with 5325, the file gives 1562"}}
		}, topology.RuntimeDrift, "5325"},
		{"a daemon's config_version", func(in *topology.Input) { in.Status.Members[1].ConfigVersion = 6 }, topology.ConfigVersion, "a2 has config_version 6, the file here 7"},
		{"a peer's file", func(in *topology.Input) { in.Views = []mesh.View{{Node: 4, ConfigVersion: 8}} }, topology.ConfigVersion, "b1 has config_version 8"},
		{"a peer's token", func(in *topology.Input) {
			in.Views = []mesh.View{{Node: 4, Corosync: true, Token: time.Second, ConfigVersion: 7}}
		}, topology.TokenDiffers, "b1 runs with a token timeout of 1s"},
		{"pvecm expected 1", func(in *topology.Input) { in.Status.Quorum.Expected = 1 }, topology.ExpectedVotes, "expects 1 votes, the file gives 4"},
		{"votes", func(in *topology.Input) { in.Status.Quorum.Votes[0].Votes = 1 }, topology.NodeVotes, "a1 has 1 votes"},
		{"options", func(in *topology.Input) { in.Config.Quorum.TwoNode, in.Config.Quorum.AutoTieBreaker = true, true }, topology.QuorumOptions, "two_node is ignored"},
		{"unresolved", func(in *topology.Input) {
			in.Addresses = slices.DeleteFunc(in.Addresses, func(a corosync.Address) bool { return a.Node == 4 && a.Link == 3 })
		}, topology.AddressUnresolved, `ring3_addr "10.3.0.4" of b1`},
		{"duplicate", func(in *topology.Input) {
			for i := range in.Addresses {
				if in.Addresses[i].Node == 4 && in.Addresses[i].Link == 0 {
					in.Addresses[i].Addr = netip.MustParseAddr("10.0.0.2")
				}
			}
		}, topology.AddressDuplicate, "10.0.0.2"},
		{"address gone", func(in *topology.Input) { in.Local = in.Local[:1] }, topology.AddressNotLocal, "10.3.0.1 of link 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t)
			tt.edit(&in)
			_, d := topology.Merge(in)
			if len(d) != 1 || d[0].Code != tt.want || !strings.Contains(d[0].Text, tt.text) || d[0].Serious == (tt.want == topology.ProxmoxStatus) || d[0].Subject == "" {
				t.Errorf("got %+v, want one %s with %q", d, tt.want, tt.text)
			}
		})
	}
}

// TestLocal: the daemon knows best; else the name, short or full, then the addresses.
func TestLocal(t *testing.T) {
	tests := []struct {
		name     string
		daemon   uint32
		hostname string
		local    []netip.Addr
		want     uint32
	}{
		{"daemon", 4, "a1", nil, 4},
		{"short name", 0, "a2", nil, 2},
		{"full name", 0, "a2.example.org", nil, 2},
		{"address", 0, "host", []netip.Addr{netip.MustParseAddr("::ffff:10.3.0.4")}, 4},
		{"nothing", 0, "host", nil, 0},
	}
	for _, tt := range tests {
		in := input(t)
		in.Status.LocalID, in.Hostname, in.Local = tt.daemon, tt.hostname, tt.local
		if c, _ := topology.Merge(in); c.Local != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, c.Local, tt.want)
		}
	}
}

// TestPartial: whatever is missing, a Cluster comes out.
func TestPartial(t *testing.T) {
	in := input(t)
	in.Config = nil
	c, _ := topology.Merge(in)
	if len(c.Nodes) != 3 || c.Nodes[0].Votes != 2 || c.Quorum.NodeVotes[1] != 2 || c.Local != 1 {
		t.Errorf("from the daemon alone: %+v", c)
	}
	in = input(t)
	in.Status.Stale = true
	c, _ = topology.Merge(in)
	if c.TimeoutsFrom != "corosync.conf" || c.Timeouts.Token != 3125*time.Millisecond {
		t.Errorf("with an old status: %+v", c)
	}
	if c, d := topology.Merge(topology.Input{}); len(c.Nodes) != 0 || len(d) != 0 {
		t.Errorf("from nothing: %+v %+v", c, d)
	}
}

// TestProxmoxElsewhere: what another node's view says of members and quorum is not this node's, and a standalone node disagrees with nobody.
func TestProxmoxElsewhere(t *testing.T) {
	in := input(t)
	in.Proxmox.View, in.Proxmox.Quorate = "b1", proxmox.No
	in.Proxmox.Nodes[0].Online = proxmox.No
	if _, d := topology.Merge(in); len(d) != 0 {
		t.Errorf("another node's view: %+v", d)
	}
	in.Proxmox.Standalone, in.Proxmox.Nodes = proxmox.Yes, nil
	if _, d := topology.Merge(in); len(d) != 0 {
		t.Errorf("standalone: %+v", d)
	}
}
