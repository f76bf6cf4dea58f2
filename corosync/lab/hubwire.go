//go:build linux

package lab

import (
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// hubInit is the first message to the hub.
type hubInit struct {
	Topology impair.Topology
	Seed     uint64
	MTU      int
	Ports    []hubPort
	Rules    []impair.Rule
}

// hubPort is one TUN device: the node and link it stands for, and the addresses that lead there.
type hubPort struct {
	Holder int // process whose network namespace gets the device
	Node   int // index in the topology
	Link   int
	Addrs  []netip.Addr
}

// hubRequest asks the running hub for one thing. Exactly one field is set.
type hubRequest struct {
	Rules  *[]impair.Rule `json:",omitempty"` // replace the rules
	Stats  bool           `json:",omitempty"`
	Addrs  []hubPort      `json:",omitempty"` // new addresses of some ports
	Tokens *uint64        `json:",omitempty"` // the tokens from this number on
}

// hubReply answers a request.
type hubReply struct {
	Err    string
	Stats  *HubStats `json:",omitempty"`
	Tokens []byte    `json:",omitempty"` // packed
	Next   uint64    `json:",omitempty"` // number of the next token
}

// HubStats is what the hub says of itself. Counters begin with the hub.
type HubStats struct {
	Now       impair.Instant
	Realtime  bool // runs under SCHED_FIFO
	Received  int64
	Delivered int64
	Dropped   int64 // by rules
	Unrouted  int64 // no node has the destination (also multicast, IPv6 housekeeping)
	Refused   int64 // the node's device did not take it: down, or its queue is full
	Overrun   int64 // lost in the hub itself, for want of buffers: never in a sound run
	Pending   int64
	Ticks     Lateness // of a regular wake-up: how late the machine lets the hub run
	Packets   Lateness // of packets: written after they were due
	Late      []Late   // the latest moments above LateLimit, oldest first
	Drops     []impair.Drop
}

// Lateness is a histogram of how late something was, with buckets of a quarter octave.
type Lateness struct {
	Counts []int64 // by bucket
}

// Late is one moment at which something ran late: At is when it ran at last.
type Late struct {
	At impair.Instant
	By time.Duration
}

// LateLimit is the lateness from which on the hub keeps the moment.
const LateLimit = 2 * time.Millisecond
