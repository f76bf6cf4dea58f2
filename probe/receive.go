package probe

import (
	"errors"
	"syscall"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// depart notes that a probe leaves.
func (q *path) depart(full bool, seq uint32, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if full {
		q.stats.FullSent(seq, now)
		if q.large != nil {
			q.large.Sent(seq, now)
		}
	} else {
		q.stats.Sent(seq, now)
	}
}

// sendOK notes that the local stack took a probe.
func (q *path) sendOK(full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if full {
		q.fullErr = ""
	} else {
		q.sendErr = ""
	}
}

// receive handles a batch that was read and appends the replies that are to be sent to due. They share the buffers of ms.
func (s *socket) receive(ms []Message, due []reply, now time.Time) []reply {
	for i := range ms {
		m := &ms[i]
		switch m.Kind {
		case TxStamp:
			s.stamped(m)
		case PathError:
			s.pathError(m, now)
		case Datagram:
			if r, ok := s.datagram(m); ok {
				due = append(due, r)
			}
		}
	}
	return due
}

// stamped takes in when a datagram of ours really left.
func (s *socket) stamped(m *Message) {
	d, ok := s.departed(m.Key)
	switch {
	case !ok:
	case d.path != nil:
		d.path.departed(d.full, d.seq, m.At)
	case !m.Wall.IsZero():
		s.mu.Lock()
		d.session.follow(d.seq, stamp.NewTimestamp(m.Wall, stamp.NTP))
		s.mu.Unlock()
	}
}

func (q *path) departed(full bool, seq uint32, at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !full:
		q.stats.Departed(seq, at)
	case q.large != nil:
		q.large.Departed(seq, at)
	}
}

// pathError notes what the network said of a peer.
func (s *socket) pathError(m *Message, now time.Time) {
	var q *path
	s.mu.Lock()
	if p := s.peers[m.Addr.Addr()]; p != nil {
		q = p.path // it changes with a reload
	}
	s.mu.Unlock()
	if q == nil || m.Err == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if m.MTU > 0 {
		q.mtu = m.MTU
		return
	}
	q.refused = time.Time{}
	if errors.Is(m.Err, syscall.ECONNREFUSED) {
		q.refused = now
	}
}

// datagram handles one datagram; ok if there is a reply to be sent.
func (s *socket) datagram(m *Message) (r reply, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pkt := m.Buf[:m.N]
	p := s.peers[m.Addr.Addr()]
	if p == nil {
		return s.stranger(pkt, m)
	}
	if stamp.IsReply(pkt, s.p.cfg.Key.Authenticated()) {
		s.answer(p, pkt, m)
		return reply{}, false
	}
	q, ok := s.request(p, pkt, m)
	if !ok {
		return reply{}, false
	}
	return s.reflect(p, q, m)
}

// answer takes in a reply to one of our probes.
func (s *socket) answer(p *peer, pkt []byte, m *Message) {
	r, err := stamp.DecodeReply(pkt, p.replies)
	if err != nil {
		s.refuse(p, err, m.At)
		return
	}
	q := p.path
	if q == nil {
		s.p.counters.drop(NoSession)
		return
	}
	full := r.SSID == q.full.ssid
	if r.SSID == 0 { // a reflector without RFC 8972
		full = q.target.FullSize > 0 && len(pkt) == q.target.FullSize
	} else if !full && r.SSID != q.small.ssid {
		s.p.counters.drop(NoSession)
		return
	}
	if r.ExtErr != nil {
		s.p.counters.drop(BadExtension)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch left, fate := q.count(r, full, m.At); fate {
	case stats.Foreign:
		s.p.counters.drop(NoSession)
		return
	case stats.Fresh:
		if !full {
			p.clock.tell(r, left, m.At)
		}
	}
	s.p.counters.replies.Add(1)
}

// count gives a reply to the figures and tells what it was, and when its probe left (where that is kept).
func (q *path) count(r stamp.Reply, full bool, at time.Time) (left time.Time, fate stats.Fate) {
	if !full {
		if left, fate = measure(q.stats, &q.last, r, at); fate != stats.Foreign {
			q.refused = time.Time{}
		}
		return left, fate
	}
	q.mtu = 0
	fate = q.stats.FullReply(r.SenderSeq, at)
	if q.large == nil {
		return time.Time{}, fate
	}
	return measure(q.large, &q.lastFull, r, at)
}

// measure gives a reply to an account. Only instants of this host's monotonic clock are subtracted, and the reflector's residence is believed only if
// it fits between them; so no clock that is set disturbs it.
func measure(to *stats.Path, last *lastReply, r stamp.Reply, at time.Time) (left time.Time, fate stats.Fate) {
	left, ok := to.SentAt(r.SenderSeq)
	if !ok {
		return left, stats.Foreign
	}
	rtt := at.Sub(left)
	if residence := r.Residence(); residence > 0 && residence < rtt {
		rtt -= residence
	}
	f := stats.Reply{Seq: r.SenderSeq, Reflector: r.Seq, At: at, RTT: rtt}
	if r.Error.Format() == r.SenderError.Format() {
		f.Outbound, f.Timed = r.Received.Sub(r.SenderSent, r.Error.Format()), true
	}
	if u, ok := r.Ext.FollowUp(); ok {
		f.Followed = true
		if u.Seq == last.seq {
			f.Late = u.Sent.Sub(last.sent, r.Error.Format())
		}
	}
	*last = lastReply{seq: r.Seq, sent: r.Sent}
	return left, to.Reply(f)
}

// refuse counts a packet that could not be read. From a peer, a bad HMAC is most often damage on the way.
func (s *socket) refuse(p *peer, err error, at time.Time) {
	switch {
	case errors.Is(err, stamp.ErrHMAC):
		s.p.counters.drop(BadHMAC)
		p.corrupt(at)
	case errors.Is(err, stamp.ErrUnauthenticated):
		s.p.counters.drop(Unauthenticated)
	default:
		s.p.counters.drop(Malformed)
		p.corrupt(at)
	}
}

// corrupt counts a damaged packet of a peer.
func (p *peer) corrupt(at time.Time) {
	if p.path == nil {
		return
	}
	p.path.mu.Lock()
	defer p.path.mu.Unlock()
	p.path.stats.Corrupt(at)
}
