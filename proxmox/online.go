package proxmox

// SettleOnline makes Online say what can be known of it. pmxcfs does not clear its list of members when the local Corosync dies: a
// node without quorum then still shows everybody online. So where the votes of those that are called online would give quorum and
// there is none, nobody but the node itself is known to be online. votes are by name; nil: one each.
//
// A cluster that waits for all its nodes after a start looks the same, and is Unknown too.
func (s *Snapshot) SettleOnline(votes map[string]int) {
	if s.Standalone != No || s.Quorate != No {
		return
	}
	total, online := 0, 0
	for _, n := range s.Nodes {
		v := 1
		if votes != nil {
			v = votes[n.Name]
		}
		total += v
		if n.Online == Yes {
			online += v
		}
	}
	if online < total/2+1 {
		return
	}
	for i := range s.Nodes {
		if !s.Nodes[i].Local {
			s.Nodes[i].Online = Unknown
		}
	}
}

// SettleRunning makes Running say what can be known of it: what runs on a node that is not known to be online was heard before.
func (s *Snapshot) SettleRunning() {
	for i := range s.Guests {
		g := &s.Guests[i]
		if n, ok := s.Node(g.Node); ok && n.Online != Yes {
			g.Running = Unknown
		}
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if n, ok := s.Node(t.Node); ok && n.Online != Yes && t.Running == Yes {
			t.Running = Unknown
		}
	}
}
