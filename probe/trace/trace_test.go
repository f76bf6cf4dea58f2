package trace

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// twin is a Series without cleverness: one sample for each slot.
type twin struct {
	first   int
	samples []Sample // from slot 0
}

func (w *twin) at(slot int) Sample {
	if slot < w.first || slot >= len(w.samples) {
		return Sample{}
	}
	return w.samples[slot]
}

// draw makes one of a few samples, so that runs come about.
func draw(r *rand.Rand) Sample {
	if s := State(r.IntN(3)); s != Arrived {
		return Sample{State: s}
	}
	return Sample{Arrived, time.Duration(r.IntN(3)) * 1500 * time.Microsecond}
}

func TestSeriesAgainstTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		s, w := &Series{base: -r.IntN(2) * (1<<32 - 40)}, twin{} // the second kind has to rebase soon
		s.first, s.next = 0, 0
		for range 60 {
			switch r.IntN(4) {
			case 0:
				before := r.IntN(len(w.samples) + 3)
				s.Forget(before)
				w.first = max(w.first, min(before, len(w.samples)))
			case 1:
				next, v := len(w.samples)+r.IntN(8)-3, draw(r)
				s.AppendTo(next, v)
				for len(w.samples) < next {
					w.samples = append(w.samples, v)
				}
			default:
				n, v := r.IntN(4), draw(r)
				s.Append(n, v)
				for range n {
					w.samples = append(w.samples, v)
				}
			}
			compare(t, s, &w)
		}
	}
}

func compare(t *testing.T, s *Series, w *twin) {
	t.Helper()
	if s.First() != w.first || s.Next() != len(w.samples) {
		t.Fatalf("from %d to %d, want %d to %d", s.First(), s.Next(), w.first, len(w.samples))
	}
	for slot := w.first - 2; slot < len(w.samples)+2; slot++ {
		v, until := s.Run(slot)
		if v != w.at(slot) || v != s.At(slot) {
			t.Fatalf("slot %d: %v, want %v", slot, v, w.at(slot))
		}
		if until <= slot {
			t.Fatalf("slot %d: a run until %d", slot, until)
		}
		for k := slot; k < min(until, len(w.samples)); k++ {
			if w.at(k) != v {
				t.Fatalf("slot %d: a run of %v until %d, but slot %d is %v", slot, v, until, k, w.at(k))
			}
		}
	}
}

func TestDelays(t *testing.T) {
	for _, c := range []struct{ in, want time.Duration }{
		{0, 0}, {-time.Second, 0}, {1499 * time.Nanosecond, time.Microsecond}, {1501 * time.Nanosecond, 2 * time.Microsecond},
		{time.Hour, mostDelay * time.Microsecond},
	} {
		if got := pack(Sample{Arrived, c.in}).sample(); got.Delay != c.want || got.State != Arrived {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
	}
	if got := pack(Sample{Lost, time.Second}).sample(); got != (Sample{State: Lost}) {
		t.Errorf("a lost one: %v", got)
	}
}

// sample is a small trace with everything in it.
func sample() *Trace {
	t := &Trace{
		Start: time.Date(2026, 3, 1, 12, 0, 0, 5000, time.UTC), Slot: 50 * time.Millisecond, Software: "v1.2.3", Author: 1, Libknet: "1.30",
		Config: []byte("totem {\n  version: 2\n  key: hush\n}\n"),
		Nodes:  []Node{{1, "a1", "a"}, {2, "b1", "b"}, {0xc0a80001, "c1", ""}},
		Paths:  map[Path]*Series{},
		Marks: []Mark{
			{time.Second, 2, KindTokenLost, "A processor failed, forming new configuration"}, {2 * time.Second, 0, KindFinding, "token-margin: ring"},
		},
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, p := range []Path{{1, 2, 0}, {2, 1, 0}, {1, 2, 1}, {0xc0a80001, 1, 7}} {
		s := &Series{}
		for s.Next() < 100 {
			s.Append(1+r.IntN(20), draw(r))
		}
		s.Forget(r.IntN(30))
		t.Paths[p] = s
	}
	t.Paths[Path{2, 1, 7}] = &Series{}
	return t
}

func TestCut(t *testing.T) {
	a := sample()
	b := a.Cut(10, 30)
	if !b.Start.Equal(a.Start.Add(500*time.Millisecond)) || !slices.Equal(b.Marks, []Mark{{500 * time.Millisecond, 2, KindTokenLost, a.Marks[0].Text}}) {
		t.Errorf("start %v, marks %v", b.Start, b.Marks)
	}
	for p, s := range a.Paths {
		for slot := -1; slot < 25; slot++ {
			want := Sample{}
			if slot >= 0 && slot < 20 {
				want = s.At(slot + 10)
			}
			if got := b.Paths[p].At(slot); got != want {
				t.Fatalf("%v slot %d: %v, want %v", p, slot, got, want)
			}
		}
	}
	if first, next := b.Span(); first != 0 || next != 20 {
		t.Errorf("from %d to %d", first, next)
	}
}

// A snapshot does not change when the trace grows and forgets.
func TestSnapshot(t *testing.T) {
	a := sample()
	want := a.Cut(0, 200)
	b := a.Snapshot()
	for i := range 1000 {
		for _, s := range a.Paths {
			s.Append(1, draw(rand.New(rand.NewPCG(uint64(i), 1))))
		}
		a.Marks = append(a.Marks, Mark{At: time.Minute})
		a.Forget(i)
	}
	a.Nodes[0].Name = "other"
	if got := b.Cut(0, 200); !reflect.DeepEqual(describe(got), describe(want)) {
		t.Errorf("it changed:\n%v\n%v", describe(got), describe(want))
	}
}

// describe turns a trace into what can be compared: all samples, in order.
func describe(t *Trace) []any {
	out := []any{t.Start.UnixNano(), t.Slot, t.Software, t.Author, t.Libknet, string(t.Config), slices.Clone(t.Nodes), slices.Clone(t.Marks)}
	for _, p := range t.sorted() {
		s := t.Paths[p]
		out = append(out, p, s.First(), s.Next())
		for slot := s.First(); slot < s.Next(); {
			v, until := s.Run(slot)
			out = append(out, slot, v)
			slot = until
		}
	}
	return out
}

func TestSlots(t *testing.T) {
	x := &Trace{Slot: 50 * time.Millisecond}
	for _, c := range []struct {
		at   time.Duration
		slot int
	}{{0, 0}, {49, 0}, {50, 1}, {-1, -1}, {-50, -1}, {-51, -2}} {
		if got := x.SlotOf(c.at * time.Millisecond); got != c.slot {
			t.Errorf("%d ms: slot %d, want %d", c.at, got, c.slot)
		}
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"":                                       "",
		"totem {\n  key: secret\n}":              "totem {\n  key: redacted\n}",
		"totem {\n\tKey:secret:with:colons\n}\n": "totem {\n\tKey: redacted\n}\n",
		"  # key : secret\n  keyfile: /a":        "  # key : redacted\n  keyfile: /a",
		"key: secret":                            "key: redacted",
	} {
		if got := string(Redact([]byte(in))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if strings.Contains(string(Redact([]byte(in))), "secret") {
			t.Errorf("%q keeps its secret", in)
		}
	}
}
