package stamp

import "encoding/binary"

// Answer is what a Session-Reflector adds to a request to make it a reply.
type Answer struct {
	Seq      uint32    // the reflector's own count in this session; a stateless reflector copies the request's Seq
	Received Timestamp // T2: when the request arrived, by the kernel if possible
	Sent     Timestamp // T3: now
	Error    ErrorEstimate
	TTL      uint8 // with which the request arrived
	TOS      uint8 // with which the request arrived
	ReplyTOS uint8 // with which the reply will leave: the socket's own class; the sender's wish is not followed

	Direct   Direct        // Rx and Tx are used, for a Direct Measurement TLV
	FollowUp FollowUp      // for a Follow-Up Telemetry TLV
	Clock    TimestampInfo // for a Timestamp Information TLV
}

// Reflect turns the request in pkt, which DecodeRequest has read as q with the same MAC, into the reply, in place. The
// reply has exactly the length of the request, so a reflector never amplifies. TLVs are treated as RFC 8972 4 says: those known are
// filled in, unknown and refused ones copied with the U flag, from a malformed one on everything is copied and that one gets the M flag;
// if TLVs failed authentication all are copied with the I flag. The HMAC TLV is computed anew.
func Reflect(pkt []byte, q Request, a Answer, m *MAC) {
	if len(pkt) < m.base() {
		return
	}
	b, l := pkt[:m.base()], m.layout()
	clear(b)
	binary.BigEndian.PutUint32(b, a.Seq)
	binary.BigEndian.PutUint64(b[l.sent:], uint64(a.Sent))
	binary.BigEndian.PutUint16(b[l.ee:], uint16(a.Error))
	binary.BigEndian.PutUint16(b[l.ssid:], q.SSID)
	binary.BigEndian.PutUint64(b[l.received:], uint64(max(a.Received, 1)))
	binary.BigEndian.PutUint32(b[l.senderSeq:], q.Seq)
	binary.BigEndian.PutUint64(b[l.senderSent:], uint64(q.Sent))
	binary.BigEndian.PutUint16(b[l.senderEE:], uint16(q.Error))
	b[l.ttl] = a.TTL
	m.sign(b)

	ext := TLVs(pkt[m.base():])
	if q.ExtErr == nil || q.ExtErr == ErrTLV && m == nil {
		ext.answer(b[:4], &a, m)
		return
	}
	ext.refuse()
}

// refuse flags TLVs whose integrity could not be shown: none may be used.
func (t TLVs) refuse() {
	for len(t) > 0 {
		_, rest, err := t.Next()
		if err != nil {
			t[0] = byte(FlagM)
			return
		}
		t[0] = byte(FlagI)
		t = rest
	}
}

// answer fills in TLVs that need no HMAC or have a good one.
func (t TLVs) answer(seq []byte, a *Answer, m *MAC) {
	for rest, stop := t, false; len(rest) > 0; {
		v, next, err := rest.Next()
		if err != nil {
			rest[0] = byte(FlagM)
			return
		}
		switch {
		case v.Type == TypeHMAC && m != nil:
			rest[0] = 0
			copy(v.Value, m.tag(seq, t[:len(t)-len(rest)]))
		case stop:
		case !known(v):
			rest[0] = byte(FlagU)
		case !a.fill(v):
			rest[0], stop = byte(FlagM), true
		default:
			rest[0] = 0
		}
		rest = next
	}
}

// known reports whether a TLV is understood and wanted.
func known(v TLV) bool {
	switch v.Type {
	case TypePadding, TypeTimestampInfo, TypeClass, TypeDirect, TypeFollowUp, TypeHMAC:
		return true
	case TypeBulletin:
		return isBulletin(v.Value)
	}
	return false
}

// fill writes the reflector's part into a known TLV. False: its length is wrong.
func (a *Answer) fill(v TLV) bool {
	switch v.Type {
	case TypeClass:
		return a.fillClass(v.Value)
	case TypeDirect:
		if len(v.Value) != directSize {
			return false
		}
		binary.BigEndian.PutUint32(v.Value[4:], a.Direct.Rx)
		binary.BigEndian.PutUint32(v.Value[8:], a.Direct.Tx)
	case TypeFollowUp:
		if len(v.Value) != followUpSize {
			return false
		}
		clear(v.Value)
		if a.FollowUp.Sent != 0 {
			binary.BigEndian.PutUint32(v.Value, a.FollowUp.Seq)
			binary.BigEndian.PutUint64(v.Value[4:], uint64(a.FollowUp.Sent))
			v.Value[12] = byte(a.FollowUp.Method)
		}
	case TypeTimestampInfo:
		if len(v.Value) != timestampInfoSize {
			return false
		}
		c := a.Clock
		copy(v.Value, []byte{byte(c.SourceIn), byte(c.MethodIn), byte(c.SourceOut), byte(c.MethodOut)})
	}
	return true
}

// fillClass tells the marking that arrived and whether the reply is marked as wanted.
func (a *Answer) fillClass(v []byte) bool {
	if len(v) != classSize {
		return false
	}
	want := v[0] >> 2
	c := Class{Want: want, DSCP: a.TOS >> 2, ECN: a.TOS & 3, Refused: want != a.ReplyTOS>>2}.encode()
	copy(v, c[:])
	return true
}
