package replay

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// healthyReplay is one of a minute in which nothing happens.
func healthyReplay(t *testing.T) *Replay {
	t.Helper()
	c := cluster(1)
	r, err := New(c, record(c, time.Minute, func(string, string, int, time.Duration) trace.Sample { return arrived() }))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lossesAt makes a pass that lost the token at some instants, and had lost it for the token timeout.
func lossesAt(r *Replay, at ...time.Duration) (p Pass) {
	for _, x := range at {
		p.Losses = append(p.Losses, Loss{At: x, Since: x - r.cluster.Timeouts.Token, End: x + time.Second})
	}
	return p
}

// Losses that follow each other closely, pass by pass, are no chain: each cause is told by itself, the one of most passes whole.
func TestEventsAreNoChains(t *testing.T) {
	r := healthyReplay(t)
	moment := r.cluster.Timeouts.TokenRetransmit
	var passes []Pass
	for i := range 20 { // a step of a third of a moment, for six token timeouts; then all of them
		passes = append(passes, lossesAt(r, 10*time.Second+time.Duration(i)*moment/3, 30*time.Second+time.Duration(i%3)*moment/10))
	}
	events := r.Summarize(passes).Events
	last := events[len(events)-1]
	if len(events) < 6 || last.Passes != 20 || last.First != 30*time.Second {
		t.Errorf("%d events: %+v", len(events), events)
	}
	// A stray before a crowd, a third of a moment away from it, does not cut the crowd in two.
	events = r.Summarize([]Pass{
		lossesAt(r, 10*time.Second), lossesAt(r, 10*time.Second+moment/3), lossesAt(r, 10*time.Second+moment*5/4), lossesAt(r, 10*time.Second+moment*4/3),
	}).Events
	if len(events) != 2 || events[0].Passes != 1 || events[1].Passes != 3 {
		t.Errorf("%+v", events)
	}
}

// Whatever the passes lost: each loss is told once, none beside one that is farther away than a moment, in the order of time, whichever pass is
// first, and the largest event is as large as any that could be.
func TestEventsOfAnything(t *testing.T) {
	r := healthyReplay(t)
	moment := r.cluster.Timeouts.TokenRetransmit
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 11))
		var passes []Pass
		var all []time.Duration
		for range 1 + random.IntN(12) {
			var at []time.Duration
			for x := time.Duration(random.Int64N(int64(4 * time.Second))); x < 12*time.Second; x += time.Second + time.Duration(random.Int64N(int64(6*time.Second))) {
				at = append(at, x.Round(moment/8))
			}
			passes, all = append(passes, lossesAt(r, at...)), append(all, at...)
		}
		events := r.Summarize(passes).Events
		told, largest := 0, 0
		for i, e := range events {
			if told += e.Passes; e.Last-e.First > moment || e.Passes < 1 || i > 0 && events[i-1].Last >= e.First {
				t.Errorf("seed %d: %+v after %+v", seed, e, events[:i])
			}
			largest = max(largest, e.Passes)
		}
		crowd := 0
		for _, x := range all {
			n := 0
			for _, y := range all {
				if y >= x && y <= x+moment {
					n++
				}
			}
			crowd = max(crowd, n)
		}
		if told != len(all) || largest != crowd {
			t.Errorf("seed %d: %d of %d losses, %d of %d in the largest event", seed, told, len(all), largest, crowd)
		}
		slices.Reverse(passes)
		if d := cmp.Diff(events, r.Summarize(passes).Events); d != "" {
			t.Errorf("seed %d, other way round:\n%s", seed, d)
		}
	}
}

// A cut is one event, however far sick links had held the token before it came; what was lost while it had hardly come is another.
func TestEventsOfOneCut(t *testing.T) {
	c := cluster(1)
	const cut = 13 * time.Second
	r, err := New(c, record(c, 40*time.Second, func(from, to string, _ int, at time.Duration) trace.Sample {
		if siteB(from, to) && at >= cut && at < 20*time.Second {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	}))
	if err != nil {
		t.Fatal(err)
	}
	token := r.cluster.Timeouts.Token
	var passes []Pass
	for _, share := range []time.Duration{30, 60, 75, 100, 110} { // of the token timeout, since the cut
		passes = append(passes, lossesAt(r, cut+share*token/100))
	}
	events := r.Summarize(passes).Events
	if len(events) != 2 || events[0].Passes != 1 || events[1].Passes != 4 || events[1].First != cut+token*60/100 || events[1].Where != "b1, b2 cut off from a1, a2, c1" {
		t.Errorf("%+v", events)
	}
	if r.cluster.Timeouts.TokenRetransmit > token/3 {
		t.Errorf("a retransmit timeout of %v proves nothing", r.cluster.Timeouts.TokenRetransmit)
	}
}

// Two causes three seconds apart have their own places: a link that a site loses for some, and the cut of the site that nobody survives.
func TestEventsHaveTheirOwnPlaces(t *testing.T) {
	c := cluster(1)
	r, err := New(c, record(c, 40*time.Second, func(from, to string, _ int, at time.Duration) trace.Sample {
		node := (from == "c1" || to == "c1") && at >= 10*time.Second && at < 11500*time.Millisecond
		site := siteB(from, to) && at >= 13*time.Second && at < 20*time.Second
		if node || site {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	}))
	if err != nil {
		t.Fatal(err)
	}
	events := r.Summarize([]Pass{
		lossesAt(r, 11*time.Second), lossesAt(r, 11100*time.Millisecond, 14*time.Second), lossesAt(r, 14050*time.Millisecond), lossesAt(r, 14*time.Second),
	}).Events
	want := []Event{
		{First: 11 * time.Second, Last: 11100 * time.Millisecond, Passes: 2, Where: "c1 cut off from a1, a2, b1, b2"},
		{First: 14 * time.Second, Last: 14050 * time.Millisecond, Passes: 3, Where: "b1, b2 cut off from a1, a2, c1"},
	}
	if d := cmp.Diff(want, events); d != "" {
		t.Error(d)
	}
}
