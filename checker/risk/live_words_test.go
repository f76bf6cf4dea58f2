package risk

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestEndHears: what is told of a link, and what is made of it.
func TestEndHears(t *testing.T) {
	const s = time.Second
	type heard struct {
		at        time.Duration
		connected bool
		downs     int // -1: not told
		down, up  time.Duration
	}
	for _, test := range []struct {
		name  string
		words []heard
	}{
		{"steady", []heard{{1 * s, true, 3, 0, 0}, {2 * s, true, 3, 0, 0}}},
		{"goes down, comes up", []heard{{1 * s, true, 0, 0, 0}, {2 * s, false, 0, 1500 * time.Millisecond, 0}, {3 * s, false, 0, 0, 0}, {4 * s, true, 0, 0, 3500 * time.Millisecond}}},
		{"told before it is counted", []heard{{1 * s, true, 3, 0, 0}, {2 * s, false, 3, 1500 * time.Millisecond, 0}, {3 * s, false, 4, 0, 0}, {4 * s, true, 4, 0, 3500 * time.Millisecond}}},
		{"counted when it is up again", []heard{{1 * s, true, 3, 0, 0}, {2 * s, false, 3, 1500 * time.Millisecond, 0}, {4 * s, true, 4, 0, 3 * s}, {5 * s, true, 4, 0, 0}}},
		{"nobody saw it, but it was counted", []heard{{1 * s, true, 3, 0, 0}, {3 * s, true, 4, 1800 * time.Millisecond, 2 * s}, {4 * s, true, 4, 0, 0}}},
		{"counted with the state", []heard{{1 * s, true, 3, 0, 0}, {2 * s, false, 4, 1500 * time.Millisecond, 0}, {3 * s, true, 4, 0, 2500 * time.Millisecond}, {4 * s, true, 5, 3300 * time.Millisecond, 3500 * time.Millisecond}}},
		{"after a hole nothing is known", []heard{{1 * s, true, 3, 0, 0}, {9 * s, false, 8, 0, 0}, {10 * s, true, 8, 0, 9500 * time.Millisecond}}},
		{"the first since the daemon began", []heard{{1 * s, true, 0, 0, 0}, {2 * s, true, 1, 1300 * time.Millisecond, 1500 * time.Millisecond}}},
		{"a count that begins is no event", []heard{{1 * s, true, -1, 0, 0}, {2 * s, true, 5, 0, 0}, {3 * s, true, 6, 2300 * time.Millisecond, 2500 * time.Millisecond}}},
		{"at the very beginning", []heard{{0, true, 0, 0, 0}, {1, false, 0, 1, 0}, {1 * s, true, 0, 0, s/2 + 1}}},
		{"the daemon began anew", []heard{{1 * s, true, 7, 0, 0}, {2 * s, true, 1, 0, 0}, {3 * s, true, 1, 0, 0}}},
	} {
		var e end
		for _, h := range test.words {
			if down, up := e.hear(&Word{Connected: h.connected, Counted: h.downs >= 0, Downs: uint64(max(h.downs, 0))}, h.at); down != h.down || up != h.up {
				t.Errorf("%s: at %v: down %v, up %v, want %v, %v", test.name, h.at, down, up, h.down, h.up)
			}
		}
	}
}

// TestEndBelieves: a word that tells for how long it has been so is exact, and tells of a link that has come up again meanwhile.
func TestEndBelieves(t *testing.T) {
	const ms = time.Millisecond
	var e end
	for i, step := range []struct {
		at, since  time.Duration // as told; since 0: not told
		connected  bool
		downs      uint64
		down, want time.Duration
	}{
		{1000 * ms, 0, true, 1, 0, 0},
		{2000 * ms, 1100 * ms, false, 1, 1100 * ms, 0},
		{3000 * ms, 1110 * ms, false, 2, 0, 0},                // the same, counted
		{4000 * ms, 2900 * ms, true, 2, 0, 2900 * ms},         // told of before it came up: the bulletin was older than its arrival
		{5000 * ms, 2905 * ms, true, 2, 0, 0},                 // the same again
		{6000 * ms, 5800 * ms, true, 2, 5600 * ms, 5800 * ms}, // down and up
		{7000 * ms, 5800 * ms, true, 3, 0, 0},                 // and counted
		{8000 * ms, 0, true, 4, 7300 * ms, 7500 * ms},         // another one, only counted
	} {
		word := Word{Connected: step.connected, Counted: true, Downs: step.downs}
		if step.since > 0 {
			word.For = step.at - step.since
		}
		if down, up := e.hear(&word, step.at); down != step.down || up != step.want {
			t.Errorf("step %d: down %v, up %v, want %v, %v", i, down, up, step.down, step.want)
		}
	}
	for at, want := range map[time.Duration]bool{1050 * ms: true, 1100 * ms: false, 2899 * ms: false, 2900 * ms: true, 5700 * ms: false, 5800 * ms: true} {
		if up, known := e.state(at); !known || up != want {
			t.Errorf("at %v: %v (known %v)", at, up, known)
		}
	}
}

// TestWordsTwin holds what is known of a link against how it really was, heard of at random moments: right but for the time between two words.
func TestWordsTwin(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	w := newWords([]uint32{1, 2}, []int{0})
	var turns []time.Duration // the link goes down, up, down ...
	for at := 2 * time.Second; at < 5*time.Minute; at += time.Second + time.Duration(random.Int64N(int64(20*time.Second))) {
		turns = append(turns, at)
	}
	up := func(at time.Duration) bool {
		n := 0
		for n < len(turns) && turns[n] <= at {
			n++
		}
		return n%2 == 0
	}
	for at := time.Second; at < 5*time.Minute; at += 100*time.Millisecond + time.Duration(random.Int64N(int64(500*time.Millisecond))) {
		w.hear(&Word{From: 1, To: 2, Connected: up(at)}, at)
		then := at - time.Duration(random.Int64N(int64(4*time.Second)))
		got, known := w.end(0, 1, 0).state(then)
		if then < time.Second {
			if known {
				t.Fatalf("at %v something is known", then)
			}
			continue
		}
		const apart = 600 * time.Millisecond
		if !known || got != up(then) && up(then-apart) == up(then) && up(then+apart) == up(then) {
			t.Fatalf("at %v of %v: up %v (known: %v)", then, at, got, known)
		}
	}
	taken := w.take(5 * time.Minute)
	for i, c := range taken {
		if c.up != (i%2 == 1) || (c.at-turns[i]).Abs() > 600*time.Millisecond {
			t.Fatalf("change %d: %+v, it was at %v", i, c, turns[i])
		}
	}
	if len(taken) < len(turns)-1 || len(w.take(time.Hour)) > 0 {
		t.Errorf("%d changes taken of %d", len(taken), len(turns))
	}
}

// TestWordsOfOthers: nodes and links that are not the ring's, and words that are late, are nothing.
func TestWordsOfOthers(t *testing.T) {
	w := newWords([]uint32{1, 2}, []int{0, 3})
	for _, word := range []Word{{From: 9, To: 2}, {From: 1, To: 9}, {From: 1, To: 2, Link: 1}} {
		w.hear(&word, time.Second)
	}
	w.hear(&Word{From: 2, To: 1, Link: 3, Connected: true}, 2*time.Second)
	w.hear(&Word{From: 2, To: 1, Link: 3}, time.Second)
	if up, known := w.end(1, 0, 1).state(2 * time.Second); !up || !known {
		t.Error("the late word counts")
	}
	for at, connected := range []bool{true, false, true} { // the trace began meanwhile
		w.hear(&Word{From: 1, To: 2, Link: 3, Connected: connected}, time.Duration(at-2)*time.Second)
		w.hear(&Word{From: 1, To: 2, Link: 3, Connected: true}, time.Second)
	}
	if len(w.news) > 0 {
		t.Errorf("%+v", w.news)
	}
}
