//go:build linux

package udp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2) and sendmmsg(2), which golang.org/x/sys/unix has not. golang.org/x/net's batches would do but
// for one net.Addr on the heap for each datagram.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

const (
	maxBatch  = 64  // datagrams a system call
	oobBytes  = 192 // stamps 64, ttl 24, tos 24, extended error 60 with the offender's address
	nameBytes = unix.SizeofSockaddrInet6
)

// batch is the memory that one batched system call works on. The kernel and the garbage collector both see its pointers, so it
// is allocated once and its slices never move.
type batch struct {
	hdrs  []mmsghdr
	iovs  []unix.Iovec
	names [][nameBytes]byte
	oob   [][oobBytes]byte
}

func newBatch(oob bool) *batch {
	b := &batch{
		hdrs:  make([]mmsghdr, maxBatch),
		iovs:  make([]unix.Iovec, maxBatch),
		names: make([][nameBytes]byte, maxBatch),
	}
	if oob {
		b.oob = make([][oobBytes]byte, maxBatch)
	}
	for i := range b.hdrs {
		h := &b.hdrs[i].hdr
		h.Name, h.Namelen = &b.names[i][0], nameBytes
		h.Iov = &b.iovs[i]
		h.SetIovlen(1)
		if oob {
			h.Control = &b.oob[i][0]
		}
	}
	return b
}

// setControl gives all entries one control message, for sending.
func (b *batch) setControl(msg []byte) {
	for i := range b.hdrs {
		b.hdrs[i].hdr.Control = unsafe.SliceData(msg)
		b.hdrs[i].hdr.SetControllen(len(msg))
	}
}

// set prepares entry i for buf.
func (b *batch) set(i int, buf []byte) {
	b.iovs[i].Base = unsafe.SliceData(buf)
	b.iovs[i].SetLen(len(buf))
	h := &b.hdrs[i].hdr
	h.Namelen, h.Flags = nameBytes, 0
	if b.oob != nil {
		h.SetControllen(oobBytes)
	}
}

// call runs recvmmsg or sendmmsg over n entries from the one numbered first, with MSG_DONTWAIT among the flags. As it never blocks,
// it goes past the Go scheduler (RawSyscall): a send over loopback takes longer than the 20 us after which the scheduler would
// give the processor to another thread and wake that, which costs more than the call.
func (b *batch) call(trap, fd uintptr, first, n, flags int) (int, error) {
	for {
		r, _, errno := unix.RawSyscall6(trap, fd, uintptr(unsafe.Pointer(&b.hdrs[first])), uintptr(n), uintptr(flags), 0, 0)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// control returns the control messages of entry i.
func (b *batch) control(i int) []byte {
	return b.oob[i][:min(int(b.hdrs[i].hdr.Controllen), oobBytes)]
}

// putName writes the address of entry i.
func (b *batch) putName(i int, ap netip.AddrPort, zone uint32) {
	n, h := &b.names[i], &b.hdrs[i].hdr
	binary.BigEndian.PutUint16(n[2:], ap.Port())
	if ap.Addr().Is4() {
		a := ap.Addr().As4()
		binary.NativeEndian.PutUint16(n[0:], unix.AF_INET)
		copy(n[4:], a[:])
		clear(n[8:unix.SizeofSockaddrInet4])
		h.Namelen = unix.SizeofSockaddrInet4
		return
	}
	a := ap.Addr().As16()
	binary.NativeEndian.PutUint16(n[0:], unix.AF_INET6)
	clear(n[4:8]) // flow label
	copy(n[8:], a[:])
	binary.NativeEndian.PutUint32(n[24:], zone)
	h.Namelen = unix.SizeofSockaddrInet6
}

// name reads the address of entry i: the zero AddrPort if the kernel gave none.
func (b *batch) name(i int, z zone) netip.AddrPort {
	return parseName(b.names[i][:min(b.hdrs[i].hdr.Namelen, nameBytes)], z)
}

// parseName reads a struct sockaddr.
func parseName(n []byte, z zone) netip.AddrPort {
	if len(n) < unix.SizeofSockaddrInet4 {
		return netip.AddrPort{}
	}
	port := binary.BigEndian.Uint16(n[2:])
	switch binary.NativeEndian.Uint16(n) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[4:8])), port)
	case unix.AF_INET6:
		if len(n) < unix.SizeofSockaddrInet6 {
			break
		}
		a := netip.AddrFrom16([16]byte(n[8:24]))
		if index := binary.NativeEndian.Uint32(n[24:]); index != 0 && a.IsLinkLocalUnicast() {
			a = a.WithZone(z.of(index))
		}
		return netip.AddrPortFrom(a, port)
	}
	return netip.AddrPort{}
}
