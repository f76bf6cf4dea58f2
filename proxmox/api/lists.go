package api

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// recently is how long an ended task is still shown.
const recently = time.Hour

// parseResources reads the guests of /cluster/resources.
func parseResources(raw json.RawMessage) ([]proxmox.Guest, error) {
	var entries []struct {
		Type     proxmox.Text `json:"type"`
		VMID     proxmox.Int  `json:"vmid"`
		Name     proxmox.Text `json:"name"`
		Node     proxmox.Text `json:"node"`
		Template proxmox.Bool `json:"template"`
		Status   proxmox.Text `json:"status"`
	}
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	var guests []proxmox.Guest
	for _, e := range entries {
		kind := proxmox.GuestKind(e.Type)
		if kind != proxmox.VM && kind != proxmox.Container || !e.VMID.Known {
			continue
		}
		g := proxmox.Guest{
			ID: int(e.VMID.N), Name: string(e.Name), Kind: kind, Node: string(e.Node), Template: e.Template.Tri == proxmox.Yes,
		}
		switch e.Status {
		case "", "unknown":
		default:
			g.Running = proxmox.TriOf(e.Status != "stopped")
		}
		guests = append(guests, g)
	}
	slices.SortFunc(guests, func(a, b proxmox.Guest) int { return cmp.Compare(a.ID, b.ID) })
	return guests, nil
}

// parseTasks reads what of /cluster/tasks loads the network and runs, or ended a short while before now.
func parseTasks(raw json.RawMessage, now time.Time) ([]proxmox.Task, error) {
	var entries []struct {
		UPID    proxmox.Text `json:"upid"`
		EndTime proxmox.Int  `json:"endtime"`
	}
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	var tasks []proxmox.Task
	for _, e := range entries {
		t, ok := proxmox.TaskFrom(string(e.UPID))
		if !ok || t.Load == "" {
			continue
		}
		t.End, t.Running = e.EndTime.Time(), proxmox.TriOf(!e.EndTime.Known)
		if t.End.IsZero() || now.Sub(t.End) < recently {
			tasks = append(tasks, t)
		}
	}
	slices.SortStableFunc(tasks, func(a, b proxmox.Task) int { return b.Start.Compare(a.Start) })
	return tasks, nil
}

// parseConfNodes reads /cluster/config/nodes: all values are strings, and quorum_votes is absent when it is 0.
func parseConfNodes(raw json.RawMessage) ([]proxmox.ConfNode, error) {
	var entries []map[string]proxmox.Text
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	nodes := []proxmox.ConfNode{}
	for _, e := range entries {
		n := proxmox.ConfNode{Name: string(cmp.Or(e["name"], e["node"])), Rings: map[int]string{}}
		n.ID = uint32(number(e["nodeid"]))
		n.Votes = number(e["quorum_votes"])
		for key, text := range e {
			link, ok := strings.CutPrefix(key, "ring")
			link, ok2 := strings.CutSuffix(link, "_addr")
			if i, err := strconv.Atoi(link); ok && ok2 && err == nil && i >= 0 && i < 8 {
				n.Rings[i] = string(text)
			}
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b proxmox.ConfNode) int { return cmp.Compare(a.ID, b.ID) })
	return nodes, nil
}

// parseTotem reads /cluster/config/totem: any keys that the file has, and interfaces by number.
func parseTotem(raw json.RawMessage) (map[string]string, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	totem := map[string]string{}
	for key, value := range entries {
		var interfaces map[string]map[string]proxmox.Text
		if key == "interface" && json.Unmarshal(value, &interfaces) == nil {
			for link, keys := range interfaces {
				for k, text := range keys {
					totem["interface."+link+"."+k] = string(text)
				}
			}
			continue
		}
		var text proxmox.Text
		if json.Unmarshal(value, &text) == nil && value[0] != '{' && value[0] != '[' {
			totem[key] = string(text)
		}
	}
	return totem, nil
}

// parseQDevice reads /cluster/config/qdevice: nothing when no daemon answers, else qdevice's own words.
func parseQDevice(raw json.RawMessage) (proxmox.QDevice, error) {
	var e map[string]proxmox.Text
	if err := json.Unmarshal(raw, &e); err != nil {
		return proxmox.QDevice{}, err
	}
	q := proxmox.QDevice{
		Present: proxmox.TriOf(len(e) > 0), Model: string(e["Model"]), Algorithm: string(e["Algorithm"]), Host: string(e["QNetd host"]),
		State: string(e["State"]), LastPoll: string(e["Last poll call"]),
	}
	return q, nil
}

// parseRules reads /cluster/ha/rules, or /cluster/ha/groups of before.
func parseRules(raw json.RawMessage, services []proxmox.Service) ([]proxmox.Rule, error) {
	var entries []map[string]proxmox.Text
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, err
	}
	var rules []proxmox.Rule
	for _, e := range entries {
		keys := map[string]string{}
		for key, text := range e {
			keys[key] = string(text)
		}
		if group := keys["group"]; group != "" {
			rules = append(rules, proxmox.GroupRule(group, keys, services))
		} else if rule, known := proxmox.RuleFrom(keys["type"], keys["rule"], keys); known {
			rules = append(rules, rule)
		}
	}
	return rules, nil
}

func number(t proxmox.Text) int {
	n, err := strconv.Atoi(string(t))
	if err != nil || n < 0 {
		return 0
	}
	return n
}
