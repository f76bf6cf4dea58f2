package trace

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden file anew")

func encode(t testing.TB, x *Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plain decompresses.
func plain(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func compressed(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for name, x := range map[string]*Trace{"full": sample(), "empty": {Slot: 50e6, Paths: map[Path]*Series{}}, "cut": sample().Cut(5, 50)} {
		got, err := Decode(bytes.NewReader(encode(t, x)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := describe(x)
		want[0] = got.Start.UnixNano() // the zero Time has none
		if !x.Start.IsZero() {
			want[0] = x.Start.UnixNano()
		}
		want[5] = string(Redact(x.Config))
		if !reflect.DeepEqual(describe(got), want) {
			t.Errorf("%s:\n%v, want\n%v", name, describe(got), want)
		}
		if bytes.Contains(plain(t, encode(t, x)), []byte("hush")) {
			t.Errorf("%s: the key is in the file", name)
		}
	}
}

// The form of the file must not change by accident: traces of years have to be readable. The golden file is hexadecimal, decompressed:
// what compress/gzip makes of it may change.
func TestGolden(t *testing.T) {
	name := filepath.Join("testdata", "v1.hex")
	got := hex.Dump(plain(t, encode(t, sample())))
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", name, got)
	}
}

func TestDecodeErrors(t *testing.T) {
	good := plain(t, encode(t, sample()))
	change := func(at int, b byte) []byte {
		out := bytes.Clone(good)
		out[at] = b
		return out
	}
	path := bytes.IndexByte(good, tagPath)
	section := func(tag byte, body ...byte) []byte {
		head := append([]byte(magic), version, tagHeader, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0x84, 0x3d, 0) // a slot of 1 ms
		head[len(magic)+2] = byte(8 + 3 + 1 + 2)
		head = append(head, 0, 0)
		return append(append(append(head, tag), binary.AppendUvarint(nil, uint64(len(body)))...), body...)
	}
	for _, c := range []struct {
		name string
		data []byte
		err  error
		text string
	}{
		{"another file", []byte("PK\x03\x04 and so on"), ErrNotTrace, "byte 0 (beginning)"},
		{"another compressed file", compressed([]byte("some text")), ErrNotTrace, ""},
		{"nothing", nil, ErrNotTrace, ""},
		{"compressed nothing", compressed(nil), ErrNotTrace, ""},
		{"a newer one", compressed(change(len(magic), 9)), ErrVersion, "byte 8"},
		{"a section that must be known", compressed(section('X')), ErrVersion, `section 'X'`},
		{"a section that need not be known, then the end", compressed(append(section('x', 1, 2), tagEnd, 1, 0)), nil, ""},
		{"half", compressed(good[:len(good)/2]), ErrTruncated, "the file ends here"},
		{"cut in the compressed form", encode(t, sample())[:len(encode(t, sample()))-4], ErrTruncated, ""},
		{"a path of which nothing is right", compressed(change(path+4, 99)), nil, "path"},
		{"no header", compressed(append([]byte(magic), version, tagEnd, 1, 0)), nil, "the header has to come first"},
		{"an endless section", compressed(append(section('x'), 'y', 0xff, 0xff, 0xff, 0xff, 0x7f)), ErrTooLarge, ""},
		{"an empty run", compressed(section(tagPath, 1, 2, 0, 0, 1, 0, 1)), nil, "path 1>2 link 0): an empty run"},
		{"a link too many", compressed(section(tagPath, 1, 2, 8, 0, 0)), nil, "no such link"},
		{"too many runs", compressed(section(tagPath, 1, 2, 0, 0, 0xff, 0xff, 0xff, 0x7f)), nil, "a number above"},
		{"another number of paths", compressed(section(tagEnd, 3)), nil, "3 paths, but 0 came"},
		{"something follows", compressed(append(bytes.Clone(good), 0)), ErrMore, "(after the end)"},
		{"a byte follows the compressed form", append(encode(t, sample()), 0), ErrMore, "(after the end): the trace is whole"},
		{"a line follows", append(encode(t, sample()), "some more text\n"...), ErrMore, "(after the end)"},
		{"the same follows", append(encode(t, sample()), encode(t, sample())...), ErrMore, "(after the end)"},
	} {
		_, err := Decode(bytes.NewReader(c.data))
		if c.err == nil && c.text == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		f, ok := errors.AsType[*FormatError](err)
		switch {
		case !ok:
			t.Errorf("%s: %v", c.name, err)
		case c.err != nil && !errors.Is(f, c.err), !strings.Contains(f.Error(), c.text):
			t.Errorf("%s: %v", c.name, f)
		}
	}
}

// A bomb is refused before it takes the memory that it would like to have.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	zeros, head := make([]byte, 1<<20), plain(t, encode(t, &Trace{Slot: 50e6}))
	z.Write(head[:len(magic)+3+int(head[len(magic)+2])])
	for range maxSize/maxSection + 1 {
		z.Write(append([]byte{'x'}, binary.AppendUvarint(nil, maxSection)...))
		for range maxSection / len(zeros) {
			z.Write(zeros)
		}
	}
	z.Close()
	if _, err := Decode(&b); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(plain(f, encode(f, sample())))
	f.Add(plain(f, encode(f, &Trace{Slot: 50e6})))
	f.Add([]byte(magic + "\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := decode(bytes.NewReader(data), bytes.NewReader(nil))
		if err != nil {
			return
		}
		again, err := Decode(bytes.NewReader(encode(t, x)))
		if err != nil || !reflect.DeepEqual(describe(again), describe(&Trace{
			Start: x.Start, Slot: x.Slot, Software: x.Software, Author: x.Author, Libknet: x.Libknet, Config: Redact(x.Config), Nodes: x.Nodes,
			Paths: x.Paths, Marks: x.Marks,
		})) {
			t.Fatalf("%v\n%v\n%v", err, describe(x), describe(again))
		}
	})
}

// BenchmarkEncode is an hour of 32 nodes with three links, a fifth of them losing 1 %.
func BenchmarkEncode(b *testing.B) {
	x := &Trace{Slot: 50e6, Paths: map[Path]*Series{}}
	for from := range uint32(32) {
		for to := range uint32(32) {
			for link := range 3 {
				s := &Series{}
				for s.Next() < 72000 {
					n := 72000
					if (from+to)%5 == 0 {
						n = 99
					}
					s.Append(n, Sample{Arrived, 1e6})
					s.Append(1, Sample{State: Lost})
				}
				x.Paths[Path{from, to, link}] = s
			}
		}
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n = len(encode(b, x))
	}
	b.ReportMetric(float64(n), "bytes")
	b.ReportMetric(float64(x.Runs()), "runs")
}

// TestEndless: a record whose end no time.Duration holds is none, however few bytes it takes.
func TestEndless(t *testing.T) {
	for slots, want := range map[int]error{1 << 31: ErrTooLarge, 1 << 18: nil} {
		s := &Series{}
		s.Append(slots, Sample{State: Lost})
		var b bytes.Buffer
		if err := Encode(&b, &Trace{Slot: 1 << 33, Paths: map[Path]*Series{{From: 1, To: 2}: s}}); err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(&b); !errors.Is(err, want) {
			t.Errorf("%d slots: %v, want %v", slots, err, want)
		}
	}
}

// TestApart: a reader may take memory for every slot and time for every second between the first sample and the last, of whatever path; so a
// few runs far from each other are refused. A path without samples is nowhere.
func TestApart(t *testing.T) {
	for _, c := range []struct {
		name        string
		slot        time.Duration
		first, runs int // of the second path; the first one has the slots 0 to 9
		want        error
	}{
		{"a day of an agent", 50 * time.Millisecond, 24 * 60 * 60 * 20, 1, nil},
		{"as many slots as may be", 50 * time.Millisecond, maxSpan - 10, 1, nil},
		{"a slot more", 50 * time.Millisecond, maxSpan - 9, 1, ErrTooLarge},
		{"as far as a path may begin", 50 * time.Millisecond, 1 << 31, 1, ErrTooLarge},
		{"as long as may be", time.Minute, 31*24*60 - 10, 1, nil},
		{"a minute more", time.Minute, 31*24*60 - 9, 1, ErrTooLarge},
		{"no samples, far away", 50 * time.Millisecond, 1 << 31, 0, nil},
	} {
		x := &Trace{Slot: c.slot, Paths: map[Path]*Series{{1, 2, 0}: {}, {2, 1, 0}: {first: c.first, next: c.first, base: c.first}}}
		x.Paths[Path{1, 2, 0}].Append(10, Sample{State: Lost})
		x.Paths[Path{2, 1, 0}].Append(10*c.runs, Sample{State: Lost})
		if _, err := Decode(bytes.NewReader(encode(t, x))); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		} else if err != nil && !strings.Contains(err.Error(), "from the first sample to the last") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
