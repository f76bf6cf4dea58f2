package mesh

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"time"
)

// MaxSize is the size that Encode keeps to, in bytes: what a full-size probe carries at an MTU of 1500 and well below.
const MaxSize = 1250

const (
	version    = 2
	oldest     = 1   // version that is read
	pathBytes  = 11  // of a link
	maxLinks   = 8   // KNET_MAX_LINK
	maxPaths   = 512 // what a decoder takes: 64 nodes with 8 links
	headerMost = 2 + 10*binary.MaxVarintLen64
	peerMost   = binary.MaxVarintLen32 + 1
)

// Flags of a View.
const (
	flagLeaving = 1 << iota
	flagCorosync
	flagQuorate
	flagPartial
)

// Layout of a path's first byte: 3 bits of link, 2 of state, 1 of knet.
const (
	stateShift = 3
	knetBit    = 1 << 5
)

// Errors of Decode.
var (
	ErrVersion   = errors.New("mesh: view: of an unknown version; the peer's agent is newer or older than this one")
	ErrTruncated = errors.New("mesh: view: cut short")
	ErrInvalid   = errors.New("mesh: view: value out of range")
)

// Encode appends v to buf in at most MaxSize bytes.
func Encode(buf []byte, v View) []byte { return EncodeMax(buf, v, MaxSize) }

// EncodeMax appends v to buf in at most size bytes, or nothing if size is too small even for a View without paths. Paths with a link
// above 7 cannot be told and are left out.
func EncodeMax(buf []byte, v View, size int) []byte {
	if size < headerMost {
		return buf
	}
	paths := slices.DeleteFunc(slices.Clone(v.Paths), func(p Path) bool { return p.Link < 0 || p.Link >= maxLinks })
	chosen := choose(paths, v.Sequence, size-headerMost)
	v.Partial = len(chosen) < len(paths)
	slices.SortStableFunc(chosen, func(a, b Path) int { return cmp.Or(cmp.Compare(a.Node, b.Node), a.Link-b.Link) })
	buf = appendHeader(buf, v)
	for len(chosen) > 0 {
		n := 1
		for n < len(chosen) && n < maxLinks && chosen[n].Node == chosen[0].Node {
			n++
		}
		buf = binary.AppendUvarint(buf, uint64(chosen[0].Node))
		buf = append(buf, byte(n))
		for _, p := range chosen[:n] {
			buf = appendPath(buf, p)
		}
		chosen = chosen[n:]
	}
	return buf
}

// choose returns the paths that fit into room bytes: troubled ones first, the others in turn.
func choose(paths []Path, sequence uint32, room int) []Path {
	if measure(paths) <= room {
		return paths
	}
	var troubled, healthy []Path
	for _, p := range paths {
		if p.State != Up || p.KnetDown {
			troubled = append(troubled, p)
		} else {
			healthy = append(healthy, p)
		}
	}
	fit := room / (pathBytes + peerMost) // each could be a peer of its own
	troubled = turn(troubled, sequence, fit)
	return append(troubled, turn(healthy, sequence, fit-len(troubled))...)
}

// turn returns n of the paths: another part of the circle for each sequence number, without holes.
func turn(paths []Path, sequence uint32, n int) []Path {
	if n >= len(paths) {
		return paths
	}
	if n <= 0 {
		return nil
	}
	start := int(uint64(sequence) * uint64(n) % uint64(len(paths)))
	return append(slices.Clone(paths[start:]), paths[:start]...)[:n]
}

// measure returns how many bytes the paths take at most.
func measure(paths []Path) int {
	nodes := make(map[uint32]struct{}, len(paths))
	n := 0
	for _, p := range paths {
		if _, ok := nodes[p.Node]; !ok {
			nodes[p.Node] = struct{}{}
			n += uvarintLen(p.Node) + 1
		}
		n += pathBytes
	}
	return n
}

func uvarintLen(x uint32) int { return (bits.Len32(x|1) + 6) / 7 }

func appendHeader(buf []byte, v View) []byte {
	var flags byte
	for i, set := range [...]bool{v.Leaving, v.Corosync, v.Quorate, v.Partial} {
		if set {
			flags |= 1 << i
		}
	}
	buf = append(buf, version, flags)
	for _, x := range [...]uint64{
		uint64(v.Node), uint64(v.Sequence), count(v.Interval, time.Microsecond), uint64(v.RingRep), v.RingSeq,
		uint64(max(v.Members, 0)), count(v.Token, time.Millisecond), v.ConfigVersion, count(v.Pause, time.Millisecond),
		count(v.PauseAgo, time.Millisecond),
	} {
		buf = binary.AppendUvarint(buf, x)
	}
	return buf
}

// count rounds a duration to units; negative ones are zero.
func count(d, unit time.Duration) uint64 { return uint64(max(d, 0).Round(unit) / unit) }

func appendPath(buf []byte, p Path) []byte {
	b := byte(p.Link) | byte(p.State&3)<<stateShift
	if p.KnetDown {
		b |= knetBit
	}
	buf = append(buf, b)
	for _, d := range [...]time.Duration{p.Gap, p.SilentFor, p.WorstGap, p.RTT} {
		buf = binary.BigEndian.AppendUint16(buf, pack(d))
	}
	loss := min(max(p.LossRatio, 0), 1) // NaN stays NaN, and is then written as 0
	return binary.BigEndian.AppendUint16(buf, uint16(math.Round(loss*math.MaxUint16)))
}

// A packed duration has 11 bits of mantissa and 5 of exponent: mantissa << exponent microseconds.
const mantissaBits = 11

// pack rounds a duration to 11 significant bits of microseconds; negative ones are zero.
func pack(d time.Duration) uint16 {
	us := count(d, time.Microsecond)
	exp := max(bits.Len64(us)-mantissaBits, 0)
	if exp > 0 {
		us += 1 << (exp - 1)
		if bits.Len64(us)-mantissaBits > exp {
			exp++
		}
	}
	if exp > 31 {
		return math.MaxUint16
	}
	return uint16(exp)<<mantissaBits | uint16(us>>exp)
}

func unpack(x uint16) time.Duration {
	const mask = 1<<mantissaBits - 1
	return time.Duration(uint64(x&mask)<<(x>>mantissaBits)) * time.Microsecond
}

// Decode reads a View. It takes any input; the errors are ErrVersion, ErrTruncated and ErrInvalid.
func Decode(data []byte) (View, error) {
	d := decoder{data: data}
	ver, flags := d.byte(), d.byte()
	if !d.short && (ver < oldest || ver > version) {
		return View{}, ErrVersion
	}
	v := View{
		Leaving: flags&flagLeaving != 0, Corosync: flags&flagCorosync != 0,
		Quorate: flags&flagQuorate != 0, Partial: flags&flagPartial != 0,
	}
	v.Node, v.Sequence = uint32(d.uvarint(math.MaxUint32)), uint32(d.uvarint(math.MaxUint32))
	v.Interval = d.duration(time.Microsecond)
	v.RingRep, v.RingSeq = uint32(d.uvarint(math.MaxUint32)), d.uvarint(math.MaxUint64)
	v.Members = int(d.uvarint(math.MaxInt16))
	v.Token = d.duration(time.Millisecond)
	v.ConfigVersion = d.uvarint(math.MaxUint64)
	v.Pause = d.duration(time.Millisecond)
	if ver >= 2 {
		v.PauseAgo = d.duration(time.Millisecond)
	}
	if n := len(d.data) / pathBytes; n > 0 {
		v.Paths = make([]Path, 0, min(n, maxPaths))
	}
	for len(d.data) > 0 && !d.short && !d.invalid {
		v.Paths = d.peer(v.Paths)
	}
	switch {
	case d.invalid:
		return View{}, ErrInvalid
	case d.short:
		return View{}, ErrTruncated
	}
	return v, nil
}

// decoder reads a View's fields; after an error it gives zeros.
type decoder struct {
	data    []byte
	short   bool
	invalid bool
}

func (d *decoder) byte() byte {
	if len(d.data) == 0 {
		d.short = true
		return 0
	}
	b := d.data[0]
	d.data = d.data[1:]
	return b
}

func (d *decoder) uint16() uint16 { return uint16(d.byte())<<8 | uint16(d.byte()) }

// uvarint reads a number up to most.
func (d *decoder) uvarint(most uint64) uint64 {
	x, n := binary.Uvarint(d.data)
	switch {
	case n == 0:
		d.short = true
		return 0
	case n < 0 || x > most:
		d.invalid = true
		d.data = nil
		return 0
	}
	d.data = d.data[n:]
	return x
}

func (d *decoder) duration(unit time.Duration) time.Duration {
	return time.Duration(d.uvarint(uint64(math.MaxInt64/unit))) * unit
}

// peer reads one peer's paths.
func (d *decoder) peer(paths []Path) []Path {
	node, n := uint32(d.uvarint(math.MaxUint32)), int(d.byte())
	if n > maxLinks || len(paths)+n > maxPaths {
		d.invalid = true
		return paths
	}
	for range n {
		b := d.byte()
		p := Path{
			Node: node, Link: int(b & (maxLinks - 1)), State: State(b >> stateShift & 3), KnetDown: b&knetBit != 0,
			Gap: unpack(d.uint16()), SilentFor: unpack(d.uint16()), WorstGap: unpack(d.uint16()), RTT: unpack(d.uint16()),
			LossRatio: float64(d.uint16()) / math.MaxUint16,
		}
		if d.short {
			return paths
		}
		paths = append(paths, p)
	}
	return paths
}
