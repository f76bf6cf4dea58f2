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
func (s *Snapshot) takeOwn(near []Snapshot) {
	if src := first(near, PartMembers); src != nil {
		s.Origins[PartMembers] = src.Origins[PartMembers]
		s.View, s.Standalone, s.ClusterName, s.ConfigVersion = src.View, src.Standalone, src.ClusterName, src.ConfigVersion
		s.Nodes = slices.Clone(src.Nodes)
	}
	if src := first(near, PartQuorum); src != nil {
		s.Origins[PartQuorum] = src.Origins[PartQuorum]
		s.View, s.Quorate = cmp.Or(s.View, src.View), src.Quorate
	}
	for _, src := range near {
		s.View = cmp.Or(s.View, src.View)
		if s.StatusQuorate == Unknown {
			s.StatusQuorate = src.StatusQuorate
		}
	}
	if src := first(near, PartWatchdog); src != nil {
		s.Origins[PartWatchdog], s.Watchdog = src.Origins[PartWatchdog], src.Watchdog
	}
	if src := first(near, PartQDevice); src != nil {
		s.Origins[PartQDevice], s.QDevice = src.Origins[PartQDevice], src.QDevice
	}
}

// takeHA takes the manager's status with the youngest stamp, and each LRM's.
func (s *Snapshot) takeHA(fresh []Snapshot) {
	var best *Snapshot
	for i := range fresh {
		src := &fresh[i]
		if src.Known(PartHA) && (best == nil || src.HA.CRMStamp.After(best.HA.CRMStamp)) {
			best = src
		}
	}
	if best == nil {
		return
	}
	s.Origins[PartHA], s.HA, s.Services = best.Origins[PartHA], best.HA, best.Services
	s.HA.LRMs = slices.Clone(best.HA.LRMs)
	for _, src := range fresh {
		for _, l := range src.HA.LRMs {
			s.HA.takeLRM(l)
		}
	}
	if (s.HA.State == HAStandby || s.HA.State == HAUnknown) && s.HA.fencing() == HAArmed {
		s.HA.State = HAArmed
	}
	if src := first(fresh, PartResources); src != nil {
		s.Origins[PartResources] = src.Origins[PartResources]
		s.Services = WithConfigured(s.Services, src.Services)
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
	index := make(map[string]int, len(merged))
	for i, v := range merged {
		index[v.SID] = i
	}
	for _, c := range configured {
		i, ok := index[c.SID]
		if !ok {
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
func (s *Snapshot) takeLists(fresh []Snapshot) {
	if src := first(fresh, PartGuests); src != nil {
		s.Origins[PartGuests], s.Guests = src.Origins[PartGuests], slices.Clone(src.Guests)
	}
	if src := first(fresh, PartRules); src != nil {
		s.Origins[PartRules], s.Rules = src.Origins[PartRules], src.Rules
	}
	if src := first(fresh, PartTasks); src != nil {
		s.Origins[PartTasks] = src.Origins[PartTasks]
	}
	for _, src := range fresh {
		s.Tasks = withTasks(s.Tasks, src.Tasks)
	}
	for _, src := range fresh {
		s.takeConf(&src)
		if !s.Migration.Known {
			s.Migration = src.Migration
		}
	}
}

// takeConf takes corosync.conf. What the API and the files know of it complete each other when they speak of the same file.
func (s *Snapshot) takeConf(src *Snapshot) {
	switch {
	case !src.Known(PartConf):
	case !s.Known(PartConf):
		s.Origins[PartConf], s.Conf = src.Origins[PartConf], src.Conf
	case s.Conf.Digest != "" && s.Conf.Digest == src.Conf.Digest:
		s.Conf.Text = cmp.Or(s.Conf.Text, src.Conf.Text)
		if s.Conf.Nodes == nil {
			s.Conf.Nodes, s.Conf.Totem = src.Conf.Nodes, src.Conf.Totem
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
func (s *Snapshot) completeNodes(src Snapshot) {
	for _, n := range src.Nodes {
		i := slices.IndexFunc(s.Nodes, func(old Node) bool { return old.Name == n.Name })
		if i < 0 {
			continue // another view'src node list; which nodes there are is the view'src
		}
		old := &s.Nodes[i]
		old.ID = cmp.Or(old.ID, n.ID)
		old.Version = cmp.Or(old.Version, n.Version)
		if !old.IP.IsValid() {
			old.IP = n.IP
		}
		if word := n.HAState; word != "" && (old.HAState == "" || src.Origins[PartHA] == s.Origins[PartHA]) {
			old.HAState = word
		}
	}
	if src.Known(PartVersions) && !s.Known(PartVersions) {
		s.Origins[PartVersions] = src.Origins[PartVersions]
	}
}

// completeGuests puts in names and whether guests run.
func (s *Snapshot) completeGuests(src Snapshot) {
	byID := make(map[int]*Guest, len(s.Guests))
	for i := range s.Guests {
		byID[s.Guests[i].ID] = &s.Guests[i]
	}
	for _, g := range src.Guests {
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
	if src.Known(PartRunning) && !s.Known(PartRunning) {
		s.Origins[PartRunning] = src.Origins[PartRunning]
	}
}
