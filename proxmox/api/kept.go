package api

import (
	"encoding/json"
	"time"

	"github.com/quorumwatch/quorumwatch/proxmox"
)

// kept is what is not asked for at each Read, with its faults.
type kept struct {
	listsAt, factsAt time.Time // when they were last asked for
	listFaults       []proxmox.Fault
	factFaults       []proxmox.Fault
	origins          [proxmox.PartCount]proxmox.Origin

	access   access
	guests   []proxmox.Guest
	tasks    []proxmox.Task
	conf     proxmox.Conf
	rules    []proxmox.Rule
	qdevice  proxmox.QDevice
	versions map[string]string
	version  uint64 // config_version for which conf was read
}

// read asks for what is due.
func (k *kept) read(q *query) {
	if q.now.Sub(k.factsAt) >= factsEvery || k.version != q.s.ConfigVersion {
		k.factsAt, k.version, k.factFaults = q.now, q.s.ConfigVersion, nil
		k.readFacts(q)
	}
	if q.now.Sub(k.listsAt) >= listsEvery {
		k.listsAt, k.listFaults = q.now, nil
		k.readLists(q)
	}
}

// ask reads one path of a part; its origin and its faults are kept with it.
func (k *kept) ask(q *query, faults *[]proxmox.Fault, part proxmox.Part, path string, take func(json.RawMessage) error) bool {
	k.origins[part] = proxmox.Origin{}
	fault, ok := q.try(part, path, take)
	if ok {
		k.origins[part] = q.origin()
	} else {
		*faults = append(*faults, fault)
	}
	return ok
}

func (k *kept) readLists(q *query) {
	k.guests, k.tasks, k.origins[proxmox.PartRunning] = nil, nil, proxmox.Origin{}
	if k.ask(q, &k.listFaults, proxmox.PartGuests, "/cluster/resources", func(raw json.RawMessage) (err error) {
		k.guests, err = parseResources(raw)
		return err
	}) {
		k.origins[proxmox.PartRunning] = k.origins[proxmox.PartGuests]
		k.judgeGuests(q)
	}
	k.ask(q, &k.listFaults, proxmox.PartTasks, "/cluster/tasks", func(raw json.RawMessage) (err error) {
		server := q.now.Add(time.Duration(q.c.guard.ahead.Load()))
		k.tasks, err = parseTasks(raw, server)
		return err
	})
}

// judgeGuests: a token without VM.Audit gets a list all the same, with what it may see. That is no list of the guests.
func (k *kept) judgeGuests(q *query) {
	if k.access.guests() || k.access == nil && len(k.guests) > 0 {
		return
	}
	k.guests, k.origins[proxmox.PartGuests], k.origins[proxmox.PartRunning] = nil, proxmox.Origin{}, proxmox.Origin{}
	k.listFaults = append(k.listFaults, proxmox.Fault{
		Source: proxmox.FromAPI, Part: proxmox.PartGuests, Kind: proxmox.Narrowed, Where: q.c.where("/cluster/resources"),
		Reason: "without VM.Audit on /vms the token does not see all guests",
		Hint:   "on a node they are known from its files; elsewhere add VM.Audit to the role",
	})
}

func (k *kept) readFacts(q *query) {
	f := &k.factFaults
	k.access = nil
	if k.ask(q, f, proxmox.PartAccess, "/access/permissions", func(raw json.RawMessage) (err error) {
		k.access, err = parseAccess(raw)
		return err
	}) {
		*f = append(*f, k.access.faults(q.c.where("/access/permissions"))...)
	}
	k.readVersions(q)
	k.conf, k.rules, k.qdevice = proxmox.Conf{}, nil, proxmox.QDevice{}
	if q.s.Standalone != proxmox.Yes {
		k.readConf(q)
	}
	k.readRules(q)
}

// readConf reads corosync.conf in the parts that the API gives.
func (k *kept) readConf(q *query) {
	f := &k.factFaults
	k.ask(q, f, proxmox.PartConf, "/cluster/config/nodes", func(raw json.RawMessage) (err error) {
		k.conf.Nodes, err = parseConfNodes(raw)
		return err
	})
	if fault, ok := q.try(proxmox.PartConf, "/cluster/config/totem", func(raw json.RawMessage) (err error) {
		k.conf.Totem, err = parseTotem(raw)
		return err
	}); !ok {
		*f = append(*f, fault)
	}
	k.conf.Version = uint64(number(proxmox.Text(k.conf.Totem["config_version"])))
	if fault, ok := q.try(proxmox.PartConf, "/cluster/config/join", func(raw json.RawMessage) error {
		var join struct {
			Digest proxmox.Text `json:"config_digest"`
		}
		err := json.Unmarshal(raw, &join)
		k.conf.Digest = string(join.Digest)
		return err
	}); !ok && fault.Kind != proxmox.NotClustered {
		*f = append(*f, fault)
	}
	k.ask(q, f, proxmox.PartQDevice, "/cluster/config/qdevice", func(raw json.RawMessage) (err error) {
		k.qdevice, err = parseQDevice(raw)
		return err
	})
}

// readRules reads rules, or groups where there are no rules yet.
func (k *kept) readRules(q *query) {
	take := func(raw json.RawMessage) (err error) {
		k.rules, err = parseRules(raw, q.s.Services)
		return err
	}
	k.origins[proxmox.PartRules] = proxmox.Origin{}
	fault, ok := q.try(proxmox.PartRules, "/cluster/ha/rules", take)
	if !ok && fault.Kind == proxmox.Unsupported {
		fault, ok = q.try(proxmox.PartRules, "/cluster/ha/groups", take)
	}
	if !ok {
		k.factFaults = append(k.factFaults, fault)
		return
	}
	k.origins[proxmox.PartRules] = q.origin()
}

// readVersions asks each node that is online for its version. The answering node passes the question on.
func (k *kept) readVersions(q *query) {
	k.versions = map[string]string{}
	for _, n := range q.s.Nodes {
		if n.Online != proxmox.Yes {
			continue
		}
		k.ask(q, &k.factFaults, proxmox.PartVersions, "/nodes/"+n.Name+"/version", func(raw json.RawMessage) error {
			var v struct {
				Version proxmox.Text `json:"version"`
			}
			err := json.Unmarshal(raw, &v)
			k.versions[n.Name] = string(v.Version)
			return err
		})
	}
	if len(k.versions) > 0 {
		k.origins[proxmox.PartVersions] = q.origin()
	}
}

// give puts what is kept into the Snapshot.
func (k *kept) give(q *query) {
	s := q.s
	for p, origin := range k.origins {
		if origin != (proxmox.Origin{}) {
			s.Origins[p] = origin
		}
	}
	s.Faults = append(append(s.Faults, k.factFaults...), k.listFaults...)
	s.Guests = append([]proxmox.Guest(nil), k.guests...)
	s.Tasks = append([]proxmox.Task(nil), k.tasks...)
	s.Conf, s.Rules, s.QDevice = k.conf, k.rules, k.qdevice
	for i := range s.Nodes {
		s.Nodes[i].Version = k.versions[s.Nodes[i].Name]
	}
}
