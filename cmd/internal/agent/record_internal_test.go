package agent

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// testPlan is a plan of so many nodes and links; this node is 1.
func testPlan(tb testing.TB, nodes, links int) *plan {
	tb.Helper()
	var b strings.Builder
	b.WriteString("totem {\n version: 2\n cluster_name: x\n key: hush\n}\nquorum {\n provider: corosync_votequorum\n}\nnodelist {\n")
	p := &plan{settings: &Settings{Interval: leastSlot, Sites: map[string]string{"n2": "south"}}, owners: map[probe.Path]owner{}, local: 1}
	addr := func(link, node int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(link), 0, byte(node)}) }
	for n := 1; n <= nodes; n++ {
		fmt.Fprintf(&b, " node {\n  nodeid: %d\n  name: n%d\n", n, n)
		for l := range links {
			fmt.Fprintf(&b, "  ring%d_addr: %s\n", l, addr(l, n))
			if n > 1 {
				p.owners[probe.Path{Local: addr(l, 1), Remote: addr(l, n)}] = owner{uint32(n), l}
			}
		}
		b.WriteString(" }\n")
	}
	b.WriteString("}\n")
	c, err := corosync.Parse("corosync.conf", strings.NewReader(b.String()))
	if err != nil {
		tb.Fatal(err)
	}
	p.config, p.text = c, []byte(b.String())
	return p
}

func testProber(tb testing.TB, p *plan) *keyed {
	tb.Helper()
	host := simnet.New(1).Host("n1")
	prober, err := probe.New(probe.Config{Network: host, NewPacer: host.NewPacer})
	if err != nil {
		tb.Fatal(err)
	}
	var targets []probe.Target
	for path := range p.owners {
		targets = append(targets, probe.Target{Path: path})
	}
	prober.SetTargets(targets)
	return &keyed{Prober: prober}
}

// viewFrom is what a node tells when its slot next begins at an instant of its clock: all as usual, but for one path.
func viewFrom(node uint32, nodes, links int, slot time.Duration, next uint64, clock time.Duration, odd mesh.Path) mesh.View {
	v := mesh.View{Node: node, Interval: slot, Fates: mesh.Fates{
		Slot: slot, Next: next, Clock: uint32(clock / time.Millisecond), Window: min(int(tellFor/slot), 64), Lag: 10,
	}}
	for n := uint32(1); n <= uint32(nodes); n++ {
		for l := range links {
			p := mesh.Path{Node: n, Link: l, State: mesh.Up, RTT: 4 * time.Millisecond, In: mesh.Told{Runs: []mesh.Run{{Slots: v.Fates.Window}}}}
			if n == odd.Node && l == odd.Link {
				p = odd
			}
			if n != node {
				v.Paths = append(v.Paths, p)
			}
		}
	}
	return v
}

// A peer's slots fall where they belong, whatever its clock says, wherever its slots begin, and however its clock drifts.
func TestPeersSlots(t *testing.T) {
	begin := time.Now()
	for _, c := range []struct {
		slot  time.Duration // the author's
		phase time.Duration // when its slots begin, after ours
		drift time.Duration // a second
		step  time.Duration // its clock is set by this, in the middle
	}{
		{leastSlot, 0, 0, 0}, {leastSlot, 24 * time.Millisecond, 0, 0}, {leastSlot, 25 * time.Millisecond, 50 * time.Microsecond, 0},
		{leastSlot, 3 * time.Millisecond, -50 * time.Microsecond, time.Hour}, {100 * time.Millisecond, 7 * time.Millisecond, 0, -time.Minute},
	} {
		r := newRecorder(begin, Trace{}, "test", leastSlot)
		p := testPlan(t, 3, 1)
		r.follow(p, begin)
		const seconds = 100
		for k := range 2 * seconds {
			at := time.Duration(k+4) * 500 * time.Millisecond // of our time, when the slots end that are told
			next := uint64((at + time.Duration(at.Seconds()*float64(c.drift))) / c.slot)
			begins := c.phase + time.Duration(next)*c.slot - time.Duration(at.Seconds()*float64(c.drift))
			clock := 77*time.Hour + begins
			if k > seconds {
				clock += c.step
			}
			// Each view tells that the slots of its last second were lost, in every fourth second.
			n := int(time.Second / c.slot)
			odd := mesh.Path{Node: 3, State: mesh.Up, RTT: 4 * time.Millisecond}
			for s := int(next) - 2*n; s < int(next); s++ {
				f := mesh.Usual
				if time.Duration(s)*c.slot/time.Second%4 == 0 {
					f = mesh.Lost
				}
				if m := len(odd.In.Runs); m > 0 && odd.In.Runs[m-1].Fate == f {
					odd.In.Runs[m-1].Slots++
				} else {
					odd.In.Runs = append(odd.In.Runs, mesh.Run{Slots: 1, Fate: f})
				}
			}
			v := viewFrom(2, 3, 1, c.slot, next, clock, odd)
			v.Fates.Window = 2 * n
			if v.Paths[0].In.Runs[0].Slots > v.Fates.Window {
				v.Paths[0].In.Runs[0].Slots = v.Fates.Window
			}
			r.take(&v, decoded{left: begin.Add(begins + 300*time.Millisecond), clock: clock + 300*time.Millisecond})
		}
		s := r.record.Paths[trace.Path{From: 3, To: 2}]
		lost, other := 0, 0
		for i := 100; i < s.Next(); i++ {
			want := trace.Arrived
			if at := r.record.At(i) + leastSlot/2 - c.phase; at/time.Second%4 == 0 && at > 0 {
				want = trace.Lost
			}
			switch v := s.At(i); {
			case v.State != want:
				other++
			case want == trace.Lost:
				lost++
			}
		}
		// The twin says which; at the edges of a run a slot may fall to one side or the other.
		if most := 2 * seconds / 4; lost < 430 || other > most {
			t.Errorf("%+v: %d lost of %d slots, %d otherwise than they should be (%d may)", c, lost, s.Next(), other, most)
		}
		if got := s.At(s.Next() - 1).Delay; got != 0 && got != 2*time.Millisecond {
			t.Errorf("%+v: a delay of %v", c, got)
		}
	}
}

// However large a peer's numbers are, the record ends where the present is, and goes on.
func TestHugeSlots(t *testing.T) {
	for _, next := range []uint64{1, 1 << 30, 1<<40 - 100} {
		begin := time.Now()
		r := newRecorder(begin, Trace{}, "test", leastSlot)
		r.follow(testPlan(t, 3, 1), begin)
		for k := range uint64(3) {
			now, clock := begin.Add(time.Duration(100+k)*time.Second), time.Duration(50+k)*time.Second
			v := viewFrom(2, 3, 1, leastSlot, next+k*uint64(time.Second/leastSlot), clock, mesh.Path{})
			told, err := mesh.Decode(mesh.EncodeMax(nil, v, 1400))
			if err != nil {
				t.Fatal(err)
			}
			r.take(&told, decoded{left: now, clock: clock})
			if _, end := r.record.Span(); end != r.slotOf(now) {
				t.Errorf("slots up to %d: the record ends at %d, and it is slot %d", told.Fates.Next, end, r.slotOf(now))
			}
		}
	}
}

// What a bulletin says of a path is what the record says of it, after it was told, encoded, decoded and merged by another recorder.
func TestToldAndTaken(t *testing.T) {
	begin := time.Now()
	random := rand.New(rand.NewPCG(1, 2))
	p := testPlan(t, 3, 2)
	theirs := testPlan(t, 3, 2)
	theirs.local = 2
	a, b := newRecorder(begin, Trace{}, "", leastSlot), newRecorder(begin, Trace{}, "", leastSlot)
	a.follow(p, begin)
	b.follow(theirs, begin)
	path := trace.Path{From: 3, To: 2, Link: 1}
	k := b.track(path)
	tell, missed := 0, 0
	for k.Next() < 400 {
		now := begin.Add(b.record.At(k.Next()) + 150*time.Millisecond)
		if k.Next() >= tell {
			tell += 10
			v := mesh.View{Node: 2, Paths: []mesh.Path{{Node: 3, Link: 1, State: mesh.Up, RTT: 4 * time.Millisecond}}}
			b.tell(&v, now, now.Sub(begin))
			got, err := mesh.Decode(mesh.Encode(nil, v))
			if err != nil {
				t.Fatal(err)
			}
			if missed++; missed == 3 || random.IntN(2) > 0 { // half are lost, two in a row at most
				missed = 0
				a.take(&got, decoded{left: now.Add(20 * time.Millisecond), clock: now.Add(20 * time.Millisecond).Sub(begin)})
			}
		}
		switch random.IntN(6) {
		case 0:
			k.Append(1+random.IntN(4), trace.Sample{State: trace.Lost})
		case 1:
			k.Append(1, trace.Sample{})
		case 2:
			k.Append(1, k.arrived(time.Duration(20+random.IntN(500))*time.Millisecond, 2*time.Millisecond))
		default:
			k.Append(1+random.IntN(8), k.arrived(2*time.Millisecond, 2*time.Millisecond))
		}
	}
	got := a.record.Paths[path]
	if got.Next() < 300 {
		t.Fatalf("told up to slot %d", got.Next())
	}
	for i := range got.Next() {
		x, y := got.At(i), k.At(i)
		if x.State != y.State || (x.Delay-y.Delay).Abs() > y.Delay/10 {
			t.Errorf("slot %d: %v, want %v", i, x, y)
		}
	}
}

func TestRecordFollowsConfiguration(t *testing.T) {
	begin := time.Now()
	r := newRecorder(begin, Trace{}, "test", leastSlot)
	r.follow(testPlan(t, 3, 2), begin)
	if r.track(trace.Path{From: 3, To: 2, Link: 1}) == nil || r.track(trace.Path{From: 4, To: 2}) != nil || r.track(trace.Path{From: 3, To: 2, Link: 2}) != nil {
		t.Error("paths are not those of corosync.conf")
	}
	if strings.Contains(string(r.record.Config), "hush") || r.record.Nodes[1] != (trace.Node{ID: 2, Name: "n2", Site: "south"}) {
		t.Errorf("%s %v", r.record.Config, r.record.Nodes)
	}
	r.follow(testPlan(t, 2, 1), begin.Add(time.Minute))
	if len(r.record.Paths) != 0 || len(r.record.Nodes) != 2 || len(r.record.Marks) != 1 || r.record.Marks[0].Kind != trace.KindReload {
		t.Errorf("%d paths, nodes %v, marks %v", len(r.record.Paths), r.record.Nodes, r.record.Marks)
	}
}

// The record keeps to its length and to its memory, and says what it dropped.
func TestRecordIsBounded(t *testing.T) {
	begin := time.Now()
	r := newRecorder(begin, Trace{Keep: 10 * time.Minute}, "", leastSlot)
	r.follow(testPlan(t, 12, 3), begin)
	for from := uint32(1); from <= 12; from++ {
		for to := uint32(1); to <= 12; to++ {
			if k := r.track(trace.Path{From: from, To: to, Link: int(from+to) % 3}); k != nil {
				for k.Next() < 18_000 { // fifteen minutes, two runs every three slots
					k.Append(2, trace.Sample{State: trace.Arrived})
					k.Append(1, trace.Sample{State: trace.Lost})
				}
			}
		}
	}
	now := begin.Add(15 * time.Minute)
	before := r.record.Runs()
	r.trim.step(r, now)
	first, next := r.record.Span()
	if n := r.record.Runs(); n > maxRuns || n < maxRuns/2 || next != 18_000 || first < 6_000 {
		t.Errorf("%d runs of %d, slots %d to %d", n, before, first, next)
	}
	if m := r.record.Marks; len(m) == 0 || m[len(m)-1].Kind != trace.KindTruncated {
		t.Errorf("marks %v", m)
	}
}

func TestIncidents(t *testing.T) {
	begin := time.Now()
	r := newRecorder(begin, Trace{Dir: "somewhere"}, "", leastSlot)
	r.follow(testPlan(t, 2, 1), begin)
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	r.track(trace.Path{From: 1, To: 2}).AppendTo(r.slotOf(at(time.Hour)), trace.Sample{})
	r.open.extend(at(10*time.Minute), "one")
	r.open.extend(at(11*time.Minute), "two")
	if _, ok := r.due(at(13*time.Minute-1), false); ok {
		t.Error("it is written before it is over")
	}
	job, ok := r.due(at(13*time.Minute), false)
	if !ok || job.why != "one" || job.from != r.slotOf(at(5*time.Minute)) || job.to <= job.from {
		t.Errorf("%v %+v", ok, job)
	}
	if _, ok := r.due(at(14*time.Minute), true); ok {
		t.Error("it is written twice")
	}
	for m := range 40 { // one that does not end
		r.open.extend(at(time.Duration(20+m)*time.Minute), "long")
		if job, ok := r.due(at(time.Duration(20+m)*time.Minute), false); ok != (m == 25) {
			t.Fatalf("after %d min: %v %+v", m, ok, job)
		} else if ok {
			break
		}
	}
	r.open.extend(at(50*time.Minute), "the end")
	if _, ok := r.due(at(50*time.Minute), true); !ok {
		t.Error("what goes on when the agent ends is not written")
	}
}

func TestTraceFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	c := Trace{Dir: dir, Files: 3}
	job := func(k int) traceJob {
		s := &trace.Series{}
		s.Append(10, trace.Sample{State: trace.Lost})
		return traceJob{record: &trace.Trace{
			Start: time.Unix(int64(1e9+k), 0), Slot: leastSlot, Author: 7, Nodes: []trace.Node{{ID: 7, Name: "../x y"}},
			Paths: map[trace.Path]*trace.Series{{From: 7, To: 8}: s},
		}, to: 10}
	}
	for k := range 5 {
		name, err := writeTrace(c, job(k))
		if err != nil || filepath.Dir(name) != dir || !strings.HasSuffix(name, "Z-___x_y.trace") {
			t.Fatalf("%s: %v", name, err)
		}
	}
	names := func() []string {
		all, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if n := names(); len(n) != 3 || !strings.Contains(n[0], "20010909T014642Z") {
		t.Errorf("%v", n)
	}
	foreign, half := filepath.Join(dir, "notes.txt"), filepath.Join(dir, ".new-1.trace")
	for _, name := range []string{foreign, half} {
		if err := os.WriteFile(name, make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(half, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	c.Size = 1
	if _, err := writeTrace(c, job(9)); err != nil {
		t.Fatal(err)
	}
	if n := names(); len(n) != 2 {
		t.Errorf("%v, want the newest and what is not ours", n)
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("a file that was left half written stays")
	}
	c.Dir = filepath.Join(foreign, "traces")
	if _, err := writeTrace(c, job(10)); err == nil {
		t.Error("no error where there can be no folder")
	}
}

// BenchmarkRecord is a second of 32 nodes with three links: six looks at 93 paths, and 62 bulletins. The unit is the second.
func BenchmarkRecord(b *testing.B) {
	for _, sick := range []bool{false, true} {
		b.Run(fmt.Sprintf("sick=%v", sick), func(b *testing.B) {
			begin := time.Now()
			p := testPlan(b, 32, 3)
			prober := testProber(b, p)
			r := newRecorder(begin, Trace{}, "", leastSlot)
			rep := &checker.Report{}
			for path, whose := range p.owners {
				rep.Paths = append(rep.Paths, checker.Path{Peer: checker.NodeRef{ID: whose.node}, Link: whose.link, Remote: path.Remote, State: checker.PathUp})
			}
			second := 0
			b.ReportAllocs()
			for b.Loop() {
				second++
				for part := range 6 {
					now := begin.Add(time.Duration(second)*time.Second + time.Duration(part)*recordEvery)
					r.step(now, p, prober, corosync.Status{}, rep)
				}
				for half := range 2 {
					at := time.Duration(second)*time.Second + time.Duration(half)*500*time.Millisecond
					for node := uint32(2); node <= 32; node++ {
						odd := mesh.Path{Node: 1, In: mesh.Told{Runs: []mesh.Run{{Slots: 40}}}}
						if sick {
							odd.In.Runs = []mesh.Run{{Slots: 11}, {Slots: 1, Fate: mesh.Lost}, {Slots: 17}, {Slots: 1, Fate: mesh.Lost}, {Slots: 10}}
						}
						b.StopTimer()
						v := viewFrom(node, 32, 3, leastSlot, uint64(at/leastSlot), at, odd)
						data := mesh.EncodeMax(nil, v, 1<<16)
						b.StartTimer()
						got, err := mesh.Decode(data)
						if err != nil {
							b.Fatal(err)
						}
						r.take(&got, decoded{left: begin.Add(at), clock: at})
					}
				}
			}
			b.ReportMetric(float64(r.record.Runs())*8/1024, "KiB-runs")
		})
	}
}
