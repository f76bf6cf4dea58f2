// Package stats turns the events of one probed path into figures: loss by direction, delivery gaps, bursts, RTT quantiles and
// jitter, over sliding windows. It is a leaf: time comes in as arguments.
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
	Full          Full      // full-size probes (a whole knet fragment, DF set) of the last 10 s
	Authenticated bool      // every packet counted was authenticated
	EverHeard     bool      // something authentic arrived on this path at least once
	LastHeard     time.Time // newest authentic packet from the peer on this path
	Unanswered    int       // newest probes in a row that are overdue (older than RTT + 4 RTTVar + slack) and unanswered
}

// Full counts full-size probes: what tells an MTU black hole (they die, small ones pass) from loss. They are counted here only,
// so that a black hole does not read as loss.
type Full struct {
	Size           int    // UDP payload in bytes; 0: none are sent
	Sent, Received uint64 // whose fate is decided
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
