package simnet

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
)

// queueLimit is how many datagrams a socket holds.
const queueLimit = 4096

// conn is one UDP socket.
type conn struct {
	host *Host
	cfg  probe.ListenConfig

	// Under host.net.mu:
	queue  queue
	key    uint32
	closed bool
	drops  uint64

	done  chan struct{}
	wake  chan struct{}
	timer *time.Timer // of ReadBatch
}

// item is a datagram or event on its way to a socket.
type item struct {
	at   time.Time
	n    uint64 // order of those of one instant
	kind probe.Kind
	from netip.AddrPort
	buf  []byte
	key  uint32
	err  error
	mtu  int
	tos  uint8
}

func newConn(h *Host, cfg probe.ListenConfig) *conn {
	return &conn{host: h, cfg: cfg, done: make(chan struct{}), wake: make(chan struct{}, 1), timer: time.NewTimer(0)}
}

// put queues an item; under net.mu.
func (c *conn) put(it item) {
	if len(c.queue.items) >= queueLimit {
		c.drops++
		c.host.net.release(it.buf)
		return
	}
	c.queue.n++
	it.n = c.queue.n
	c.queue.push(it)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// forget drops the datagrams that arrived in a time; under net.mu.
func (c *conn) forget(from, to time.Time) {
	c.queue.items = slices.DeleteFunc(c.queue.items, func(it item) bool {
		return it.kind == probe.Datagram && !it.at.Before(from) && !it.at.After(to)
	})
	c.queue.order()
}

// ReadBatch implements probe.Conn.
func (c *conn) ReadBatch(ms []probe.Message) (int, error) {
	for {
		select {
		case <-c.done:
			return 0, net.ErrClosed
		case <-c.host.gate():
		}
		n, wait := c.take(ms)
		if n > 0 {
			return n, nil
		}
		c.timer.Reset(wait)
		select {
		case <-c.done:
			return 0, net.ErrClosed
		case <-c.wake:
		case <-c.timer.C:
		}
	}
}

// Polled implements probe.Poller.
func (c *conn) Polled() bool { return c.cfg.Polled && c.host.net.Polled }

// Poll implements probe.Poller.
func (c *conn) Poll(ms []probe.Message) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
	}
	select {
	case <-c.host.gate():
	default:
		return 0, nil // stopped
	}
	n, _ := c.take(ms)
	return n, nil
}

// take fills ms with what has arrived, else says how long to wait for the next arrival known.
func (c *conn) take(ms []probe.Message) (n int, wait time.Duration) {
	s := c.host.net
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for n < len(ms) && len(c.queue.items) > 0 {
		if d := c.queue.items[0].at.Sub(now); d > 0 {
			return n, d
		}
		it := c.queue.pop()
		c.fill(&ms[n], it)
		s.release(it.buf)
		n++
	}
	return n, time.Hour
}

func (c *conn) fill(m *probe.Message, it item) {
	m.Kind, m.Addr, m.At, m.Key, m.Err, m.MTU = it.kind, it.from, it.at, it.key, it.err, it.mtu
	m.Wall = it.at.Round(0).Add(c.host.offset)
	m.TTL, m.TOS, m.N = 64, it.tos, copy(m.Buf, it.buf)
}

// WriteBatch implements probe.Conn.
func (c *conn) WriteBatch(ms []probe.Message) (int, error) {
	s := c.host.net
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ms {
		if err := c.send(&ms[i]); err != nil {
			return i, err
		}
	}
	return len(ms), nil
}

// send puts one datagram on the network; under net.mu.
func (c *conn) send(m *probe.Message) error {
	s := c.host.net
	if c.closed {
		return net.ErrClosed
	}
	if s.hosts[c.cfg.Addr.Addr()] != c.host {
		return ErrNoRoute
	}
	data := m.Buf[:min(m.N, len(m.Buf))]
	now := time.Now()
	if s.tap != nil {
		s.tap(Packet{From: c.cfg.Addr, To: m.Addr, At: now, Data: data})
	}
	c.key++
	m.Key, m.At = c.key, now
	p := s.pipe(c.cfg.Addr.Addr(), m.Addr.Addr())
	f := p.judge(now, now.Sub(s.start), len(data)+headers(m.Addr.Addr()))
	c.put(item{at: now, kind: probe.TxStamp, from: m.Addr, key: c.key})
	if f.tooLong {
		l := p.rules(now.Sub(s.start))
		c.put(item{at: now.Add(l.Delay), kind: probe.PathError, from: m.Addr, err: ErrTooLong, mtu: l.MTU})
	}
	if f.lost {
		return nil
	}
	c.deliver(data, m.Addr, f)
	return nil
}

// headers is the size of the IP and UDP headers.
func headers(a netip.Addr) int {
	if a.Is4() || a.Is4In6() {
		return 28
	}
	return 48
}

// deliver queues the copies of a datagram at its destination.
func (c *conn) deliver(data []byte, addr netip.AddrPort, f fate) {
	s := c.host.net
	to := s.socket(addr)
	if to == nil {
		if s.hosts[addr.Addr()] != nil {
			c.put(item{at: f.at[0], kind: probe.PathError, from: addr, err: ErrRefused})
		}
		return
	}
	for _, at := range f.at[:f.copies] {
		b := append(s.buffer(), data...)
		if f.flip >= 0 {
			b[f.flip/8%len(b)] ^= 1 << (f.flip % 8)
		}
		to.put(item{at: at, from: c.cfg.Addr, buf: b, tos: c.cfg.TOS})
	}
}

// LocalAddr implements probe.Conn.
func (c *conn) LocalAddr() netip.AddrPort { return c.cfg.Addr }

// Drops implements probe.DropCounter.
func (c *conn) Drops() (uint64, error) {
	c.host.net.mu.Lock()
	defer c.host.net.mu.Unlock()
	return c.drops, nil
}

// Close implements probe.Conn.
func (c *conn) Close() error {
	s := c.host.net
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	close(c.done)
	c.timer.Stop()
	delete(c.host.conns, c.cfg.Addr)
	return nil
}

// pacer implements probe.Pacer.
type pacer struct {
	host   *Host
	timer  *time.Timer
	closed chan struct{}
	once   sync.Once
}

// Wait implements probe.Pacer.
func (p *pacer) Wait(until time.Time) (time.Time, error) {
	if d := time.Until(until); d > 0 {
		p.timer.Reset(d)
		select {
		case <-p.closed:
			return time.Now(), net.ErrClosed
		case <-p.timer.C:
		}
	}
	select {
	case <-p.closed:
		return time.Now(), net.ErrClosed
	case <-p.host.gate():
	}
	return time.Now(), nil
}

// Close implements probe.Pacer.
func (p *pacer) Close() error {
	p.once.Do(func() {
		close(p.closed)
		p.timer.Stop()
	})
	return nil
}
