// Package mesh encodes the bulletin that agents put into their full-size probes: each node's summary of its own paths, so
// that every agent knows the whole matrix within a second, without another protocol. It is a leaf.
package mesh

import "time"

// View is one node's account of itself and of its own paths.
type View struct {
	Node          uint32        // nodeid of the author
	Sequence      uint32        // grows with each new View of one run of the agent
	Interval      time.Duration // of its token-sized probes
	Leaving       bool          // its agent is being stopped on purpose: silence that follows is no outage
	Corosync      bool          // its Corosync runs and answers
	Quorate       bool          // valid with Corosync
	RingRep       uint32        // its ring id
	RingSeq       uint64
	Members       int           // of its membership
	Token         time.Duration // its effective token
	ConfigVersion uint64
	Pause         time.Duration // longest stall of this host in the last 10 s
	Paths         []Path
}

// Path is the author's account of one link to one peer.
type Path struct {
	Node      uint32 // the peer
	Link      int
	State     State
	KnetDown  bool          // the author's knet says that the link is not connected
	Gap       time.Duration // present time without a round trip, 0 when healthy
	SilentFor time.Duration // present time since anything arrived from the peer
	WorstGap  time.Duration // of the last minute
	RTT       time.Duration // smoothed
	LossRatio float64       // of the last 10 s, [0,1]
}

// State is the author's judgement of a path.
type State uint8

// States of a path.
const (
	Unknown State = iota // never heard, or not probed
	Up
	Degraded
	Down
)
