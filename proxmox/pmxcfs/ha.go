package pmxcfs

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// managerFile is manager_status as it was last read.
type managerFile struct {
	read   bool
	text   []byte
	status proxmox.HAStatus
}

// readHA reads what the HA stack writes and what it is configured to do. known is kept from pass to pass.
func (p *reading) readHA(known *managerFile) {
	manager, ok := p.file(proxmox.PartHA, haDir+"/manager_status")
	if !ok {
		return
	}
	if !known.read || !bytes.Equal(known.text, manager) {
		status, err := proxmox.ParseManager(manager)
		if err != nil {
			p.fault(faultOf(proxmox.PartHA, haDir+"/manager_status", err))
			return
		}
		*known = managerFile{true, manager, status}
	}
	status := known.status.WithLRMs(p.lrmFiles())
	p.s.HA, p.s.Services = status.HA, status.Services
	for i := range p.s.Nodes {
		p.s.Nodes[i].HAState = status.Nodes[p.s.Nodes[i].Name]
	}
	p.readLocks()
	p.know(proxmox.PartHA)
	p.readResources()
}

// lrmFiles are the lrm_status files by node. One that cannot be read is a node of which that is unknown.
func (p *reading) lrmFiles() map[string][]byte {
	files := map[string][]byte{}
	for _, n := range p.s.Nodes {
		name := nodesDir + "/" + n.Name + "/lrm_status"
		data, ok := p.file(proxmox.PartHA, name)
		if ok && data != nil {
			files[n.Name] = data
		}
	}
	if len(p.s.Nodes) == 0 { // detached: this node's own at least
		if data, ok := p.file(proxmox.PartHA, nodesDir+"/"+p.s.View+"/lrm_status"); ok && data != nil {
			files[p.s.View] = data
		}
	}
	return files
}

// readLocks reads when agent locks were last renewed: the time of a directory, for root only.
func (p *reading) readLocks() {
	for i := range p.s.HA.LRMs {
		l := &p.s.HA.LRMs[i]
		name := lockDir + "/ha_agent_" + l.Node + "_lock"
		info, err := fs.Stat(p.dir, name)
		switch {
		case err == nil && info.ModTime().Unix() > 0:
			l.Lock = info.ModTime()
		case err == nil || errors.Is(err, fs.ErrNotExist):
		default:
			f := faultOf(proxmox.PartHA, name, err)
			f.Hint = "as root, the fence countdown would be exact to a second"
			p.fault(f)
			return
		}
	}
}

// readResources reads what is configured: services, and where they may run.
func (p *reading) readResources() {
	resources, ok := p.file(proxmox.PartResources, haDir+"/resources.cfg")
	if !ok {
		return
	}
	var configured []proxmox.Service
	for _, s := range parseSections(string(resources)) {
		configured = append(configured, proxmox.ServiceFrom(s.Kind+":"+s.ID, s.Keys))
	}
	p.s.Services = proxmox.WithConfigured(p.s.Services, configured)
	p.know(proxmox.PartResources)
	rules, ok := p.file(proxmox.PartRules, haDir+"/rules.cfg")
	groups, ok2 := p.file(proxmox.PartRules, haDir+"/groups.cfg")
	if !ok || !ok2 {
		return
	}
	for _, s := range parseSections(string(rules)) {
		if rule, known := proxmox.RuleFrom(s.Kind, s.ID, s.Keys); known {
			p.s.Rules = append(p.s.Rules, rule)
		}
	}
	for _, s := range parseSections(string(groups)) {
		if s.Kind == "group" {
			p.s.Rules = append(p.s.Rules, proxmox.GroupRule(s.ID, s.Keys, configured))
		}
	}
	p.know(proxmox.PartRules)
}
