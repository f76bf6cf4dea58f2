package probe

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// STAMP has no replay protection but what a session keeps (package stamp). The windows of sessions know what was seen; what is told
// here is whether a session may begin, or its numbers may begin anew: a recorded packet of an old one must not do that.

const (
	// sessionSilence is how long a peer must have been silent before a session may begin whose stamps are older than those
	// heard from it, and for which its clock does not vouch; and a session before its numbers may begin anew.
	sessionSilence = 10 * time.Second
	// nearClock is how far such a stamp may be from our own clock: what was recorded longer ago opens nothing.
	nearClock = 5 * time.Minute
	// vouchSlack is how far a stamp may be from what the peer's replies to our own probes say of its clock. It is shorter than
	// sessionSilence, so what was recorded before a silence is too old.
	vouchSlack = 5 * time.Second
	// vouchFor is how long such a reply tells, and vouchRTT how long one may have taken.
	vouchFor = sessionSilence
	vouchRTT = 2 * time.Second
)

// trust is how much a request is believed that would begin a session.
type trust uint8

const (
	refused trust = iota
	doubted       // answered, but not believed
	trusted
)

// trust judges the T1 of a request. One that is not older than the newest heard from this peer is no replay of an old session
// (equal is fine: a peer stamps small and full-size probes that leave together with one time, and the windows know the others).
//
// An older one may be that of a peer whose clock was set back; it is believed if the clock shows that time now. A recording is as old as that
// only if the clock was set back by its age, give or take vouchSlack. Even then it opens nothing while its session is remembered (windows,
// renews). One forgotten for Config.MaxSessions others is taken for the peer's, with its bulletins, as long as it is played in step; the
// peer's own sessions are answered as before, and no dead peer comes to life, as nothing vouches once its replies end.
func (s *socket) trust(p *peer, q stamp.Request, m *Message) trust {
	f := q.Error.Format()
	near := q.Sent.Sub(stamp.NewTimestamp(s.p.cfg.Wall(), f), f).Abs() <= nearClock
	switch {
	case p.newer(q) || p.clock.vouches(q, m.At) || p.newest == 0 && near:
		return trusted
	case p.newest != 0 && m.At.Sub(p.heard) < sessionSilence:
		return refused
	case p.newest == 0 || near:
		return doubted
	}
	return refused
}

// newer says whether a request is not older than the newest heard from this peer. That one never gets older, even if the peer's clock does:
// else what was recorded before the clock was set back would be newer.
func (p *peer) newer(q stamp.Request) bool {
	return p.newest != 0 && q.Sent.Sub(p.newest, q.Error.Format()) >= 0
}

// renews says whether a request that is too old for its session may begin its numbers anew: not while the session is heard, and one that may
// be a recording not while the peer is heard at all, whatever its clock shows.
func (p *peer) renews(r *reflection, q stamp.Request, at time.Time) bool {
	return at.Sub(r.heard) >= sessionSilence && (p.newer(q) || at.Sub(p.heard) >= sessionSilence)
}

// peerClock is what a peer's clock showed when it answered a probe of ours, which nobody could have recorded before.
type peerClock struct {
	sent   stamp.Timestamp
	format stamp.Format
	at     time.Time // when the reply came
}

// tell takes in the first reply to a probe that left at an instant.
func (c *peerClock) tell(r stamp.Reply, left, at time.Time) {
	if at.Sub(left) <= vouchRTT {
		*c = peerClock{sent: r.Sent, format: r.Error.Format(), at: at}
	}
}

// vouches says whether the T1 of a request is about what the peer's clock must show.
func (c *peerClock) vouches(q stamp.Request, at time.Time) bool {
	since := at.Sub(c.at)
	if c.at.IsZero() || since > vouchFor || q.Error.Format() != c.format {
		return false
	}
	return (q.Sent.Sub(c.sent, c.format) - since).Abs() <= vouchSlack
}
