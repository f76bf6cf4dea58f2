package proxmox

import (
	"maps"
	"slices"
)

// Blast is what happens to the guests of nodes that reset or die.
type Blast struct {
	Nodes []string
	Moves []Move  // HA services that restart elsewhere, ascending by SID
	Stuck []Move  // HA services that can restart nowhere, for now
	Down  []Guest // guests without HA (or with HA disarmed): down until their node is back
	Known bool    // false: HA or guests are not known well enough, and the lists are not complete
}

// Move is an HA service that is recovered.
type Move struct {
	SID  string
	From string
	To   []string // where it may go: one of these
	Why  string   // the rule that decided, or why it is stuck; "" for any node
}

// BlastRadius says which services restart where when nodes are lost and the rest keeps quorum. It follows the manager's own choice
// (HA/Manager.pm select_service_node) up to the last step, in which the manager takes the node with the least load.
func (s *Snapshot) BlastRadius(lost ...string) Blast {
	b := Blast{Nodes: slices.Sorted(slices.Values(lost)), Known: s.Known(PartHA) && s.Known(PartGuests) && s.Known(PartRules)}
	disarmed := s.HA.State == HADisarmed || s.HA.State == HADisarming
	moving := map[string]bool{}
	for _, v := range s.Services {
		if !slices.Contains(lost, v.Node) || !v.Countable() || disarmed {
			continue
		}
		moving[v.SID] = true
	}
	for _, sid := range slices.Sorted(maps.Keys(moving)) {
		m := s.move(sid, lost, moving)
		if len(m.To) == 0 {
			b.Stuck = append(b.Stuck, m)
		} else {
			b.Moves = append(b.Moves, m)
		}
	}
	for _, g := range s.Guests {
		if slices.Contains(lost, g.Node) && !g.Template && g.Running != No && !moving[g.SID()] {
			b.Down = append(b.Down, g)
		}
	}
	return b
}

// SID is what HA calls the guest.
func (g Guest) SID() string {
	if g.Kind == Container {
		return sid("ct", g.ID)
	}
	return sid("vm", g.ID)
}

// move finds where one service may go.
func (s *Snapshot) move(sid string, lost []string, moving map[string]bool) Move {
	i := slices.IndexFunc(s.Services, func(v Service) bool { return v.SID == sid })
	m := Move{SID: sid, From: s.Services[i].Node}
	online := s.recoveryNodes(lost)
	if len(online) == 0 {
		m.Why = "no other node is online"
		return m
	}
	m.To, m.Why = s.preferred(sid, online)
	if len(m.To) == 0 {
		return m
	}
	m.To, m.Why = s.apart(sid, m.To, m.Why, moving)
	m.To, m.Why = s.together(sid, m.To, m.Why, moving)
	return m
}

// recoveryNodes are the nodes that services may be recovered to: online in the manager's eyes, maintenance left out. A view without
// quorum does not know which of the others are there, and counts on them.
func (s *Snapshot) recoveryNodes(lost []string) []string {
	var names []string
	for _, n := range s.Nodes {
		there := n.Online != No || s.Quorate != Yes
		if there && !slices.Contains(lost, n.Name) && (n.HAState == "online" || n.HAState == "") {
			names = append(names, n.Name)
		}
	}
	return names
}

// preferred applies node affinity: of the nodes that are there those with the highest priority. Nodes that a rule does not name
// come last, or not at all if it is strict (HA/Rules/NodeAffinity.pm).
func (s *Snapshot) preferred(sid string, online []string) (to []string, why string) {
	i := slices.IndexFunc(s.Rules, func(r Rule) bool {
		return r.Kind == NodeAffinity && !r.Disabled && slices.Contains(r.Services, sid)
	})
	if i < 0 {
		return online, ""
	}
	rule, best := s.Rules[i], -2
	for _, name := range online {
		priority, named := rule.Nodes[name]
		switch {
		case !named && rule.Strict:
			continue
		case !named:
			priority = -1
		}
		if priority > best {
			best, to = priority, nil
		}
		if priority == best {
			to = append(to, name)
		}
	}
	why = "rule " + rule.ID
	if len(to) == 0 {
		why += " allows none of the nodes that are left"
	}
	return to, why
}

// apart takes out the nodes of services that it must not share a node with (HA/Rules/ResourceAffinity.pm, negative). Others that move
// at the same time are left out: where they go is not known.
func (s *Snapshot) apart(sid string, to []string, why string, moving map[string]bool) ([]string, string) {
	for _, other := range s.companions(sid, false) {
		if moving[other.SID] {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(to), func(n string) bool { return n == other.Node || n == other.Target })
		if len(left) < len(to) {
			to, why = left, "kept apart from "+other.SID
		}
	}
	return to, why
}

// together goes to the node that has most of the services that it must share a node with (positive).
func (s *Snapshot) together(sid string, to []string, why string, moving map[string]bool) ([]string, string) {
	count := map[string]int{}
	most, with := "", ""
	for _, other := range s.companions(sid, true) {
		if moving[other.SID] || !slices.Contains(to, other.Node) {
			continue
		}
		count[other.Node]++
		if most == "" || count[other.Node] > count[most] || count[other.Node] == count[most] && other.Node < most {
			most, with = other.Node, other.SID
		}
	}
	if most == "" {
		return to, why
	}
	return []string{most}, "kept together with " + with
}

// companions are the services that rules bind to sid.
func (s *Snapshot) companions(sid string, together bool) []Service {
	var all []Service
	for _, r := range s.Rules {
		if r.Kind != ResourceAffinity || r.Disabled || r.Together != together || !slices.Contains(r.Services, sid) {
			continue
		}
		for _, v := range s.Services {
			if v.SID != sid && slices.Contains(r.Services, v.SID) && v.Countable() {
				all = append(all, v)
			}
		}
	}
	return all
}
