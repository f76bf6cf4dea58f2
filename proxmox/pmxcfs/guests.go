package pmxcfs

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// heardLately is how old a guest's state may be. pvestatd tells it every 10 s.
const heardLately = time.Minute

// maxNames bounds the configurations that one pass reads for their names; the rest follows in the next passes.
const maxNames = 100

// guestName is what a guest's configuration says, at one version of the file.
type guestName struct {
	version  uint64
	node     string
	name     string
	template bool
}

// listed is one guest of .vmlist.
type listed struct {
	proxmox.Guest
	version uint64
}

// readGuests reads which guests there are, what they are called and whether they run. names is kept from pass to pass.
func (p *reading) readGuests(names map[int]guestName) {
	data, ok := p.file(proxmox.PartGuests, vmlistFile)
	if !ok {
		return
	}
	guests, err := parseVMList(data)
	if err != nil {
		p.fault(faultOf(proxmox.PartGuests, vmlistFile, err))
		return
	}
	known := map[int]bool{}
	budget := maxNames
	for _, g := range guests {
		known[g.ID] = true
		n, have := names[g.ID]
		if (!have || n.version != g.version || n.node != g.Node) && budget > 0 {
			budget--
			n = p.name(g)
			names[g.ID] = n
		}
		g.Name, g.Template = n.name, n.template
		p.s.Guests = append(p.s.Guests, g.Guest)
	}
	for id := range names {
		if !known[id] {
			delete(names, id)
		}
	}
	p.know(proxmox.PartGuests)
	p.readRunning()
}

// readRunning reads what pvestatd of each node last told of its guests.
func (p *reading) readRunning() {
	data, ok := p.file(proxmox.PartRunning, rrdFile)
	if !ok || data == nil {
		return
	}
	told := parseRRD(string(data))
	for i := range p.s.Guests {
		g := &p.s.Guests[i]
		t, ok := told[g.ID]
		if !ok {
			continue
		}
		g.Name = cmp.Or(g.Name, t.name)
		if p.now.Sub(t.at) <= heardLately {
			g.Running = t.running
		}
	}
	p.know(proxmox.PartRunning)
}

// name reads a guest's configuration for its name.
func (p *reading) name(g listed) guestName {
	place, key := "/qemu-server/", "name"
	if g.Kind == proxmox.Container {
		place, key = "/lxc/", "hostname"
	}
	n := guestName{version: g.version, node: g.Node}
	data, err := readFile(p.dir, nodesDir+"/"+g.Node+place+strconv.Itoa(g.ID)+".conf")
	if err != nil {
		return n // it has just moved, most likely: the list says so in the next pass
	}
	n.name, n.template = parseGuest(string(data), key)
	return n
}

// parseGuest reads name and template of a guest's configuration. What follows the first "[" are snapshots.
func parseGuest(text, nameKey string) (name string, template bool) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "[") {
			break
		}
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case nameKey:
			name = strings.TrimSpace(value)
		case "template":
			template = strings.TrimSpace(value) == "1"
		}
	}
	return name, template
}

// parseVMList reads .vmlist (pmxcfs status.c cfs_create_vmlist_msg), ascending by id.
func parseVMList(data []byte) ([]listed, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var raw struct {
		IDs map[string]struct {
			Node    proxmox.Text `json:"node"`
			Type    proxmox.Text `json:"type"`
			Version proxmox.Int  `json:"version"`
		} `json:"ids"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, err
	}
	var all []listed
	for text, g := range raw.IDs {
		id, err := strconv.Atoi(text)
		if err != nil {
			continue
		}
		guest := proxmox.Guest{ID: id, Kind: proxmox.GuestKind(g.Type), Node: string(g.Node)}
		all = append(all, listed{guest, g.Version.Uint()})
	}
	slices.SortFunc(all, func(a, b listed) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// toldGuest is what pvestatd told of a guest.
type toldGuest struct {
	name    string
	running proxmox.Tri
	at      time.Time
}

// parseRRD reads the guests of .rrd: "pve-vm-9.0/ID:uptime:name:status:template:ctime:...", "pve2.3-vm/ID" before Proxmox VE 9
// (pve-manager Service/pvestatd.pm). The status of a VM is QEMU's word, such as "paused": anything but "stopped" runs.
func parseRRD(text string) map[int]toldGuest {
	all := map[int]toldGuest{}
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n\x00"), ":")
		kind, number, ok := strings.Cut(f[0], "/")
		if !ok || len(f) < 6 || !strings.HasPrefix(kind, "pve-vm-") && kind != "pve2.3-vm" {
			continue
		}
		id, err := strconv.Atoi(number)
		at, err2 := strconv.ParseInt(f[5], 10, 40)
		if err != nil || err2 != nil || f[3] == "" {
			continue
		}
		t := toldGuest{name: f[2], running: proxmox.TriOf(f[3] != "stopped"), at: time.Unix(at, 0)}
		if old, ok := all[id]; !ok || t.at.After(old.at) {
			all[id] = t
		}
	}
	return all
}
