package checker

import (
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Input is everything that is known at one instant. What it points to must not be changed later: Reports share parts of it.
type Input struct {
	Now           time.Time // carry a monotonic reading: the wall clock may be stepped
	Software      string    // quorumwatch version
	Cluster       topology.Cluster
	Disagreements []topology.Disagreement // what the sources of Cluster disagree on
	Warnings      []corosync.Problem      // of corosync.conf (corosync.Config.Warnings)
	ConfigErr     string                  // why the newest corosync.conf cannot be used; the last good one stays in force
	KeyErr        string                  // why the key for probes cannot be used; without one nothing is probed, else the last good one stays
	Status        corosync.Status
	Paths         []Observation // any order
	Views         []PeerView    // newest of each peer, any order
	Host          HostPauses
	Probing       Probing
	Margin        *risk.Margin     // what the virtual token says, as of a moment ago; nil: none runs
	Forecast      *Forecast        // the newest; nil: none yet
	Proxmox       proxmox.Snapshot // what Proxmox VE knows; the zero value: nothing
	FenceLog      proxmox.FenceLog // what this node's log told about its fence
	Lint          []lint.Finding   // weak points of file, daemon and this node's interfaces
}

// Observation is what the prober knows of one link to one peer.
type Observation struct {
	Node          uint32 // the peer
	Link          int
	Local, Remote netip.Addr
	Since         time.Time     // when this path began to be probed
	Interval      time.Duration // between token-sized probes
	Summary       stats.Summary
	Err           string    // why no probe can be sent now (no such address, network unreachable, ...); "" when it can
	FullErr       string    // why no full-size probe can be sent (too long for the interface); "" when it can
	MTU           int       // of the path, if the network told one; 0: unknown
	Refused       time.Time // when the peer's host last said that nobody listens on the probe port (ICMP port unreachable): it lives
}

// PeerView is the newest bulletin of one peer and when it came in.
type PeerView struct {
	mesh.View
	At time.Time
}

// HostPauses is what the agent saw of its own scheduling: how late its timers were.
type HostPauses struct {
	Pause time.Duration // longest stall in the last 10 s
	At    time.Time     // when the newest stall ended
	Worst time.Duration // longest stall in the last 10 min
}

// Probing is what the local prober and reflector say of themselves.
type Probing struct {
	Unauthenticated bool   // probes carry no authentication
	Drops           []Drop // since the agent started
}
