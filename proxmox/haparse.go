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

// ParseHA reads manager_status and lrm_status (by node) as JSON: the files, or what the API gives of them. A broken lrm_status is
// an LRM of which nothing is known; only a broken manager_status is an error.
func ParseHA(manager []byte, lrm map[string][]byte) (HAStatus, error) {
	s, err := ParseManager(manager)
	if err != nil {
		return HAStatus{}, err
	}
	return s.WithLRMs(lrm), nil
}

// ParseManager reads manager_status alone; it is the larger part, and changes every 10 s. None is what a cluster has that never
// used HA. HA.State is only that of disarming, until the LRMs are known.
func ParseManager(manager []byte) (HAStatus, error) {
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
			SID: sid, Node: string(v.Node), Target: string(v.Target), State: string(v.State), Running: v.Running.Tri,
		})
	}
	slices.SortFunc(s.Services, bySID)
	if m.Disarm != nil {
		s.HA.State = HADisarming
		if m.Disarm.State == "disarmed" {
			s.HA.State = HADisarmed
		}
		s.HA.DisarmMode = string(m.Disarm.Mode)
	}
	return s, nil
}

// WithLRMs is s with what the LRMs wrote.
func (s HAStatus) WithLRMs(lrm map[string][]byte) HAStatus {
	s.HA.LRMs = nil
	active := countActive(s.Services)
	for _, node := range s.lrmNodes(lrm) {
		l := LRM{Node: node, Active: active[node]}
		var raw lrmStatus
		if json.Unmarshal(lrm[node], &raw) == nil {
			l.State, l.Mode, l.Stamp = string(raw.State), string(raw.Mode), raw.Timestamp.Time()
		}
		s.HA.LRMs = append(s.HA.LRMs, l)
	}
	if s.HA.State == HAUnknown {
		s.HA.State = s.HA.fencing()
	}
	return s
}

// lrmNodes are the nodes that have an LRM as far as is known, in order.
func (s HAStatus) lrmNodes(lrm map[string][]byte) []string {
	names := slices.Collect(maps.Keys(s.Nodes))
	for name := range lrm {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// countActive counts by node what HA/Tools.pm count_active_services counts: a service on its way counts at both ends.
func countActive(services []Service) map[string]int {
	n := map[string]int{}
	for _, v := range services {
		if !v.Countable() {
			continue
		}
		n[v.Node]++
		if v.Target != v.Node {
			n[v.Target]++
		}
	}
	return n
}

func bySID(a, b Service) int { return cmp.Compare(a.SID, b.SID) }
