package stamp

import (
	"encoding/binary"
	"iter"
)

// Type is a TLV's type (RFC 8972 5.1 and its IANA registry).
type Type uint8

// TLV types. Those without a remark are handled by Reflect; the others, and all not listed, are copied with the U flag set.
const (
	TypePadding       Type = 1  // Extra Padding
	TypeLocation      Type = 2  // Location; not supported
	TypeTimestampInfo Type = 3  // Timestamp Information
	TypeClass         Type = 4  // Class of Service
	TypeDirect        Type = 5  // Direct Measurement
	TypeAccess        Type = 6  // Access Report; not supported
	TypeFollowUp      Type = 7  // Follow-Up Telemetry
	TypeHMAC          Type = 8  // HMAC
	TypeDestination   Type = 9  // Destination Node Address (RFC 9503); not supported
	TypeReturnPath    Type = 10 // Return Path (RFC 9503): refused, it would send replies elsewhere
	TypeMicroSession  Type = 11 // Micro-session ID (RFC 9534); not supported
	TypeReflected     Type = 12 // Reflected Test Packet Control: refused, it asks for more or longer replies than requests

	// TypeBulletin carries a node's summary of its own paths (package mesh). It is one of the types 240-251 that are reserved
	// for experiments, where anybody may mean anything (two implementations already use 242), so its value begins with a
	// mark of its own; a TLV of this type without the mark is not ours and treated as unrecognized.
	TypeBulletin Type = 247
)

// Flags of a TLV (RFC 8972 4).
type Flags uint8

// The flags. A sender sets U; a reflector clears or sets each.
const (
	FlagU Flags = 0x80 // unrecognized
	FlagM Flags = 0x40 // malformed
	FlagI Flags = 0x20 // integrity: HMAC verification failed
)

// tlvHeader is the size of flags, type and length.
const tlvHeader = 4

// TLV is one extension of a packet. Value is a view into the packet.
type TLV struct {
	Flags Flags
	Type  Type
	Value []byte
}

// TLVs is the part of a packet behind the base packet: a view, read by All or Next.
type TLVs []byte

// Next returns the first TLV and the rest. The error is ErrTLV if it is cut short; an empty rest ends the walk.
func (t TLVs) Next() (TLV, TLVs, error) {
	if len(t) < tlvHeader {
		return TLV{}, nil, ErrTLV
	}
	end := tlvHeader + int(binary.BigEndian.Uint16(t[2:]))
	if end > len(t) {
		return TLV{}, nil, ErrTLV
	}
	return TLV{Flags: Flags(t[0]), Type: Type(t[1]), Value: t[tlvHeader:end:end]}, t[end:], nil
}

// All walks the TLVs and stops at one that is cut short.
func (t TLVs) All() iter.Seq[TLV] {
	return func(yield func(TLV) bool) {
		for len(t) > 0 {
			v, rest, err := t.Next()
			if err != nil || !yield(v) {
				return
			}
			t = rest
		}
	}
}

// Find returns the value of the first TLV of a type that the reflector did not mark as unrecognized.
func (t TLVs) Find(typ Type) ([]byte, bool) {
	for v := range t.All() {
		if v.Type == typ && v.Flags&FlagU == 0 {
			return v.Value, true
		}
	}
	return nil, false
}

// AppendTLV appends a TLV, with the U flag set as a sender must. Values longer than 65535 bytes are cut.
func AppendTLV(pkt []byte, typ Type, value []byte) []byte {
	pkt = appendHeader(pkt, typ, min(len(value), 0xffff))
	return append(pkt, value[:min(len(value), 0xffff)]...)
}

func appendHeader(pkt []byte, typ Type, n int) []byte {
	return append(pkt, byte(FlagU), byte(typ), byte(n>>8), byte(n))
}

// Seal pads a packet to size bytes with an Extra Padding TLV and ends it, in authenticated mode, with the HMAC TLV (which
// covers the padding too, so damage anywhere shows). It must be called once, last; a packet without TLVs that has its
// size needs no Seal. The error is ErrSize if size is too small, or leaves a rest too short to be a TLV; sizes from base+4 (open) and
// base+24 (authenticated) beyond the TLVs are always good.
func Seal(pkt []byte, size int, m *MAC) ([]byte, error) {
	end := size
	if m != nil {
		if size == len(pkt) && size == AuthSize {
			return pkt, nil
		}
		end -= tlvHeader + tagSize
	}
	switch pad := end - len(pkt); {
	case pad == 0:
	case pad < tlvHeader || pad > 0xffff+tlvHeader:
		return pkt, ErrSize
	default:
		pkt = appendPadding(pkt, pad)
	}
	if m == nil {
		return pkt, nil
	}
	tag := m.tag(pkt[:4], pkt[AuthSize:])
	pkt = appendHeader(pkt, TypeHMAC, tagSize)
	return append(pkt, tag...), nil
}

// appendPadding appends an Extra Padding TLV of n bytes in all, filled with a fixed pseudorandom sequence (RFC 8972 4.1), so that
// no compressing tunnel on the way makes a full-size probe small.
func appendPadding(pkt []byte, n int) []byte {
	pkt = appendHeader(pkt, TypePadding, n-tlvHeader)
	at := len(pkt)
	pkt = extend(pkt, n-tlvHeader)
	fill(pkt[at:])
	return pkt
}

// fill is xorshift64 (Marsaglia 2003) from a fixed seed.
func fill(b []byte) {
	x := uint64(0x9e3779b97f4a7c15)
	for len(b) > 0 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		if len(b) >= 8 {
			binary.LittleEndian.PutUint64(b, x)
			b = b[8:]
			continue
		}
		for i := range b {
			b[i] = byte(x >> (8 * i))
		}
		return
	}
}

// check walks the TLVs of a packet with sequence number seq and verifies the HMAC TLV, which in authenticated mode must be there
// unless padding is all there is (RFC 8972 4.8).
func (t TLVs) check(seq []byte, m *MAC) error {
	tag, needed := -1, false
	for rest := t; len(rest) > 0; {
		v, next, err := rest.Next()
		switch {
		case err != nil:
			return err
		case v.Type == TypePadding:
		case tag >= 0, v.Type == TypeHMAC && len(v.Value) != tagSize:
			return ErrTLVHMAC // not last, twice, or of a wrong length
		case v.Type == TypeHMAC:
			tag = len(t) - len(rest)
		default:
			needed = true
		}
		rest = next
	}
	switch {
	case tag < 0 && needed && m != nil:
		return ErrTLVUnauthenticated
	case tag < 0:
		return nil
	case m == nil || !m.verify(t[tag+tlvHeader:tag+tlvHeader+tagSize], seq, t[:tag]):
		return ErrTLVHMAC
	}
	return nil
}

// reflected is check for the sender of the request: the reflector's M and I flags come first.
func (t TLVs) reflected(seq []byte, m *MAC) (TLVs, error) {
	for v := range t.All() {
		if v.Flags&FlagI != 0 {
			return nil, ErrPeerHMAC
		}
		if v.Flags&FlagM != 0 {
			break // what follows was copied unread, with the flags that it came with
		}
	}
	if err := t.check(seq, m); err != nil {
		return nil, err
	}
	for rest := t; len(rest) > 0; {
		v, next, err := rest.Next()
		if err != nil {
			return nil, err
		}
		if v.Flags&FlagM != 0 {
			return t[:len(t)-len(rest)], ErrPeerTLV
		}
		rest = next
	}
	return t, nil
}
