package mesh

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"time"
)

// MaxSize is the size that Encode keeps to, in bytes: what a full-size probe carries at an MTU of 1500 and well below.
const MaxSize = 1250

const (
	version   = 4
	oldest    = 1   // version that is read
	pathBytes = 11  // of a link
	maxLinks  = 8   // KNET_MAX_LINK
	maxPaths  = 512 // what a decoder takes: 64 nodes with 8 links
	maxFlips  = 32  // links whose KnetTurn is told
)

// Flags of a View.
const (
	flagLeaving = 1 << iota
	flagCorosync
	flagQuorate
	flagPartial
)

// Layout of a path's first byte: 3 bits of link, 2 of state, 1 of knet, 2 of fates.
const (
	stateShift = 3
	knetBit    = 1 << 5
	fateShift  = 6
)

// Encode appends v to buf in at most MaxSize bytes.
func Encode(buf []byte, v View) []byte { return EncodeMax(buf, v, MaxSize) }

// EncodeMax appends v to buf in at most size bytes, or nothing if size is too small even for a View without paths. Paths with a link
// above 7 cannot be told and are left out.
func EncodeMax(buf []byte, v View, size int) []byte {
	start := len(buf)
	paths := slices.DeleteFunc(slices.Clone(v.Paths), func(p Path) bool { return p.Link < 0 || p.Link >= maxLinks })
	head := appendHeader(buf, v)
	room := size - (len(head) - start)
	if room < 0 {
		return buf
	}
	buf = head
	chosen := choose(paths, v.Fates, v.Sequence, room)
	if len(chosen) < len(paths) {
		buf[start+1] |= flagPartial
	}
	slices.SortStableFunc(chosen, func(a, b Path) int { return cmp.Or(cmp.Compare(a.Node, b.Node), a.Link-b.Link) })
	for len(chosen) > 0 {
		n := 1
		for n < len(chosen) && n < maxLinks && chosen[n].Node == chosen[0].Node {
			n++
		}
		buf = binary.AppendUvarint(buf, uint64(chosen[0].Node))
		buf = append(buf, byte(n))
		for _, p := range chosen[:n] {
			buf = appendPath(buf, p, v.Fates)
		}
		chosen = chosen[n:]
	}
	return buf
}

func uvarintLen(x uint32) int { return (bits.Len32(x|1) + 6) / 7 }

func appendHeader(buf []byte, v View) []byte {
	var flags byte
	for i, set := range [...]bool{v.Leaving, v.Corosync, v.Quorate} {
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
	return appendFlips(appendFates(buf, v.Fates), v.Paths)
}

// appendFlips lists the links whose knet changed its verdict of late: their number, and for each the peer, the link and when.
func appendFlips(buf []byte, paths []Path) []byte {
	flips := slices.DeleteFunc(slices.Clone(paths), func(p Path) bool { return p.KnetTurn == 0 || p.Link < 0 || p.Link >= maxLinks })
	flips = flips[:min(len(flips), maxFlips)]
	buf = binary.AppendUvarint(buf, uint64(len(flips)))
	for _, p := range flips {
		buf = append(binary.AppendUvarint(buf, uint64(p.Node)), byte(p.Link))
		buf = binary.BigEndian.AppendUint32(buf, p.KnetTurn)
	}
	return buf
}

// count rounds a duration to units; negative ones are zero.
func count(d, unit time.Duration) uint64 { return uint64(max(d, 0).Round(unit) / unit) }

func appendPath(buf []byte, p Path, f Fates) []byte {
	code := codeOf(p, f)
	b := byte(p.Link) | byte(p.State&3)<<stateShift | code<<fateShift
	if p.KnetDown {
		b |= knetBit
	}
	buf = append(buf, b)
	for _, d := range [...]time.Duration{p.Gap, p.SilentFor, p.WorstGap, p.RTT} {
		buf = binary.BigEndian.AppendUint16(buf, pack(d))
	}
	loss := min(max(p.LossRatio, 0), 1) // NaN stays NaN, and is then written as 0
	buf = binary.BigEndian.AppendUint16(buf, uint16(math.Round(loss*math.MaxUint16)))
	if code != codeDetail {
		return buf
	}
	buf = appendTold(buf, p.In, p.Out != nil, f.Window)
	if p.Out != nil {
		buf = appendTold(buf, *p.Out, false, f.Window)
	}
	return buf
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
