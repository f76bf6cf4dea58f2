package mesh

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// sample is a view of a large cluster.
func sample(peers, links int, firstNode uint32) View {
	r := rand.New(rand.NewPCG(1, 2))
	v := View{
		Node: firstNode, Sequence: 4_000_000_000, Interval: 50 * time.Millisecond, Corosync: true, Quorate: true,
		RingRep: 1, RingSeq: 1 << 40, Members: peers + 1, Token: 3650 * time.Millisecond, ConfigVersion: 77,
		Pause: 12 * time.Millisecond, PauseAgo: 9800 * time.Millisecond,
		Fates: Fates{Slot: 50 * time.Millisecond, Next: 1 << 30, Clock: 1 << 31, Window: 40, Lag: 20},
	}
	for n := range peers {
		for l := range links {
			v.Paths = append(v.Paths, Path{
				Node: firstNode + 1 + uint32(n), Link: l, State: State(r.IntN(4)), KnetDown: r.IntN(2) == 0,
				Gap: time.Duration(r.Int64N(int64(time.Minute))), SilentFor: time.Duration(r.Int64N(int64(time.Hour))),
				WorstGap: time.Duration(r.Int64N(int64(time.Second))), RTT: time.Duration(r.Int64N(int64(time.Millisecond))),
				LossRatio: r.Float64(),
				In:        Told{Runs: []Run{{Slots: 40}}},
			})
		}
	}
	return v
}

// near says whether b stands for a within what the package promises.
func near(a, b time.Duration) bool {
	return (a - b).Abs() <= max(time.Microsecond, a/2048)
}

func checkPaths(t *testing.T, got, want []Path) {
	t.Helper()
	for i, w := range want {
		g := got[i]
		if g.Node != w.Node || g.Link != w.Link || g.State != w.State || g.KnetDown != w.KnetDown || g.KnetTurn != w.KnetTurn {
			t.Fatalf("path %d: %+v, want %+v", i, g, w)
		}
		if !near(w.Gap, g.Gap) || !near(w.SilentFor, g.SilentFor) || !near(w.WorstGap, g.WorstGap) || !near(w.RTT, g.RTT) {
			t.Fatalf("path %d: durations %+v, want %+v", i, g, w)
		}
		if math.Abs(g.LossRatio-w.LossRatio) > 1.0/65535 {
			t.Fatalf("path %d: loss %v, want %v", i, g.LossRatio, w.LossRatio)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, peers := range []int{0, 1, 4, 31} {
		for _, links := range []int{1, 2, 3} {
			v := sample(peers, links, 1)
			b := Encode(nil, v)
			if len(b) > MaxSize {
				t.Fatalf("%d peers, %d links: %d bytes", peers, links, len(b))
			}
			got, err := Decode(b)
			if err != nil || len(got.Paths) != len(v.Paths) || got.Partial {
				t.Fatalf("%d peers, %d links: %v, %d paths, partial %v", peers, links, err, len(got.Paths), got.Partial)
			}
			checkPaths(t, got.Paths, v.Paths)
			got.Paths, v.Paths = nil, nil
			if fmt.Sprint(got) != fmt.Sprint(v) {
				t.Errorf("got  %+v\nwant %+v", got, v)
			}
		}
	}
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		peers, links int
		node         uint32
		most         int
	}{
		{31, 3, 1, 1160}, {4, 1, 1, 100}, {2, 2, 1, 100}, {31, 2, 0xc0a80001, 1000},
	} {
		if n := len(Encode(nil, sample(c.peers, c.links, c.node))); n > c.most {
			t.Errorf("%d peers with %d links from node %d: %d bytes, want at most %d", c.peers, c.links, c.node, n, c.most)
		}
	}
}

// A view that does not fit tells the trouble always, and each healthy path after a few turns.
func TestRotation(t *testing.T) {
	v := sample(60, 4, 0xc0a80001)
	for i := range v.Paths {
		v.Paths[i].State, v.Paths[i].KnetDown = Up, false
	}
	v.Paths[7].State, v.Paths[99].KnetDown = Down, true
	seen := map[string]int{}
	for turns := 1; ; turns++ {
		v.Sequence++
		b := Encode(nil, v)
		got, err := Decode(b)
		if err != nil || !got.Partial || len(b) > MaxSize {
			t.Fatal(err, got.Partial, len(b))
		}
		for _, p := range got.Paths {
			seen[fmt.Sprint(p.Node, p.Link)]++
		}
		for _, i := range []int{7, 99} {
			if p := v.Paths[i]; seen[fmt.Sprint(p.Node, p.Link)] != turns {
				t.Fatalf("turn %d: troubled path %d missing", turns, i)
			}
		}
		if len(seen) == len(v.Paths) {
			if turns > 4 {
				t.Errorf("all %d paths told after %d turns, want at most 4", len(v.Paths), turns)
			}
			return
		}
		if turns > 20 {
			t.Fatalf("only %d of %d paths told after %d turns", len(seen), len(v.Paths), turns)
		}
	}
}

func TestPack(t *testing.T) {
	for _, d := range []time.Duration{
		-1, 0, 1, 499, 501, time.Microsecond, 2047 * time.Microsecond, 2048 * time.Microsecond, 4095 * time.Microsecond,
		time.Second, time.Hour, 24 * time.Hour, math.MaxInt64,
	} {
		got := unpack(pack(d))
		want := min(max(d, 0), unpack(math.MaxUint16))
		if !near(want, got) {
			t.Errorf("%v: %v", d, got)
		}
	}
	for x := range math.MaxUint16 {
		if d := unpack(uint16(x)); unpack(pack(d)) != d {
			t.Fatalf("%#x: %v becomes %v", x, d, unpack(pack(d)))
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	good := Encode(nil, sample(2, 2, 1))
	for n := range len(good) {
		v, err := Decode(good[:n])
		if err == nil && len(v.Paths)%2 != 0 || err != nil && !errors.Is(err, ErrTruncated) {
			t.Errorf("%d of %d bytes: %v, %d paths", n, len(good), err, len(v.Paths))
		}
	}
	if _, err := Decode(append([]byte{9}, good[1:]...)); !errors.Is(err, ErrVersion) {
		t.Errorf("version 9: %v", err)
	}
	if _, err := Decode(append(good, 1, 200)); !errors.Is(err, ErrInvalid) {
		t.Errorf("200 links: %v", err)
	}
	for _, next := range []uint64{maxNext, maxNext + 1, 1<<62 + 511, math.MaxUint64} {
		v := sample(1, 1, 1)
		v.Fates.Next = next
		if _, err := Decode(Encode(nil, v)); (next <= maxNext) != (err == nil) || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("fates up to slot %d: %v", next, err)
		}
	}
	if b := EncodeMax(nil, sample(1, 1, 1), 10); b != nil {
		t.Errorf("size 10: %d bytes", len(b))
	}
}

// A view of version 1 does not tell when the stall ended, one of version 2 tells no fates, one of version 3 not since when knet says what it says.
func TestOldVersions(t *testing.T) {
	v := sample(2, 2, 1)
	v.PauseAgo, v.Fates = 0, Fates{}
	b := Encode(nil, v)
	head := appendHeader(nil, v)
	for ver := byte(1); ver <= 3; ver++ {
		cut := len(head) - 4 + int(ver) // without an empty list of flips, an empty Fates, and a PauseAgo of zero
		old := append(append([]byte{ver}, head[1:cut]...), b[len(head):]...)
		got, err := Decode(old)
		if err != nil || len(got.Paths) != len(v.Paths) || got.Pause != v.Pause || got.PauseAgo != 0 || got.Paths[0].In.Runs != nil {
			t.Errorf("version %d: %v: %+v", ver, err, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(nil, sample(3, 2, 1)))
	f.Add(Encode(nil, sample(0, 0, 0)))
	f.Add([]byte{})
	flips := sample(3, 2, 1)
	flips.Paths[1].KnetTurn, flips.Paths[4].KnetTurn = 1, math.MaxUint32
	f.Add(Encode(nil, flips))
	f.Add(Encode(nil, troubled(1, 3)))
	f.Add(Encode(nil, troubled(2, 3)))
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Decode(EncodeMax(nil, v, 1<<16))
		if err != nil || len(again.Paths) != len(v.Paths) {
			t.Fatalf("%v: %d paths, want %d", err, len(again.Paths), len(v.Paths))
		}
		slices.SortStableFunc(v.Paths, func(a, b Path) int { return cmp.Or(cmp.Compare(a.Node, b.Node), a.Link-b.Link) })
		for i, p := range v.Paths {
			checkTold(t, i, again.Paths[i], p, v.Fates)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	v := sample(31, 3, 1)
	buf := make([]byte, 0, MaxSize)
	b.ReportAllocs()
	for b.Loop() {
		buf = Encode(buf[:0], v)
	}
}

// TestFlips: of links whose knet changed its verdict, it is told when, up to a number of them.
func TestFlips(t *testing.T) {
	var v View
	for n := range 60 {
		p := Path{Node: uint32(n + 1)}
		if n%3 > 0 {
			p.KnetTurn = math.MaxUint32 - uint32(n)
		}
		v.Paths = append(v.Paths, p)
	}
	got, err := Decode(EncodeMax(nil, v, 1<<16))
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for i, p := range got.Paths {
		want := v.Paths[i].KnetTurn
		if want > 0 {
			if told++; told > maxFlips {
				want = 0
			}
		}
		if p.KnetTurn != want {
			t.Errorf("node %d: %v, want %v", p.Node, p.KnetTurn, want)
		}
	}
}
