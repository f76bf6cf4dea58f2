package trace

import "time"

// Path names one direction of one link.
type Path struct {
	From, To uint32 // nodeids
	Link     int
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
	Kind string        // token-warning, token-lost, membership, link-down, link-up, reload, ...
	Text string
}

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

// Sample is what became of a packet that left on a path at an instant since Start.
func (t *Trace) Sample(p Path, at time.Duration) Sample {
	if s := t.Paths[p]; s != nil {
		return s.At(t.SlotOf(at))
	}
	return Sample{}
}
