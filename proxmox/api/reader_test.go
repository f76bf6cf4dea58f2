package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// reader asks a test server in a state.
func reader(t *testing.T, state string) (*Reader, *proxmoxtest.Server) {
	t.Helper()
	s := proxmoxtest.NewServer(t, state)
	r, err := New(Config{Endpoints: []string{s.URL}, TokenFile: s.TokenFile(t), CAFile: s.CAFile(t)})
	if err != nil {
		t.Fatal(err)
	}
	return r, s
}

// TestStates: what is true in each state, by the same code.
func TestStates(t *testing.T) {
	const y, n, u = proxmox.Yes, proxmox.No, proxmox.Unknown
	for _, tt := range []struct {
		state, view   string
		standalone    proxmox.Tri
		quorate       proxmox.Tri
		statusQuorate proxmox.Tri // which is not what is true
		online        string      // of pve1, pve2, pve3 (or pve4)
		ha            proxmox.HAState
		running       string // of vm:100, vm:101
		armed         string // nodes, by name: y, n, u
		counting      string
	}{
		{"healthy", "pve1", n, y, y, "yyy", proxmox.HAArmed, "yy", "yyn", "nnn"},
		{"isolated_t30", "pve1", n, n, n, "ynn", proxmox.HAArmed, "yu", "yyn", "yun"},
		{"majority_t30", "pve3", n, y, y, "nyy", proxmox.HAArmed, "uy", "yyn", "ynn"},
		{"fenced", "pve3", n, y, y, "nyy", proxmox.HAArmed, "yy", "yyn", "nnn"},
		{"disarmed", "pve1", n, y, y, "yyy", proxmox.HADisarmed, "ny", "nnn", "nnn"},
		{"corosync_down", "pve3", n, n, n, "uuy", proxmox.HAArmed, "nu", "nyn", "nun"},
		{"standalone", "pve4", y, y, u, "y", proxmox.HAStandby, "", "n", "n"},
		{"expected_one", "pve1", n, y, n, "ynn", proxmox.HAArmed, "yu", "uyn", "uun"},
		{"qdevice_lost", "pve1", n, n, y, "yuu", proxmox.HAArmed, "yu", "yyn", "yun"},
		{"maintenance", "pve1", n, y, y, "yyy", proxmox.HAArmed, "yy", "nyy", "nnn"},
		{"never_ha", "pve1", n, y, y, "yyy", proxmox.HAStandby, "yy", "nnn", "nnn"},
	} {
		t.Run(tt.state, func(t *testing.T) {
			r, server := reader(t, tt.state)
			s := r.Read(t.Context())
			for _, f := range s.Faults {
				if f.Kind != proxmox.Narrowed && !f.Harmless() {
					t.Errorf("fault: %v", f)
				}
			}
			if s.View != tt.view || s.Standalone != tt.standalone || s.Quorate != tt.quorate || s.StatusQuorate != tt.statusQuorate {
				t.Errorf("view %s, standalone %v, quorate %v, /cluster/status says %v", s.View, s.Standalone, s.Quorate, s.StatusQuorate)
			}
			var online, running, armed, counting strings.Builder
			now := proxmoxtest.Load(tt.state).At
			for _, node := range s.Nodes {
				online.WriteByte(letter(node.Online))
				in := s.FenceInput(node.Name, now)
				l, _ := s.HA.LRM(node.Name)
				in.LRM = l // as it was recorded: this test's now is the recording's
				f := proxmox.FenceOf(in)
				armed.WriteByte(letter(f.Armed))
				counting.WriteByte(letter(f.Counting))
			}
			for _, g := range s.Guests {
				running.WriteByte(letter(g.Running))
			}
			if online.String() != tt.online || s.HA.State != tt.ha || running.String() != tt.running {
				t.Errorf("online %s, HA %s, running %s; want %s, %s, %s", &online, s.HA.State, &running, tt.online, tt.ha, tt.running)
			}
			if armed.String() != tt.armed || counting.String() != tt.counting {
				t.Errorf("armed %s, counting %s; want %s, %s", &armed, &counting, tt.armed, tt.counting)
			}
			if server.Asked("/cluster/status") != 1 {
				t.Error("asked more than once")
			}
		})
	}
}

func letter(v proxmox.Tri) byte { return v.String()[0] }

// TestHealthy: every value of one state.
func TestHealthy(t *testing.T) {
	r, _ := reader(t, "healthy")
	s := r.Read(t.Context())
	if s.ClusterName != "rigcl" || s.ConfigVersion != 3 || len(s.Faults) > 0 {
		t.Errorf("cluster %q version %d, faults %v", s.ClusterName, s.ConfigVersion, s.Faults)
	}
	for p := range proxmox.PartCount {
		if known := s.Known(p); known != (p != proxmox.PartWatchdog) {
			t.Errorf("%v known: %v", p, known)
		}
	}
	n, _ := s.Node("pve2")
	if n.ID != 2 || n.IP.String() != "10.191.0.2" || n.Version != "9.2.11" || n.HAState != "online" || n.Local {
		t.Errorf("pve2: %+v", n)
	}
	l, _ := s.HA.LRM("pve1")
	if s.HA.Master != "pve3" || s.HA.CRMStamp.Unix() != 1795178866 || l.State != "active" || l.Mode != "active" || l.Stamp.Unix() != 1795178867 || l.Active != 1 {
		t.Errorf("HA %+v", s.HA)
	}
	if len(s.Services) != 2 || s.Services[0].SID != "vm:100" || s.Services[0].Request != "started" || s.Services[0].MaxRelocate != 1 ||
		s.Services[0].Failback != proxmox.Yes || s.Services[0].Running != proxmox.Yes || s.Services[0].Node != "pve1" {
		t.Errorf("services %+v", s.Services)
	}
	if g := s.GuestsOn("pve1"); len(g) != 1 || g[0].Name != "web" || g[0].SID() != "vm:100" {
		t.Errorf("guests on pve1: %+v", g)
	}
	c := s.Conf
	if c.Version != 3 || c.Digest != "35c777433da015a25035c764fbfff28450287933" || len(c.Nodes) != 3 || c.Nodes[2].Rings[1] != "10.191.1.3" ||
		c.Nodes[0].Votes != 1 || c.Totem["token_coefficient"] != "125" || c.Totem["interface.1.knet_link_priority"] != "10" {
		t.Errorf("conf %+v", c)
	}
	if s.QDevice.Present != proxmox.No || len(s.Tasks) > 0 {
		t.Errorf("qdevice %+v, tasks %+v", s.QDevice, s.Tasks)
	}
}

// TestFlapping: whatever /cluster/status says, call by call, the quorum does not move.
func TestFlapping(t *testing.T) {
	r, _ := reader(t, "qdevice_lost")
	var said []proxmox.Tri
	for range 4 {
		s := r.Read(t.Context())
		said = append(said, s.StatusQuorate)
		if s.Quorate != proxmox.No || s.QDevice.State != "Connect failed" || s.QDevice.Present != proxmox.Yes {
			t.Fatalf("quorate %v, qdevice %+v", s.Quorate, s.QDevice)
		}
	}
	if !slices.Equal(said, []proxmox.Tri{proxmox.Yes, proxmox.No, proxmox.Yes, proxmox.No}) {
		t.Errorf("/cluster/status does not flap: %v", said)
	}
}
