package proxmoxtest_test

import (
	"testing"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
	"github.com/quorumwatch/quorumwatch/proxmox/pmxcfs"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// both reads files of one state and the API of another, as an agent does.
func both(t *testing.T, files, asked string) proxmox.Snapshot {
	t.Helper()
	server := proxmoxtest.NewServer(t, asked)
	r, err := api.New(api.Config{Endpoints: []string{server.URL}, TokenFile: server.TokenFile(t), CAFile: server.CAFile(t)})
	if err != nil {
		t.Fatal(err)
	}
	state := proxmoxtest.Load(files)
	return proxmox.Merge(pmxcfs.New(state.Files()).Read(t.Context()), r.Read(t.Context()))
}

// TestBoth: files and API of one node agree on what is true in every state, and where one is silent the other is believed.
func TestBoth(t *testing.T) {
	quorate := map[string]proxmox.Tri{
		"healthy": proxmox.Yes, "isolated_t30": proxmox.No, "disarmed": proxmox.Yes, "corosync_down": proxmox.No, "standalone": proxmox.Yes,
		"majority_t30": proxmox.Yes, "fenced": proxmox.Yes, "expected_one": proxmox.Yes, "qdevice_lost": proxmox.No, "maintenance": proxmox.Yes,
		"never_ha": proxmox.Yes, "pmxcfs_down": proxmox.Unknown,
	}
	for _, name := range proxmoxtest.States() {
		s := both(t, name, name)
		want, ok := quorate[name]
		node := proxmoxtest.Load(name).Node
		if !ok || s.Quorate != want || s.View != node {
			t.Errorf("%s: quorate %v, view %s", name, s.Quorate, s.View)
		}
		if standalone := s.Standalone == proxmox.Yes; standalone != (name == "standalone") {
			t.Errorf("%s: standalone %v", name, s.Standalone)
		}
		for _, v := range s.Views {
			if v.Quorate != want {
				t.Errorf("%s: %s says %v", name, v.Source, v.Quorate)
			}
		}
	}
}

// TestOtherSide: an isolated node whose management network still works sees both: its own countdown, and that the others go on.
func TestOtherSide(t *testing.T) {
	s := both(t, "isolated_t30", "majority_t30")
	if s.View != "pve1" || s.Quorate != proxmox.No || s.QuorateOf("pve3") != proxmox.Yes || s.QuorateOf("pve1") != proxmox.No {
		t.Errorf("view %s, quorate %v", s.View, s.Quorate)
	}
	at := proxmoxtest.Load("isolated_t30").At
	own, other := proxmox.FenceOf(s.FenceInput("pve1", at)), proxmox.FenceOf(s.FenceInput("pve3", at))
	if own.Counting != proxmox.Yes || own.From != "lock" || other.Counting != proxmox.No {
		t.Errorf("pve1 %+v\npve3 %+v", own, other)
	}
	if off := own.NoReturn.Likely.Unix() - (1795178897 + 61); off < 0 || off > 1 { // on this node's clock, whatever the API's
		t.Errorf("no return is %d s off", off)
	}
	if l, _ := s.HA.LRM("pve3"); at.Sub(l.Stamp).Seconds() != 2 || s.Origins[proxmox.PartHA].View != "pve3" {
		t.Errorf("the frozen copy is believed: %+v", l)
	}
	n, _ := s.Node("pve1")
	if n.HAState != "unknown" {
		t.Errorf("the manager's word of pve1 is %q", n.HAState)
	}
}
