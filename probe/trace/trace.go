package trace

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Path names one direction of one link.
type Path struct {
	From, To uint32 // nodeids
	Link     int
}

// Compare orders paths by sender, receiver and link.
func (p Path) Compare(o Path) int {
	return cmp.Or(cmp.Compare(p.From, o.From), cmp.Compare(p.To, o.To), cmp.Compare(p.Link, o.Link))
}

// Node is a node of the recorded cluster.
type Node struct {
	ID   uint32
	Name string
	Site string // "" if unknown
}

// Mark is something that happened while the trace was recorded, for people and to compare with: Corosync's own words above all.
type Mark struct {
	At   time.Duration // since Start
	Node uint32        // where; 0: the cluster
	Kind string        // one of the Kind constants, or another word
	Text string
}

// Kinds of marks.
const (
	KindTokenWarning = "token-warning" // Corosync: no token for token_warning percent of the timeout
	KindTokenLost    = "token-lost"    // Corosync: the token timed out
	KindMembership   = "membership"    // Corosync: another membership
	KindLinkDown     = "link-down"     // knet took a link down
	KindLinkUp       = "link-up"
	KindReload       = "reload"    // corosync.conf changed
	KindFinding      = "finding"   // quorumwatch found something, at warning or above
	KindCleared      = "cleared"   // that finding ended
	KindTruncated    = "truncated" // samples before this were dropped: too many
)

// Trace is a record of all paths of a cluster, as one agent knew them.
type Trace struct {
	Start    time.Time     // of slot 0
	Slot     time.Duration // length of a slot: the probe interval
	Software string        // quorumwatch version
	Author   uint32        // the node whose agent recorded it
	Libknet  string        // version, "" if unknown
	Config   []byte        // corosync.conf in force, without totem.key; nil if unknown
	Nodes    []Node        // ascending by ID
	Paths    map[Path]*Series
	Marks    []Mark // ascending by At
}

// At is when a slot begins, since Start.
func (t *Trace) At(slot int) time.Duration { return time.Duration(slot) * t.Slot }

// SlotOf is the slot in which an instant since Start falls.
func (t *Trace) SlotOf(at time.Duration) int {
	if at < 0 {
		return int((at - t.Slot + 1) / t.Slot)
	}
	return int(at / t.Slot)
}

// Span is from which slot to which (not included) there are samples; first is 0 and next too if there are none.
func (t *Trace) Span() (first, next int) {
	begun := false
	for _, s := range t.Paths {
		if s.next == s.first {
			continue
		}
		if !begun || s.first < first {
			first = s.first
		}
		next, begun = max(next, s.next), true
	}
	return first, next
}

// Runs is into how many runs of equal samples the paths fall: what the trace costs, in memory and on disk.
func (t *Trace) Runs() int {
	n := 0
	for _, s := range t.Paths {
		n += len(s.runs)
	}
	return n
}

// Forget drops samples and marks before a slot.
func (t *Trace) Forget(before int) {
	for _, s := range t.Paths {
		s.Forget(before)
	}
	at := t.At(before)
	i := 0
	for i < len(t.Marks) && t.Marks[i].At < at {
		i++
	}
	t.Marks = t.Marks[i:]
}

// Snapshot returns a copy that stays as it is while the Trace grows: it may be read at the same time. It costs little, since samples are
// shared.
func (t *Trace) Snapshot() *Trace {
	out := *t
	out.Nodes, out.Marks = slices.Clone(t.Nodes), slices.Clone(t.Marks)
	out.Paths = make(map[Path]*Series, len(t.Paths))
	all := make([]Series, 0, len(t.Paths))
	for p, s := range t.Paths {
		all = append(all, *s)
		out.Paths[p] = &all[len(all)-1]
	}
	return &out
}

// Cut returns what lies in the slots from (which becomes slot 0) to to (not included).
func (t *Trace) Cut(from, to int) *Trace {
	out := *t
	out.Start = t.Start.Add(t.At(from))
	out.Nodes, out.Marks = slices.Clone(t.Nodes), nil
	out.Paths = make(map[Path]*Series, len(t.Paths))
	for p, s := range t.Paths {
		out.Paths[p] = s.cut(from, to)
	}
	for _, m := range t.Marks {
		if m.At >= t.At(from) && m.At < t.At(to) {
			m.At -= t.At(from)
			out.Marks = append(out.Marks, m)
		}
	}
	return &out
}

// sorted are the paths in order.
func (t *Trace) sorted() []Path { return slices.SortedFunc(maps.Keys(t.Paths), Path.Compare) }
