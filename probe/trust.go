package probe

import (
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// STAMP has no replay protection but what a session keeps (package stamp). The windows of sessions know what was seen; what is told
// here is whether a session may begin, or its numbers may begin anew: a recorded packet of an old one must not do that.

const (
	// sessionSilence is how long a peer must have been silent before a session may begin whose stamps are older than those
	// heard from it (its clock may have been set back), and a session before its numbers may begin anew.
	sessionSilence = 10 * time.Second
	// nearClock is how far such a stamp may be from our own clock: what was recorded longer ago opens nothing.
	nearClock = 5 * time.Minute
	// vouchSlack is how far it may be from what the peer's replies to our own probes say of its clock. It is shorter than
	// sessionSilence, so what was recorded before the silence is too old.
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
func (s *socket) trust(p *peer, q stamp.Request, m *Message) trust {
	f := q.Error.Format()
	near := q.Sent.Sub(stamp.NewTimestamp(s.p.cfg.Wall(), f), f).Abs() <= nearClock
	switch {
	case p.newest != 0 && q.Sent.Sub(p.newest, f) >= 0:
		return trusted
	case p.newest != 0 && m.At.Sub(p.heard) < sessionSilence:
		return refused
	case p.clock.vouches(q, m.At) || p.newest == 0 && near:
		return trusted
	case p.newest == 0 || near:
		return doubted
	}
	return refused
}

// believe ends the doubt about a session. The peer's clock is what the request says, even if that is less than before.
func (p *peer) believe(r *reflection, q stamp.Request) {
	r.doubted = false
	p.newest = q.Sent
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
