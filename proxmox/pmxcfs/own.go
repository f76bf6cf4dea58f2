package pmxcfs

import (
	"cmp"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// The node's own files, which do not hang with /etc/pve.
const (
	runDir          = "run"
	activeFile      = "var/log/pve/tasks/active"
	replicationFile = "var/lib/pve-manager/pve-replication-state.json"
	versionFile     = "usr/share/perl5/PVE/pvecfg.pm"
	hostnameFile    = "etc/hostname"
)

// readOwn reads what the node itself knows: the state of its watchdog, its tasks, its version.
func readOwn(host fs.FS, now time.Time) proxmox.Snapshot {
	s := proxmox.Snapshot{At: now}
	if !exists(host, pveDir) {
		return s
	}
	origin := proxmox.Origin{Source: proxmox.FromFiles, At: now}
	if exists(host, runDir) {
		s.Watchdog = proxmox.Watchdog{
			Active: present(host, runDir+"/watchdog-mux.active"), Mux: present(host, runDir+"/watchdog-mux.sock"),
			LRM: present(host, runDir+"/pve-ha-lrm.pid"), CRM: present(host, runDir+"/pve-ha-crm.pid"),
		}
		s.Origins[proxmox.PartWatchdog] = origin
	}
	if text, err := readFile(host, activeFile); err == nil {
		s.Tasks = parseActive(string(text))
		s.Origins[proxmox.PartTasks] = origin
	}
	if data, err := readFile(host, replicationFile); err == nil {
		if jobs, err := parseReplication(data, ""); err == nil {
			s.Tasks = append(s.Tasks, jobs...)
		}
	}
	if text, err := readFile(host, hostnameFile); err == nil {
		name, _, _ := strings.Cut(strings.TrimSpace(string(text)), ".")
		s.View = name // as Proxmox has it (PVE::INotify nodename)
	}
	if text, err := readFile(host, versionFile); err == nil {
		s.Nodes = []proxmox.Node{{Local: true, Version: parseVersion(string(text))}}
	}
	return s
}

// withOwn puts what the node itself knows into what /etc/pve says.
func withOwn(s, own proxmox.Snapshot) proxmox.Snapshot {
	s.View = cmp.Or(s.View, own.View)
	for _, part := range []proxmox.Part{proxmox.PartWatchdog, proxmox.PartTasks} {
		if own.Known(part) && !s.Known(part) {
			s.Origins[part] = own.Origins[part]
		}
		s.Origins[part].View = s.View
	}
	if !own.Known(proxmox.PartWatchdog) {
		s.Origins[proxmox.PartWatchdog] = proxmox.Origin{}
	}
	s.Watchdog = own.Watchdog
	for _, t := range own.Tasks {
		t.Node = s.View
		s.Tasks = slices.DeleteFunc(s.Tasks, func(old proxmox.Task) bool { return t.UPID != "" && old.UPID == t.UPID })
		s.Tasks = append(s.Tasks, t)
	}
	slices.SortStableFunc(s.Tasks, func(a, b proxmox.Task) int { return b.Start.Compare(a.Start) })
	for i := range s.Nodes {
		if s.Nodes[i].Local && len(own.Nodes) > 0 && own.Nodes[0].Version != "" {
			s.Nodes[i].Version = own.Nodes[0].Version
			s.Origins[proxmox.PartVersions] = s.Origins[proxmox.PartMembers]
		}
	}
	return s
}

// present tells whether a file exists; Unknown if that cannot be told.
func present(host fs.FS, name string) proxmox.Tri {
	_, err := fs.Stat(host, name)
	switch {
	case err == nil:
		return proxmox.Yes
	case errors.Is(err, fs.ErrNotExist):
		return proxmox.No
	}
	return proxmox.Unknown
}

// parseVersion finds the version in pve-manager's own Perl module (PVE/pvecfg.pm): "sub version {\n    return '9.2.11';".
func parseVersion(text string) string {
	m := regexp.MustCompile(`sub version\s*\{\s*return '([^']+)'`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}
