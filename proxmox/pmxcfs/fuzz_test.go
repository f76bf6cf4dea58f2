package pmxcfs

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// seeds gives a file of every state to a fuzz target.
func seeds(f *testing.F, names ...string) {
	for _, state := range proxmoxtest.States() {
		s := proxmoxtest.Load(state)
		files := s.Files()
		for _, name := range names {
			if file := files[name]; file != nil {
				f.Add(string(file.Data))
			}
		}
	}
}

// FuzzMembers: no .members gives a quorum that is not in it.
func FuzzMembers(f *testing.F) {
	seeds(f, "etc/pve/.members")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := parseMembers([]byte(text))
		if err == nil && (m.Local == "" || !m.Clustered && (m.Quorate != proxmox.Unknown || len(m.Nodes) > 0)) {
			t.Errorf("%+v", m)
		}
	})
}

// FuzzLists: no list breaks anything.
func FuzzLists(f *testing.F) {
	seeds(f, "etc/pve/.vmlist", "etc/pve/.rrd", "etc/pve/.clusterlog", "etc/pve/corosync.conf", "usr/share/perl5/PVE/pvecfg.pm")
	f.Add("UPID:pve1:00000113:0002BF9C:6B003E4C:vzdump:100:root@pam: 1 6B004799 OK\n")
	f.Add(`{"100":{"local/pve2":{"pid":77,"last_try":1795178860}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = parseVMList([]byte(text))
		for id, g := range parseRRD(text) {
			if g.running == proxmox.Unknown {
				t.Errorf("%d: %+v", id, g)
			}
		}
		tasks, _ := parseClusterLog([]byte(text))
		for _, task := range append(tasks, parseActive(text)...) {
			if task.Load == "" || task.Node == "" {
				t.Errorf("%+v", task)
			}
		}
		_, _ = parseReplication([]byte(text), "a")
		configVersion(text)
		parseVersion(text)
		if name, _ := parseGuest(text, "name"); strings.Contains(name, "\n") {
			t.Errorf("%q", name)
		}
	})
}

// FuzzSections: what is read has kinds without blanks, and keys.
func FuzzSections(f *testing.F) {
	f.Add("vm: 100\n\tstate started\n\tcomment a: b\n\nnode-affinity: x\n\tnodes pve1:2,pve2\n\tdisable\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range parseSections(text) {
			if s.Kind == "" || strings.ContainsAny(s.Kind, " \t\n") || s.Keys == nil {
				t.Errorf("%+v", s)
			}
			proxmox.RuleFrom(s.Kind, s.ID, s.Keys)
			proxmox.GroupRule(s.ID, s.Keys, []proxmox.Service{proxmox.ServiceFrom(s.Kind+":"+s.ID, s.Keys)})
		}
	})
}

// FuzzTree: no content of any one file stops the rest from being read, or gives a quorum that .members does not have.
func FuzzTree(f *testing.F) {
	state := proxmoxtest.Load("isolated_t30")
	names := []string{
		"etc/pve/ha/manager_status", "etc/pve/nodes/pve1/lrm_status", "etc/pve/.vmlist", "etc/pve/.rrd", "etc/pve/.clusterlog",
		"etc/pve/corosync.conf", "etc/pve/ha/resources.cfg", "etc/pve/ha/rules.cfg", "etc/pve/nodes/pve1/qemu-server/100.conf",
	}
	for i, name := range names {
		if file := state.Files()[name]; file != nil {
			f.Add(i, file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		files := state.Files()
		files[names[int(uint(i)%uint(len(names)))]] = &fstest.MapFile{Data: data}
		s := New(files).readPVE(state.At)
		if s.Quorate != proxmox.No || s.Standalone != proxmox.No || len(s.Nodes) != 3 {
			t.Errorf("%+v", s)
		}
		fence := proxmox.FenceOf(s.FenceInput("pve1", state.At))
		if fence.Reset.Known() && fence.Reset.Earliest.Before(time.Unix(0, 0)) {
			t.Errorf("%+v", fence)
		}
		s.BlastRadius("pve1")
	})
}
