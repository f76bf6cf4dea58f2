package impair

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Kind tells whose packet it is. Records are kept by kind, so that a test can ask when the first probe was lost.
type Kind uint8

// The kinds of packets.
const (
	Other    Kind = iota
	Corosync      // UDP port 5405 + link on either side
	Probe         // UDP port 5412 on either side (unless link 7 has it)
	kinds
)

// Ports of Corosync's link 0 (exec/totemconfig.c DEFAULT_PORT) and of quorumwatch's probes.
const (
	CorosyncPort = 5405
	ProbePort    = 5412
)

var kindNames = [kinds]string{"other", "corosync", "probe"}

// String returns the kind's name.
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind%d", uint8(k))
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames {
		if name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("kind %q: want corosync, probe or other", text)
}

// Packet is what the rules look at.
type Packet struct {
	From, To         int // indices into Topology.Nodes
	Link             int
	Size             int // bytes of the whole IP packet
	Head             int // bytes of the IP header
	Proto            uint8
	SrcPort, DstPort uint16 // 0 unless UDP and not a later fragment
	Src, Dst         [16]byte
	DF               bool // must not be fragmented (always so for IPv6)
	V6               bool
}

const (
	protoUDP  = 17
	headV4    = 20
	headV6    = 40
	headUDP   = 8
	flagDF    = 0x4000
	fragMask  = 0x1fff
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Parse fills all but From, To and Link from the bytes of an IP packet. It reports false for what is no whole IPv4 or IPv6 packet.
// IPv4 addresses are in their 4-in-6 form.
func (p *Packet) Parse(b []byte) bool {
	p.Size, p.Proto, p.SrcPort, p.DstPort = len(b), 0, 0, 0
	if len(b) < headV4 {
		return false
	}
	switch b[0] >> 4 {
	case 4:
		return p.parse4(b)
	case 6:
		return p.parse6(b)
	}
	return false
}

func (p *Packet) parse4(b []byte) bool {
	p.Head = int(b[0]&0x0f) * 4
	if p.Head < headV4 || p.Head > len(b) {
		return false
	}
	frag := binary.BigEndian.Uint16(b[6:])
	p.V6, p.DF, p.Proto = false, frag&flagDF != 0, b[9]
	p.Src, p.Dst = mapped(b[12:16]), mapped(b[16:20])
	if frag&fragMask == 0 {
		p.ports(b)
	}
	return true
}

func (p *Packet) parse6(b []byte) bool {
	if len(b) < headV6 {
		return false
	}
	p.V6, p.DF, p.Head, p.Proto = true, true, headV6, b[6]
	copy(p.Src[:], b[8:24])
	copy(p.Dst[:], b[24:40])
	p.ports(b)
	return true
}

func (p *Packet) ports(b []byte) {
	if p.Proto == protoUDP && len(b) >= p.Head+headUDP {
		p.SrcPort = binary.BigEndian.Uint16(b[p.Head:])
		p.DstPort = binary.BigEndian.Uint16(b[p.Head+2:])
	}
}

func mapped(v4 []byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: v4[0], 13: v4[1], 14: v4[2], 15: v4[3]}
}

// Kind returns whose packet it is.
func (p *Packet) Kind() Kind {
	own := uint16(CorosyncPort + p.Link)
	switch {
	case p.SrcPort == own || p.DstPort == own:
		return Corosync
	case p.SrcPort == ProbePort || p.DstPort == ProbePort:
		return Probe
	}
	return Other
}

// Bucket returns which of n equal shares of all flows the packet belongs to.
func (p *Packet) Bucket(n int) int {
	h := uint64(fnvOffset)
	for _, c := range p.Src {
		h = (h ^ uint64(c)) * fnvPrime
	}
	for _, c := range p.Dst {
		h = (h ^ uint64(c)) * fnvPrime
	}
	for _, c := range [5]byte{p.Proto, byte(p.SrcPort >> 8), byte(p.SrcPort), byte(p.DstPort >> 8), byte(p.DstPort)} {
		h = (h ^ uint64(c)) * fnvPrime
	}
	h ^= h >> 32 // the low bits of FNV alone are weak
	return int(h % uint64(n))
}

// FlowBucket returns which of n equal shares the UDP flow from src to dst belongs to: what Rule.Flow selects.
func FlowBucket(src, dst netip.AddrPort, n int) int {
	p := Packet{Proto: protoUDP, Src: src.Addr().As16(), Dst: dst.Addr().As16(), SrcPort: src.Port(), DstPort: dst.Port()}
	return p.Bucket(n)
}
