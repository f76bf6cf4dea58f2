package proxmox

import (
	"cmp"
	"slices"
)

// Merge makes one Snapshot out of what several sources know, the sources nearest to the local node first: files before API.
//
// Membership and quorum are those of the first source that knows them, because they are a node's own. Everything else comes from
// the first source whose node has quorum, else from the first that knows it at all: without quorum a node's files are its past.
// HA status is taken piece by piece, the youngest stamp of each writer. Nothing is made up: a part that no source knows stays
// unknown. The arguments are not changed, but slices are shared with them.
func Merge(sources ...Snapshot) Snapshot {
	var m Snapshot
	near := sources
	fresh := slices.Clone(sources)
	slices.SortStableFunc(fresh, func(a, b Snapshot) int { return cmp.Compare(rank(a), rank(b)) })
	for _, s := range near {
		if s.At.After(m.At) {
			m.At = s.At
		}
		m.Views = append(m.Views, s.Views...)
		m.Faults = append(m.Faults, s.Faults...)
	}
	m.takeOwn(near)
	m.takeHA(fresh)
	m.takeLists(fresh)
	for _, s := range near {
		m.completeNodes(s)
		m.completeGuests(s)
	}
	return m
}

// rank orders sources by how fresh the files of their node can be.
func rank(s Snapshot) int {
	switch s.Quorate {
	case Yes:
		return 0
	case Unknown:
		return 1
	}
	return 2
}

// first is the first source that knows a part.
func first(sources []Snapshot, p Part) *Snapshot {
	for i := range sources {
		if sources[i].Known(p) {
			return &sources[i]
		}
	}
	return nil
}

// takeOwn takes what is a node's own view.
func (m *Snapshot) takeOwn(near []Snapshot) {
	if s := first(near, PartMembers); s != nil {
		m.Origins[PartMembers] = s.Origins[PartMembers]
		m.View, m.Standalone, m.ClusterName, m.ConfigVersion = s.View, s.Standalone, s.ClusterName, s.ConfigVersion
		m.Nodes = slices.Clone(s.Nodes)
	}
	if s := first(near, PartQuorum); s != nil {
		m.Origins[PartQuorum] = s.Origins[PartQuorum]
		m.View, m.Quorate = cmp.Or(m.View, s.View), s.Quorate
	}
	for _, s := range near {
		m.View = cmp.Or(m.View, s.View)
		if m.StatusQuorate == Unknown {
			m.StatusQuorate = s.StatusQuorate
		}
	}
	if s := first(near, PartWatchdog); s != nil {
		m.Origins[PartWatchdog], m.Watchdog = s.Origins[PartWatchdog], s.Watchdog
	}
	if s := first(near, PartQDevice); s != nil {
		m.Origins[PartQDevice], m.QDevice = s.Origins[PartQDevice], s.QDevice
	}
}

// takeHA takes the manager's status with the youngest stamp, and each LRM's.
func (m *Snapshot) takeHA(fresh []Snapshot) {
	var best *Snapshot
	for i := range fresh {
		s := &fresh[i]
		if s.Known(PartHA) && (best == nil || s.HA.CRMStamp.After(best.HA.CRMStamp)) {
			best = s
		}
	}
	if best == nil {
		return
	}
	m.Origins[PartHA], m.HA, m.Services = best.Origins[PartHA], best.HA, best.Services
	m.HA.LRMs = slices.Clone(best.HA.LRMs)
	for _, s := range fresh {
		for _, l := range s.HA.LRMs {
			m.HA.takeLRM(l)
		}
	}
	if m.HA.State == HAArmed || m.HA.State == HAStandby || m.HA.State == HAUnknown {
		m.HA.State = m.HA.stateOf("")
	}
	if s := first(fresh, PartResources); s != nil {
		m.Origins[PartResources] = s.Origins[PartResources]
		m.Services = WithConfigured(m.Services, s.Services)
	}
}

// takeLRM puts in what another source says of an LRM, if that is younger; the lock's time is taken by itself.
func (h *HA) takeLRM(l LRM) {
	i := slices.IndexFunc(h.LRMs, func(old LRM) bool { return old.Node == l.Node })
	if i < 0 {
		h.LRMs = append(h.LRMs, l)
		slices.SortFunc(h.LRMs, func(a, b LRM) int { return cmp.Compare(a.Node, b.Node) })
		return
	}
	old := &h.LRMs[i]
	lock := old.Lock
	if l.Lock.After(lock) {
		lock = l.Lock
	}
	if l.Stamp.After(old.Stamp) {
		*old = l
	}
	old.Lock = lock
}

// WithConfigured puts what is configured into services that the manager knows, and adds those that it has not seen.
func WithConfigured(services, configured []Service) []Service {
	merged := slices.Clone(services)
	for _, c := range configured {
		i := slices.IndexFunc(merged, func(v Service) bool { return v.SID == c.SID })
		if i < 0 {
			merged = append(merged, c)
			continue
		}
		v := &merged[i]
		v.Request, v.Group, v.MaxRestart, v.MaxRelocate, v.Failback = c.Request, c.Group, c.MaxRestart, c.MaxRelocate, c.Failback
	}
	slices.SortFunc(merged, bySID)
	return merged
}

// takeLists takes the parts that are one source's as a whole.
func (m *Snapshot) takeLists(fresh []Snapshot) {
	if s := first(fresh, PartGuests); s != nil {
		m.Origins[PartGuests], m.Guests = s.Origins[PartGuests], slices.Clone(s.Guests)
	}
	if s := first(fresh, PartRules); s != nil {
		m.Origins[PartRules], m.Rules = s.Origins[PartRules], s.Rules
	}
	if s := first(fresh, PartTasks); s != nil {
		m.Origins[PartTasks] = s.Origins[PartTasks]
	}
	for _, s := range fresh {
		m.Tasks = withTasks(m.Tasks, s.Tasks)
	}
	for _, s := range fresh {
		m.takeConf(&s)
	}
}

// takeConf takes corosync.conf. What the API and the files know of it complete each other when they speak of the same file.
func (m *Snapshot) takeConf(s *Snapshot) {
	switch {
	case !s.Known(PartConf):
	case !m.Known(PartConf):
		m.Origins[PartConf], m.Conf = s.Origins[PartConf], s.Conf
	case m.Conf.Digest != "" && m.Conf.Digest == s.Conf.Digest:
		m.Conf.Text = cmp.Or(m.Conf.Text, s.Conf.Text)
		if m.Conf.Nodes == nil {
			m.Conf.Nodes, m.Conf.Totem = s.Conf.Nodes, s.Conf.Totem
		}
	}
}

// withTasks adds the tasks that are not yet there; a task whose end one source knows has ended.
func withTasks(tasks, more []Task) []Task {
	for _, t := range more {
		i := slices.IndexFunc(tasks, func(old Task) bool { return t.UPID != "" && old.UPID == t.UPID })
		switch {
		case i < 0:
			tasks = append(slices.Clip(tasks), t)
		case tasks[i].Running == Unknown || t.Running == No && tasks[i].Running == Yes:
			tasks = slices.Clone(tasks)
			tasks[i] = t
		}
	}
	slices.SortStableFunc(tasks, func(a, b Task) int { return b.Start.Compare(a.Start) })
	return tasks
}

// completeNodes puts in what another source knows of nodes and the view's own source does not. Whether a node is online is the
// view's alone.
func (m *Snapshot) completeNodes(s Snapshot) {
	for _, n := range s.Nodes {
		i := slices.IndexFunc(m.Nodes, func(old Node) bool { return old.Name == n.Name })
		if i < 0 {
			continue // another view's node list; which nodes there are is the view's
		}
		old := &m.Nodes[i]
		old.ID = cmp.Or(old.ID, n.ID)
		old.Version = cmp.Or(old.Version, n.Version)
		if !old.IP.IsValid() {
			old.IP = n.IP
		}
		if word := n.HAState; word != "" && (old.HAState == "" || s.Origins[PartHA] == m.Origins[PartHA]) {
			old.HAState = word
		}
	}
	if s.Known(PartVersions) && !m.Known(PartVersions) {
		m.Origins[PartVersions] = s.Origins[PartVersions]
	}
}

// completeGuests puts in names and whether guests run.
func (m *Snapshot) completeGuests(s Snapshot) {
	byID := make(map[int]*Guest, len(m.Guests))
	for i := range m.Guests {
		byID[m.Guests[i].ID] = &m.Guests[i]
	}
	for _, g := range s.Guests {
		old := byID[g.ID]
		if old == nil {
			continue
		}
		old.Name = cmp.Or(old.Name, g.Name)
		old.Template = old.Template || g.Template
		if old.Running == Unknown && old.Node == g.Node {
			old.Running = g.Running
		}
	}
	if s.Known(PartRunning) && !m.Known(PartRunning) {
		m.Origins[PartRunning] = s.Origins[PartRunning]
	}
}
