package proxmox

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// five is a cluster over two sites, with a service on each node.
func five() Snapshot {
	s := Snapshot{Standalone: No, Quorate: Yes}
	for i, name := range []string{"a1", "a2", "a3", "b1", "b2"} {
		s.Nodes = append(s.Nodes, Node{ID: uint32(i + 1), Name: name, Online: Yes, HAState: "online"})
		v := Service{SID: sid("vm", 100+i), Node: name, State: "started", Request: "started"}
		s.Services = append(s.Services, v)
		s.Guests = append(s.Guests, Guest{ID: 100 + i, Kind: VM, Node: name, Running: Yes}, Guest{ID: 200 + i, Kind: Container, Node: name, Running: Yes})
	}
	s.Guests = append(s.Guests, Guest{ID: 900, Kind: VM, Node: "b1", Template: true}, Guest{ID: 901, Kind: VM, Node: "b1", Running: No})
	for _, p := range []Part{PartHA, PartGuests, PartRules} {
		s.Origins[p] = Origin{Source: FromFiles, At: time.Unix(1, 0)}
	}
	return s
}

// TestBlast: which services go where when b1 and b2 are lost. vm:103 is on b1, vm:104 on b2.
func TestBlast(t *testing.T) {
	affinity := func(sids string, strict bool, nodes string) Rule {
		r, _ := RuleFrom("node-affinity", "r", map[string]string{"resources": sids, "nodes": nodes, "strict": map[bool]string{true: "1", false: "0"}[strict]})
		return r
	}
	bound := func(sids, affinity string) Rule {
		r, _ := RuleFrom("resource-affinity", "bound", map[string]string{"resources": sids, "affinity": affinity})
		return r
	}
	for name, tt := range map[string]struct {
		change func(*Snapshot)
		moves  string // of vm:103 and vm:104
		stuck  string
	}{
		"no rules":          {func(*Snapshot) {}, "a1 a2 a3, a1 a2 a3", ""},
		"prefer one":        {func(s *Snapshot) { s.Rules = []Rule{affinity("vm:103", false, "b1:5,a2:3,a3:1")} }, "a2, a1 a2 a3", ""},
		"prefer lost ones":  {func(s *Snapshot) { s.Rules = []Rule{affinity("vm:103", false, "b1,b2")} }, "a1 a2 a3, a1 a2 a3", ""},
		"strict":            {func(s *Snapshot) { s.Rules = []Rule{affinity("vm:103 vm:104", true, "b1:2;b2;a3")} }, "a3, a3", ""},
		"strict, none left": {func(s *Snapshot) { s.Rules = []Rule{affinity("vm:103", true, "b1,b2")} }, "a1 a2 a3", "vm:103"},
		"disabled rule":     {func(s *Snapshot) { r := affinity("vm:103", true, "b1,b2"); r.Disabled = true; s.Rules = []Rule{r} }, "a1 a2 a3, a1 a2 a3", ""},
		"apart":             {func(s *Snapshot) { s.Rules = []Rule{bound("vm:100,vm:101,vm:103", "negative")} }, "a3, a1 a2 a3", ""},
		"apart, none left":  {func(s *Snapshot) { s.Rules = []Rule{bound("vm:100,vm:101,vm:102,vm:104", "negative")} }, "a1 a2 a3", "vm:104"},
		"apart, both move":  {func(s *Snapshot) { s.Rules = []Rule{bound("vm:103,vm:104", "negative")} }, "a1 a2 a3, a1 a2 a3", ""},
		"together":          {func(s *Snapshot) { s.Rules = []Rule{bound("vm:102,vm:104", "positive")} }, "a1 a2 a3, a3", ""},
		"preferred and apart": {func(s *Snapshot) {
			s.Rules = []Rule{affinity("vm:103", false, "a1:2,a2"), bound("vm:100,vm:103", "negative")}
		}, "a1 a2 a3", "vm:103"},
		"maintenance": {func(s *Snapshot) { s.Nodes[0].HAState = "maintenance"; s.Nodes[1].Online = No }, "a3, a3", ""},
		"a group": {func(s *Snapshot) {
			s.Rules = []Rule{GroupRule("g", map[string]string{"nodes": "b1:1,a1", "restricted": "1"}, []Service{{SID: "vm:103", Group: "g"}})}
		}, "a1, a1 a2 a3", ""},
		"frozen and stopped": {func(s *Snapshot) { s.Services[3].State, s.Services[4].State = "freeze", "stopped" }, "", ""},
		"disarmed":           {func(s *Snapshot) { s.HA.State = HADisarmed }, "", ""},
	} {
		s := five()
		tt.change(&s)
		b := s.BlastRadius("b2", "b1")
		var moves, stuck []string
		for _, m := range b.Moves {
			moves = append(moves, strings.Join(m.To, " "))
		}
		for _, m := range b.Stuck {
			stuck = append(stuck, m.SID)
			if m.Why == "" {
				t.Errorf("%s: %s is stuck for no reason", name, m.SID)
			}
		}
		if strings.Join(moves, ", ") != tt.moves || strings.Join(stuck, " ") != tt.stuck || !b.Known || !slices.Equal(b.Nodes, []string{"b1", "b2"}) {
			t.Errorf("%s: moves %q, stuck %q: %+v", name, moves, stuck, b)
		}
		down := 2 // the containers, which HA does not know
		if tt.moves == "" {
			down = 4
		}
		if len(b.Down) != down {
			t.Errorf("%s: %d guests stay down, want %d", name, len(b.Down), down)
		}
	}
}

// TestBlastUnknown: what is not known is not called complete.
func TestBlastUnknown(t *testing.T) {
	s := five()
	s.Origins[PartRules] = Origin{}
	if s.BlastRadius("b1").Known {
		t.Error("known without rules")
	}
	if b := s.BlastRadius("a1", "a2", "a3", "b1", "b2"); len(b.Moves) != 0 || len(b.Stuck) != 5 {
		t.Errorf("nobody left: %+v", b)
	}
}
