package mesh

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// Errors of Decode.
var (
	ErrVersion   = errors.New("mesh: view: of an unknown version; the peer's agent is newer or older than this one")
	ErrTruncated = errors.New("mesh: view: cut short")
	ErrInvalid   = errors.New("mesh: view: value out of range")
)

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
	if ver >= 3 {
		v.Fates = d.fates()
	}
	var flips []Path
	if ver >= 4 {
		flips = d.flips()
	}
	if n := len(d.data) / pathBytes; n > 0 {
		v.Paths = make([]Path, 0, min(n, maxPaths))
	}
	for len(d.data) > 0 && !d.short && !d.invalid {
		v.Paths = d.peer(v.Paths, v.Fates)
	}
	switch {
	case d.invalid:
		return View{}, ErrInvalid
	case d.short:
		return View{}, ErrTruncated
	}
	for _, f := range flips {
		for i := range v.Paths {
			if p := &v.Paths[i]; p.Node == f.Node && p.Link == f.Link {
				p.KnetTurn = f.KnetTurn
			}
		}
	}
	return v, nil
}

// flips reads the list of links whose knet changed its verdict of late.
func (d *decoder) flips() []Path {
	n := int(d.uvarint(maxFlips))
	list := make([]Path, 0, n)
	for range n {
		list = append(list, Path{Node: uint32(d.uvarint(math.MaxUint32)), Link: int(d.byte()), KnetTurn: d.uint32()})
	}
	return list
}

// decoder reads a View's fields; after an error it gives zeros.
type decoder struct {
	data    []byte
	short   bool
	invalid bool
	whole   [Untold][]Run // windows of one fate
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

func (d *decoder) uint32() uint32 { return uint32(d.uint16())<<16 | uint32(d.uint16()) }

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
func (d *decoder) peer(paths []Path, f Fates) []Path {
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
		if f.Slot > 0 {
			d.told(&p, f, b>>fateShift)
		}
		if d.short || d.invalid {
			return paths
		}
		paths = append(paths, p)
	}
	return paths
}
