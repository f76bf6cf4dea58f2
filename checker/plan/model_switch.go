package plan

import (
	"math/bits"
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// tolerated is the share of a link's deaths that may cost the token before its death is a weak point: one in twenty. Such a loss stops
// the cluster for one membership, and links die rarely.
const tolerated = 0.05

// Switch is what the token does when a link dies that others can stand in for, by the model.
type Switch struct {
	Failure   Failure `json:"failure"`
	Trials    int     `json:"trials"`     // moments of death tried, at random phases of heartbeat, token and traffic
	Lost      int     `json:"lost"`       // of these, in how many the token was lost
	LostLeast float64 `json:"lost_least"` // with the next, where the share of deaths that cost the token lies with 95 % of certainty
	LostMost  float64 `json:"lost_most"`
	WorstGap  Seconds `json:"worst_gap"` // the longest time without the token
	Share     float64 `json:"share"`     // of the effective token
}

// Weak tells that the death costs the token more often than is tolerated, beyond doubt.
func (s Switch) Weak() bool { return s.LostLeast > tolerated }

// decided tells whether more trials are likely to change nothing.
func (s Switch) decided() bool { return s.LostLeast > tolerated || s.LostMost < tolerated }

// switchOver lets a link die until it is plain whether that is tolerated, or effort is spent. It looks only after a number of trials that
// doubles each time, lest it stop at the first run of bad luck; to look several times makes the interval a little too sure. The moments are
// the same for every design.
func (w *world) switchOver(f Failure, e effort) (Switch, error) {
	s := Switch{Failure: f}
	spent := uint64(0)
	for most := e.trials; ; most *= 2 {
		for ; s.Trials < most && spent <= e.budget(s); s.Trials++ {
			cost, err := w.die(&s, uint64(s.Trials))
			if err != nil {
				return s, err
			}
			spent += cost
		}
		s.LostLeast, s.LostMost = binomialInterval(s.Lost, s.Trials)
		if s.decided() || 2*spent > e.budget(s) { // twice as many trials would take as much again
			break
		}
	}
	s.Share = float64(s.WorstGap) / float64(w.d.Cluster.Timeouts.Token)
	return s, nil
}

// budget is what the trials of a link's death may take in all.
func (e effort) budget(s Switch) uint64 {
	if s.Lost > 0 {
		return e.deaths * e.doubt
	}
	return e.deaths
}

// die is one trial: the link dies at a random moment, every other time in an idle ring, when the token is up to a hold time old by then.
// It returns what that took, in visits and the like.
func (w *world) die(s *Switch, seed uint64) (uint64, error) {
	r, n, err := w.ring(w.d.Network, traffic*time.Duration(seed%2), seed)
	if err != nil {
		return 0, err
	}
	token := w.d.Cluster.Timeouts.Token
	moment, span := rand.New(rand.NewPCG(seed, 0x6465617468)).Float64(), token
	if seed%2 == 1 {
		span = min(span, time.Minute) // a busy ring has no state that lasts longer
	}
	at := time.Second + time.Duration(moment*float64(span))
	r.Run(at)
	n.fail(w, s.Failure)
	r.ResetGaps()
	before, step, unused := r.Stats().Disruptions, token/16, time.Duration(0)
	for t := at; t < at+token+token/4 && r.Stats().Disruptions == before; {
		t += step
		r.Run(t)
		if unused > 0 && w.allHad(r, t-unused) {
			break // what comes is not the dead link's doing
		}
		if unused == 0 && w.unused(r, s.Failure) {
			unused = t
		}
	}
	for i := range w.siteOf {
		s.WorstGap = max(s.WorstGap, Seconds(r.LongestGap(i).Length))
	}
	if r.Stats().Disruptions > before {
		s.Lost++
	}
	const ring = 1000 // to make one
	return w.cost(r) + ring, nil
}

// unused tells whether knet has taken a link down everywhere.
func (w *world) unused(r *totem.Ring, dead Failure) bool {
	link := bits.TrailingZeros16(w.linkBit(dead.Link))
	for i := range w.siteOf {
		for j := range w.siteOf {
			if i != j && r.Usable(i, j, link) {
				return false
			}
		}
	}
	return true
}

// allHad tells whether everybody has had the token within a time.
func (w *world) allHad(r *totem.Ring, within time.Duration) bool {
	for i := range w.siteOf {
		if r.TimeSinceToken(i) >= within {
			return false
		}
	}
	return true
}
