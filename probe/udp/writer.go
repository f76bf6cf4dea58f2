//go:build linux

package udp

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/probe"
)

// writer is the state of WriteBatch. Its closure is made once.
type writer struct {
	c      *Conn
	stamps bool
	book   book

	mu   sync.Mutex // one batch at a time
	b    *batch
	send func(fd uintptr)
	ms   []probe.Message
	n    int
	err  error
}

func (w *writer) init(c *Conn, stamps bool) {
	w.c, w.stamps = c, stamps
	w.b = newBatch(false)
	if c.local.Addr().Is6() {
		w.b.setControl(sourceControl(c.local.Addr(), c.zone))
	}
	w.book.start = time.Now()
	w.send = w.try
}

// WriteBatch sends ms and returns how many went out. The error belongs to ms[n]: it is ErrNoRoom, or what the kernel says of
// that address now (an ICMP error about an earlier datagram is no such error; it comes by ReadBatch). After Close it is net.ErrClosed.
func (c *Conn) WriteBatch(ms []probe.Message) (int, error) {
	w := &c.w
	w.mu.Lock()
	defer w.mu.Unlock()
	done := 0
	for done < len(ms) {
		w.ms, w.n, w.err = ms[done:min(len(ms), done+maxBatch)], 0, nil
		err := c.rc.Control(w.send)
		done += w.n
		if err != nil {
			return done, c.closed(err)
		}
		if w.err != nil {
			return done, c.sendError(ms[done].Addr, w.err)
		}
	}
	return done, nil
}

// try sends w.ms, at most maxBatch.
func (w *writer) try(fd uintptr) {
	if w.err = w.prepare(); w.err != nil {
		return
	}
	retried := -1 // the message that was tried twice
	for w.n < len(w.ms) {
		todo := w.ms[w.n:]
		n, err := w.shift(fd, todo)
		w.n += n
		if n == len(todo) {
			return
		}
		// The kernel may have counted the datagram that failed, or not: begin a new count.
		w.recount(fd)
		if err == nil {
			continue // the one that failed comes first now, and tells why
		}
		if !pending(err) || retried == w.n {
			w.err = err
			return
		}
		retried = w.n // the error may have been about an earlier datagram
	}
}

// prepare fills the batch.
func (w *writer) prepare() error {
	for i := range w.ms {
		m := &w.ms[i]
		to := netip.AddrPortFrom(m.Addr.Addr().Unmap(), m.Addr.Port())
		zone, err := w.c.zone.id(to.Addr())
		if err != nil || !to.Addr().IsValid() {
			if i > 0 {
				w.ms = w.ms[:i] // send those before it; it comes first in the next round
				return nil
			}
			return unix.EDESTADDRREQ
		}
		w.b.set(i, m.Buf[:min(m.N, len(m.Buf))])
		w.b.putName(i, to, zone)
	}
	return nil
}

// shift sends todo, which are the entries of the batch from w.n on.
func (w *writer) shift(fd uintptr, todo []probe.Message) (int, error) {
	now := time.Now()
	first := w.book.begin(now, len(todo))
	n, err := w.b.call(unix.SYS_SENDMMSG, fd, w.n, len(todo), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	w.book.end(n)
	for i := range todo[:n] {
		todo[i].Key, todo[i].At = first+uint32(i), now
	}
	return n, err
}

// recount makes the kernel number datagrams from zero again.
func (w *writer) recount(fd uintptr) {
	if !w.stamps {
		return
	}
	if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stampFlags) == nil &&
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stampByID) == nil {
		w.book.restart()
	}
}

// remembered is how many sent datagrams the book knows, a power of two. A stamp comes within microseconds, or some
// milliseconds when a queue is long.
const remembered = 1 << 10

// recounts is how many beginnings of the kernel's count the book knows.
const recounts = 8

// early is how much before its sending a transmit stamp may lie by the rounding of clocks.
const early = 200 * time.Microsecond

// book relates the numbers by which the kernel tells of transmit stamps to the keys of datagrams. The kernel counts from zero,
// and a send that failed may or may not have been counted, by version and cause; so after each failure the count is begun anew. A stamp
// that lies before the sending of the datagram that it claims to be about is not believed.
type book struct {
	mu    sync.Mutex
	start time.Time
	next  uint64           // key of the next datagram; 64 bits, as 32 wrap within days in a large mesh
	top   uint64           // end of the keys that may have been sent: next, or more while a send is under way
	bases [recounts]uint64 // keys of the datagrams that the kernel counted as 0, the newest first; older ones for stamps on their way
	sent  [remembered]time.Duration
}

// begin notes that n datagrams are about to be sent and returns the key of the first.
func (b *book) begin(now time.Time, n int) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range uint64(n) {
		b.sent[(b.next+i)%remembered] = now.Sub(b.start)
	}
	b.top = b.next + uint64(n)
	return uint32(b.next)
}

// end notes how many of them were.
func (b *book) end(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next += uint64(n)
	b.top = b.next
}

// restart notes that the kernel counts from zero again.
func (b *book) restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bases[0] != b.next { // else nothing was sent under that count
		copy(b.bases[1:], b.bases[:])
		b.bases[0] = b.next
	}
}

// key returns the key of the datagram that the kernel counts as id and says it sent at a time.
func (b *book) key(id uint32, at time.Time) (uint32, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	end := b.top
	for _, base := range b.bases {
		if k, ok := b.plausible(id, base, end, at); ok {
			return k, true
		}
		end = base
	}
	return 0, false
}

// plausible returns the key in [base, end) with number id, if there is one that is remembered and was sent before at.
func (b *book) plausible(id uint32, base, end uint64, at time.Time) (uint32, bool) {
	if end == base {
		return 0, false
	}
	// The last key before end whose distance from base is id modulo 2^32.
	back := uint64(uint32(end-1-base) - id)
	k := end - 1 - back
	if back > end-1-base || b.top-k > remembered || at.Sub(b.start) < b.sent[k%remembered]-early {
		return 0, false
	}
	return uint32(k), true
}
