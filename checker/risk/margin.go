package risk

import "time"

// Margin is what the virtual rings say of the time up to At: for how long processors went without the token, had they run over what the
// probes measured. It is immutable. Several rings run, as nobody outside of the daemons knows in which phase their heartbeats and tokens
// are: their answers are a distribution. Some more run a few seconds behind, held to what the real knets did: those tell the usual gap.
type Margin struct {
	Known    bool
	Reason   string        // why it is not known, for people
	At       time.Time     // up to when the rings have run
	Last     time.Time     // when a ring last was close to losing the token, or lost it, but for cuts; zero: never
	Token    time.Duration // effective token
	Rings    int           // how many run freely
	Coverage float64       // share of the directed paths between members of which the trace knows something
	Now      Window        // the last ten seconds
	Minute   Window
	Ten      Window // ten minutes
	Hour     Window
	Day      Window
	Trend    Trend
	Mute     []Pair // of whom at least half of the rings say that knet carries nothing between them now
}

// Window is what happened to the rings in a time that ends at Margin.At.
type Window struct {
	Length    time.Duration
	Covered   time.Duration // how much of it the rings have run
	Median    time.Duration // worst token gap in the ring in the middle of those that are held to what knet did; of all, while none of these is settled
	Worst     time.Duration // in the worst ring: what another phase might have made of it
	At        time.Time     // when the worst one ended; zero: nothing happened
	Hop       Hop           // where the worst one came from
	LinkDowns float64       // virtual link downs of a ring, each end counting its own: mean of the rings
	Tight     float64       // gaps of a ring of 0.85 of the token or longer, over it or not: mean of the rings
	Spells    int           // how many times apart any ring had such a gap: one outage is one spell
	Losses    float64       // virtual token losses of a ring: mean of the rings
	LossShare float64       // share of the rings that lost the token
	Real      Real          // what Corosync itself said
}

// Real counts what Corosync itself said in a window.
type Real struct {
	Losses   int           // tokens lost
	InCuts   int           // of those, in cuts that were told of
	Warnings int           // "Token has not been received in ..."
	Gap      time.Duration // longest time without the token that it told of
}

// Pair is two nodes.
type Pair struct{ A, B uint32 } // A < B

// Cause says what held the token up.
type Cause uint8

// Causes of a gap.
const (
	CauseNone   Cause = iota // nothing but distance and hold
	CauseLost                // the token, or a packet that it waited for, was lost on the path
	CauseDown                // knet had taken the link down
	CauseSilent              // Corosync said so itself; where is not known
)

// String is the cause's name.
func (c Cause) String() string { return [...]string{"none", "lost", "link-down", "corosync"}[c] }

// Hop is a path that held the token up.
type Hop struct {
	Cause    Cause
	From, To uint32
	Link     int
}

// Gap is the gap that a window's margin rests on: the ring's in the middle, or longer if Corosync itself told of a longer one.
func (w Window) Gap() time.Duration { return max(w.Median, w.Real.Gap) }

// Ratio is the margin of a window: 1 - Gap / token, in [0,1]; 0 after a real token loss.
func (w Window) Ratio(token time.Duration) float64 {
	if token <= 0 || w.Real.Losses > 0 {
		return 0
	}
	return 1 - min(1, float64(w.Gap())/float64(token))
}

// Low is the margin of the worst ring, in [0,1].
func (w Window) Low(token time.Duration) float64 {
	if token <= 0 || w.Real.Losses > 0 {
		return 0
	}
	return 1 - min(1, float64(max(w.Worst, w.Real.Gap))/float64(token))
}

// When a window's rings are taken for a threat. One gap, however long, is an event: an outage, or a failover, which takes 0.7 of the token and
// at worst 0.95. What repeats is a trend.
const (
	spellsLoss = 2   // with virtual losses among them
	spellsNear = 4   // without: 3 % of loss on one of two links makes up to three in ten minutes, and never loses a token
	nearOften  = 0.5 // gaps close to the token, of a ring
)

// Threatened tells that virtual rings lose the token, or nearly do, in spells that are apart. The next real ring may be the one.
func (w Window) Threatened() bool {
	return w.LossShare > 0 && w.Spells >= spellsLoss || w.Spells >= spellsNear && w.Tight >= nearOften
}
