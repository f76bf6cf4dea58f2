package mesh

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// maxWindow is how many slots a view may tell, maxLag how far a path may lag behind.
const (
	maxWindow = 64
	maxLag    = 63
	maxNext   = 1 << 40 // slots since the author's record began: 35 years of milliseconds
)

// Codes of a path's fates, in its first byte.
const (
	codeUsual  = iota // all arrived as usual, up to Fates.Next
	codeLost          // all lost, up to Fates.Lag before that
	codeUntold        // nothing is known
	codeDetail        // Told follows, one or two
)

// First byte of a Told: a bit for its form, one that tells that another follows, and the lag. Then comes a bitmap of lost slots (the others
// arrived as usual; the highest bit of the first byte is the oldest) or bytes of runs: 2 bits of fate and 6 of length less one,
// and after one of late slots a byte of delay; runs end when the window is full.
const (
	bitmapBit = 1 << 0
	outBit    = 1 << 1
	lagShift  = 2
	runShift  = 6
	longest   = 1 << runShift
)

func appendFates(buf []byte, f Fates) []byte {
	if f.Slot <= 0 {
		return binary.AppendUvarint(buf, 0)
	}
	buf = binary.AppendUvarint(buf, max(count(f.Slot, time.Microsecond), 1))
	buf = binary.AppendUvarint(buf, f.Next)
	buf = binary.BigEndian.AppendUint32(buf, f.Clock)
	return append(buf, byte(f.window()), byte(min(max(f.Lag, 0), maxLag)))
}

func (f Fates) window() int { return min(max(f.Window, 0), maxWindow) }

func (d *decoder) fates() Fates {
	f := Fates{Slot: d.duration(time.Microsecond)}
	if f.Slot == 0 {
		return f
	}
	f.Next = d.uvarint(maxNext)
	f.Clock = d.uint32()
	f.Window, f.Lag = int(d.byte()), int(d.byte())
	if f.Window > maxWindow || f.Lag > maxLag {
		d.invalid = true
	}
	return f
}

// calm says whether nothing happened to the packets that are told.
func (p *Path) calm() bool { return p.In.all(Usual) && (p.Out == nil || p.Out.all(Usual)) }

// all says whether something is told, and that all slots have a fate.
func (t Told) all(f Fate) bool { return len(t.Runs) == 1 && t.Runs[0].Fate == f }

// codeOf is how the fates of a path are told. A window that is not whole is not told.
func codeOf(p Path, f Fates) byte {
	told := f.Slot > 0 && f.Window > 0 && p.In.whole(f.window())
	switch {
	case !told || p.Out != nil && !p.Out.whole(f.window()):
		return codeUntold
	case p.Out != nil:
		return codeDetail
	case p.In.all(Usual) && p.In.Lag == 0:
		return codeUsual
	case p.In.all(Lost) && p.In.Lag <= f.Lag:
		return codeLost
	case p.In.all(Untold):
		return codeUntold
	}
	return codeDetail
}

// whole says whether the runs are as many slots as the window.
func (t Told) whole(window int) bool {
	n := 0
	for _, r := range t.Runs {
		if r.Slots < 1 || r.Slots > window-n {
			return false
		}
		n += r.Slots
	}
	return n == window && t.Lag >= 0 && t.Lag <= maxLag
}

// toldSize is what the fates of a path take besides its two bits.
func toldSize(p Path, f Fates) int {
	if codeOf(p, f) != codeDetail {
		return 0
	}
	n := p.In.size(f.window())
	if p.Out != nil {
		n += p.Out.size(f.window())
	}
	return n
}

// size is what t takes.
func (t Told) size(window int) int {
	runs, plain := t.form()
	if plain {
		return 1 + min(runs, (window+7)/8)
	}
	return 1 + runs
}

// form tells how many bytes t takes as runs, and whether a bitmap can tell it.
func (t Told) form() (runs int, plain bool) {
	plain = true
	for _, r := range t.Runs {
		runs += (r.Slots + longest - 1) / longest
		if r.Fate == Late {
			runs += (r.Slots + longest - 1) / longest
		}
		plain = plain && (r.Fate == Usual || r.Fate == Lost)
	}
	return runs, plain
}

func appendTold(buf []byte, t Told, another bool, window int) []byte {
	window = min(max(window, 0), maxWindow)
	head := byte(t.Lag) << lagShift
	if another {
		head |= outBit
	}
	runs, plain := t.form()
	if plain && (window+7)/8 < runs {
		return appendBitmap(append(buf, head|bitmapBit), t, window)
	}
	buf = append(buf, head)
	for _, r := range t.Runs {
		for n := r.Slots; n > 0; n -= longest {
			buf = append(buf, byte(r.Fate)<<runShift|byte(min(n, longest)-1))
			if r.Fate == Late {
				buf = append(buf, packLate(r.Delay))
			}
		}
	}
	return buf
}

func appendBitmap(buf []byte, t Told, window int) []byte {
	var x uint64
	for _, r := range t.Runs {
		for range r.Slots {
			x <<= 1
			if r.Fate == Lost {
				x |= 1
			}
		}
	}
	x <<= maxWindow - window
	return append(buf, binary.BigEndian.AppendUint64(nil, x)[:(window+7)/8]...)
}

// told reads the fates of a path.
func (d *decoder) told(p *Path, f Fates, code byte) {
	switch {
	case code == codeDetail && f.Window == 0:
		d.invalid = true
	case code == codeDetail:
		var another bool
		if p.In, another = d.detail(f.Window); another {
			out, more := d.detail(f.Window)
			d.invalid = d.invalid || more
			p.Out = &out
		}
	case f.Window == 0: // of no slots
	case code == codeUsual:
		p.In = Told{Runs: d.one(f.Window, Usual)}
	case code == codeLost:
		p.In = Told{Lag: f.Lag, Runs: d.one(f.Window, Lost)}
	}
}

// one is a window of one fate. All paths share it: most have it.
func (d *decoder) one(window int, fate Fate) []Run {
	if d.whole[fate] == nil && window > 0 {
		d.whole[fate] = []Run{{Slots: window, Fate: fate}}
	}
	return d.whole[fate]
}

// detail reads a Told.
func (d *decoder) detail(window int) (t Told, another bool) {
	head := d.byte()
	t.Lag = int(head >> lagShift)
	if head&bitmapBit != 0 {
		t.Runs = d.bitmap(window)
		return t, head&outBit != 0
	}
	for n := 0; n < window && !d.short; {
		b := d.byte()
		r := Run{Slots: int(b&(longest-1)) + 1, Fate: Fate(b >> runShift)}
		if r.Fate == Late {
			r.Delay = unpackLate(d.byte())
		}
		if n += r.Slots; n > window {
			d.invalid = true
		}
		t.Runs = append(t.Runs, r)
	}
	return t, head&outBit != 0
}

func (d *decoder) bitmap(window int) []Run {
	var x uint64
	for i := range (window + 7) / 8 {
		x |= uint64(d.byte()) << (56 - 8*i)
	}
	var runs []Run
	for n := 0; n < window; {
		r := Run{Fate: Usual, Slots: bits.LeadingZeros64(x)}
		if x>>63 != 0 {
			r = Run{Fate: Lost, Slots: bits.LeadingZeros64(^x)}
		}
		r.Slots = min(r.Slots, window-n)
		runs = append(runs, r)
		n += r.Slots
		x <<= r.Slots
	}
	return runs
}

// lateSteps are the values of a packed delay for each doubling: it is rounded to 1/32.
const lateSteps = 16

// packLate rounds a delay, from a millisecond to a minute.
func packLate(d time.Duration) byte {
	ms := max(float64(d)/float64(time.Millisecond), 1)
	return byte(min(math.Round(lateSteps*math.Log2(ms)), math.MaxUint8))
}

func unpackLate(b byte) time.Duration {
	us := math.Round(1000 * math.Exp2(float64(b)/lateSteps))
	return time.Duration(us) * time.Microsecond
}
