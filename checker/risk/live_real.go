package risk

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Reality is what is known besides the probes. It outranks the virtual rings.
type Reality struct {
	Now    time.Time
	Status corosync.Status      // of the local Corosync
	Silent map[uint32]time.Time // nodes that live although their agents do not answer, and since when: what the trace says of them from then on is not believed
	Dead   []trace.Path         // on which knet has said for long that the link is down, although probes pass: something blocks its packets alone. In order
	Words  []Word               // what the knets of all nodes said since the last Step
	Cut    bool                 // somebody is out of reach, and that has been told as critical: what it costs is no trend
}

// reality is what the local Corosync last said.
type reality struct {
	stopped bool
	members []uint32 // nil: never told
	joins   []uint32 // how often each has joined, in their order
	ring    ringSeen
	losses  uint64
	counted bool // losses is valid
	token   corosync.TokenEvents
}

// ringSeen is a ring, who votes in it, and how often its members had joined when it was first seen.
type ringSeen struct {
	id            corosync.RingID
	voters, joins []uint32
}

// news is what is different in it.
type news struct {
	members  bool
	ring     bool
	again    bool // a ring of those who were in the last one: that lost its token
	losses   int
	lost     bool // as the log said
	warnings int
	gap      time.Duration
}

// read takes a status. What is old changes nothing; a daemon that was stopped has no ring.
func (r *reality) read(s corosync.Status) (n news) {
	switch s.Daemon {
	case corosync.DaemonStopped, corosync.DaemonAbsent:
		*r = reality{stopped: true, token: s.TokenAt}
		return n
	case corosync.DaemonRunning:
	default:
		return n
	}
	if s.Stale {
		return n
	}
	r.stopped = false
	r.token, n = readToken(r.token, s, n)
	if s.SRP.Known {
		if r.counted && s.SRP.OperationalTokenLost > r.losses {
			n.losses = int(s.SRP.OperationalTokenLost - r.losses)
		}
		if r.counted && s.RingID == r.ring.id { // of a ring that has just formed it tells of the time before
			n.gap = s.SRP.TimeSinceToken
		}
		r.losses, r.counted = s.SRP.OperationalTokenLost, true
	}
	r.readMembers(s.Members, &n)
	r.readRing(&s, &n)
	return n
}

// readMembers compares who is in the membership, and how often each has joined.
func (r *reality) readMembers(list []corosync.Member, n *news) {
	var members, joins []uint32
	for _, m := range slices.SortedFunc(slices.Values(list), func(a, b corosync.Member) int { return cmp.Compare(a.ID, b.ID) }) {
		if m.Joined {
			members, joins = append(members, m.ID), append(joins, m.JoinCount)
		}
	}
	if len(members) == 0 {
		return
	}
	n.members = !slices.Equal(members, r.members)
	r.members, r.joins = members, joins
}

// readRing compares the ring. The next one of the same voters, none of whom has joined again since the last, is one that lost its token: this node may have been
// called to gather by another before it found out for itself. Members are told by other means than the ring, at other times, so voters are compared.
func (r *reality) readRing(s *corosync.Status, n *news) {
	if s.RingID.Rep == 0 || s.RingID == r.ring.id {
		return
	}
	old := r.ring
	r.ring = ringSeen{id: s.RingID, joins: r.joins}
	for _, v := range s.Quorum.Votes {
		r.ring.voters = append(r.ring.voters, v.ID)
	}
	n.ring = old.id.Rep != 0
	n.again = n.ring && len(old.voters) > 0 && slices.Equal(old.voters, r.ring.voters) && slices.Equal(old.joins, r.joins) &&
		s.RingID == corosync.RingID{Rep: old.id.Rep, Seq: old.id.Seq + oneRing}
}

// oneRing is how much a ring's number grows with each attempt to form one (exec/totemsrp.c memb_state_commit_token_create).
const oneRing = 4

// readToken compares what the log said of the token.
func readToken(old corosync.TokenEvents, s corosync.Status, n news) (corosync.TokenEvents, news) {
	if !s.TokenAt.Warned.Equal(old.Warned) {
		n.warnings = 1
	}
	n.lost = !s.TokenAt.Lost.Equal(old.Lost)
	return s.TokenAt, n
}

// coverageOf is how much of the newest second must be known for a path to count.
const coverageOf = time.Second

// coverage is the share of the directed paths between members of which the trace knows something of late.
func (l *Live) coverage(t *trace.Trace, known int) float64 {
	paths, seen := 0, 0
	for i, from := range l.net.nodes {
		for k, to := range l.net.nodes {
			if i == k || l.net.excused[i] || l.net.excused[k] {
				if i != k {
					paths += len(l.net.links)
				}
				continue
			}
			for _, link := range l.net.links {
				paths++
				if s := t.Paths[trace.Path{From: from, To: to, Link: link}]; s != nil && knows(s, known, t.SlotOf(coverageOf)) {
					seen++
				}
			}
		}
	}
	if paths == 0 {
		return 0
	}
	return float64(seen) / float64(paths)
}

// knows: not all of the last n slots before known are unknown.
func knows(s *trace.Series, known, n int) bool {
	for slot := max(0, known-n); slot < known; {
		v, until := s.Run(slot)
		if v.State != trace.Unknown {
			return true
		}
		slot = max(until, slot+1)
	}
	return false
}

// mute finds the pairs of which at least half of the rings say that knet carries nothing between them, one way or the other.
func (l *Live) mute() []Pair {
	var out []Pair
	nodes := l.net.nodes
	for a := range nodes {
		for b := a + 1; b < len(nodes); b++ {
			n := 0
			for _, r := range l.rings {
				if !r.carries(a, b) || !r.carries(b, a) {
					n++
				}
			}
			if n > 0 && 2*n >= len(l.rings) {
				out = append(out, Pair{nodes[a], nodes[b]})
			}
		}
	}
	return out
}

// carries: from has a link that it uses towards to.
func (r *liveRing) carries(from, to int) bool {
	for link := range r.cluster.Links {
		if r.ring.Usable(from, to, link) {
			return true
		}
	}
	return false
}

// tell makes the margin.
func (l *Live) tell(t *trace.Trace, known int) {
	m := Margin{Token: l.cluster.Timeouts.Token, Rings: len(l.rings), Coverage: l.margin.Coverage, Mute: l.mute()}
	if l.at-l.covered >= coverageOf {
		l.covered, m.Coverage = l.at, l.coverage(t, known)
	}
	l.margin = m
	l.sum()
	switch {
	case len(l.rings) == 0:
		l.margin.Reason = "the configuration makes no ring"
	case l.margin.Ten.Covered == 0 && l.skipped > 0:
		l.margin.Reason = "the virtual token could not keep up"
	case l.margin.Ten.Covered == 0:
		l.margin.Reason = "the virtual ring has only just begun"
	default:
		l.margin.Known = true
	}
}

func (l *Live) anySettled() bool {
	return slices.ContainsFunc(l.rings, func(r *liveRing) bool { return r.ready() })
}

// sum fills in the windows.
func (l *Live) sum() {
	m, now := &l.margin, l.when(l.at)
	m.At, m.Last = l.start.Add(l.at), time.Time{}
	if l.history.tightAt > 0 {
		m.Last = l.origin.Add(l.history.tightAt)
	}
	at := func(d time.Duration) time.Time { return l.origin.Add(d) }
	rings := max(len(l.rings), m.Rings)
	m.Now = l.history.window(10*time.Second, now, rings, at)
	m.Minute = l.history.window(time.Minute, now, rings, at)
	m.Ten = l.history.window(10*time.Minute, now, rings, at)
	m.Hour = l.history.window(time.Hour, now, rings, at)
	m.Day = l.history.window(24*time.Hour, now, rings, at)
	m.Trend = l.history.trend(now, rings, m.Token)
}
