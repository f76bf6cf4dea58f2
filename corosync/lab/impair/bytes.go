package impair

import "encoding/binary"

// Flip turns one bit of an IP packet, counted from the end of its header. With mend the checksum of a UDP packet is made to fit the
// changed payload (RFC 1624), so that the receiver's kernel lets it through; a bit of the UDP header itself is never
// turned then, but its counterpart behind it.
func Flip(b []byte, p *Packet, bit int, mend bool) {
	if mend && p.Proto == protoUDP && bit < headUDP*8 && len(b) > p.Head+headUDP {
		bit = headUDP*8 + bit%((len(b)-p.Head-headUDP)*8)
	}
	at := p.Head + bit/8
	if at >= len(b) {
		return
	}
	if !mend || p.Proto != protoUDP || p.SrcPort == 0 || at < p.Head+headUDP {
		b[at] ^= 1 << (bit % 8)
		return
	}
	word := p.Head + (at-p.Head)&^1
	before := word16(b, word)
	b[at] ^= 1 << (bit % 8)
	sum := b[p.Head+6 : p.Head+8]
	if old := binary.BigEndian.Uint16(sum); old != 0 {
		binary.BigEndian.PutUint16(sum, adjust(old, before, word16(b, word)))
	}
}

// word16 reads the 16-bit word at i; behind the end there are zeros, as the checksum has it.
func word16(b []byte, i int) uint16 {
	w := uint16(b[i]) << 8
	if i+1 < len(b) {
		w |= uint16(b[i+1])
	}
	return w
}

// adjust updates a checksum for one changed word: RFC 1624, equation 3. Zero is sent as all ones (RFC 768).
func adjust(sum, before, after uint16) uint16 {
	s := uint32(^sum) + uint32(^before) + uint32(after)
	s = s&0xffff + s>>16
	s = s&0xffff + s>>16
	if out := ^uint16(s); out != 0 {
		return out
	}
	return 0xffff
}

const (
	protoICMP   = 1
	protoICMPv6 = 58
	headICMP    = 8
	quote4      = 548  // RFC 1812, 4.3.2.3: no more than 576 bytes in all
	quote6      = 1232 // RFC 4443, 2.4 (c): no more than 1280 bytes in all
)

// TooBig writes the ICMP message that tells the sender of packet b of the MTU into out and returns its length: "fragmentation
// needed" (RFC 1191) or "packet too big" (RFC 4443). The message comes from the address to which b was sent. out needs 1280 bytes.
func TooBig(out, b []byte, p *Packet, mtu int) int {
	if p.V6 {
		return tooBig6(out, b, mtu)
	}
	n := copy(out[headV4+headICMP:min(len(out), headV4+headICMP+quote4)], b)
	size := headV4 + headICMP + n
	clear(out[:headV4+headICMP])
	out[0], out[8], out[9] = 0x45, 64, protoICMP
	binary.BigEndian.PutUint16(out[2:], uint16(size))
	copy(out[12:16], b[16:20])
	copy(out[16:20], b[12:16])
	binary.BigEndian.PutUint16(out[10:], checksum(out[:headV4], 0))
	msg := out[headV4:size]
	msg[0], msg[1] = 3, 4
	binary.BigEndian.PutUint16(msg[6:], uint16(mtu))
	binary.BigEndian.PutUint16(msg[2:], checksum(msg, 0))
	return size
}

func tooBig6(out, b []byte, mtu int) int {
	n := copy(out[headV6+headICMP:min(len(out), headV6+headICMP+quote6)], b)
	size := headV6 + headICMP + n
	clear(out[:headV6+headICMP])
	out[0], out[6], out[7] = 0x60, protoICMPv6, 64
	binary.BigEndian.PutUint16(out[4:], uint16(size-headV6))
	copy(out[8:24], b[24:40])
	copy(out[24:40], b[8:24])
	msg := out[headV6:size]
	msg[0] = 2
	binary.BigEndian.PutUint32(msg[4:], uint32(mtu))
	pseudo := uint32(len(msg)) + protoICMPv6
	for i := 8; i < 40; i += 2 {
		pseudo += uint32(binary.BigEndian.Uint16(out[i:]))
	}
	binary.BigEndian.PutUint16(msg[2:], checksum(msg, pseudo))
	return size
}

// checksum is the Internet checksum (RFC 1071) over b and an earlier partial sum.
func checksum(b []byte, sum uint32) uint16 {
	for i := 0; i < len(b); i += 2 {
		sum += uint32(word16(b, i))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
