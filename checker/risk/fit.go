package risk

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Fitted is the network as the probes saw it: Digest.Fit makes one of a record.
type Fitted struct {
	Lines   Lines         // every path of the cluster is on at least one
	Window  time.Duration // of the record that it rests on
	Known   float64       // share of the packets in the window whose fate is known, over the paths that are probed
	Guessed []trace.Path  // paths that nobody probes: taken like others between the same sites, or the other way
	Steady  bool          // the first half of the window is like the second
}
