package risk

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// survived is, of the token, the longest gap that a token comes through: a retransmit before its end.
const survived = 0.95

// said is what Corosync said of its token, in the trace's time. A ring in hindsight that says otherwise was wrong about where the token was.
type said struct {
	heard  time.Duration   // when it last told how it is
	log    time.Duration   // since when its log is followed
	logs   bool            // log is valid
	lost   []time.Duration // when it lost the token or formed a new ring, as it was told; the last few
	warned []time.Duration // when it warned that the token has not come for 0.75 of its time; the last few
	asked  int             // of warned: rings were held to them
}

// lastFew is how many times of each kind are kept.
const lastFew = 16

// hear notes what Corosync said of its token and its ring.
func (s *said) hear(now time.Duration, start time.Time, st corosync.Status, n news) {
	if st.Daemon == corosync.DaemonRunning && !st.Stale && st.SRP.Known {
		s.heard = now
	}
	s.logs = !st.LogSince.IsZero()
	s.log = st.LogSince.Sub(start)
	if n.ring || n.losses > 0 {
		s.lost = append(s.lost[max(0, len(s.lost)-lastFew+1):], now)
	}
	if n.warnings > 0 {
		drop := max(0, len(s.warned)-lastFew+1)
		s.warned, s.asked = append(s.warned[drop:], st.TokenAt.Warned.Sub(start)), max(0, s.asked-drop)
	}
}

// surely is how long after a lost token Corosync, if it answers, has told of it.
const surely = 2 * time.Second

// kept: the token was surely not lost around an instant.
func (s *said) kept(at, token time.Duration) bool {
	return s.heard >= at+surely && !slices.ContainsFunc(s.lost, func(t time.Duration) bool { return t > at-token && t < at+hindsight })
}

// sameGap is how far two warnings may be apart that tell of one gap: logs may give seconds, and the gap begins where the token was.
func sameGap(t totem.Timeouts) time.Duration { return min(time.Second+t.Token/4, hindsight) }

// quiet: Corosync surely did not warn around an instant.
func (s *said) quiet(at, slack time.Duration) bool {
	return s.logs && s.log <= at-slack && s.heard >= at && !around(s.warned, at, slack)
}

// due is the next warning that the rings have run past, if any.
func (s *said) due(at time.Duration) (warned time.Duration, is bool) {
	if s.asked >= len(s.warned) || s.warned[s.asked] > at {
		return 0, false
	}
	s.asked++
	return s.warned[s.asked-1], true
}

// around: one of a few instants is near another.
func around(few []time.Duration, at, slack time.Duration) bool {
	return slices.ContainsFunc(few, func(t time.Duration) bool { return (t - at).Abs() <= slack })
}

// refute takes back what rings have just said and Corosync did not, and what it said and they did not. Others speak for them.
func (l *Live) refute() {
	h, t := &l.held, l.cluster.Timeouts
	var lost, late, early []int
	slack := sameGap(t)
	warned, due := h.said.due(h.at - slack)
	for i, r := range h.rings {
		s := r.ring.Stats()
		isLost, isLate := s.Disruptions > r.stats.Disruptions, s.Warnings > r.stats.Warnings
		r.stats.Disruptions, r.stats.Warnings = s.Disruptions, s.Warnings
		if isLate {
			r.warned = append(r.warned[max(0, len(r.warned)-lastFew+1):], h.at)
		}
		switch {
		case isLost && h.said.kept(h.at, t.Token):
			lost = append(lost, i)
		case !r.ready():
		case isLate && h.said.quiet(h.at, slack):
			late = append(late, i)
		case due && !around(r.warned, warned, slack):
			early = append(early, i)
		}
	}
	l.takeBack(lost, h.at-t.Token, time.Duration(survived*float64(t.Token)))
	l.takeBack(late, h.at-t.TokenWarning, t.TokenWarning)
	if h.another(early) >= 0 {
		l.takeBack(early, warned-t.TokenWarning, 0)
	}
	for _, i := range late { // until it is seen what becomes of the gap, which goes on
		h.rings[i].hushed = h.rings[i].ring.Now() + t.Token
	}
	for _, i := range lost {
		l.mend(i)
	}
}

// mend makes a ring whole again, as the real one is, on the links as the knets say that they are: so it may be believed as soon as its first token could have
// been lost.
func (l *Live) mend(ring int) {
	h := &l.held
	r := newLiveRing(l.members, heldNetwork{h.net, &h.words}, l.net, l.random, h.at)
	if r == nil {
		return
	}
	r.settled = l.cluster.Timeouts.Token
	for _, c := range h.words.down(h.at) {
		r.ring.SetLink(c.from, c.to, c.link, false)
	}
	h.rings[ring] = r
}

// takeBack gives rings another one's gaps from an instant on; without another they were no longer than most.
func (l *Live) takeBack(rings []int, since, most time.Duration) {
	h := &l.held
	other := h.another(rings)
	for _, i := range rings {
		for k, r := range h.rings {
			if k == i || h.like[k] == i && !r.ready() {
				l.history.correct(k, other, l.when(since)-time.Second, most)
				h.like[k] = other
			}
		}
	}
}
