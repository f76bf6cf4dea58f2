package checker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// change has the last word on what Proxmox VE says in a scene that withHA has set up.
func change(s *scene, f func(in *checker.Input)) {
	before := s.edit
	s.edit = func(in *checker.Input) { before(in); f(in) }
}

// freeze makes the local node's /etc/pve the past from now on, as without quorum.
func freeze(s *scene) {
	var kept *proxmox.Snapshot
	change(s, func(in *checker.Input) {
		if kept == nil {
			snap := in.Proxmox
			snap.Quorate = proxmox.No
			for i := range snap.Nodes {
				if snap.Nodes[i].Name != snap.View {
					snap.Nodes[i].Online = proxmox.No
				}
			}
			kept = &snap
		}
		in.Proxmox = *kept
		in.Proxmox.At = in.Now
	})
}

func haNode(t *testing.T, s *scene, name string) checker.HANode {
	t.Helper()
	if s.last.HA != nil {
		for _, n := range s.last.HA.Nodes {
			if n.Name == name {
				return n
			}
		}
	}
	t.Fatalf("no HA node %s in %+v", name, s.last.HA)
	return checker.HANode{}
}

// TestMinority: on the side without quorum its own countdown is seen, and nothing is made up of the others, of which it sees the past.
func TestMinority(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "b1", "b2", "a1", "a2", "a3")
	withHA(s, proxmox.HAArmed, "b1 a1")
	change(s, func(in *checker.Input) { in.Proxmox.View = "b1" })
	s.run(30 * time.Second)
	s.cut("a1 a2 a3")
	freeze(s)
	s.run(20 * time.Second)
	f, ok := s.finding("fence-countdown:b1")
	if !ok || f.Cause != "site-cut:a" || f.Severity != checker.Critical {
		t.Fatalf("%+v\n%s", f, s.log())
	}
	if left := haNode(t, s, "b1").Reset.Likely.Duration(); left < 35*time.Second || left > 52*time.Second {
		t.Errorf("20 s after the cut it resets in %v", left)
	}
	s.run(2 * time.Minute)
	if n := haNode(t, s, "a1"); n.Counting != checker.Unknown || strings.Contains(n.Reason, "reset") {
		t.Errorf("a1 has quorum over there, for all that is known: %+v", n)
	}
	if _, ok := s.finding("fence-countdown:a1"); ok {
		t.Error("a countdown for a node that may have quorum")
	}
}

// TestFrozen: an isolated node whose /etc/pve hangs goes by its own watchdog, its daemon's quorum and what it knew of its lock.
func TestFrozen(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HAArmed, "a1")
	s.run(30 * time.Second)
	s.cut("a2 a3 b1 b2")
	freeze(s)
	change(s, func(in *checker.Input) {
		p := &in.Proxmox
		p.Quorate, p.Origins[proxmox.PartQuorum], p.Origins[proxmox.PartMembers] = proxmox.Unknown, proxmox.Origin{}, proxmox.Origin{}
		p.Watchdog = proxmox.Watchdog{Active: proxmox.Yes, Mux: proxmox.Yes}
		p.Faults = []proxmox.Fault{{Source: proxmox.FromFiles, Kind: proxmox.Hanging, Where: "/etc/pve", Reason: "a read does not return"}}
	})
	s.run(30 * time.Second)
	f, ok := s.finding("fence-countdown:a1")
	if !ok || f.Cause != "isolated:a1" || f.Evidence["basis"] != "lock" {
		t.Fatalf("%+v\n%s", f, s.log())
	}
	if left := haNode(t, s, "a1").Reset.Likely.Duration(); left < 28*time.Second || left > 42*time.Second {
		t.Errorf("30 s after the cut it resets in %v", left)
	}
}

// TestRestarted: an agent that begins while pmxcfs is down has only the watchdog's mark and the log, and still knows the seconds.
func TestRestarted(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3")
	s.knetOff, s.in.Status.Daemon = true, corosync.DaemonStopped
	logged := s.start.Add(-25 * time.Second)
	s.edit = func(in *checker.Input) {
		in.Proxmox = proxmox.Snapshot{At: in.Now, Watchdog: proxmox.Watchdog{Active: proxmox.Yes, Mux: proxmox.Yes}}
		in.Proxmox.Origins[proxmox.PartWatchdog] = proxmox.Origin{Source: proxmox.FromFiles, At: in.Now, View: "a1"}
		in.FenceLog = proxmox.FenceLog{LostQuorum: logged.Add(-400 * time.Millisecond), LostLock: logged}
	}
	s.run(time.Second)
	n := haNode(t, s, "a1")
	if n.Armed != checker.Yes || n.Counting != checker.Yes || n.Basis != "log" || n.Reset == nil {
		t.Fatalf("%+v", n)
	}
	if r := n.Reset; r.Earliest.Duration() < 24*time.Second || r.Latest.Duration() > 38*time.Second {
		t.Errorf("26 s after the lock was lost, which was due 10 s after the last renewal: reset in %+v", r)
	}
	if f, ok := s.finding("fence-countdown:a1"); !ok || f.Cause != "corosync-stopped:a1" {
		t.Errorf("%+v", f)
	}

	logged = logged.Add(-26 * time.Second) // the warning narrows it to a second or two
	warned := s.start.Add(s.now)
	change(s, func(in *checker.Input) { in.FenceLog.Warned = warned })
	s.run(time.Second)
	if r := haNode(t, s, "a1").Reset; r == nil || (r.Latest-r.Earliest).Duration() > 6*time.Second || (r.Likely.Duration()-18*time.Second).Abs() > 2*time.Second {
		t.Errorf("after the warning: %+v", r)
	}
	change(s, func(in *checker.Input) { in.FenceLog = proxmox.FenceLog{} })
	s.run(time.Second)
	if f, ok := s.finding("fence-countdown:a1"); ok {
		t.Errorf("nothing says that it counts: %+v", f)
	}
}

// TestAlreadyReset: when its time has run out a node has reset; the countdown ends, and the outcome says so.
func TestAlreadyReset(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HAArmed, "b1 b2")
	s.run(30 * time.Second)
	s.cutSite()
	s.run(75 * time.Second)
	if o := s.last.Outcome; o == nil || !strings.Contains(o.Text, "b1 b2 should have reset by now") {
		t.Errorf("outcome %+v", o)
	}
	s.run(15 * time.Second)
	if f, ok := s.finding("fence-countdown:b1"); ok {
		t.Errorf("%+v", f)
	}
	if n := haNode(t, s, "b1"); n.Counting != checker.No || !strings.Contains(n.Reason, "has reset, or is off") {
		t.Errorf("%+v", n)
	}
}

// TestNobodyLeft: when no side keeps quorum all armed nodes reset, and nothing starts elsewhere.
func TestNobodyLeft(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "b1", "b2")
	withHA(s, proxmox.HAArmed, "a1 a2 b1 b2")
	s.run(30 * time.Second)
	s.cut("b1 b2")
	s.node("a2").others[3], s.node("a2").others[4] = 2, 2
	s.run(2 * time.Second)
	o := s.last.Outcome
	if o == nil || o.Toll == nil || len(o.Toll.Resets) != 4 || o.Toll.Restarts != 0 || o.Toll.Stuck != 4 || o.Toll.Guests != 8 {
		t.Fatalf("%+v", o)
	}
	if !strings.Contains(o.Text, "nobody has quorum; a1 a2 b1 b2 reset in ") || !strings.Contains(o.Text, "4 can start nowhere") {
		t.Errorf("%q", o.Text)
	}
}

// TestNotToLosers: services do not start on a node that loses quorum too, though it is not armed; stopped guests don't go down.
func TestNotToLosers(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HAArmed, "b1")
	change(s, func(in *checker.Input) {
		p := &in.Proxmox
		p.Rules = []proxmox.Rule{{ID: "home", Kind: proxmox.NodeAffinity, Strict: true, Services: []string{"vm:106"}, Nodes: map[string]int{"b1": 1, "b2": 1}}}
		p.Guests[7].Running = proxmox.No
	})
	s.run(30 * time.Second)
	s.cutSite()
	s.run(2 * time.Second)
	if o := s.last.Outcome; o == nil || o.Toll == nil || o.Toll.Guests != 1 || o.Toll.Restarts != 0 || o.Toll.Stuck != 1 {
		t.Errorf("%+v", o)
	}
}

// TestOnlyAPI: locks and watchdogs are seen on a node only; from the API the countdown is wider, and still right.
func TestOnlyAPI(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HAArmed, "b1")
	change(s, func(in *checker.Input) {
		for p := range proxmox.PartCount {
			in.Proxmox.Origins[p] = proxmox.Origin{Source: proxmox.FromAPI, At: in.Now, View: "a2"}
		}
		in.Proxmox.View, in.Proxmox.Origins[proxmox.PartWatchdog] = "a2", proxmox.Origin{}
		for i := range in.Proxmox.HA.LRMs {
			in.Proxmox.HA.LRMs[i].Lock = time.Time{}
		}
	})
	s.run(36 * time.Second) // the last round was six seconds before the cut
	s.cutSite()
	s.run(20 * time.Second)
	n := haNode(t, s, "b1")
	if n.Basis != "lrm_status" || n.Counting != checker.Yes || n.Reset == nil {
		t.Fatalf("%+v", n)
	}
	if off := n.Reset.Likely.Duration() - 44*time.Second; off.Abs() > 3*time.Second || n.Reset.Earliest.Duration() > 44*time.Second || n.Reset.Latest.Duration() < 44*time.Second {
		t.Errorf("reset in %+v, want 44 s", n.Reset)
	}
}

// TestDisarmedCut: nothing resets while HA is disarmed.
func TestDisarmedCut(t *testing.T) {
	s := newScene(t, 3*time.Second, 1, "a1", "a2", "a3", "b1", "b2")
	withHA(s, proxmox.HADisarmed, "")
	change(s, func(in *checker.Input) {
		for i := range in.Proxmox.HA.LRMs {
			in.Proxmox.HA.LRMs[i].Mode = "disarm"
		}
	})
	s.run(30 * time.Second)
	s.cutSite()
	s.run(20 * time.Second)
	if o := s.last.Outcome; o == nil || o.Toll == nil || len(o.Toll.Resets) != 0 || strings.Contains(o.Text, "reset") {
		t.Errorf("%+v", o)
	}
	if n := haNode(t, s, "b1"); n.Armed != checker.No || n.Reason != "HA is disarmed" {
		t.Errorf("%+v", n)
	}
}
