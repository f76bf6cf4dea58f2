package probe

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// sessionSilence is how long a session must have been silent before another one may begin whose stamps are older, or before its
// own numbers may begin anew.
const sessionSilence = 10 * time.Second

// peer is somebody who may probe us; under socket.mu.
type peer struct {
	addr     netip.Addr
	path     *path      // how we probe it; nil if we don't
	requests *stamp.MAC // key of its probes
	replies  *stamp.MAC // key of ours
	limit    bucket
	newest   stamp.Timestamp // newest T1 of any of its requests
	heard    time.Time       // when its last accepted request came
	sessions []*reflection
}

// reflection is the Session-Reflector's side of one session of a peer.
type reflection struct {
	from   netip.AddrPort
	ssid   uint16
	seq    uint32 // of our next reply
	window window
	heard  time.Time
	left   stamp.FollowUp // when the newest reply really left of which the kernel told
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

// stranger reflects the request of somebody who is no target but allowed, and remembers him once he has shown the key.
func (s *socket) stranger(pkt []byte, m *Message) (r reply, ok bool) {
	a := m.Addr.Addr()
	if !s.allowed(a) || stamp.IsReply(pkt, s.p.cfg.Key.Authenticated()) {
		s.p.counters.drop(Unlisted)
		return reply{}, false
	}
	if !s.room(m.At) {
		s.p.counters.drop(TooMany)
		return reply{}, false
	}
	p := s.newPeer(a)
	if r, ok = s.reflect(p, pkt, m); ok {
		s.peers[a] = p
	}
	return r, ok
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
		if oldest == nil || p.heard.Before(oldest.heard) {
			oldest = p
		}
	}
	if n < s.p.cfg.MaxPeers {
		return true
	}
	if now.Sub(oldest.heard) < sessionSilence {
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

// reflect decides whether a request is answered.
func (s *socket) reflect(p *peer, pkt []byte, m *Message) (reply, bool) {
	q, err := stamp.DecodeRequest(pkt, p.requests)
	if err != nil {
		s.refuse(p, err, m.At)
		return reply{}, false
	}
	if p.path != nil && (q.SSID == p.path.small.ssid || q.SSID == p.path.full.ssid) {
		s.p.counters.drop(NoSession) // our own packet, thrown back
		return reply{}, false
	}
	r := s.session(p, q, m)
	if r == nil {
		return reply{}, false
	}
	s.p.counters.requests.Add(1)
	s.hear(p, q, m)
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

// hear tells the path that the peer is heard, and keeps its bulletin.
func (s *socket) hear(p *peer, r stamp.Request, m *Message) {
	q := p.path
	if q == nil {
		return
	}
	data, ok := r.Ext.Bulletin()
	if r.ExtErr != nil {
		s.p.counters.drop(BadExtension)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.Heard(stats.Heard{Session: r.SSID, Seq: r.Seq, At: m.At})
	if !ok {
		return
	}
	if !bytes.Equal(data, q.bulletin.Data) {
		data = bytes.Clone(data)
	} else {
		data = q.bulletin.Data
	}
	q.bulletin = Bulletin{Path: q.target.Path, At: m.At, Data: data}
}

// session finds the session of a request, or begins it; nil if the request was seen before, is too old, or is one session too many.
func (s *socket) session(p *peer, q stamp.Request, m *Message) *reflection {
	i := slices.IndexFunc(p.sessions, func(r *reflection) bool { return r.ssid == q.SSID && r.from == m.Addr })
	if i < 0 {
		return s.begin(p, q, m)
	}
	r := p.sessions[i]
	switch r.window.accept(q.Seq) {
	case fresh:
	case seen:
		s.p.counters.drop(Replayed)
		p.duplicated(m.At)
		return nil
	default:
		if m.At.Sub(r.heard) < sessionSilence {
			s.p.counters.drop(Replayed)
			return nil
		}
		r.window = window{}
		r.window.accept(q.Seq)
		r.seq, r.left = 0, stamp.FollowUp{}
	}
	p.accept(r, q, m)
	return r
}

// begin starts a session. A recorded packet of an old one must not: its T1 is older than the newest that was heard from this
// peer (equal is fine: a peer stamps small and full-size probes that leave together with one time). Only when the peer has been
// silent for a while is that waived, as its clock may have been set back.
func (s *socket) begin(p *peer, q stamp.Request, m *Message) *reflection {
	newer := p.newest == 0 || q.Sent.Sub(p.newest, q.Error.Format()) >= 0
	if !newer && m.At.Sub(p.heard) < sessionSilence {
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
	r := &reflection{from: m.Addr, ssid: q.SSID}
	r.window.accept(q.Seq)
	p.sessions = append(p.sessions, r)
	if !newer {
		p.newest = q.Sent
	}
	p.accept(r, q, m)
	return r
}

// accept notes an authentic, new request.
func (p *peer) accept(r *reflection, q stamp.Request, m *Message) {
	r.heard, p.heard = m.At, m.At
	if p.newest == 0 || q.Sent.Sub(p.newest, q.Error.Format()) > 0 {
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
