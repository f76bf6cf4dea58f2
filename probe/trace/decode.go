package trace

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Decode reads what Encode wrote. It takes any input, and no more memory than a trace may need; its errors are FormatErrors.
func Decode(r io.Reader) (*Trace, error) {
	file := bufio.NewReader(r) // gzip reads no further than to its end
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, &FormatError{0, "beginning", fmt.Errorf("%w: %w", ErrNotTrace, err)}
	}
	z.Multistream(false) // else whatever follows is an error of compression, and a few bytes look like a file that was cut
	return decode(z, file)
}

// decode reads what was compressed, and makes sure that nothing comes after it in the file.
func decode(r io.Reader, file io.ByteReader) (*Trace, error) {
	d := decoder{r: bufio.NewReaderSize(r, 1<<16), outer: file, section: "beginning", trace: &Trace{Paths: map[Path]*Series{}}}
	if err := d.file(); err != nil {
		if _, known := errors.AsType[*FormatError](err); known {
			return nil, err
		}
		return nil, &FormatError{d.offset, d.section, err}
	}
	return d.trace, nil
}

// decoder reads a file.
type decoder struct {
	r       *bufio.Reader
	outer   io.ByteReader // what r is compressed in
	offset  int64         // of what is read next
	section string
	trace   *Trace
	seen    map[byte]bool
	runs    int
}

func (d *decoder) file() error {
	head, err := d.take(len(magic) + 1)
	switch {
	case errors.Is(err, ErrTruncated), err == nil && string(head[:len(magic)]) != magic:
		return ErrNotTrace
	case err != nil:
		return err
	case head[len(magic)] != version:
		return fmt.Errorf("%w: %d", ErrVersion, head[len(magic)])
	}
	d.seen = map[byte]bool{}
	for {
		tag, body, err := d.next()
		if err != nil {
			return err
		}
		if d.seen[tag] && tag != tagPath && tag < 'a' {
			return errors.New("it is there twice")
		}
		if !d.seen[tagHeader] && tag != tagHeader {
			return errors.New("the header has to come first")
		}
		d.seen[tag] = true
		f := fields{data: body}
		if err := d.read(tag, &f); err != nil {
			return &FormatError{d.offset - int64(len(f.data)), d.section, err}
		}
		if tag == tagEnd {
			return d.end()
		}
	}
}

// take reads n bytes.
func (d *decoder) take(n int) ([]byte, error) {
	if d.offset+int64(n) > maxSize {
		return nil, ErrTooLarge
	}
	var b bytes.Buffer // grows by what is there, not by what the file promises
	got, err := io.CopyN(&b, d.r, int64(n))
	d.offset += got
	return b.Bytes(), cut(err)
}

// cut says what the end of the file in the middle means.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return err
}

// next reads a section.
func (d *decoder) next() (tag byte, body []byte, err error) {
	d.section = "between sections"
	if tag, err = d.r.ReadByte(); err != nil {
		return 0, nil, cut(err)
	}
	d.offset++
	d.section = names(tag)
	size, err := binary.ReadUvarint(d.r)
	if err != nil {
		return 0, nil, cut(err)
	}
	d.offset += int64(len(binary.AppendUvarint(nil, size)))
	if size > maxSection {
		return 0, nil, fmt.Errorf("%w: a section of %d bytes", ErrTooLarge, size)
	}
	body, err = d.take(int(size))
	return tag, body, err
}

func names(tag byte) string {
	switch tag {
	case tagHeader:
		return "header"
	case tagConfig:
		return "corosync.conf"
	case tagNodes:
		return "nodes"
	case tagPath:
		return "path"
	case tagMarks:
		return "marks"
	case tagEnd:
		return "end"
	}
	return fmt.Sprintf("section %q", tag)
}

// read understands a section.
func (d *decoder) read(tag byte, f *fields) error {
	switch {
	case tag == tagHeader:
		d.header(f)
	case tag == tagConfig:
		if len(f.data) > maxConfig {
			return ErrTooLarge
		}
		d.trace.Config, f.data = f.data, nil
	case tag == tagNodes:
		d.nodes(f)
	case tag == tagPath:
		d.path(f)
	case tag == tagMarks:
		d.marks(f)
	case tag == tagEnd:
		if n := f.uvarint(maxPaths); f.err == nil && n != uint64(len(d.trace.Paths)) {
			return fmt.Errorf("%d paths, but %d came", n, len(d.trace.Paths))
		}
		if err := d.trace.checkSpan(); err != nil {
			return err
		}
	case tag >= 'a' && tag <= 'z':
		return nil
	default:
		return ErrVersion
	}
	if f.err == nil && len(f.data) > 0 {
		return fmt.Errorf("%d bytes too many", len(f.data))
	}
	return f.err
}

// checkSpan refuses samples too far from each other, however few they are.
func (t *Trace) checkSpan() error {
	first, next := t.Span()
	if n := next - first; n > maxSpan || n > int(maxSpanTime/t.Slot) {
		return fmt.Errorf("%w: %d slots of %v from the first sample to the last; at most %d and %d days",
			ErrTooLarge, n, t.Slot, maxSpan, maxSpanTime/(24*time.Hour))
	}
	return nil
}

// end makes sure that the checksum is right, and that nothing follows: neither inside what is compressed nor behind it.
func (d *decoder) end() error {
	d.section = "after the end"
	for _, r := range []io.ByteReader{d.r, d.outer} {
		switch _, err := r.ReadByte(); {
		case err == nil:
			return ErrMore
		case !errors.Is(err, io.EOF):
			return cut(err)
		}
	}
	return nil
}

func (d *decoder) header(f *fields) {
	t := d.trace
	t.Start = time.Unix(0, int64(f.uint64())).UTC()
	t.Slot = time.Duration(f.uvarint(uint64(time.Minute)))
	t.Author = uint32(f.uvarint(math.MaxUint32))
	t.Software, t.Libknet = f.text(), f.text()
	if f.err == nil && t.Slot < time.Millisecond {
		f.err = fmt.Errorf("a slot of %v", t.Slot)
	}
}

func (d *decoder) nodes(f *fields) {
	for range f.uvarint(maxNodes) {
		n := Node{ID: uint32(f.uvarint(math.MaxUint32)), Name: f.text(), Site: f.text()}
		if f.err != nil {
			return
		}
		if k := len(d.trace.Nodes); k > 0 && d.trace.Nodes[k-1].ID >= n.ID {
			f.err = fmt.Errorf("node %d is not in ascending order", n.ID)
			return
		}
		d.trace.Nodes = append(d.trace.Nodes, n)
	}
}

func (d *decoder) path(f *fields) {
	p := Path{From: uint32(f.uvarint(math.MaxUint32)), To: uint32(f.uvarint(math.MaxUint32)), Link: int(f.byte())}
	first, n := int(f.uvarint(maxSlots)), int(f.uvarint(maxRuns))
	if f.err != nil {
		return
	}
	d.section = fmt.Sprintf("path %d>%d link %d", p.From, p.To, p.Link)
	switch d.runs += n; {
	case p.Link >= maxLinks:
		f.err = errors.New("no such link")
	case d.trace.Paths[p] != nil:
		f.err = errors.New("it is there twice")
	case len(d.trace.Paths) == maxPaths || d.runs > maxRuns:
		f.err = ErrTooLarge
	}
	s := &Series{first: first, next: first, base: first}
	for i := 0; i < n && f.err == nil; i++ {
		s.readRun(f)
	}
	if f.err == nil && s.next > int(maxLength/d.trace.Slot) {
		f.err = ErrTooLarge
	}
	d.trace.Paths[p] = s
}

// readRun reads one run of equal samples.
func (s *Series) readRun(f *fields) {
	length, x := int(f.uvarint(maxSlots)), f.uvarint(1<<(delayBits+2)-1)
	what := packed(x>>2) | packed(x&3)<<delayBits
	switch {
	case f.err != nil:
	case length == 0:
		f.err = errors.New("an empty run")
	case s.next+length-s.first > maxSlots:
		f.err = ErrTooLarge
	case State(x&3) > Lost || State(x&3) != Arrived && x>>2 != 0:
		f.err = fmt.Errorf("no such sample: %#x", x)
	default:
		s.Append(length, what.sample())
	}
}

func (d *decoder) marks(f *fields) {
	const most = uint64(math.MaxInt64 / time.Microsecond)
	for range f.uvarint(maxMarks) {
		m := Mark{At: time.Duration(f.uvarint(most)) * time.Microsecond, Node: uint32(f.uvarint(math.MaxUint32)), Kind: f.text(), Text: f.text()}
		if f.err != nil {
			return
		}
		d.trace.Marks = append(d.trace.Marks, m)
	}
	slices.SortStableFunc(d.trace.Marks, func(a, b Mark) int { return cmp.Compare(a.At, b.At) })
}
