// Package mesh encodes the bulletin that agents put into their full-size probes: each node's summary of its own paths, so
// that every agent knows the whole matrix within a second, without another protocol. It is a leaf.
//
// # Form
//
// One version byte, one byte of flags, the fields of View as unsigned varints (durations of the view in milliseconds, Interval in
// microseconds; version 1 had no PauseAgo, versions 1 and 2 nothing of fates, versions 1 to 3 no list of links whose KnetTurn is told), then for
// each peer its nodeid, its number of links and 11 bytes a link. 31 peers with three links and nodeids below 128 take about 1,130 bytes. Durations of paths are rounded to 1/2048 of their
// value, at least a microsecond; the loss ratio to 1/65535. A decoder refuses a version it does not know.
//
// # Fates
//
// A view also tells what became of each packet that the author's peers sent to it in the last two seconds, slot by slot. Two bits of each
// path say that all arrived as usual, that all were lost, or that nothing is known; only what is neither takes a few bytes more: a bitmap
// of lost ones, or runs of usual, late, lost and unknown slots, whichever is shorter. Delays of late ones are rounded to 1/32.
//
// # When it does not fit
//
// Paths that are not Up, that knet says are down, or that lost something come first; the rest of the room is given to the others in turn,
// by View.Sequence, so that each comes round after a few views (Partial is then set, and a reader keeps what it had of the others).
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
	PauseAgo      time.Duration // how long ago that ended
	Partial       bool          // Paths are not all: the others did not fit this time. Set by Encode
	Fates         Fates         // what the In and Out of Paths are about
	Paths         []Path
}

// Fates says which slots a View tells the fates of.
type Fates struct {
	Slot   time.Duration // length of a slot of the author's timeline; zero: no fates are told
	Next   uint64        // number of the slot after the newest, in the author's timeline
	Clock  uint32        // when that one begins: milliseconds of the clock that stamps the author's probes, modulo 2^32
	Window int           // how many slots are told, up to 64
	Lag    int           // the last slots of a path whose packets are all lost are not decided yet, as nothing newer came
}

// Path is the author's account of one link to one peer.
type Path struct {
	Node      uint32 // the peer
	Link      int
	State     State
	KnetDown  bool          // the author's knet says that the link is not connected
	KnetTurn  uint32        // when it last came to say what it says now, if that is not long ago: as Fates.Clock. 0: not told
	Gap       time.Duration // present time without a round trip, 0 when healthy
	SilentFor time.Duration // present time since anything arrived from the peer
	WorstGap  time.Duration // of the last minute
	RTT       time.Duration // smoothed
	LossRatio float64       // of the last 10 s, [0,1]
	In        Told          // packets from the peer to the author
	Out       *Told         // packets from the author to the peer, where no agent at the peer can tell
}

// Told is what became of the packets of a path in Window slots that end Lag slots before Fates.Next.
type Told struct {
	Lag  int   // up to 63
	Runs []Run // oldest first; nil: nothing is known. Decode lets paths share them
}

// Run is slots in a row with one fate.
type Run struct {
	Slots int
	Fate  Fate
	Delay time.Duration // one way; valid if Late
}

// Fate is what became of a packet.
type Fate uint8

// Fates of packets.
const (
	Usual Fate = iota // arrived, after about half of the path's RTT
	Late              // arrived, after Delay
	Lost
	Untold // nobody knows
)

// State is the author's judgement of a path.
type State uint8

// States of a path.
const (
	Unknown State = iota // never heard, or not probed
	Up
	Degraded
	Down
)
