package pmxcfs

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Places below the root directory.
const (
	pveDir      = "etc/pve"
	membersFile = pveDir + "/.members"
	vmlistFile  = pveDir + "/.vmlist"
	rrdFile     = pveDir + "/.rrd"
	logFile     = pveDir + "/.clusterlog"
	confFile    = pveDir + "/corosync.conf"
	centerFile  = pveDir + "/datacenter.cfg"
	localLink   = pveDir + "/local"
	nodesDir    = pveDir + "/nodes"
	lockDir     = pveDir + "/priv/lock"
	haDir       = pveDir + "/ha"
)

// reading is one pass over /etc/pve.
type reading struct {
	dir fs.FS
	now time.Time
	s   proxmox.Snapshot
}

// readPVE reads everything below /etc/pve.
func (r *Reader) readPVE(now time.Time) proxmox.Snapshot {
	p := reading{dir: r.host, now: now, s: proxmox.Snapshot{At: now}}
	if !p.readMembers() {
		return p.s
	}
	p.readConf()
	p.readHA(&r.manager)
	if now.Sub(r.lists.now) >= listsEvery || r.lists.s.View != p.s.View {
		r.lists = reading{dir: r.host, now: now, s: proxmox.Snapshot{View: p.s.View}}
		r.lists.readGuests(r.names)
		r.lists.readTasks()
		r.lists.readMigration()
	}
	p.takeLists(r.lists.s)
	p.s.SettleOnline(nil)
	p.s.SettleRunning()
	p.s.Views = []proxmox.View{{Source: proxmox.FromFiles, Node: p.s.View, At: now, Quorate: p.s.Quorate}}
	return p.s
}

// takeLists puts in guests and tasks, which are read less often.
func (p *reading) takeLists(lists proxmox.Snapshot) {
	p.s.Guests, p.s.Tasks = slices.Clone(lists.Guests), slices.Clone(lists.Tasks)
	p.s.Migration = lists.Migration
	p.s.Faults = append(p.s.Faults, lists.Faults...)
	for part, origin := range lists.Origins {
		if origin.Source != "" {
			p.s.Origins[part] = origin
		}
	}
}

// know notes that a part was read.
func (p *reading) know(parts ...proxmox.Part) {
	for _, part := range parts {
		p.s.Origins[part] = proxmox.Origin{Source: proxmox.FromFiles, At: p.now, View: p.s.View}
	}
}

// fault notes that a part was not.
func (p *reading) fault(f proxmox.Fault) { p.s.Faults = append(p.s.Faults, f) }

// file reads a file of a part. One that is not there is empty, and no fault.
func (p *reading) file(part proxmox.Part, name string) ([]byte, bool) {
	data, err := readFile(p.dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, true
	case err != nil:
		p.fault(faultOf(part, name, err))
		return nil, false
	}
	return data, true
}

// readMembers reads .members, and tells whether pmxcfs is there at all.
func (p *reading) readMembers() bool {
	data, err := readFile(p.dir, membersFile)
	if err != nil {
		p.fault(p.absent(err))
		return false
	}
	m, err := parseMembers(data)
	if err != nil {
		p.fault(faultOf(proxmox.PartMembers, membersFile, err))
		return false
	}
	p.s.View = m.Local
	clustered := exists(p.dir, confFile) || exists(p.dir, "etc/corosync/corosync.conf")
	switch {
	case m.Clustered:
		p.s.Standalone, p.s.ClusterName, p.s.ConfigVersion = proxmox.No, m.Cluster, m.ConfigVersion
		p.s.Nodes, p.s.Quorate = m.Nodes, m.Quorate
		p.know(proxmox.PartMembers, proxmox.PartQuorum)
	case !clustered:
		p.s.Standalone, p.s.Quorate = proxmox.Yes, p.writable()
		p.s.Nodes = []proxmox.Node{{Name: m.Local, Local: true, Online: proxmox.Yes}}
		p.know(proxmox.PartMembers, proxmox.PartQuorum)
	default:
		p.detached()
	}
	return true
}

// detached is pmxcfs in a cluster, without Corosync: it knows no members. In local mode it is writable all the same, and that says
// nothing of quorum.
func (p *reading) detached() {
	f := proxmox.Fault{
		Source: proxmox.FromFiles, Part: proxmox.PartMembers, Kind: proxmox.Detached, Where: "/" + membersFile,
		Reason: "pmxcfs has not reached Corosync", Hint: "systemctl status corosync",
	}
	if p.writable() == proxmox.No {
		p.s.Quorate = proxmox.No
		p.know(proxmox.PartQuorum)
	} else {
		f.Reason, f.Hint = "pmxcfs knows no members, though corosync.conf exists and /etc/pve is writable: local mode (pmxcfs -l)",
			"end local mode: killall pmxcfs; systemctl start pve-cluster"
	}
	p.fault(f)
}

// absent says why there is no .members.
func (p *reading) absent(err error) proxmox.Fault {
	f := faultOf(proxmox.PartMembers, membersFile, err)
	if !errors.Is(err, fs.ErrNotExist) {
		return f
	}
	if !exists(p.dir, pveDir) {
		f.Kind, f.Where, f.Reason, f.Hint = proxmox.NotProxmox, "/etc/pve", "no such directory: this is no Proxmox VE node", ""
		return f
	}
	f.Kind, f.Where, f.Reason, f.Hint = proxmox.PmxcfsDown, "/etc/pve", "pmxcfs is not mounted", "systemctl status pve-cluster"
	return f
}

// writable tells by the mode of the link "local" whether pmxcfs has quorum (cfs-plug-link.c cfs_plug_link_getattr).
func (p *reading) writable() proxmox.Tri {
	info, err := fs.Lstat(p.dir, localLink)
	if err != nil {
		return proxmox.Unknown
	}
	return proxmox.TriOf(info.Mode().Perm()&0o222 != 0)
}

// readConf reads corosync.conf as pmxcfs holds it.
func (p *reading) readConf() {
	data, ok := p.file(proxmox.PartConf, confFile)
	if !ok {
		return
	}
	p.know(proxmox.PartConf)
	if len(data) == 0 {
		return
	}
	digest := sha1.Sum(data)
	p.s.Conf = proxmox.Conf{Text: string(data), Digest: hex.EncodeToString(digest[:]), Version: configVersion(string(data))}
}

// configVersion finds totem.config_version; 0 if it is not there. Everything else about the file is for package corosync.
func configVersion(text string) uint64 {
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == "config_version" {
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

func exists(dir fs.FS, name string) bool {
	_, err := fs.Lstat(dir, name)
	return err == nil
}
