package trace

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Encode writes t, compressed, without the secret that Config may hold. Nothing may change t meanwhile: see Snapshot.
func Encode(w io.Writer, t *Trace) error {
	z := gzip.NewWriter(w)
	b := bufio.NewWriterSize(z, 1<<16)
	e := encoder{w: b}
	e.trace(t)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	return nil
}

// encoder writes section by section; the writer keeps the first error.
type encoder struct {
	w   *bufio.Writer
	buf []byte
}

func (e *encoder) trace(t *Trace) {
	e.w.WriteString(magic)
	e.w.WriteByte(version)
	e.header(t)
	if t.Config != nil {
		e.buf = append(e.buf, Redact(t.Config)...)
		e.section(tagConfig)
	}
	e.nodes(t.Nodes)
	paths := t.sorted()
	for _, p := range paths {
		e.path(p, t.Paths[p])
	}
	e.marks(t.Marks)
	e.uvarint(uint64(len(paths)))
	e.section(tagEnd)
}

// section writes what was collected.
func (e *encoder) section(tag byte) {
	e.w.WriteByte(tag)
	e.w.Write(binary.AppendUvarint(nil, uint64(len(e.buf))))
	e.w.Write(e.buf)
	e.buf = e.buf[:0]
}

func (e *encoder) uvarint(x uint64) { e.buf = binary.AppendUvarint(e.buf, x) }

// text is cut where a decoder would refuse it.
func (e *encoder) text(s string) {
	s = s[:min(len(s), maxText)]
	e.uvarint(uint64(len(s)))
	e.buf = append(e.buf, s...)
}

func (e *encoder) header(t *Trace) {
	e.buf = binary.BigEndian.AppendUint64(e.buf, uint64(t.Start.UnixNano()))
	e.uvarint(uint64(t.Slot))
	e.uvarint(uint64(t.Author))
	e.text(t.Software)
	e.text(t.Libknet)
	e.section(tagHeader)
}

func (e *encoder) nodes(nodes []Node) {
	e.uvarint(uint64(len(nodes)))
	for _, n := range nodes {
		e.uvarint(uint64(n.ID))
		e.text(n.Name)
		e.text(n.Site)
	}
	e.section(tagNodes)
}

func (e *encoder) path(p Path, s *Series) {
	e.uvarint(uint64(p.From))
	e.uvarint(uint64(p.To))
	e.buf = append(e.buf, byte(p.Link))
	e.uvarint(uint64(s.first))
	e.uvarint(uint64(len(s.runs)))
	for i, r := range s.runs {
		end := s.next
		if i+1 < len(s.runs) {
			end = s.base + int(s.runs[i+1].from)
		}
		e.uvarint(uint64(end - max(s.base+int(r.from), s.first)))
		e.uvarint(uint64(r.what&mostDelay)<<2 | uint64(r.what>>delayBits))
	}
	e.section(tagPath)
}

func (e *encoder) marks(marks []Mark) {
	e.uvarint(uint64(len(marks)))
	for _, m := range marks {
		e.uvarint(uint64(max(m.At, 0) / time.Microsecond))
		e.uvarint(uint64(m.Node))
		e.text(m.Kind)
		e.text(m.Text)
	}
	e.section(tagMarks)
}
