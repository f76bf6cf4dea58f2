package stats

import (
	"testing"
	"time"
)

// late plays n probes whose replies leave the reflector later than they say, as its follow-ups tell in the next reply.
func (d *driver) late(n int, by func(i int) time.Duration, followed bool) {
	var before time.Duration
	for i := range n {
		d.p.Sent(d.seq, d.at())
		took := trip + by(i)
		r := Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(took), RTT: took, Late: before, Followed: followed}
		d.p.Reply(r)
		before = by(i)
		d.seq++
		d.reflector++
		d.now += every
	}
}

// A reflector that loses the processor between stamp and send makes no RTT and no gap, if it tells.
func TestFollowUp(t *testing.T) {
	by := func(i int) time.Duration { return time.Duration(i%10/9) * 40 * time.Millisecond }
	for _, followed := range []bool{true, false} {
		d := newDriver(1)
		d.late(399, by, followed)
		d.late(1, func(int) time.Duration { return 0 }, followed)
		d.now += time.Second
		w := d.summary().Windows[2]
		if w.RTT.Count != 399 || w.Lost != 0 {
			t.Errorf("followed %v: %+v", followed, w)
		}
		if followed && (w.RTT.Max != trip || w.WorstGap != 0 || w.Jitter != 0) {
			t.Errorf("followed: RTT %+v, worst gap %v", w.RTT, w.WorstGap)
		}
		if !followed && (w.RTT.Max != trip+40*time.Millisecond || w.RTT.P50 > trip+trip/32) {
			t.Errorf("not followed: %+v", w.RTT)
		}
	}
}

// A real spike stays one, and what a follow-up claims beyond the round trip is not believed.
func TestFollowUpIsNotBelievedBlindly(t *testing.T) {
	for _, claim := range []time.Duration{0, -time.Hour, time.Hour} {
		d := newDriver(1)
		d.late(100, func(int) time.Duration { return 0 }, true)
		d.p.Sent(d.seq, d.at())
		d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(300 * time.Millisecond), RTT: 300 * time.Millisecond, Followed: true})
		d.seq, d.reflector, d.now = d.seq+1, d.reflector+1, d.now+300*time.Millisecond
		d.p.Sent(d.seq, d.at())
		d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(trip), RTT: trip, Late: claim, Followed: true})
		d.now += time.Second
		if w := d.summary().Windows[1]; w.RTT.Max != 300*time.Millisecond || w.WorstGap != 300*time.Millisecond-trip {
			t.Errorf("claim %v: RTT %+v, worst gap %v", claim, w.RTT, w.WorstGap)
		}
	}
}

// A reply that nothing follows counts after a while.
func TestNothingFollows(t *testing.T) {
	d := newDriver(1)
	d.late(100, func(int) time.Duration { return 0 }, true)
	d.p.Sent(d.seq, d.at())
	d.p.Reply(Reply{Seq: d.seq, Reflector: d.reflector, At: d.at().Add(80 * time.Millisecond), RTT: 80 * time.Millisecond, Followed: true})
	d.now += 100 * time.Millisecond
	if w := d.summary().Windows[1]; w.RTT.Max != trip || w.WorstGap != 0 {
		t.Errorf("at once: %+v %v", w.RTT, w.WorstGap)
	}
	d.now += 200 * time.Millisecond
	if w := d.summary().Windows[1]; w.RTT.Max != 80*time.Millisecond || w.WorstGap != 80*time.Millisecond-trip {
		t.Errorf("later: %+v %v", w.RTT, w.WorstGap)
	}
}
