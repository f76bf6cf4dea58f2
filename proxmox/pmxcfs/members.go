package pmxcfs

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// members is what .members says (pmxcfs status.c cfs_create_memberlist_msg).
type members struct {
	Local         string
	Clustered     bool // pmxcfs knows of a cluster
	Cluster       string
	ConfigVersion uint64
	Quorate       proxmox.Tri
	Nodes         []proxmox.Node
}

// parseMembers reads .members.
func parseMembers(data []byte) (members, error) {
	var raw struct {
		Nodename proxmox.Text `json:"nodename"`
		Cluster  *struct {
			Name    proxmox.Text `json:"name"`
			Version proxmox.Int  `json:"version"`
			Quorate proxmox.Bool `json:"quorate"`
		} `json:"cluster"`
		Nodes map[string]struct {
			ID     proxmox.Int  `json:"id"`
			Online proxmox.Bool `json:"online"`
			IP     proxmox.Text `json:"ip"`
		} `json:"nodelist"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return members{}, err
	}
	if raw.Nodename == "" {
		return members{}, errors.New("no nodename")
	}
	m := members{Local: string(raw.Nodename)}
	if raw.Cluster == nil {
		return m, nil
	}
	m.Clustered, m.Cluster = true, string(raw.Cluster.Name)
	m.ConfigVersion, m.Quorate = raw.Cluster.Version.Uint(), raw.Cluster.Quorate.Tri
	for name, n := range raw.Nodes {
		node := proxmox.Node{ID: uint32(n.ID.Uint()), Name: name, Local: name == m.Local, Online: n.Online.Tri}
		if ip, err := netip.ParseAddr(string(n.IP)); err == nil {
			node.IP = ip
		}
		m.Nodes = append(m.Nodes, node)
	}
	slices.SortFunc(m.Nodes, func(a, b proxmox.Node) int { return cmp.Compare(a.Name, b.Name) })
	return m, nil
}
