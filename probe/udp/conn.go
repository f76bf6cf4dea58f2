//go:build linux

package udp

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/probe"
)

// Conn is one UDP socket.
type Conn struct {
	f     *os.File
	rc    syscall.RawConn
	local netip.AddrPort
	zone  zone
	lazy  bool // the runtime's poller does not have it
	shut  atomic.Bool
	r     reader
	w     writer
}

var (
	_ probe.Conn        = (*Conn)(nil)
	_ probe.DropCounter = (*Conn)(nil)
	_ probe.Poller      = (*Conn)(nil)
)

// newConn takes over a bound, non-blocking socket. A lazy one does not wake this process when something arrives.
func newConn(fd int, z zone, stamps, lazy bool) (*Conn, error) {
	sa, err := unix.Getsockname(fd)
	if err == nil && lazy {
		err = unix.SetNonblock(fd, false) // the runtime's poller takes only such that don't block; all calls say MSG_DONTWAIT
	}
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "udp")
	rc, err := f.SyscallConn()
	if err != nil {
		f.Close()
		return nil, err
	}
	c := &Conn{f: f, rc: rc, local: addrPort(sa, z), zone: z, lazy: lazy}
	c.w.init(c, stamps)
	c.r.init(c)
	return c, nil
}

func addrPort(sa unix.Sockaddr, z zone) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).WithZone(z.name), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// LocalAddr returns the address and port that the socket is bound to.
func (c *Conn) LocalAddr() netip.AddrPort { return c.local }

// Close closes the socket and ends a ReadBatch in progress.
func (c *Conn) Close() error {
	c.shut.Store(true)
	return c.closed(c.f.Close())
}

// closed gives an error after Close its usual name. The runtime's own has none.
func (c *Conn) closed(err error) error {
	if err != nil && c.shut.Load() {
		return net.ErrClosed
	}
	return err
}

// Drops returns how many datagrams the kernel dropped because the receive buffer was full. It is read from the socket
// (SO_MEMINFO), so it is right even if nothing arrives any more, unlike SO_RXQ_OVFL, which comes with datagrams only.
func (c *Conn) Drops() (uint64, error) {
	var mem [9]uint32 // SK_MEMINFO_VARS of linux/sock_diag.h; SK_MEMINFO_DROPS is 8
	size := uint32(unsafe.Sizeof(mem))
	var errno unix.Errno
	err := c.rc.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&mem[0])), uintptr(unsafe.Pointer(&size)), 0)
	})
	switch {
	case err != nil:
		return 0, c.closed(err)
	case errno != 0:
		return 0, fmt.Errorf("udp: %s: drop counter: %w", c.local, errno)
	}
	return uint64(mem[8]), nil
}

// ReadBatch waits for events and returns how many of ms it filled: transmit stamps and path errors first, then datagrams. Each of ms
// needs a Buf; a longer datagram is cut to it (1472 bytes at MTU 1500 are the longest that one expects). After Close it returns
// net.ErrClosed.
func (c *Conn) ReadBatch(ms []probe.Message) (int, error) {
	for len(ms) > 0 {
		c.r.begin(ms)
		var err error
		if c.lazy {
			err = c.rc.Control(c.r.once)
		} else {
			err = c.rc.Read(c.r.poll)
		}
		if n, err := c.took(err); n > 0 || err != nil {
			return n, err
		}
		if c.lazy {
			time.Sleep(time.Millisecond)
		}
	}
	return 0, nil
}

// Polled reports whether the Conn is meant for Poll: that was asked for, and the kernel stamps packets.
func (c *Conn) Polled() bool { return c.lazy }

// Poll is ReadBatch that does not wait: it returns 0 if nothing is there.
func (c *Conn) Poll(ms []probe.Message) (int, error) {
	if len(ms) == 0 {
		return 0, nil
	}
	c.r.begin(ms)
	return c.took(c.rc.Control(c.r.once))
}

// took tells what a reading did.
func (c *Conn) took(err error) (int, error) {
	r := &c.r
	if err == nil {
		err = r.err
	}
	switch {
	case r.n > 0 || err == nil:
		return r.n, nil
	case c.shut.Load():
		return 0, net.ErrClosed
	case notPollable(err):
		// The runtime says so when the error queue is all there is to read and the send buffer is full. Try again shortly.
		time.Sleep(time.Millisecond)
		return 0, nil
	}
	return 0, fmt.Errorf("udp: read %s: %w", c.local, err)
}

// notPollable reports internal/poll.ErrNotPollable, which cannot be named.
func notPollable(err error) bool { return err.Error() == "not pollable" }
