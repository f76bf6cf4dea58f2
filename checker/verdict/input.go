package verdict

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Input is what a verdict rests on. Only Conf is required; what is missing is said to be unknown.
type Input struct {
	At       time.Time
	Software string            // quorumwatch version
	Source   string            // who measured: "own probes", "agent http://..."
	Name     string            // of the configuration file, for messages
	Conf     []byte            // corosync.conf as it is in force
	Planned  []byte            // as it is to be; nil: no change is planned
	Libknet  string            // version, "" if unknown
	Sites    map[string]string // by node name or nodeid, as the configuration has them
	Local    uint32            // nodeid of the node that measured; 0: it is no node of the cluster
	HA       HA
	Proxmox  bool // a cluster of Proxmox VE: its fence budget counts

	Length  time.Duration // of the measurement
	Turns   int           // the paths were measured in so many, one after the other; 0 and 1: all at the same time
	Busy    int           // how many backups, migrations or replications ran while it was made
	Load    []Task
	Paths   []Path       // measured; from here to each peer, on each link
	Trace   *trace.Trace // of the run; nil: none
	Soak    *Soak        // nil: none; with it Trace is that of its worst stretch
	Pauses  Pauses
	Lint    []lint.Finding
	Ports   []lint.Interface // what carries this node's ring addresses
	Port    uint16           // UDP port that was probed
	DSCP    string           // as the probes were marked, for the proof of the path
	Missing []string         // what could not be looked at, in sentences
	Stopped bool             // the run was broken off before its time
}

// HA is what is known of the watchdogs of the cluster.
type HA string

// The states of HA.
const (
	HAUnknown HA = "unknown"
	HANone    HA = "none" // no Proxmox VE HA here
	HAStandby HA = "standby"
	HAArmed   HA = "armed"
	HAOff     HA = "disarmed"
)

// fences says whether nodes may reset themselves: unknown counts as yes.
func (h HA) fences() bool { return h == HAUnknown || h == HAArmed || h == HAStandby || h == "" }

// Task is something that loaded the network during the measurement.
type Task struct {
	Node   string    `json:"node"`
	Load   string    `json:"load"` // migration, backup, replication, copy
	Object string    `json:"object,omitempty"`
	Start  time.Time `json:"start,omitzero"`
}

// Pauses are times in which this host did not run.
type Pauses struct {
	Longest time.Duration
	Count   uint64
	Total   time.Duration
}

// Seconds is a duration that is a number of seconds in JSON.
type Seconds = checker.Seconds
