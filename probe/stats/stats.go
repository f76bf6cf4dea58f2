// Package stats turns the events of one probed path into figures: loss by direction, delivery gaps, bursts, RTT quantiles and
// jitter, over sliding windows. It is a leaf: time comes in as arguments.
//
// A Path is told what happens (Sent, Departed, Reply, Heard, Corrupt, HostPause, PeerPause) and asked for a Summary.
//
// # A probe's fate
//
// It is overdue when SRTT + 4 RTTVAR (RFC 6298 section 2) + 10 ms have passed without an answer; SRTT is here the whole time until
// answers come, residence included. It is lost when it is four SRTT old, at least 1 s, at most 5 s. An answer that comes
// later makes it late instead. In windows a probe counts when it left, so that Sent, Received and Lost are about the same probes;
// the newest ones are neither received nor lost yet.
//
// # Where a probe was lost
//
// A stateful reflector (RFC 8762 section 4.2) numbers its replies. Between two answered probes, ds apart by our numbers and
// dr apart by the reflector's, ds-dr were lost on the way out and dr-1 on the way back. When the numbers cannot tell (the
// reflector restarted, or only copies numbers), losses count in Lost alone. Numbers wrap (RFC 1982).
//
// # Gaps
//
// A gap of the round trip lasts from when the first probe left that was not answered in time until an answer to it or to a newer one
// came, less the usual round trip: a healthy path has none; a blackout of B reads B, give or take an interval; a queue that stands
// still for D reads D. Its direction follows from the numbers, or from which way took longer. The peer's own
// requests (Heard) show gaps of the way back by themselves, and in an outage that the way back works, so that it is the way out.
//
// # Stalls
//
// What this host's own stalls may have hidden never counts as lost and is taken off gaps, unless a probe sent after the stall goes
// unanswered too. A peer's process that stalls while its kernel runs shows in the residence and costs nothing.
//
// # Windows and quantiles
//
// Windows are made of slots (a tenth of a second up to 5 minutes), so a window covers its length and at most one slot more. RTT
// histograms are log-linear with 16 bins in each power of two: quantiles are within 1/32. The first answer after a second of
// silence may contain address resolution; it is received, but its RTT does not count.
package stats

import "time"

// Summary is what is known of one path, both directions, at one instant. Forward is from here to the peer, Backward from
// the peer to here.
type Summary struct {
	At            time.Time
	RTT           RTT // present estimate (smoothed as RFC 6298), round trip less the reflector's residence
	Forward       Direction
	Backward      Direction
	Windows       []Window // ascending Length: 1 s, 10 s, 1 min, 10 min, 1 h
	Total         Counters // since the path began to be probed
	Outage        Outage
	Full          Full      // full-size probes (a whole knet fragment, DF set)
	LongestLoss   int       // most probes lost in a row since the path began to be probed
	Authenticated bool      // every packet counted was authenticated
	EverHeard     bool      // something authentic arrived on this path at least once
	LastHeard     time.Time // newest authentic packet from the peer on this path
	Unanswered    int       // newest probes in a row that are overdue (older than RTT + 4 RTTVar + slack) and unanswered
}

// Full counts full-size probes: what tells an MTU black hole (they die, small ones pass) from loss. They are counted here only,
// so that a black hole does not read as loss.
type Full struct {
	Size           int    // UDP payload in bytes; 0: none are sent
	Sent, Received uint64 // of the last 10 s, whose fate is decided

	AllSent, AllReceived uint64 // the same, since the path began to be probed
}

// RTT is the smoothed round-trip estimate.
type RTT struct {
	Known    bool
	Smoothed time.Duration
	Var      time.Duration
	Latest   time.Duration
	Min      time.Duration
}

// Direction is the present delivery gap of one direction.
type Direction struct {
	Gap   time.Duration // time since the newest probe known to be delivered left its sender; grows while nothing gets through
	Known bool          // whether the direction can be told apart from the other one just now
}

// Outage is the present lack of round trips: from the first unanswered probe that is overdue. Zero when none is.
type Outage struct {
	Since      time.Time // when the first probe left that is overdue and after which nothing was answered
	For        time.Duration
	HostPaused bool // this host stalled in it: not the network's fault until a probe sent after the stall is overdue too
}

// Window is a sliding window that ends now.
type Window struct {
	Length  time.Duration
	Covered time.Duration // how much of Length has data
	Counters
	WorstGap         time.Duration // longest time without a round trip that began or went on in the window
	WorstGapForward  time.Duration
	WorstGapBackward time.Duration
	RTT              Quantiles
	Jitter           time.Duration // RFC 3550 section 6.4.1 interarrival jitter at the end of the window, from RTT differences
	Bursts           []uint64      // Bursts[i]: runs of i+1 lost probes in a row; the last element: that many or more
}

// Counters count probes. Lost ones are those whose fate is decided (late ones are not lost).
type Counters struct {
	Sent, Received                       uint64
	LostForward, LostBackward, Lost      uint64 // Lost: all; the two others where the direction could be told
	Late, Reordered, Duplicated, Corrupt uint64
	HostPaused                           uint64 // probes that don't count because this host (or the peer, as it said) stalled
}

// Quantiles of the RTT in a window.
type Quantiles struct {
	Count                               uint64
	Min, P50, P90, P99, P999, Max, Mean time.Duration
}
