package stamp

import "encoding/binary"

// bulletinMark begins the value of a TypeBulletin TLV.
const bulletinMark = "qwB1"

// BulletinOverhead is how many bytes a bulletin TLV takes beside its data.
const BulletinOverhead = tlvHeader + len(bulletinMark)

// AppendBulletin appends a TypeBulletin TLV. Its data is opaque here.
func AppendBulletin(pkt, data []byte) []byte {
	data = data[:min(len(data), 0xffff-len(bulletinMark))]
	pkt = appendHeader(pkt, TypeBulletin, len(bulletinMark)+len(data))
	return append(append(pkt, bulletinMark...), data...)
}

// Bulletin returns the data of the bulletin among the TLVs of a request: a view.
func (t TLVs) Bulletin() ([]byte, bool) {
	for v := range t.All() {
		if v.Type == TypeBulletin && isBulletin(v.Value) {
			return v.Value[len(bulletinMark):], true
		}
	}
	return nil, false
}

func isBulletin(value []byte) bool {
	return len(value) >= len(bulletinMark) && string(value[:len(bulletinMark)]) == bulletinMark
}

// Class is the Class of Service TLV (RFC 8972 4.4): it shows whether the network changes the marking on the way.
type Class struct {
	Want    uint8 // DSCP1: the DSCP that the sender wants on the reply
	DSCP    uint8 // DSCP2: the DSCP with which the request arrived
	ECN     uint8 // ECN with which the request arrived
	Refused bool  // RP: the reflector did not mark the reply as wanted
}

const classSize = 4

// AppendClass appends a Class of Service TLV that asks for replies with a DSCP.
func AppendClass(pkt []byte, want uint8) []byte {
	v := Class{Want: want}.encode()
	return AppendTLV(pkt, TypeClass, v[:])
}

func (c Class) encode() [classSize]byte {
	v := uint32(c.Want&0x3f)<<26 | uint32(c.DSCP&0x3f)<<20 | uint32(c.ECN&3)<<18
	if c.Refused {
		v |= 1 << 16
	}
	var b [classSize]byte
	binary.BigEndian.PutUint32(b[:], v)
	return b
}

// Class returns what the reflector said about marking. False if it said nothing.
func (t TLVs) Class() (Class, bool) {
	b, ok := t.find(TypeClass, classSize)
	if !ok {
		return Class{}, false
	}
	v := binary.BigEndian.Uint32(b)
	return Class{
		Want: uint8(v >> 26), DSCP: uint8(v >> 20 & 0x3f), ECN: uint8(v >> 18 & 3), Refused: v>>16&3 != 0,
	}, true
}

// Direct is the Direct Measurement TLV (RFC 8972 4.5): packet counts of one session, modulo 2^32.
type Direct struct {
	SenderTx uint32 // sent by the Session-Sender, this one included
	Rx, Tx   uint32 // received and sent by the Session-Reflector
}

const directSize = 12

// AppendDirect appends a Direct Measurement TLV with the sender's count.
func AppendDirect(pkt []byte, senderTx uint32) []byte {
	var v [directSize]byte
	binary.BigEndian.PutUint32(v[:], senderTx)
	return AppendTLV(pkt, TypeDirect, v[:])
}

// Direct returns the counts. False if there are none.
func (t TLVs) Direct() (Direct, bool) {
	b, ok := t.find(TypeDirect, directSize)
	if !ok {
		return Direct{}, false
	}
	return Direct{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])}, true
}

// FollowUp is the Follow-Up Telemetry TLV (RFC 8972 4.7): when an earlier reply of the same session really left, by the
// reflector's kernel. With it the sender corrects that reply's T3. The zero value means "nothing known".
type FollowUp struct {
	Seq    uint32    // the reflector's sequence number of that reply
	Sent   Timestamp // when it left, in the format of the reply's error estimate; 0: nothing known
	Method Method
}

const followUpSize = 16

// AppendFollowUp appends an empty Follow-Up Telemetry TLV for the reflector to fill in.
func AppendFollowUp(pkt []byte) []byte {
	pkt = appendHeader(pkt, TypeFollowUp, followUpSize)
	return extend(pkt, followUpSize)
}

// FollowUp returns the follow-up. False if there is none or it is empty.
func (t TLVs) FollowUp() (FollowUp, bool) {
	b, ok := t.find(TypeFollowUp, followUpSize)
	if !ok {
		return FollowUp{}, false
	}
	f := FollowUp{binary.BigEndian.Uint32(b), Timestamp(binary.BigEndian.Uint64(b[4:])), Method(b[12])}
	return f, f.Sent != 0
}

// Method is how a timestamp was taken (RFC 8972 5.3, Timestamping Methods).
type Method uint8

// Timestamping methods.
const (
	MethodHardware Method = 1 // hardware assist
	MethodSoftware Method = 2 // software on the local machine: the kernel's stamps here
	MethodControl  Method = 3 // control plane
)

// Source is what steers a clock (RFC 8972 5.2, Synchronization Sources).
type Source uint8

// Synchronization sources.
const (
	SourceNTP   Source = 1
	SourcePTP   Source = 2
	SourceBITS  Source = 3 // SSU or BITS
	SourceGNSS  Source = 4 // GPS, GLONASS, LORAN-C, BDS, Galileo
	SourceLocal Source = 5 // free-running
)

// TimestampInfo is the Timestamp Information TLV (RFC 8972 4.3): how the reflector takes its times. It tells how far one-way delays
// may be trusted.
type TimestampInfo struct {
	SourceIn  Source // clock behind T2
	MethodIn  Method
	SourceOut Source // clock behind T3
	MethodOut Method
}

const timestampInfoSize = 4

// AppendTimestampInfo appends an empty Timestamp Information TLV for the reflector to fill in.
func AppendTimestampInfo(pkt []byte) []byte {
	pkt = appendHeader(pkt, TypeTimestampInfo, timestampInfoSize)
	return extend(pkt, timestampInfoSize)
}

// TimestampInfo returns what the reflector said about its clock. False if it said nothing.
func (t TLVs) TimestampInfo() (TimestampInfo, bool) {
	b, ok := t.find(TypeTimestampInfo, timestampInfoSize)
	if !ok {
		return TimestampInfo{}, false
	}
	return TimestampInfo{Source(b[0]), Method(b[1]), Source(b[2]), Method(b[3])}, true
}

// find is Find for values of one size.
func (t TLVs) find(typ Type, size int) ([]byte, bool) {
	b, ok := t.Find(typ)
	return b, ok && len(b) == size
}
