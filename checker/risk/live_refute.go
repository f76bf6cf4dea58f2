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
func (s *said) hear(now time.Time, start time.Time, st corosync.Status, n news) {
	at := now.Sub(start)
	if st.Daemon == corosync.DaemonRunning && !st.Stale && st.SRP.Known {
		s.heard = at
	}
	s.logs = !st.LogSince.IsZero()
	s.log = st.LogSince.Sub(start)
	if n.ring || n.lost || n.losses > 0 {
		s.lost = append(s.lost[max(0, len(s.lost)-lastFew+1):], at)
	}
	if n.warnings > 0 {
		if ago := now.Sub(st.TokenAt.Warned); ago >= 0 && ago <= logLag { // else the log has another clock
			at -= ago
		}
		drop := max(0, len(s.warned)-lastFew+1)
		s.warned, s.asked = append(s.warned[drop:], at), max(0, s.asked-drop)
	}
}

// logLag is how late a line of the log may come: some write whole seconds.
const logLag = 2 * time.Second

// surely is how long after a lost token Corosync, if it answers, has told of it.
const surely = 2 * time.Second

// kept: the token was surely not lost around an instant.
func (s *said) kept(at, token time.Duration) bool {
	return s.heard >= at+surely && !slices.ContainsFunc(s.lost, func(t time.Duration) bool { return t > at-token && t < at+hindsight })
}

// sameGap is how far two warnings may be apart that tell of one gap: logs may give seconds, and the gap begins where the token was. Not ok: so far that
// rings in hindsight are there before it is known.
func sameGap(t totem.Timeouts) (slack time.Duration, ok bool) {
	slack = time.Second + t.Token/4
	return slack, slack < hindsight-time.Second/2
}

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
	wrong := l.wrong()
	refuted := slices.Concat(wrong.lost, wrong.late, wrong.early)
	l.takeBack(wrong.lost, refuted, h.at-t.Token, time.Duration(survived*float64(t.Token)))
	l.takeBack(wrong.late, refuted, h.at-t.TokenWarning, t.TokenWarning)
	if h.another(refuted) >= 0 { // else it is told by Real.Gap alone
		l.takeBack(wrong.early, refuted, wrong.warned-t.TokenWarning, 0)
	}
	for _, i := range wrong.late { // until it is seen what becomes of the gap, which goes on
		h.rings[i].hushed = h.rings[i].ring.Now() + t.Token
	}
	for _, i := range wrong.lost {
		l.mend(i)
	}
}

// wrong are the rings that Corosync has just refuted.
type wrong struct {
	lost, late []int         // they lost the token, or nearly; it did not
	early      []int         // they did not nearly lose it; it did
	warned     time.Duration // when
}

func (l *Live) wrong() (w wrong) {
	h, t := &l.held, l.cluster.Timeouts
	slack, useful := sameGap(t)
	due := false
	if useful {
		w.warned, due = h.said.due(h.at - slack)
	}
	for i, r := range h.rings {
		isLost, isLate := r.lately(h.at)
		switch {
		case isLost && h.said.kept(h.at, t.Token):
			w.lost = append(w.lost, i)
		case isLate && useful && h.said.quiet(h.at, slack):
			w.late = append(w.late, i)
		case due && r.ready() && !around(r.warned, w.warned, slack):
			w.early = append(w.early, i)
		}
	}
	return w
}

// lately says whether the ring has lost its token, or warned that it is late, since it was last asked.
func (r *liveRing) lately(at time.Duration) (lost, late bool) {
	s := r.ring.Stats()
	lost, late = s.Disruptions > r.stats.Disruptions, s.Warnings > r.stats.Warnings
	r.stats.Disruptions, r.stats.Warnings = s.Disruptions, s.Warnings
	if late {
		r.warned = append(r.warned[max(0, len(r.warned)-lastFew+1):], at)
	}
	return lost, late
}

// takeBack gives rings the gaps of one that is not refuted from an instant on; if there is none they were no longer than most, and are not until one
// is settled.
func (l *Live) takeBack(rings, refuted []int, since, most time.Duration) {
	h := &l.held
	other := h.another(refuted)
	if other < 0 && len(rings) > 0 && (h.most == 0 || most < h.most) {
		h.most = most
	}
	for _, i := range rings {
		if !h.rings[i].ready() { // nothing of its is told
			continue
		}
		for k, r := range h.rings {
			if k == i || h.like[k] == i && !r.ready() {
				l.history.correct(k, other, l.when(since)-time.Second, most)
				h.like[k] = other
			}
		}
	}
}

// mend makes a ring whole again, as the real one is, on the links as the knets say that they are: so it may be believed as soon as its first token could have
// been lost.
func (l *Live) mend(ring int) {
	h := &l.held
	old, r := h.rings[ring], newLiveRing(l.members, heldNetwork{h.net, &h.words}, l.net, l.random, h.at)
	if r == nil {
		return
	}
	r.settled, r.warned = max(l.cluster.Timeouts.Token, old.settled-old.ring.Now()), old.warned
	for _, c := range h.words.down(h.at) {
		r.ring.SetLink(c.from, c.to, c.link, false)
	}
	r.ring.Run(0) // that they are down is no news
	h.rings[ring] = r
}
