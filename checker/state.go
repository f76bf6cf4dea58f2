package checker

import (
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// State is what one Step leaves to the next: since-times, hysteresis and the histories of paths, ring and membership. The
// zero value is the state of an agent that has just started. It is a value: a Step never changes the one that it was given.
type State struct {
	started  time.Time
	paths    []pathMemo // by node and link
	peers    []peerMemo // by node
	findings []tracked  // by key
	daemon   daemonMemo
	cuts     []*cutMemo // the present incidents, oldest first
	lastCut  int        // number of the newest incident
	mesh     meshMemo
	drops    []dropMemo
	cluster  clusterMemo
	ha       haMemo
}

// clusterMemo keeps what the Report says of the configuration, until that changes.
type clusterMemo struct {
	nodes  *topology.Node
	links  *topology.Link
	token  time.Duration
	report Cluster
}

// pathMemo remembers one path.
type pathMemo struct {
	node        uint32
	link        int
	errSince    time.Time // since when nothing can be sent
	knet        KnetState
	knetSince   time.Time // when knet's present state was first seen
	knetFlap    time.Time // when knet last brought the link down, or the link was first seen: back-off starts there
	downCount   uint64
	silentUntil time.Time // when a silence that was not the path's fault ended: older windows do not count
	out         bool
	outSince    time.Time // of the outage, while out
	which       Which     // direction of the outage, as last seen
	whichSince  time.Time
	heard       bool // since the agent started, also before a reload that made a new path of it
	remote      netip.Addr
	feltSince   time.Time // since when silence is laid on this host's own stalls
	recovered   time.Time // when the last outage ended
	backAt      time.Time // in an outage: since when answers come again; not yet trusted
	received    uint64    // in an outage: answers counted when it was last certain
	gapTitle    string    // words of the present outage, as of gapTold
	gapEvidence map[string]string
	gapTold     time.Duration
	windows     []Window // as last reported
	windowsAt   time.Time
}

// peerMemo remembers one peer.
type peerMemo struct {
	node      uint32
	member    Tri       // the last known
	outMember Tri       // membership when its present outage began
	out       bool      // no link works
	leftAt    time.Time // when it was seen to have left the membership
	left      departure
	sequence  uint32 // of its newest view
	viewAt    time.Time
	verdict   verdict // of the last Step
	agent     verdict // silentAgent or stoppedAgent once it was found to be so, until a probe is answered; else reachable
	gaps      gapMemo
	inCut     bool // part of a present incident
	cutID     int  // its number, with inCut
}

// gapMemo remembers for how long a peer was out of reach on all links at once.
type gapMemo struct {
	open     time.Duration // present outage so far
	worst    [10]minuteGap // of the last minutes
	episodes [3]time.Time  // ends of the newest outages longer than what is safe, newest first
}

// minuteGap is the worst gap that ended in one minute of the agent's life.
type minuteGap struct {
	minute int64
	gap    time.Duration
}

// departure is how a node left the membership.
type departure int

const (
	notLeft departure = iota
	leftInPeace
	leftByLoss
)

// daemonMemo remembers the local Corosync.
type daemonMemo struct {
	seen       bool // Status was ever more than unknown
	running    bool
	runningAt  time.Time // since when it runs, as far as was seen
	since      time.Time // when its present Daemon state was first seen
	state      int
	restarted  time.Time // when a restart was last noticed
	lostKnown  bool
	lost       uint64    // OperationalTokenLost
	lostAt     time.Time // when it last grew, or the log told so
	evidence   time.Time // newest sign that the token is late or lost
	logged     corosync.TokenEvents
	joins      joinMemo
	wasQuorate bool // in this run of the daemon
	spare      votequorum.Spare
	spareOf    spareKey
	spareKnown bool
}

// spareKey is what the spare votes were counted from.
type spareKey struct {
	total, quorum, expected int
	quorate                 bool
	votes                   *corosync.MemberVotes
	nodes                   *topology.Node
	members                 int
}

// cutMemo remembers an incident: what it was when it began.
type cutMemo struct {
	id       int
	over     bool // it is an old one: what goes silent now is another trouble
	critical bool // it was
	since    time.Time
	members  []uint32 // of the membership when it began, else all nodes
	history  votequorum.History
	device   bool     // the quorum device voted then
	named    []uint32 // the peers that code and subject are about
	code     string
	subject  string
}

// meshMemo keeps the rows of the mesh between rebuilds.
type meshMemo struct {
	at   time.Time
	rows []MeshRow
	cuts []remoteCut
}

// dropMemo remembers the count of thrown away packets a minute ago.
type dropMemo struct {
	reason string
	count  uint64
	at     time.Time
	grown  uint64 // in the last full minute
}
