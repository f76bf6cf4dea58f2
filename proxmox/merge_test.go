package proxmox

import (
	"slices"
	"testing"
	"time"
)

// view is a Snapshot of one source, with everything known.
func view(from Source, node string, quorate Tri, stamp int64) Snapshot {
	s := Snapshot{
		At: time.Unix(1000, 0), View: node, Standalone: No, ClusterName: "c", ConfigVersion: 3, Quorate: quorate,
		Nodes: []Node{{ID: 1, Name: "a", Local: node == "a", Online: TriOf(node == "a" || quorate == Yes)}, {ID: 2, Name: "b", Local: node == "b", Online: Yes}},
		HA: HA{Master: "b", CRMStamp: time.Unix(stamp, 0), LRMs: []LRM{
			{Node: "a", State: "active", Stamp: time.Unix(stamp, 0), Active: 1}, {Node: "b", State: "wait_for_agent_lock", Stamp: time.Unix(stamp, 0)},
		}, State: HAArmed},
		Services: []Service{{SID: "vm:1", Node: "a", State: "started", Request: "started"}},
		Guests:   []Guest{{ID: 1, Kind: VM, Node: node}},
		Rules:    []Rule{{ID: "of " + node}},
		Conf:     Conf{Digest: "d", Version: 3},
		Views:    []View{{Source: from, Node: node, Quorate: quorate}},
	}
	for p := range PartCount {
		s.Origins[p] = Origin{Source: from, At: s.At, View: node}
	}
	return s
}

// TestMergeNear: of two views of the same partition the near one is taken, and completed by the other.
func TestMergeNear(t *testing.T) {
	files, api := view(FromFiles, "a", Yes, 500), view(FromAPI, "a", Yes, 490)
	files.Conf.Text = "totem {}"
	api.Conf.Nodes = []ConfNode{{ID: 1}}
	api.Nodes[1].Version = "9.2.11"
	api.Guests[0].Name, api.Guests[0].Running = "web", Yes
	api.StatusQuorate = No
	files.HA.LRMs[0].Lock = time.Unix(499, 0)
	files.Faults = []Fault{{Kind: Denied}}
	api.Faults = []Fault{{Kind: Forbidden}}
	m := Merge(files, api)
	if m.Quorate != Yes || m.StatusQuorate != No || m.Origins[PartQuorum].Source != FromFiles || m.View != "a" || len(m.Faults) != 2 || len(m.Views) != 2 {
		t.Errorf("%+v", m)
	}
	if m.Conf.Text == "" || len(m.Conf.Nodes) != 1 || m.Nodes[1].Version != "9.2.11" || m.Guests[0].Name != "web" || m.Guests[0].Running != Yes {
		t.Errorf("not completed: %+v %+v %+v", m.Conf, m.Nodes, m.Guests)
	}
	if l, _ := m.HA.LRM("a"); l.Stamp.Unix() != 500 || l.Lock.Unix() != 499 {
		t.Errorf("LRM %+v", l)
	}
	if files.Nodes[1].Version != "" || files.Guests[0].Name != "" {
		t.Error("an argument was changed")
	}
	api.Conf.Digest = "other"
	if m = Merge(files, api); m.Conf.Nodes != nil {
		t.Error("two different files are mixed")
	}
}

// TestMergeIsolated: on a node without quorum its own view is its own, and the rest comes from where there is quorum. The stamp
// of its own LRM stays the youngest that anybody has.
func TestMergeIsolated(t *testing.T) {
	files, api := view(FromFiles, "a", No, 500), view(FromAPI, "b", Yes, 540)
	api.HA.LRMs[0].Stamp = time.Unix(490, 0)
	api.Nodes[0].Online = No
	api.Services[0].Node = "b"
	m := Merge(files, api)
	if m.View != "a" || m.Quorate != No || m.Nodes[0].Online != Yes || !m.Nodes[0].Local {
		t.Errorf("the view: %+v", m)
	}
	if m.HA.CRMStamp.Unix() != 540 || m.Services[0].Node != "b" || m.Rules[0].ID != "of b" || m.Guests[0].Node != "b" || m.Origins[PartHA].View != "b" {
		t.Errorf("the rest: %+v", m)
	}
	if l, _ := m.HA.LRM("a"); l.Stamp.Unix() != 500 {
		t.Errorf("a's LRM: %+v", l)
	}
	if m.QuorateOf("a") != No || m.QuorateOf("b") != Yes {
		t.Errorf("a %v, b %v", m.QuorateOf("a"), m.QuorateOf("b"))
	}
}

// TestMergeUnknown: what nobody knows stays unknown.
func TestMergeUnknown(t *testing.T) {
	if m := Merge(); m.Quorate != Unknown || m.Known(PartMembers) || m.HA.State != HAUnknown {
		t.Errorf("%+v", m)
	}
	api := view(FromAPI, "b", Unknown, 500)
	api.Origins[PartQuorum], api.StatusQuorate = Origin{}, Yes
	m := Merge(Snapshot{At: time.Unix(2000, 0), View: "a", Faults: []Fault{{Kind: PmxcfsDown}}}, api)
	if m.Quorate != Unknown || m.Known(PartQuorum) || m.View != "b" || m.At.Unix() != 2000 {
		t.Errorf("%+v", m)
	}
	if m.QuorateOf("b") != Unknown {
		t.Error("/cluster/status is believed")
	}
}

// TestMergeTasks: one list, without doubles; who saw the end knows it.
func TestMergeTasks(t *testing.T) {
	a := Snapshot{Tasks: []Task{{UPID: "1", Running: Yes, Start: time.Unix(1, 0)}, {UPID: "2", Running: Unknown, Start: time.Unix(2, 0)}, {Object: "r", Running: Yes}}}
	b := Snapshot{Tasks: []Task{{UPID: "1", Running: No, Start: time.Unix(1, 0)}, {UPID: "2", Running: Yes, Start: time.Unix(2, 0)}, {UPID: "3", Start: time.Unix(3, 0)}}}
	m := Merge(a, b)
	var got []string
	for _, task := range m.Tasks {
		got = append(got, task.UPID+task.Running.String())
	}
	if !slices.Equal(got, []string{"3unknown", "2yes", "1no", "yes"}) {
		t.Error(got)
	}
	if a.Tasks[0].Running != Yes {
		t.Error("an argument was changed")
	}
}

// TestKeep: a source that falls silent leaves what stands for a while, and nothing that changes in a moment.
func TestKeep(t *testing.T) {
	known := view(FromAPI, "a", Yes, 500)
	known.Watchdog.Active = Yes
	known.Guests[0].Running = Yes
	silent := Snapshot{At: known.At.Add(time.Minute), Faults: []Fault{{Kind: TimedOut}}}
	s := after(known, silent)
	if s.Quorate != Unknown || s.Known(PartQuorum) || s.Known(PartWatchdog) || s.Watchdog.Active != Unknown || s.Nodes[0].Online != Unknown || s.Guests[0].Running != Unknown {
		t.Errorf("what changes in a moment is kept: %+v", s)
	}
	if l, _ := s.HA.LRM("a"); l.Stamp.Unix() != 500 || s.ClusterName != "c" || s.Conf.Version != 3 || s.View != "a" || len(s.Faults) != 1 {
		t.Errorf("what stands is lost: %+v", s)
	}
	if known.Nodes[0].Online != Yes || known.Guests[0].Running != Yes {
		t.Error("an argument was changed")
	}
	if s = after(s, Snapshot{At: known.At.Add(keepFor)}); s.Known(PartMembers) || s.Known(PartHA) {
		t.Errorf("kept for ever: %+v", s)
	}
}
