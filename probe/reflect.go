package probe

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// peer is somebody who may probe us; under socket.mu.
type peer struct {
	addr     netip.Addr
	path     *path      // how we probe it; nil if we don't
	requests *stamp.MAC // key of its probes
	replies  *stamp.MAC // key of ours
	limit    bucket
	newest   stamp.Timestamp // newest T1 of its believed requests
	heard    time.Time       // when its last believed request came
	used     time.Time       // when its last accepted request came
	clock    peerClock
	sessions []*reflection
}

// reflection is the Session-Reflector's side of one session of a peer. A session is a session number of an address: the source
// port is under no HMAC, so a number seen is seen from all ports.
type reflection struct {
	ssid   uint16
	port   uint16 // of a session without a number in open mode, which nothing else tells from another; else 0
	seq    uint32 // of our next reply
	window window
	heard  time.Time
	left   stamp.FollowUp // when the newest reply really left of which the kernel told

	// A session that may be a replay is answered, so that a peer whose clock was set is not cut off, but nothing is believed of it.
	doubted bool
}

// follow notes when the reply with a number left.
func (r *reflection) follow(seq uint32, at stamp.Timestamp) {
	if r.left.Sent == 0 || int32(seq-r.left.Seq) > 0 {
		r.left = stamp.FollowUp{Seq: seq, Sent: at, Method: stamp.MethodSoftware}
	}
}

// setPaths makes these the targets of the socket. Peers that stay keep their sessions.
func (s *socket) setPaths(paths []*path) {
	s.mu.Lock()
	defer s.mu.Unlock()
	peers := map[netip.Addr]*peer{}
	for _, q := range paths {
		a := q.target.Remote
		p := s.peers[a]
		if p == nil {
			p = s.newPeer(a)
		}
		p.path = q
		peers[a] = p
	}
	for a, p := range s.peers {
		if peers[a] == nil && s.allowed(a) {
			p.path = nil
			peers[a] = p
		}
	}
	s.peers = peers
}

func (s *socket) newPeer(a netip.Addr) *peer {
	key, local := s.p.cfg.Key, s.listen.Addr.Addr()
	return &peer{
		addr: a, requests: key.Session(a, local).MAC(), replies: key.Session(local, a).MAC(),
		limit: bucket{rate: s.p.cfg.PeerRate},
	}
}

// allowed says whether an address may probe us though it is no target.
func (s *socket) allowed(a netip.Addr) bool {
	return slices.ContainsFunc(s.p.cfg.Allow, func(n netip.Prefix) bool { return n.Contains(a) })
}

// strangerRate is how many packets a second of addresses that have not shown the key yet are looked at: that takes a key of its own each.
const strangerRate = 200

// stranger reflects the request of somebody who is no target but allowed, and remembers him once he has shown the key.
func (s *socket) stranger(pkt []byte, m *Message) (r reply, ok bool) {
	a := m.Addr.Addr()
	if !s.allowed(a) || stamp.IsReply(pkt, s.p.cfg.Key.Authenticated()) {
		s.p.counters.drop(Unlisted)
		return reply{}, false
	}
	if !s.strangers.take(m.At) {
		s.p.counters.drop(RateLimited)
		return reply{}, false
	}
	p := s.newPeer(a)
	q, ok := s.request(p, pkt, m)
	if !ok {
		return reply{}, false
	}
	if !s.room(m.At) {
		s.p.counters.drop(TooMany)
		return reply{}, false
	}
	s.peers[a] = p
	return s.reflect(p, q, m)
}

// room says whether one more peer can be kept, and forgets a silent one if that makes room.
func (s *socket) room(now time.Time) bool {
	n := 0
	var oldest *peer
	for _, p := range s.peers {
		if p.path != nil {
			continue
		}
		n++
		if oldest == nil || p.used.Before(oldest.used) {
			oldest = p
		}
	}
	if n < s.p.cfg.MaxPeers {
		return true
	}
	if now.Sub(oldest.used) < sessionSilence {
		return false
	}
	delete(s.peers, oldest.addr)
	return true
}

// reply is a request that is to be answered. It is made into a packet only just before that is sent, so that its T3 is right.
type reply struct {
	m       *Message
	q       stamp.Request
	a       stamp.Answer
	mac     *stamp.MAC
	session *reflection
}

// message turns the request into the reply, in place. The residence T3-T2 is taken from the monotonic clock, so that a step of
// our wall clock does not reach the peer's RTT.
func (r *reply) message(clock func() time.Time) Message {
	m := r.m
	stayed := max(time.Since(m.At), 0)
	wall := m.Wall
	if wall.IsZero() {
		wall = clock().Add(-stayed)
	}
	r.a.Received = stamp.NewTimestamp(wall, stamp.NTP)
	r.a.Sent = stamp.NewTimestamp(wall.Add(stayed), stamp.NTP)
	stamp.Reflect(m.Buf[:m.N], r.q, r.a, r.mac)
	return Message{Buf: m.Buf, N: m.N, Addr: m.Addr}
}

// request reads and verifies a request.
func (s *socket) request(p *peer, pkt []byte, m *Message) (stamp.Request, bool) {
	q, err := stamp.DecodeRequest(pkt, p.requests)
	if err != nil {
		s.refuse(p, err, m.At)
	}
	return q, err == nil
}

// reflect decides whether a verified request is answered.
func (s *socket) reflect(p *peer, q stamp.Request, m *Message) (reply, bool) {
	if p.path != nil && (q.SSID == p.path.small.ssid || q.SSID == p.path.full.ssid) {
		s.p.counters.drop(NoSession) // our own packet, thrown back
		return reply{}, false
	}
	r := s.session(p, q, m)
	if r == nil {
		return reply{}, false
	}
	s.p.counters.requests.Add(1)
	if !r.doubted {
		s.hear(p, q, m)
	}
	now := time.Now()
	// After the checks, so that only a peer itself can use up what it may send.
	if !p.limit.take(now) || !s.p.total.take(now) {
		s.p.counters.drop(RateLimited)
		return reply{}, false
	}
	a := stamp.Answer{Seq: r.seq, Error: s.p.clock, TTL: m.TTL, TOS: m.TOS, ReplyTOS: s.listen.TOS, FollowUp: r.left}
	r.seq++
	return reply{m: m, q: q, a: a, mac: p.requests, session: r}, true
}

// hear tells the path that the peer is heard, and keeps its bulletin. Requests from another port than the one we probe are not the agent's
// own: somebody looks at the path beside it ('quorumwatch check'), with numbers of his own.
func (s *socket) hear(p *peer, r stamp.Request, m *Message) {
	q := p.path
	if q == nil || m.Addr.Port() != q.remote.Port() {
		return
	}
	data, ok := r.Ext.Bulletin()
	if r.ExtErr != nil {
		s.p.counters.drop(BadExtension)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	clock := clockOf(r.Sent, r.Error.Format())
	q.stats.Heard(stats.Heard{Session: r.SSID, Seq: r.Seq, At: m.At, Sent: clock, Small: m.N <= authTokenSize})
	if !ok {
		return
	}
	if !bytes.Equal(data, q.bulletin.Data) {
		data = bytes.Clone(data)
	} else {
		data = q.bulletin.Data
	}
	q.bulletin = Bulletin{Path: q.target.Path, At: m.At, Data: data, Clock: clock, Left: q.stats.LeftAt(clock, m.At)}
}

// sessionPort is the port that a session is known by, if it is.
func (s *socket) sessionPort(q stamp.Request, m *Message) uint16 {
	if q.SSID == 0 && !s.p.cfg.Key.Authenticated() {
		return m.Addr.Port()
	}
	return 0
}

// session finds the session of a request, or begins it; nil if the request was seen before, is too old, or is one session too many.
func (s *socket) session(p *peer, q stamp.Request, m *Message) *reflection {
	port := s.sessionPort(q, m)
	i := slices.IndexFunc(p.sessions, func(r *reflection) bool { return r.ssid == q.SSID && r.port == port })
	if i < 0 {
		return s.begin(p, q, m)
	}
	r := p.sessions[i]
	switch r.window.accept(q.Seq) {
	case fresh:
		r.doubted = r.doubted && s.trust(p, q, m) != trusted
	case seen:
		s.p.counters.drop(Replayed)
		p.duplicated(m.At)
		return nil
	default: // its numbers begin anew
		t := s.trust(p, q, m)
		if t == refused || !p.renews(r, q, m.At) {
			s.p.counters.drop(Replayed)
			return nil
		}
		*r = reflection{ssid: r.ssid, port: r.port, doubted: t != trusted}
		r.window.accept(q.Seq)
	}
	p.accept(r, q, m)
	return r
}

// begin starts a session, unless the request may be a recorded one of an old session.
func (s *socket) begin(p *peer, q stamp.Request, m *Message) *reflection {
	t := s.trust(p, q, m)
	if t == refused {
		s.p.counters.drop(Replayed)
		return nil
	}
	if len(p.sessions) >= s.p.cfg.MaxSessions {
		oldest := slices.MinFunc(p.sessions, func(a, b *reflection) int { return a.heard.Compare(b.heard) })
		if m.At.Sub(oldest.heard) < sessionSilence {
			s.p.counters.drop(TooMany)
			return nil
		}
		p.sessions = slices.DeleteFunc(p.sessions, func(r *reflection) bool { return r == oldest })
	}
	r := &reflection{ssid: q.SSID, port: s.sessionPort(q, m), doubted: t != trusted}
	r.window.accept(q.Seq)
	p.sessions = append(p.sessions, r)
	p.accept(r, q, m)
	return r
}

// accept notes an authentic, new request. One of a doubted session says nothing of the peer.
func (p *peer) accept(r *reflection, q stamp.Request, m *Message) {
	r.heard, p.used = m.At, m.At
	if r.doubted {
		return
	}
	p.heard = m.At
	if p.newest == 0 || p.newer(q) {
		p.newest = q.Sent
	}
}

// duplicated counts a request that came twice.
func (p *peer) duplicated(at time.Time) {
	if p.path == nil {
		return
	}
	p.path.mu.Lock()
	defer p.path.mu.Unlock()
	p.path.stats.Duplicated(at)
}
