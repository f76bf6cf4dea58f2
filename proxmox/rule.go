package proxmox

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// RuleFrom makes a Rule of a section of rules.cfg, or of an entry of /cluster/ha/rules: kind, name and the keys' text. It tells
// whether the kind is one that is known.
func RuleFrom(kind, id string, keys map[string]string) (Rule, bool) {
	r := Rule{
		ID: id, Kind: RuleKind(kind), Services: SplitList(keys["resources"]),
		Strict: truth(keys["strict"]), Disabled: truth(keys["disable"]), Together: keys["affinity"] == "positive",
	}
	if r.Kind == NodeAffinity {
		r.Nodes = nodePriorities(keys["nodes"])
	}
	return r, r.Kind == NodeAffinity || r.Kind == ResourceAffinity
}

// GroupRule makes the Rule that an HA group of Proxmox VE 8 and before is. Its services are those that name it.
func GroupRule(id string, keys map[string]string, services []Service) Rule {
	r := Rule{ID: id, Kind: NodeAffinity, Nodes: nodePriorities(keys["nodes"]), Strict: truth(keys["restricted"])}
	for _, v := range services {
		if v.Group == id {
			r.Services = append(r.Services, v.SID)
		}
	}
	return r
}

// ServiceFrom makes a Service of a section of resources.cfg, or of an entry of /cluster/ha/resources: what is configured.
func ServiceFrom(sid string, keys map[string]string) Service {
	number := func(key string) int {
		n, err := strconv.Atoi(keys[key])
		if err != nil || n < 0 {
			return 1 // the default of both (HA/Resources.pm)
		}
		return n
	}
	v := Service{
		SID: sid, Request: cmp.Or(keys["state"], "started"), Group: keys["group"], MaxRestart: number("max_restart"),
		MaxRelocate: number("max_relocate"), Failback: Yes,
	}
	if v.Request == "enabled" { // the old word
		v.Request = "started"
	}
	if text, ok := keys["failback"]; ok {
		v.Failback = TriOf(truth(text))
	}
	return v
}

// SplitList splits what Proxmox writes as a list: at commas, semicolons and blanks (PVE::Tools::split_list).
func SplitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t\n\r\x00", r) })
}

// nodePriorities reads "node1:2,node2" (HA/Tools.pm parse_node_priority).
func nodePriorities(text string) map[string]int {
	nodes := map[string]int{}
	for _, entry := range SplitList(text) {
		name, priority, _ := strings.Cut(entry, ":")
		n, err := strconv.Atoi(priority)
		if err != nil {
			n = 0
		}
		nodes[name] = n
	}
	return nodes
}

func truth(text string) bool { return slices.Contains([]string{"1", "on", "yes", "true"}, text) }

func sid(kind string, id int) string { return kind + ":" + strconv.Itoa(id) }
