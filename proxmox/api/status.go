package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// clusterStatus is /cluster/status (pve-manager API2/Cluster.pm get_status): one entry for the cluster, unless the node is in
// none, and one for each node.
type clusterStatus []struct {
	Type    proxmox.Text `json:"type"`
	Name    proxmox.Text `json:"name"`
	Version proxmox.Int  `json:"version"`
	Quorate proxmox.Bool `json:"quorate"`
	NodeID  proxmox.Int  `json:"nodeid"`
	IP      proxmox.Text `json:"ip"`
	Local   proxmox.Bool `json:"local"`
	Online  proxmox.Bool `json:"online"`
}

// takeStatus puts /cluster/status into s. It leaves quorum alone: what it says of that is not to be believed.
func takeStatus(s *proxmox.Snapshot, raw json.RawMessage) error {
	var entries clusterStatus
	if err := json.Unmarshal(raw, &entries); err != nil {
		return err
	}
	s.Standalone = proxmox.Yes
	for _, e := range entries {
		switch e.Type {
		case "cluster":
			s.Standalone, s.ClusterName, s.ConfigVersion = proxmox.No, string(e.Name), e.Version.Uint()
			s.StatusQuorate = e.Quorate.Tri
		case "node":
			n := proxmox.Node{ID: uint32(e.NodeID.Uint()), Name: string(e.Name), Local: e.Local.Tri == proxmox.Yes, Online: e.Online.Tri}
			if ip, err := netip.ParseAddr(string(e.IP)); err == nil {
				n.IP = ip
			}
			if n.Local {
				s.View = n.Name
			}
			s.Nodes = append(s.Nodes, n)
		}
	}
	if len(s.Nodes) == 0 {
		return errors.New("no node in it")
	}
	if s.Standalone == proxmox.Yes && len(s.Nodes) > 1 {
		s.Standalone = proxmox.Unknown
	}
	slices.SortFunc(s.Nodes, func(a, b proxmox.Node) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// haEntry is one entry of /cluster/ha/status/current (pve-ha-manager API2/HA/Status.pm).
type haEntry struct {
	Type         proxmox.Text `json:"type"`
	Node         proxmox.Text `json:"node"`
	Quorate      proxmox.Bool `json:"quorate"`
	Timestamp    proxmox.Int  `json:"timestamp"`
	ArmedState   proxmox.Text `json:"armed-state"`
	ResourceMode proxmox.Text `json:"resource_mode"`
	SID          proxmox.Text `json:"sid"`
	CRMState     proxmox.Text `json:"crm_state"`
	Request      proxmox.Text `json:"request_state"`
	Group        proxmox.Text `json:"group"`
	MaxRestart   proxmox.Text `json:"max_restart"`
	MaxRelocate  proxmox.Text `json:"max_relocate"`
	Failback     proxmox.Text `json:"failback"`
}

// takeCurrent puts /cluster/ha/status/current into s: quorum, and what services are configured to be. Its words about watchdogs
// are only used where there is no manager_status.
func takeCurrent(s *proxmox.Snapshot, raw json.RawMessage) (quorum bool, configured []proxmox.Service, err error) {
	var entries []haEntry
	if err := json.Unmarshal(raw, &entries); err != nil {
		return false, nil, err
	}
	for _, e := range entries {
		switch e.Type {
		case "quorum":
			s.Quorate, quorum = e.Quorate.Tri, e.Quorate.Tri != proxmox.Unknown
			s.View = cmp.Or(s.View, string(e.Node))
		case "master":
			s.HA.Master, s.HA.CRMStamp = string(e.Node), e.Timestamp.Time()
		case "fencing":
			s.HA.State, s.HA.DisarmMode = proxmox.HAState(e.ArmedState), string(e.ResourceMode)
		case "lrm":
			s.HA.LRMs = append(s.HA.LRMs, proxmox.LRM{Node: string(e.Node), Stamp: e.Timestamp.Time()})
		case "service":
			configured = append(configured, e.service())
		}
	}
	if s.HA.State == proxmox.HAStandby && (s.Quorate != proxmox.Yes || len(s.HA.LRMs) > 0) {
		s.HA.State = proxmox.HAUnknown // isolated, or between two managers, armed nodes are called standby too
	}
	return quorum, configured, nil
}

func (e haEntry) service() proxmox.Service {
	keys := map[string]string{"state": string(e.Request), "group": string(e.Group)}
	for key, text := range map[string]proxmox.Text{"max_restart": e.MaxRestart, "max_relocate": e.MaxRelocate, "failback": e.Failback} {
		if text != "" {
			keys[key] = string(text)
		}
	}
	v := proxmox.ServiceFrom(string(e.SID), keys)
	v.Node, v.State = string(e.Node), string(e.CRMState)
	if e.Request == "" {
		v.Request = "" // it has been removed and is being let go
	}
	return v
}

// takeManager puts /cluster/ha/status/manager_status into s.
func takeManager(s *proxmox.Snapshot, raw json.RawMessage) error {
	var m struct {
		Manager json.RawMessage            `json:"manager_status"`
		LRM     map[string]json.RawMessage `json:"lrm_status"`
		Quorum  struct {
			Node    proxmox.Text `json:"node"`
			Quorate proxmox.Bool `json:"quorate"`
		} `json:"quorum"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return err
	}
	lrm := map[string][]byte{}
	for name, status := range m.LRM {
		lrm[name] = status
	}
	status, err := proxmox.ParseHA(m.Manager, lrm)
	if err != nil {
		return err
	}
	s.HA, s.Services = status.HA, status.Services
	for i := range s.Nodes {
		s.Nodes[i].HAState = status.Nodes[s.Nodes[i].Name]
	}
	if s.Quorate == proxmox.Unknown {
		s.Quorate = m.Quorum.Quorate.Tri
		s.View = cmp.Or(s.View, string(m.Quorum.Node))
	}
	return nil
}
