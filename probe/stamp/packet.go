package stamp

import (
	"encoding/binary"
	"time"
)

// Sizes of base packets, in bytes: sender's and reflector's are equal (RFC 8762 4.2, 4.3).
const (
	OpenSize = 44  // unauthenticated mode
	AuthSize = 112 // authenticated mode
)

const (
	tagSize = 16 // of an HMAC in a packet
	covered = 96 // bytes under the base HMAC, which follows them
)

// layout holds the offsets of a base packet's fields. Sender packets use the first four.
type layout struct {
	sent, ee, ssid                                 int
	received, senderSeq, senderSent, senderEE, ttl int
}

// The offsets of RFC 8762 figures 2, 3 (open: 4.2.1, 4.3.1) and 4, 5 (authenticated: 4.2.2, 4.3.2), with RFC 8972 3's SSID.
func (m *MAC) layout() layout {
	if m == nil {
		return layout{sent: 4, ee: 12, ssid: 14, received: 16, senderSeq: 24, senderSent: 28, senderEE: 36, ttl: 40}
	}
	return layout{sent: 16, ee: 24, ssid: 26, received: 32, senderSeq: 48, senderSent: 64, senderEE: 72, ttl: 80}
}

// Request is a Session-Sender's packet.
type Request struct {
	Seq   uint32
	Sent  Timestamp // T1, in format Error.Format()
	Error ErrorEstimate
	SSID  uint16 // session identifier (RFC 8972 3); 0: none

	// What DecodeRequest found behind the base packet. AppendRequest ignores these.
	Ext    TLVs  // view into the packet; empty if ExtErr is set
	ExtErr error // ErrTLV, ErrTLVHMAC, ErrTLVUnauthenticated: the times are good, the TLVs are not
}

// Reply is a Session-Reflector's packet.
type Reply struct {
	Seq      uint32    // the reflector's own count; a stateless reflector copies SenderSeq
	Sent     Timestamp // T3
	Error    ErrorEstimate
	SSID     uint16
	Received Timestamp // T2, never zero

	SenderSeq   uint32
	SenderSent  Timestamp // T1, in format SenderError.Format()
	SenderError ErrorEstimate
	SenderTTL   uint8 // TTL or hop limit with which the request arrived; 0 or 255: the reflector may not know

	Ext    TLVs  // view into the packet, up to a TLV that the reflector found malformed
	ExtErr error // one of the tlv errors; Ext is empty for all but ErrPeerTLV
}

// Residence returns T3 - T2: how long the packet stayed in the reflector. It is the reflector's wall clock and may be negative
// or huge if that was stepped in between: use it only if it lies between zero and the round-trip time.
func (r Reply) Residence() time.Duration { return r.Sent.Sub(r.Received, r.Error.Format()) }

// IsReply tells replies from requests by the receive timestamp: see the package documentation. Packets too short to tell are
// no replies.
func IsReply(pkt []byte, authenticated bool) bool {
	at := 16
	if authenticated {
		at = 32
	}
	return len(pkt) >= at+8 && binary.BigEndian.Uint64(pkt[at:]) != 0
}

// AppendRequest appends the base packet of a request to pkt, which must be empty (buf[:0]): a packet begins where its
// slice begins. With a MAC it is an authenticated one.
func AppendRequest(pkt []byte, r Request, m *MAC) []byte {
	n := len(pkt)
	pkt = extend(pkt, m.base())
	b, l := pkt[n:], m.layout()
	binary.BigEndian.PutUint32(b, r.Seq)
	binary.BigEndian.PutUint64(b[l.sent:], uint64(r.Sent))
	binary.BigEndian.PutUint16(b[l.ee:], uint16(r.Error))
	binary.BigEndian.PutUint16(b[l.ssid:], r.SSID)
	m.sign(b)
	return pkt
}

// extend grows b by n zero bytes.
func extend(b []byte, n int) []byte {
	l := len(b)
	if l+n <= cap(b) {
		b = b[:l+n]
		clear(b[l:])
		return b
	}
	return append(b, make([]byte, n)...)
}

// sign writes the base HMAC.
func (m *MAC) sign(b []byte) {
	if m != nil {
		copy(b[covered:AuthSize], m.tag(b[:covered], nil))
	}
}

// check finds whether pkt holds a base packet of m's mode.
func (m *MAC) check(pkt []byte) error {
	switch {
	case len(pkt) < OpenSize:
		return ErrShort
	case m == nil:
		return nil
	case len(pkt) < AuthSize:
		return ErrUnauthenticated
	case !m.verify(pkt[covered:AuthSize], pkt[:covered], nil):
		return ErrHMAC
	}
	return nil
}

// DecodeRequest reads a Session-Sender's packet. With a MAC it must be an authenticated one. The errors are ErrShort,
// ErrUnauthenticated, ErrHMAC and ErrMalformed; they mean: drop it. Trouble in the TLVs is told in ExtErr only. The result's
// Ext is a view into pkt.
func DecodeRequest(pkt []byte, m *MAC) (Request, error) {
	if err := m.check(pkt); err != nil {
		return Request{}, err
	}
	l := m.layout()
	r := Request{
		Seq:   binary.BigEndian.Uint32(pkt),
		Sent:  Timestamp(binary.BigEndian.Uint64(pkt[l.sent:])),
		Error: ErrorEstimate(binary.BigEndian.Uint16(pkt[l.ee:])),
		SSID:  binary.BigEndian.Uint16(pkt[l.ssid:]),
	}
	if r.Sent == 0 {
		return Request{}, ErrMalformed
	}
	r.Ext = TLVs(pkt[m.base():])
	if r.ExtErr = r.Ext.check(pkt[:4], m); r.ExtErr != nil {
		r.Ext = nil
	}
	return r, nil
}

// DecodeReply reads a Session-Reflector's packet, with errors as DecodeRequest. Whether the reply answers a request that was
// really sent is for the session to judge (SenderSeq, SenderSent, SSID).
func DecodeReply(pkt []byte, m *MAC) (Reply, error) {
	if err := m.check(pkt); err != nil {
		return Reply{}, err
	}
	l := m.layout()
	r := Reply{
		Seq:         binary.BigEndian.Uint32(pkt),
		Sent:        Timestamp(binary.BigEndian.Uint64(pkt[l.sent:])),
		Error:       ErrorEstimate(binary.BigEndian.Uint16(pkt[l.ee:])),
		SSID:        binary.BigEndian.Uint16(pkt[l.ssid:]),
		Received:    Timestamp(binary.BigEndian.Uint64(pkt[l.received:])),
		SenderSeq:   binary.BigEndian.Uint32(pkt[l.senderSeq:]),
		SenderSent:  Timestamp(binary.BigEndian.Uint64(pkt[l.senderSent:])),
		SenderError: ErrorEstimate(binary.BigEndian.Uint16(pkt[l.senderEE:])),
		SenderTTL:   pkt[l.ttl],
	}
	if r.Sent == 0 || r.Received == 0 {
		return Reply{}, ErrMalformed
	}
	r.Ext, r.ExtErr = TLVs(pkt[m.base():]).reflected(pkt[:4], m)
	return r, nil
}
