//go:build linux

package udp

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/probe"
)

// reader is the state of ReadBatch and Poll. Its closures are made once.
type reader struct {
	c     *Conn
	poll  func(fd uintptr) bool
	once  func(fd uintptr)
	data  *batch
	errs  *batch
	clock *clock
	rx    queue // of datagrams
	tx    queue // of stamps and errors
	flip  bool

	// one call
	ms  []probe.Message
	n   int
	err error
}

func (r *reader) init(c *Conn) {
	r.c = c
	r.data, r.errs = newBatch(true), newBatch(true)
	r.clock = newClock(time.Now())
	r.poll = r.try
	r.once = func(fd uintptr) { r.try(fd) }
}

// begin begins one call.
func (r *reader) begin(ms []probe.Message) { r.ms, r.n, r.err = ms[:min(len(ms), maxBatch)], 0, nil }

// try reads what is there. False means: wait.
func (r *reader) try(fd uintptr) bool {
	for range 8 {
		empty := false
		if room := r.errRoom(); room > 0 {
			empty = r.errors(fd, room)
		}
		err := r.datagrams(fd)
		switch {
		case r.n > 0:
			return true
		case err == unix.EAGAIN && empty:
			return false // both queues: only now may we wait, as the poller tells of changes only
		case err != nil && err != unix.EAGAIN && !pending(err):
			r.err = err
			return true
		}
		// Or an error of an earlier send was pending: reading it has cleared it, and the error queue has it, too.
	}
	return true // ReadBatch comes back
}

// errRoom is how many entries the error queue may fill: not all of them, lest a flood of stamps starve datagrams.
func (r *reader) errRoom() int {
	if len(r.ms) == 1 {
		r.flip = !r.flip
		if r.flip {
			return 1
		}
		return 0
	}
	return len(r.ms) / 2
}

// pending reports whether a socket call can fail with err because of an ICMP message about an earlier datagram.
func pending(err error) bool {
	switch err {
	case unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EMSGSIZE, unix.EPROTO, unix.ENOPROTOOPT,
		unix.EACCES, unix.EPERM, unix.EHOSTDOWN, unix.ENONET, unix.EOPNOTSUPP, unix.ENOBUFS:
		return true
	}
	return false
}

// receive reads up to room messages into r.ms from r.n on.
func (r *reader) receive(b *batch, fd uintptr, room, flags int) (int, error) {
	for i := range room {
		b.set(i, r.ms[r.n+i].Buf)
	}
	return b.call(unix.SYS_RECVMMSG, fd, 0, room, flags|unix.MSG_DONTWAIT)
}

// now reads the clocks and, if the wall clock was stepped, casts doubt on what the queues hold.
func (r *reader) now() reading {
	t := r.clock.read()
	if r.clock.observe(t) {
		r.rx.suspect, r.tx.suspect = true, true
	}
	return t
}

// datagrams reads the receive queue.
func (r *reader) datagrams(fd uintptr) error {
	room := len(r.ms) - r.n
	if room == 0 {
		return nil
	}
	n, err := r.receive(r.data, fd, room, 0)
	if err != nil && err != unix.EAGAIN {
		return err
	}
	now := r.now()
	for i := range n {
		in := parseControl(r.data.control(i))
		m := &r.ms[r.n]
		*m = probe.Message{
			Kind: probe.Datagram, Buf: m.Buf, N: min(int(r.data.hdrs[i].n), len(m.Buf)), Addr: r.data.name(i, r.c.zone),
			TTL: in.ttl, TOS: in.tos,
		}
		m.At, _ = r.rx.instant(now, in.stamp)
		m.Wall = wall(in.stamp)
		r.n++
	}
	r.rx.drained(now, n < room)
	return err
}

// wall is a stamp as a time, zero for none.
func wall(stamp int64) time.Time {
	if stamp == 0 {
		return time.Time{}
	}
	return time.Unix(0, stamp)
}

// errors reads the error queue and reports whether it is empty now.
func (r *reader) errors(fd uintptr, room int) (empty bool) {
	n, err := r.receive(r.errs, fd, room, unix.MSG_ERRQUEUE)
	now := r.now()
	for i := range n {
		in := parseControl(r.errs.control(i))
		m := &r.ms[r.n] // at or before the entry that the kernel filled
		if !in.isErr {
			continue
		}
		if in.origin == unix.SO_EE_ORIGIN_TIMESTAMPING {
			at, ok := r.tx.instant(now, in.stamp)
			key, known := r.c.w.book.key(in.id, at)
			if !ok || !known {
				continue // the sender's own time is better than a wrong one
			}
			*m = probe.Message{Kind: probe.TxStamp, Buf: m.Buf, At: at, Wall: wall(in.stamp), Key: key}
		} else {
			r.pathError(m, i, in, now)
		}
		r.n++
	}
	empty = err != nil || n < room
	r.tx.drained(now, empty)
	return empty
}

// pathError fills m with entry i of the error queue. Its buffer has the beginning of the datagram that is meant, for ICMP
// as far as the message brought it along. The entry has landed in buffer i of this call, which may not be m's.
func (r *reader) pathError(m *probe.Message, i int, in info, now reading) {
	n := min(int(r.errs.hdrs[i].n), int(r.errs.iovs[i].Len), len(m.Buf))
	copy(m.Buf, unsafe.Slice(r.errs.iovs[i].Base, n))
	*m = probe.Message{
		Kind: probe.PathError, Buf: m.Buf, N: n, Addr: r.errs.name(i, r.c.zone), At: now.t, Wall: wall(in.stamp), Err: in.errno,
	}
	if in.errno == unix.EMSGSIZE {
		m.MTU = int(in.code)
	}
}
