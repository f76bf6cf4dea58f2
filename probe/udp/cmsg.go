//go:build linux

package udp

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// info is what the control messages of one datagram, or of one entry of the error queue, say.
type info struct {
	stamp int64 // kernel's software stamp, nanoseconds since 1970; 0: none
	ttl   uint8
	tos   uint8

	isErr  bool // an extended error is there
	errno  unix.Errno
	origin uint8  // SO_EE_ORIGIN_*
	code   uint32 // ee_info: MTU, or which transmit stamp
	id     uint32 // ee_data: number of the datagram that a transmit stamp is about
}

// extendedErr is the size of struct sock_extended_err of linux/errqueue.h.
const extendedErr = 16

// parseControl reads control messages. It takes any bytes without harm.
func parseControl(b []byte) (in info) {
	for len(b) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(b)))
		n := int(h.Len)
		if n < unix.SizeofCmsghdr || n > len(b) {
			return in
		}
		in.add(h.Level, h.Type, b[unix.CmsgLen(0):n])
		b = b[min(unix.CmsgSpace(n-unix.CmsgLen(0)), len(b)):]
	}
	return in
}

func (in *info) add(level, typ int32, data []byte) {
	switch level {
	case unix.SOL_SOCKET:
		if typ == unix.SO_TIMESTAMPING {
			in.stamp = parseStamp(data)
		}
	case unix.IPPROTO_IP:
		switch typ {
		case unix.IP_TTL:
			in.ttl = parseByte(data)
		case unix.IP_TOS:
			in.tos = parseByte(data)
		case unix.IP_RECVERR:
			in.parseErr(data)
		}
	case unix.IPPROTO_IPV6:
		switch typ {
		case unix.IPV6_HOPLIMIT:
			in.ttl = parseByte(data)
		case unix.IPV6_TCLASS:
			in.tos = parseByte(data)
		case unix.IPV6_RECVERR:
			in.parseErr(data)
		}
	}
}

// parseByte reads an int or a single byte: the kernel uses both.
func parseByte(data []byte) uint8 {
	switch {
	case len(data) >= 4:
		return uint8(binary.NativeEndian.Uint32(data))
	case len(data) > 0:
		return data[0]
	}
	return 0
}

// parseStamp reads the first of the three times of struct scm_timestamping, the software one.
func parseStamp(data []byte) int64 {
	var ts unix.Timespec
	if len(data) < int(unsafe.Sizeof(ts)) {
		return 0
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&ts)), unsafe.Sizeof(ts)), data)
	return ts.Nano()
}

// parseErr reads struct sock_extended_err: errno u32, origin u8, type u8, code u8, pad u8, info u32, data u32.
func (in *info) parseErr(data []byte) {
	if len(data) < extendedErr {
		return
	}
	in.isErr = true
	in.errno = unix.Errno(binary.NativeEndian.Uint32(data))
	in.origin = data[4]
	in.code = binary.NativeEndian.Uint32(data[8:])
	in.id = binary.NativeEndian.Uint32(data[12:])
}
