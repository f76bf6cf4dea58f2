package probe

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

const (
	batch      = 32      // datagrams a system call
	bufferSize = 9 << 10 // a jumbo frame
	keyRing    = 1 << 11 // sent datagrams whose transmit stamps may still come
	backoffMin = 100 * time.Millisecond
	backoffMax = time.Second
)

// socket is what probes leave from and arrive at: one local address and port. One goroutine opens it again and again, and reads, unless
// that can be left to the pacer (Poller).
type socket struct {
	p      *Prober
	listen ListenConfig
	cancel context.CancelFunc // under Prober.mu
	failed chan error         // holds why polling ended

	mu    sync.Mutex
	conn  Conn
	poll  Poller // conn, if the pacer reads it
	err   error  // why conn is nil
	tried bool
	peers map[netip.Addr]*peer

	strangers bucket // of those who may become peers

	dropsOf Conn // that drops is about; both under Prober.drops
	drops   uint64

	send sync.Mutex // one batch at a time; guards sent
	out  []Message
	sent [keyRing]departure
}

// departure remembers which datagram a transmit stamp is about: a probe of a path, or a reply in a session.
type departure struct {
	key     uint32
	path    *path
	session *reflection
	seq     uint32
	full    bool
}

func newSocket(p *Prober, c ListenConfig) *socket {
	return &socket{
		p: p, listen: c, failed: make(chan error, 1), peers: map[netip.Addr]*peer{}, out: newMessages(batch, 0),
		strangers: bucket{rate: strangerRate},
	}
}

// newMessages returns n messages with buffers.
func newMessages(n, size int) []Message {
	ms := make([]Message, n)
	b := make([]byte, n*size)
	for i := range ms {
		ms[i].Buf = b[i*size : (i+1)*size : (i+1)*size]
	}
	return ms
}

// stop ends the socket's goroutine; under Prober.mu.
func (s *socket) stop() {
	if s.cancel != nil {
		s.cancel()
	}
	s.close()
}

func (s *socket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
		s.conn, s.poll = nil, nil
	}
}

// state says whether the socket is open, and if not, why: nothing as long as that was not tried.
func (s *socket) state() (open bool, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.conn != nil:
		return true, ""
	case s.err != nil:
		return false, s.err.Error()
	}
	return false, ""
}

// run keeps the socket open until ctx ends.
func (s *socket) run(ctx context.Context) {
	backoff := backoffMin
	for ctx.Err() == nil {
		opened := time.Now()
		err := s.serve(ctx)
		if ctx.Err() != nil {
			return
		}
		s.mu.Lock()
		s.err, s.tried = err, true
		s.mu.Unlock()
		if time.Since(opened) > backoffMax {
			backoff = backoffMin
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, backoffMax)
	}
}

// serve opens the socket and reads from it, or lets the pacer read, until it fails or ctx ends.
func (s *socket) serve(ctx context.Context) error {
	c := s.listen
	c.Polled = true
	conn, err := s.p.cfg.Network.Listen(ctx, c)
	if err != nil {
		return err
	}
	poll, polled := conn.(Poller)
	if polled = polled && poll.Polled(); !polled {
		poll = nil
	}
	s.mu.Lock()
	s.conn, s.poll, s.tried = conn, poll, true
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, s.close)
	defer stop()
	defer s.close()
	if !polled {
		return s.read(conn)
	}
	select {
	case err := <-s.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read handles what arrives.
func (s *socket) read(conn Conn) error {
	b := newInbox()
	for {
		n, err := conn.ReadBatch(b.in)
		if err != nil {
			return err
		}
		s.take(conn, b, n)
	}
}

// inbox is what a reader works with.
type inbox struct {
	in  []Message
	due []reply
	pen pen
}

func newInbox() *inbox {
	return &inbox{in: newMessages(batch, bufferSize), due: make([]reply, 0, batch)}
}

// take handles the first n messages of b.
func (s *socket) take(conn Conn, b *inbox, n int) {
	now := time.Now()
	b.due = s.receive(b.in[:n], b.due[:0], now)
	for rest := b.due; len(rest) > 0; {
		n := min(b.pen.size(now), len(rest))
		s.answerAll(conn, &b.pen, rest[:n])
		rest = rest[n:]
	}
}

// pen says how many replies are stamped and sent together. What is stamped and then waits for a processor carries a wrong T3, and
// a busy kernel takes the processor away between two datagrams of one call; so on a busy host each goes alone.
type pen struct {
	out  [replyBatch]Message
	busy time.Time // when replies last took too long to leave
}

const (
	replyBatch = 8
	busyAfter  = 200 * time.Microsecond // eight replies take 20 us
	busyFor    = 5 * time.Second
)

func (p *pen) size(now time.Time) int {
	if now.Sub(p.busy) < busyFor {
		return 1
	}
	return replyBatch
}

// answerAll stamps and sends up to replyBatch replies.
func (s *socket) answerAll(conn Conn, p *pen, due []reply) {
	begin := time.Now()
	for i := range due {
		p.out[i] = due[i].message(s.p.cfg.Wall)
	}
	s.reply(conn, p.out[:len(due)], due)
	if now := time.Now(); now.Sub(begin) > busyAfter {
		p.busy = now
	}
}

// shoot sends probes.
func (s *socket) shoot(due []*shot, now time.Time) {
	s.mu.Lock()
	conn, tried := s.conn, s.tried
	s.mu.Unlock()
	if conn == nil && !tried {
		return // it is being opened for the first time
	}
	s.send.Lock()
	defer s.send.Unlock()
	wall := stamp.NewTimestamp(s.p.cfg.Wall(), stamp.NTP)
	for i, x := range due {
		m := &s.out[i]
		b, seq := s.p.request(m.Buf, x, wall)
		m.Buf, m.N, m.Addr, m.Key = b, len(b), x.path.remote, seq
		x.path.depart(x.Full, seq, now)
		if x.path.spent(x.Full) {
			x.path.hush(x.Full, now)
		}
	}
	s.p.counters.sent.Add(uint64(len(due)))
	if conn != nil {
		s.write(conn, due)
	}
}

// write sends s.out, one message for each shot; under s.send. The sequence numbers are in Key until the Conn puts its own there.
func (s *socket) write(conn Conn, due []*shot) {
	var seqs [batch]uint32
	ms := s.out[:len(due)]
	for i := range ms {
		seqs[i] = ms[i].Key
	}
	for i := 0; i < len(ms); {
		n, err := conn.WriteBatch(ms[i:])
		for k := i; k < i+n; k++ {
			s.sent[ms[k].Key%keyRing] = departure{key: ms[k].Key, path: due[k].path, seq: seqs[k], full: due[k].Full}
			due[k].path.sendOK(due[k].Full)
		}
		i += n
		if err == nil || i >= len(ms) {
			continue
		}
		due[i].path.setSendErr(due[i].Full, err)
		s.p.unsent = true
		i++
	}
}

// reply sends what the reflector has made.
func (s *socket) reply(conn Conn, ms []Message, due []reply) {
	s.send.Lock()
	defer s.send.Unlock()
	for i := 0; i < len(ms); {
		n, err := conn.WriteBatch(ms[i:])
		s.p.counters.reflected.Add(uint64(n))
		for k := i; k < i+n; k++ {
			s.sent[ms[k].Key%keyRing] = departure{key: ms[k].Key, session: due[k].session, seq: due[k].a.Seq}
		}
		if i += n; err != nil && i < len(ms) {
			s.p.counters.drop(SendFailed)
			i++
		}
	}
}

// departed returns which probe a transmit stamp is about.
func (s *socket) departed(key uint32) (departure, bool) {
	s.send.Lock()
	defer s.send.Unlock()
	d := s.sent[key%keyRing]
	return d, (d.path != nil || d.session != nil) && d.key == key
}
