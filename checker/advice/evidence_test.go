package advice

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// TestRateInterval: the interval is that of the Poisson distribution, by adding it up.
func TestRateInterval(t *testing.T) {
	tail := func(mean float64, k int) (atMost float64) { // chance of at most k
		p := math.Exp(-mean)
		for i := range k + 1 {
			if i > 0 {
				p *= mean / float64(i)
			}
			atMost += p
		}
		return atMost
	}
	for _, k := range []int{0, 1, 2, 5, 20, 100} {
		r := rateOf(float64(k), time.Hour)
		if r.PerHour != float64(k) || r.Low > r.PerHour || r.High < r.PerHour {
			t.Errorf("%d: %+v", k, r)
		}
		if got := tail(r.High, k); math.Abs(got-0.05) > 0.003 {
			t.Errorf("%d: at most %d at a rate of %.3f: %.4f", k, k, r.High, got)
		}
		if got := 1 - tail(r.Low, k-1); k > 0 && math.Abs(got-0.05) > 0.015 { // the approximation is worst at one
			t.Errorf("%d: at least %d at a rate of %.3f: %.4f", k, k, r.Low, got)
		}
	}
	if half := rateOf(3, 30*time.Minute); half.PerHour != 6 {
		t.Errorf("%+v", half)
	}
}

// randomTrace has paths of two links between two nodes, in runs.
func randomTrace(rng *rand.Rand) *trace.Trace {
	tr := &trace.Trace{Slot: 50 * time.Millisecond, Nodes: []trace.Node{{ID: 1}, {ID: 2}}, Paths: map[trace.Path]*trace.Series{}}
	states := []trace.Sample{{}, {State: trace.Lost}, {State: trace.Lost}, {State: trace.Arrived, Delay: time.Millisecond}, {State: trace.Arrived, Delay: time.Second}}
	for _, p := range []trace.Path{{From: 1, To: 2}, {From: 2, To: 1}, {From: 1, To: 2, Link: 1}, {From: 2, To: 1, Link: 1}} {
		s := &trace.Series{}
		for s.Next() < 400 {
			s.Append(1+rng.IntN(30), states[rng.IntN(len(states))])
		}
		s.Forget(rng.IntN(20))
		tr.Paths[p] = s
	}
	return tr
}

// TestEvidenceAgainstTwin: stalls, outages and losses slot by slot.
func TestEvidenceAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	c := risk.Cluster{Nodes: []risk.Node{{ID: 1}, {ID: 2}}, Links: []risk.Link{{Number: 0}, {Number: 1}}}
	c.Timeouts.Token = 3 * time.Second
	for range 200 {
		tr := randomTrace(rng)
		bridge := time.Duration(rng.IntN(1500)) * time.Millisecond
		r, e := look(c, tr, bridge)
		longest, outages := time.Duration(0), 0
		for _, p := range []trace.Path{{From: 1, To: 2}, {From: 2, To: 1}} {
			run := 0
			for slot := r.slots.first; slot <= r.slots.end; slot++ {
				dead := slot < r.slots.end
				for link := range 2 {
					p.Link = link
					dead = dead && tr.Paths[p].At(slot).State == trace.Lost
				}
				if dead {
					run++
					continue
				}
				if d := tr.At(run); d > bridge {
					outages++
					for back := 1; back <= run; back++ {
						p.Link = 0
						if got := r.trace.Paths[p].At(slot - back); got != (trace.Sample{}) {
							t.Fatalf("slot %d of an outage is %v", slot-back, got)
						}
					}
				} else {
					longest = max(longest, d)
				}
				run = 0
			}
		}
		if e.Stall.Length != longest || len(e.Outages) != outages {
			t.Fatalf("stall %v, want %v; %d outages, want %d", e.Stall, longest, len(e.Outages), outages)
		}
		checkTroubles(t, r)
	}
}

// checkTroubles: whatever is lost or late lies in a trouble, and they are apart and in order.
func checkTroubles(t *testing.T, r record) {
	t.Helper()
	for i, s := range r.trouble {
		if s.first >= s.end || i > 0 && s.first <= r.trouble[i-1].end {
			t.Fatalf("%v", r.trouble)
		}
	}
	for p, s := range r.trace.Paths {
		for slot := r.slots.first; slot < r.slots.end; slot++ {
			v := s.At(slot)
			in := slices.ContainsFunc(r.trouble, func(s span) bool { return slot >= s.first && slot < s.end })
			if (v.State == trace.Lost || v.Delay > 150*time.Millisecond) && !in {
				t.Fatalf("%v slot %d: %v is in no trouble", p, slot, v)
			}
		}
	}
}

// TestStretch: a stretch stands for the whole record, or for its share.
func TestStretch(t *testing.T) {
	r := record{trace: &trace.Trace{Slot: 50 * time.Millisecond}, slots: span{0, 72000}, trouble: []span{{1000, 2000}, {40000, 52000}}}
	if s := r.stretchOf(time.Hour); s.passes != 5 || s.stands != time.Hour || r.length(s.blocks) != r.trace.At(13000) {
		t.Errorf("%+v", s)
	}
	s := r.stretchOf(5 * time.Minute)
	if got := r.length(s.blocks); s.passes != 1 || got > 6*time.Minute || got < 2*time.Minute {
		t.Errorf("%+v", s)
	}
	if want := time.Duration(float64(time.Hour) * r.length(s.blocks).Seconds() / r.trace.At(13000).Seconds()); s.stands-want > time.Second || want-s.stands > time.Second {
		t.Errorf("stands for %v, want %v", s.stands, want)
	}
}

// TestGap: a time of which no path knows anything takes no time to pass over, however long it is: these are a hundred years.
func TestGap(t *testing.T) {
	const gap = 1 << 36
	c := risk.Cluster{Nodes: []risk.Node{{ID: 1}, {ID: 2}}, Links: []risk.Link{{Number: 0}}}
	c.Timeouts.Token = 3 * time.Second
	tr := &trace.Trace{Slot: 50 * time.Millisecond, Paths: map[trace.Path]*trace.Series{{From: 1, To: 2}: {}, {From: 2, To: 1}: {}}}
	early, late := tr.Paths[trace.Path{From: 1, To: 2}], tr.Paths[trace.Path{From: 2, To: 1}]
	early.Append(20, trace.Sample{State: trace.Lost})
	late.Append(gap, trace.Sample{})
	late.Forget(gap)
	late.Append(10, trace.Sample{State: trace.Lost})
	r, e := look(c, tr, 700*time.Millisecond)
	if want := (span{0, gap + 10}); r.slots != want {
		t.Errorf("slots %v, want %v", r.slots, want)
	}
	if want := []Stall{{1, 2, 0, time.Second}}; !slices.Equal(e.Outages, want) {
		t.Errorf("outages %v, want %v", e.Outages, want)
	}
	if want := (Stall{2, 1, tr.At(gap), 500 * time.Millisecond}); e.Stall != want {
		t.Errorf("stall %v, want %v", e.Stall, want)
	}
}
