package stats

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// The windows' quantiles agree with all samples that fall into them.
func TestWindowQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	d := newDriver(1)
	type sample struct{ at, rtt time.Duration }
	var all []sample
	const n = 90000 // 75 minutes
	for range n {
		rtt := time.Duration(r.ExpFloat64()*float64(5*time.Millisecond)) + 100*time.Microsecond
		rtt = min(rtt, 45*time.Millisecond)
		d.p.Sent(d.seq, d.at())
		d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(rtt), RTT: rtt})
		if len(all) > 0 || d.seq > 1 { // the first one may hold address resolution
			all = append(all, sample{d.now + rtt, rtt})
		}
		d.seq++
		d.reflector++
		d.now += every
	}
	for i, w := range d.summary().Windows {
		from := (d.now - w.Length).Truncate(spans[i].width)
		var in []time.Duration
		for _, s := range all {
			if s.at >= from {
				in = append(in, s.rtt)
			}
		}
		slices.Sort(in)
		if w.RTT.Count != uint64(len(in)) || w.RTT.Min != in[0] || w.RTT.Max != in[len(in)-1] || w.Covered != w.Length {
			t.Errorf("%v: %+v, want %d samples from %v to %v", w.Length, w.RTT, len(in), in[0], in[len(in)-1])
		}
		for q, got := range map[float64]time.Duration{0.5: w.RTT.P50, 0.9: w.RTT.P90, 0.99: w.RTT.P99, 0.999: w.RTT.P999} {
			if want := in[rank(q, uint64(len(in)))-1]; !within(got, want) {
				t.Errorf("%v: quantile %v: %v, want %v", w.Length, q, got, want)
			}
		}
	}
}

func TestJitter(t *testing.T) {
	d := newDriver(1)
	want := time.Duration(0)
	last := time.Duration(-1)
	for i := range 200 {
		rtt := trip + time.Duration(i%2)*time.Millisecond
		d.p.Sent(d.seq, d.at())
		d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(rtt), RTT: rtt})
		if i > 0 {
			if last >= 0 {
				want += (time.Millisecond - want) / 16
			}
			last = rtt
		}
		d.seq++
		d.reflector++
		d.now += every
	}
	if got := d.summary().Windows[0].Jitter; got != want || got < 990*time.Microsecond {
		t.Errorf("jitter %v, want %v", got, want)
	}
}

// The first answer after a while may contain address resolution: it is received, but no RTT sample.
func TestFirstSampleAfterIdle(t *testing.T) {
	d := newDriver(1)
	d.p.Sent(1, d.at())
	d.p.Reply(Reply{Seq: 1, Reflector: 1000, At: d.at().Add(800 * time.Millisecond), RTT: 800 * time.Millisecond})
	d.seq, d.reflector, d.now = 2, 1001, time.Second
	d.probes(100, pass)
	d.now += 30 * time.Second
	d.p.Sent(d.seq, d.at())
	d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(700 * time.Millisecond), RTT: 700 * time.Millisecond})
	d.seq, d.reflector, d.now = d.seq+1, d.reflector+1, d.now+time.Second
	d.probes(20, pass)
	s := d.summary()
	if w := s.Windows[2].RTT; w.Max != trip || w.Count != 120 || s.RTT.Smoothed != trip || s.RTT.Min != trip {
		t.Errorf("RTT %+v, window %+v", s.RTT, w)
	}
	if s.Total.Received != 122 {
		t.Errorf("%+v", s.Total)
	}
}

// A Path stays within its memory, and costs nothing to feed.
func TestMemory(t *testing.T) {
	const n = 50
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	paths := make([]*Path, n)
	for i := range paths {
		paths[i] = New(Config{Start: start, Interval: every})
		r := rand.New(rand.NewPCG(6, uint64(i)))
		for k := range uint32(20 * 1200) { // 20 minutes
			at := start.Add(time.Duration(k) * every)
			rtt := trip + time.Duration(r.ExpFloat64()*float64(time.Millisecond))
			paths[i].Sent(k, at)
			paths[i].Reply(Reply{Seq: k, Reflector: k + 7, At: at.Add(rtt), RTT: rtt})
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	per := (after.HeapAlloc - before.HeapAlloc) / n
	t.Logf("%d bytes a path", per)
	if per > 30<<10 {
		t.Errorf("%d bytes a path, want at most 30 KiB", per)
	}
	runtime.KeepAlive(paths)
}

func BenchmarkPath(b *testing.B) {
	p := New(Config{Start: start, Interval: every})
	r := rand.New(rand.NewPCG(7, 7))
	rtts := make([]time.Duration, 1024)
	for i := range rtts {
		rtts[i] = trip + time.Duration(r.ExpFloat64()*float64(time.Millisecond))
	}
	at, seq := start, uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		rtt := rtts[seq&1023]
		p.Sent(seq, at)
		if seq%50 != 0 {
			p.Reply(Reply{Seq: seq, Reflector: seq + 7, At: at.Add(rtt), RTT: rtt})
		}
		at = at.Add(every)
		seq++
	}
}

func BenchmarkSummary(b *testing.B) {
	d := newDriver(1)
	for range 20 * 1200 {
		d.probe(pass)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.summary()
	}
}

// TestSummaryBeforeTheFirstProbe: a path that was just made has no outage, and finding that out takes no time.
func TestSummaryBeforeTheFirstProbe(t *testing.T) {
	s := New(Config{Start: start, Interval: every}).Summary(start.Add(time.Second))
	if s.Outage != (Outage{}) || s.Unanswered != 0 {
		t.Errorf("outage %+v, unanswered %d of a path that sent nothing", s.Outage, s.Unanswered)
	}
}
