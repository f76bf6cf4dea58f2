package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// fields reads a section's fields; after an error it gives zeros.
type fields struct {
	data []byte
	err  error
}

func (f *fields) byte() byte {
	b := f.bytes(1)
	if b == nil {
		return 0
	}
	return b[0]
}

func (f *fields) uint64() uint64 {
	b := f.bytes(8)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func (f *fields) bytes(n int) []byte {
	if f.err == nil && n > len(f.data) {
		f.err = errors.New("the section ends in the middle of a field")
	}
	if f.err != nil {
		return nil
	}
	b := f.data[:n]
	f.data = f.data[n:]
	return b
}

// uvarint reads a number up to most.
func (f *fields) uvarint(most uint64) uint64 {
	if f.err != nil {
		return 0
	}
	x, n := binary.Uvarint(f.data)
	switch {
	case n == 0:
		f.err = errors.New("the section ends in the middle of a number")
	case n < 0 || x > most:
		f.err = fmt.Errorf("a number above %d", most)
	default:
		f.data = f.data[n:]
		return x
	}
	return 0
}

func (f *fields) text() string { return string(f.bytes(int(f.uvarint(maxText)))) }
