package proxmox

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// HAStatus is what manager_status and the nodes' lrm_status say together.
type HAStatus struct {
	HA       HA
	Services []Service         // without what is configured
	Nodes    map[string]string // CRM's word of each node
}

// managerStatus is /etc/pve/ha/manager_status, as far as it is used (HA/Manager.pm flush_master_status).
type managerStatus struct {
	Master    Text                     `json:"master_node"`
	Timestamp Int                      `json:"timestamp"`
	Nodes     map[string]Text          `json:"node_status"`
	Services  map[string]serviceStatus `json:"service_status"`
	Disarm    *struct {
		Mode  Text `json:"mode"`
		State Text `json:"state"`
	} `json:"disarm"`
}

type serviceStatus struct {
	Node    Text `json:"node"`
	Target  Text `json:"target"`
	State   Text `json:"state"`
	Running Bool `json:"running"`
}

// lrmStatus is /etc/pve/nodes/NODE/lrm_status (HA/LRM.pm update_lrm_status).
type lrmStatus struct {
	State     Text `json:"state"`
	Mode      Text `json:"mode"`
	Timestamp Int  `json:"timestamp"`
}

// ParseHA reads manager_status and lrm_status (by node) as JSON: the files, or what the API gives of them. No manager_status is
// what a cluster has that never used HA. A broken lrm_status is an LRM of which nothing is known; only a broken manager_status is an
// error.
func ParseHA(manager []byte, lrm map[string][]byte) (HAStatus, error) {
	var m managerStatus
	if len(manager) > 0 {
		if err := json.Unmarshal(manager, &m); err != nil {
			return HAStatus{}, err
		}
	}
	s := HAStatus{Nodes: map[string]string{}}
	s.HA.Master, s.HA.CRMStamp = string(m.Master), m.Timestamp.Time()
	for name, word := range m.Nodes {
		s.Nodes[name] = string(word)
	}
	for sid, v := range m.Services {
		s.Services = append(s.Services, Service{
			SID: sid, Node: string(v.Node), Target: string(v.Target), State: string(v.State), Running: v.running(),
		})
	}
	slices.SortFunc(s.Services, bySID)
	for _, node := range lrmNodes(m, lrm) {
		l := LRM{Node: node, Active: countActive(s.Services, node)}
		var raw lrmStatus
		if json.Unmarshal(lrm[node], &raw) == nil {
			l.State, l.Mode, l.Stamp = string(raw.State), string(raw.Mode), raw.Timestamp.Time()
		}
		s.HA.LRMs = append(s.HA.LRMs, l)
	}
	disarm := ""
	if m.Disarm != nil {
		disarm, s.HA.DisarmMode = cmp.Or(string(m.Disarm.State), "disarming"), string(m.Disarm.Mode)
	}
	s.HA.State = s.HA.stateOf(disarm)
	return s, nil
}

// lrmNodes are the nodes that have an LRM as far as is known, in order.
func lrmNodes(m managerStatus, lrm map[string][]byte) []string {
	names := map[string]bool{}
	for name := range m.Nodes {
		names[name] = true
	}
	for name := range lrm {
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// running is what the LRM told the manager; it says nothing where the key is absent.
func (v serviceStatus) running() Tri { return v.Running.Tri }

// countActive counts what HA/Tools.pm count_active_services counts.
func countActive(services []Service, node string) int {
	n := 0
	for _, v := range services {
		if (v.Node == node || v.Target == node) && v.Countable() {
			n++
		}
	}
	return n
}

func bySID(a, b Service) int { return cmp.Compare(a.SID, b.SID) }
