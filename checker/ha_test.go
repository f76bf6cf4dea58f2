package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// withHA gives the scene a Proxmox VE: the LRMs of the named nodes are active and renew their locks every ten seconds as long as
// their node has quorum, and each node runs a guest under HA and one without.
func withHA(s *scene, state proxmox.HAState, armed string) {
	frozen := map[string]time.Time{}
	s.edit = func(in *checker.Input) {
		snap := proxmox.Snapshot{At: in.Now, View: "a1", Quorate: proxmox.Yes}
		for p := range proxmox.PartCount {
			snap.Origins[p] = proxmox.Origin{Source: proxmox.FromFiles, At: in.Now, View: "a1"}
		}
		snap.HA.State = state
		for i, n := range in.Cluster.Nodes {
			snap.Nodes = append(snap.Nodes, proxmox.Node{ID: n.ID, Name: n.Name, Online: proxmox.Yes})
			stamp := in.Now.Truncate(10 * time.Second)
			if s.linesTo(n.Name, nil) != nil && s.linesTo(n.Name, nil)[0].dead(s.now) {
				if frozen[n.Name].IsZero() {
					frozen[n.Name] = stamp
				}
				stamp = frozen[n.Name]
			}
			lrm := proxmox.LRM{Node: n.Name, State: "wait_for_agent_lock", Mode: "active", Stamp: stamp}
			if strings.Contains(armed, n.Name) {
				lrm.State, lrm.Lock, lrm.Active = "active", stamp, 1
			}
			snap.HA.LRMs = append(snap.HA.LRMs, lrm)
			vm := 100 + 2*i
			snap.Guests = append(snap.Guests,
				proxmox.Guest{ID: vm, Kind: proxmox.VM, Node: n.Name, Running: proxmox.Yes},
				proxmox.Guest{ID: vm + 1, Kind: proxmox.VM, Node: n.Name, Running: proxmox.Yes})
			snap.Services = append(snap.Services, proxmox.Service{SID: snap.Guests[2*i].SID(), Node: n.Name, State: "started", Request: "started"})
		}
		in.Proxmox = snap
	}
}

// TestToll: what a cut costs is told before it has happened, and the countdown of those that lost quorum after.
func TestToll(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HAArmed, "a1 b1")
	s.run(30 * time.Second)
	if s.last.HA == nil || s.last.HA.State != "armed" || len(s.last.HA.Nodes) != 5 {
		t.Fatalf("HA %+v", s.last.HA)
	}
	s.cutSite()
	s.run(2 * time.Second)
	o := s.last.Outcome
	if o == nil || o.Happened || o.Toll == nil {
		t.Fatalf("outcome %+v\n%s", o, s.log())
	}
	if r := o.Toll.Resets; len(r) != 1 || r[0].Name != "b1" || o.Toll.Guests != 2 || o.Toll.Restarts != 1 {
		t.Errorf("toll %+v", o.Toll)
	}
	if in := o.Toll.In; in == nil || in.Likely.Duration() < 50*time.Second || in.Likely.Duration() > 70*time.Second {
		t.Errorf("reset in %+v, want within a minute or so", in)
	}
	if !strings.Contains(o.Text, "; b1 resets in ") || !strings.Contains(o.Text, ": 2 guests go down, 1 starts again elsewhere") {
		t.Errorf("text %q", o.Text)
	}

	s.run(20 * time.Second)
	f, ok := s.finding("fence-countdown:b1")
	if !ok || f.Severity != checker.Critical || f.Cause != "site-cut:b" {
		t.Fatalf("finding %+v\n%s", f, s.log())
	}
	before := s.last.HA.Nodes[3]
	if before.Counting != checker.Yes || before.Reset == nil || before.NoReturn == nil || before.NoReturn.Latest > before.Reset.Latest {
		t.Fatalf("%+v", before)
	}
	s.run(10 * time.Second)
	after := s.last.HA.Nodes[3]
	if gone := before.Reset.Likely.Duration() - after.Reset.Likely.Duration(); gone < 9*time.Second || gone > 11*time.Second {
		t.Errorf("ten seconds took %v off the countdown", gone)
	}
	if _, ok := s.finding("fence-countdown:b2"); ok {
		t.Error("b2 is not armed, and counts down")
	}

	s.healSite()
	s.run(time.Minute)
	if f, ok := s.finding("fence-countdown:b1"); ok {
		t.Errorf("it has quorum again: %+v", f)
	}
}

// TestDisarmed: said at once, a warning when it stays.
func TestDisarmed(t *testing.T) {
	s := newScene(t, 3*time.Second, 2, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HADisarmed, "")
	s.run(time.Second)
	if f, ok := s.finding("ha-disarmed:HA"); !ok || f.Severity != checker.Info {
		t.Fatalf("%+v", f)
	}
	s.now += 61 * time.Minute
	s.step()
	if f, ok := s.finding("ha-disarmed:HA"); !ok || f.Severity != checker.Warning || !strings.Contains(f.Title, "1 h") {
		t.Errorf("%+v", f)
	}
}

// TestProxmoxFaults: what is harmless is not told.
func TestProxmoxFaults(t *testing.T) {
	s := newScene(t, 3*time.Second, 2, "a1", "a2", "a3", "b1", "b2")
	s.in.Proxmox.Origins[proxmox.PartMembers].Source = proxmox.FromFiles
	s.in.Proxmox.Faults = []proxmox.Fault{
		{Source: proxmox.FromFiles, Kind: proxmox.Hanging, Where: "/etc/pve", Reason: "a read does not return"},
		{Source: proxmox.FromAPI, Kind: proxmox.Forbidden, Where: "pve1 /cluster/status", Reason: "a privilege is missing", Hint: "give it"},
		{Source: proxmox.FromAPI, Part: proxmox.PartHA, Kind: proxmox.Forbidden, Where: "pve1 /cluster/ha/status/current", Reason: "a privilege is missing"},
		{Source: proxmox.FromFiles, Kind: proxmox.NotProxmox, Where: "/etc/pve"},
	}
	s.run(12 * time.Second)
	if f, ok := s.finding("proxmox-unread:files /etc/pve"); !ok || f.Severity != checker.Warning {
		t.Errorf("hanging: %+v", f)
	}
	if f, ok := s.finding("proxmox-unread:api pve1 /cluster/status"); !ok || f.Severity != checker.Info || f.Advice != "give it" {
		t.Errorf("forbidden: %+v", f)
	}
	if f, ok := s.finding("proxmox-unread:api pve1 /cluster/ha/status/current"); !ok || f.Severity != checker.Warning {
		t.Errorf("forbidden, and nobody else tells: %+v", f)
	}
}
