package verdict

import (
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Input is what a verdict rests on. Only Conf is required; what is missing is said to be unknown.
type Input struct {
	At       time.Time
	Software string // quorumwatch version
	Source   string // who measured: "own probes", "agent http://..."
	Name     string // of the configuration file, for messages
	Conf     []byte // corosync.conf as it is in force
	Planned  []byte // as it is to be; nil: no change is planned
	Libknet  string // version, "" if unknown
	Sites    map[string]string
	Local    uint32 // nodeid of the node that measured; 0: it is no node of the cluster
	HA       HA
	Proxmox  bool // a cluster of Proxmox VE: its fence budget counts

	Length  time.Duration // of the measurement
	Busy    int           // how many backups, migrations or replications ran while it was made
	Load    []Task
	Paths   []Path       // measured; from here to each peer, on each link
	Trace   *trace.Trace // of the run; nil: none
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

// Path is what was measured between this node and one address of a peer: forward is from here. In a Verdict the last fields are filled in.
type Path struct {
	Peer         string     `json:"peer"`
	Node         uint32     `json:"nodeid"`
	Link         int        `json:"link"`
	Local        netip.Addr `json:"local"`
	Remote       netip.Addr `json:"remote"`
	Sent         uint64     `json:"sent"`
	Received     uint64     `json:"received"`
	Lost         uint64     `json:"lost"`
	LostForward  uint64     `json:"lost_forward"`
	LostBackward uint64     `json:"lost_backward"`
	Excused      uint64     `json:"excused"` // not counted: a host stalled

	P50  Seconds `json:"rtt_p50"`
	P99  Seconds `json:"rtt_p99"`
	P999 Seconds `json:"rtt_p999"`
	Max  Seconds `json:"rtt_max"`

	WorstGap         Seconds `json:"worst_gap"`
	WorstGapForward  Seconds `json:"worst_gap_forward"`
	WorstGapBackward Seconds `json:"worst_gap_backward"`
	Burst            int     `json:"longest_burst"` // lost in a row; 10: that many or more

	FullSize     int    `json:"full_size"` // UDP payload of full-size probes; 0: none were sent
	FullSent     uint64 `json:"full_sent"`
	FullReceived uint64 `json:"full_received"`
	FullError    string `json:"full_error,omitempty"`
	MTU          int    `json:"mtu,omitempty"`   // of the path, if the network told one
	Error        string `json:"error,omitempty"` // why no probe could leave

	LossRatio float64 `json:"loss_ratio"`
	GapShare  float64 `json:"worst_gap_share"` // of the effective token
	Note      string  `json:"note,omitempty"`
}

// Seconds is a duration that is a number of seconds in JSON.
type Seconds = checker.Seconds

// answered says whether anything came back.
func (p *Path) answered() bool { return p.Received > 0 }

// decided is how many probes have a fate.
func (p *Path) decided() uint64 { return p.Received + p.Lost }

// loss is the ratio of probes lost, of those whose fate is known.
func (p *Path) loss() float64 { return ratio(p.Lost, p.decided()) }

func ratio(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
