package proxmoxtest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"testing/fstest"
	"time"
)

// Files is what the files of the answering node hold in a state, from the machine's root directory on. They are made of the
// API's answers, in the forms of pmxcfs. A state of which the API says nothing (pmxcfs_down) has an empty /etc/pve.
func (s *State) Files() fstest.MapFS {
	m := fstest.MapFS{
		"etc/hostname":                  file(s.Node + "\n"),
		"run/watchdog-mux.sock":         {Mode: fs.ModeSocket | 0o600},
		"run/pve-ha-lrm.pid":            file("1001\n"),
		"run/pve-ha-crm.pid":            file("1002\n"),
		"usr/share/perl5/PVE/pvecfg.pm": file("package PVE::pvecfg;\n\nsub version {\n    return '9.2.11';\n}\n\nsub release {\n    return '9.2';\n}\n"),
		"var/log/pve/tasks/active":      file(""),
		"etc/pve":                       {Mode: fs.ModeDir | 0o755},
	}
	if s.Answer(clusterStatus).Status != 200 {
		m["run/watchdog-mux.active"] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
		return m
	}
	quorate := s.quorate()
	mode := fs.FileMode(0o555)
	if quorate {
		mode = 0o777
	}
	m["etc/pve/local"] = &fstest.MapFile{Data: []byte("nodes/" + s.Node), Mode: fs.ModeSymlink | mode}
	m["etc/pve/.members"] = file(s.members(quorate))
	s.haFiles(m)
	s.guestFiles(m)
	s.confFile(m)
	return m
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o640} }

// data is the "data" of an answer.
func (s *State) data(path string, v any) {
	var envelope struct{ Data json.RawMessage }
	if err := json.Unmarshal([]byte(s.Answer(path).Body), &envelope); err != nil {
		panic(err)
	}
	if err := json.Unmarshal(envelope.Data, v); err != nil {
		panic(err)
	}
}

func (s *State) quorate() bool {
	var entries []struct {
		Type    string
		Quorate int
	}
	s.data(haCurrent, &entries)
	for _, e := range entries {
		if e.Type == "quorum" {
			return e.Quorate == 1
		}
	}
	panic("proxmoxtest: no quorum entry")
}

// members is .members as pmxcfs writes it (status.c cfs_create_memberlist_msg).
func (s *State) members(quorate bool) string {
	var entries []struct {
		Type, Name, IP                         string
		Version, Nodes, NodeID, Online, Quorum int
	}
	s.data(clusterStatus, &entries)
	cluster, nodes := "", []string{}
	for _, e := range entries {
		switch {
		case e.Type == "cluster":
			q := 0
			if quorate {
				q = 1
			}
			cluster = fmt.Sprintf("\"cluster\": { \"name\": \"%s\", \"version\": %d, \"nodes\": %d, \"quorate\": %d },\n", e.Name, e.Version, e.Nodes, q)
		case e.NodeID > 0:
			nodes = append(nodes, fmt.Sprintf("  \"%s\": { \"id\": %d, \"online\": %d, \"ip\": \"%s\"}", e.Name, e.NodeID, e.Online, e.IP))
		}
	}
	if cluster == "" {
		return fmt.Sprintf("{\n\"nodename\": \"%s\",\n\"version\": 2\n}\n", s.Node)
	}
	return fmt.Sprintf("{\n\"nodename\": \"%s\",\n\"version\": 7,\n%s\"nodelist\": {\n%s\n  }\n}\n", s.Node, cluster, strings.Join(nodes, ",\n"))
}

// haFiles are those of the HA stack.
func (s *State) haFiles(m fstest.MapFS) {
	var raw struct {
		Manager json.RawMessage `json:"manager_status"`
		LRM     map[string]struct {
			State     string
			Timestamp int64
		} `json:"lrm_status"`
	}
	s.data(haManager, &raw)
	m["etc/pve/ha/manager_status"] = file(string(raw.Manager))
	var lrm struct {
		LRM map[string]json.RawMessage `json:"lrm_status"`
	}
	s.data(haManager, &lrm)
	for node, l := range raw.LRM {
		m["etc/pve/nodes/"+node+"/lrm_status"] = file(string(lrm.LRM[node]))
		if l.State != "active" {
			continue
		}
		m["etc/pve/priv/lock/ha_agent_"+node+"_lock"] = &fstest.MapFile{Mode: fs.ModeDir | 0o755, ModTime: time.Unix(l.Timestamp, 0)}
		if node == s.Node {
			m["run/watchdog-mux.active"] = &fstest.MapFile{Mode: fs.ModeDir | 0o700}
		}
	}
	var entries []map[string]any
	s.data(haCurrent, &entries)
	var resources strings.Builder
	for _, e := range entries {
		if sid, ok := e["sid"].(string); ok {
			fmt.Fprintf(&resources, "%s\n\tstate %v\n\n", strings.Replace(sid, ":", ": ", 1), e["request_state"])
		}
	}
	m["etc/pve/ha/resources.cfg"] = file(resources.String())
}

// guestFiles are .vmlist, the guests' configurations and .rrd.
func (s *State) guestFiles(m fstest.MapFS) {
	var entries []struct {
		Type, Name, Node, Status string
		VMID                     int
		Uptime                   int
	}
	s.data("/cluster/resources", &entries)
	var list []string
	var rrd strings.Builder
	for _, e := range entries {
		if e.Type != "qemu" {
			continue
		}
		id := strconv.Itoa(e.VMID)
		list = append(list, fmt.Sprintf("\"%s\": { \"node\": \"%s\", \"type\": \"qemu\", \"version\": %d }", id, e.Node, e.VMID))
		m["etc/pve/nodes/"+e.Node+"/qemu-server/"+id+".conf"] = file("boot: order=scsi0\nname: " + e.Name + "\n\n[before]\nname: other\n")
		fmt.Fprintf(&rrd, "pve-vm-9.0/%s:%d:%s:%s:0:%d:1:0.01:536870912:0\n", id, e.Uptime, e.Name, e.Status, s.At.Unix()-4)
	}
	text := "{\n\"version\": 5\n\n}\n"
	if len(list) > 0 {
		text = "{\n\"version\": 5,\n\"ids\": {\n" + strings.Join(list, ",\n") + "}\n\n}\n"
	}
	m["etc/pve/.vmlist"] = file(text)
	m["etc/pve/.rrd"] = file(rrd.String() + "pve-node-9.0/pve2:2601::1795178866:2:0.07\n\x00")
	m["etc/pve/.clusterlog"] = file("{\n\"data\": [\n]\n}\n")
}

// confFile is corosync.conf as Proxmox writes it, sorted by keys.
func (s *State) confFile(m fstest.MapFS) {
	var nodes []map[string]string
	s.data("/cluster/config/nodes", &nodes)
	if len(nodes) == 0 {
		return
	}
	var totem map[string]any
	s.data("/cluster/config/totem", &totem)
	var b strings.Builder
	b.WriteString("logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n")
	for _, n := range nodes {
		fmt.Fprintf(&b, "  node {\n    name: %s\n    nodeid: %s\n    quorum_votes: %s\n    ring0_addr: %s\n    ring1_addr: %s\n  }\n",
			n["name"], n["nodeid"], n["quorum_votes"], n["ring0_addr"], n["ring1_addr"])
	}
	fmt.Fprintf(&b, "}\n\nquorum {\n  provider: corosync_votequorum\n}\n\ntotem {\n  cluster_name: %v\n  config_version: %v\n"+
		"  interface {\n    linknumber: 0\n  }\n  interface {\n    knet_link_priority: 10\n    linknumber: 1\n  }\n"+
		"  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n  token_coefficient: 125\n  version: 2\n}\n\n",
		totem["cluster_name"], totem["config_version"])
	m["etc/pve/corosync.conf"] = file(b.String())
}
