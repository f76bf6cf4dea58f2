package totem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConfigErrors(t *testing.T) {
	good := func() Config {
		cfg := proxmoxConfig(3, 1, 3*time.Second, 0)
		cfg.Network = NewLines(3, 1, &Line{}, nil)
		return cfg
	}
	if _, err := New(good()); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		spoil func(*Config)
		want  string
	}{
		"no processors":   {func(c *Config) { c.Nodes = 0 }, "0 processors: from 1 to 64"},
		"too many":        {func(c *Config) { c.Nodes = 65 }, "65 processors"},
		"names":           {func(c *Config) { c.Names = []string{"a"} }, "1 names for 3 processors"},
		"no links":        {func(c *Config) { c.Links = nil }, "0 links"},
		"no network":      {func(c *Config) { c.Network = nil }, "no network"},
		"no token":        {func(c *Config) { c.Timeouts.Token = 0 }, "token"},
		"negative hold":   {func(c *Config) { c.Timeouts.Hold = -1 }, "must not be negative"},
		"no ping timeout": {func(c *Config) { c.Links[0].Timeouts.PingTimeout = 0 }, "link 0: ping interval and timeout"},
	} {
		cfg := good()
		tc.spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// TestStepEqualsRun: single steps and runs of any length give the same events.
func TestStepEqualsRun(t *testing.T) {
	const until = 5 * time.Minute
	row := measuredLoss[5]
	ring := func() *Ring { return mustNew(t, row.config(rand.New(rand.NewPCG(8, 8)))) }
	whole := slices.Clone(ring().Run(until))
	if len(whole) < 100 {
		t.Fatalf("only %d events: nothing to compare", len(whole))
	}
	var stepped, pieces []Event
	for r := ring(); r.Next() <= until; {
		stepped = append(stepped, r.Step()...)
	}
	r := ring()
	for at := time.Duration(0); at < until; {
		at = min(until, at+37*time.Millisecond)
		pieces = append(pieces, r.Run(at)...)
	}
	if !slices.Equal(whole, stepped) {
		t.Errorf("steps differ from one run: %d and %d events", len(stepped), len(whole))
	}
	if !slices.Equal(whole, pieces) {
		t.Errorf("short runs differ from one run: %d and %d events", len(pieces), len(whole))
	}
}

// TestLargeRing: 64 processors, as many as there may be, live through the loss of one.
func TestLargeRing(t *testing.T) {
	cfg := proxmoxConfig(64, 2, 3*time.Second, 125*time.Millisecond)
	rng := rand.New(rand.NewPCG(1, 2))
	cfg.Rand, cfg.Traffic.Every = rng, time.Second
	cfg.Network = NewSites([]int{32, 32}, 2, Line{Delay: 100 * time.Microsecond}, Line{Delay: 2 * time.Millisecond}, rng)
	r := mustNew(t, cfg)
	r.Run(10 * time.Second)
	r.PowerOff(63)
	r.Run(40 * time.Second)
	want := cfg.Timeouts.Membership()
	if g := r.LongestGap(0).Length; g < want || g > want+time.Second {
		t.Errorf("longest gap %v, want T + consensus, %v, and little more", g, want)
	}
	if got := r.Members(0); got != setOf(63) {
		t.Errorf("members %v, want the first 63", slices.Collect(got.All()))
	}
}

func TestSingleProcessor(t *testing.T) {
	cfg := proxmoxConfig(1, 1, time.Second, 0)
	cfg.Network = NewLines(1, 1, &Line{}, nil)
	cfg.Cold = true
	r := mustNew(t, cfg)
	r.Start(0)
	r.Run(time.Minute)
	if r.Members(0) != only(0) || r.Stats().TokenLosses != 0 {
		t.Errorf("members %v, %d token losses", r.Members(0), r.Stats().TokenLosses)
	}
}

func TestSets(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		s := Set(rng.Uint64() & rng.Uint64())
		if s == 0 {
			continue
		}
		in := slices.Collect(s.All())
		if len(in) != s.Len() || in[0] != s.lowest() {
			t.Fatalf("%x: %v", s, in)
		}
		for i, who := range in {
			if !s.Has(who) || s.nth(i) != who || s.after(who) != in[(i+1)%len(in)] {
				t.Fatalf("%v: nth(%d) = %d, after(%d) = %d", in, i, s.nth(i), who, s.after(who))
			}
		}
	}
}

// TestHeapOrder compares the event queue, slot and all, with sorting.
func TestHeapOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		r := &Ring{}
		var want, got []event
		take := func() {
			if ev := r.pop(1 << 40); ev != nil {
				got = append(got, *ev)
			}
		}
		for i := range 300 {
			e := event{at: r.now + rng.Int64N(50), idx: int32(i)}
			r.push(e)
			e.ord = r.ord
			want = append(want, e)
			if rng.IntN(3) == 0 {
				take()
			}
		}
		for len(got) < len(want) {
			take()
		}
		slices.SortFunc(want, func(a, b event) int {
			if a.before(&b) {
				return -1
			}
			return 1
		})
		if !slices.Equal(got, want) {
			t.Fatal("events came out of order")
		}
	}
}

// twinQueue is the sort queue as a map.
type twinQueue struct {
	has                 map[int32]uint8
	aru, high, released int32
}

func TestSortQueueTwin(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 6))
		q := sortQueue{queueItems: new(queueItems)}
		twin := twinQueue{has: map[int32]uint8{}}
		for range 5000 {
			seq := twin.aru + 1 + int32(rng.IntN(20))
			if rng.IntN(4) > 0 && seq-twin.released < queueSize {
				_, had := twin.has[seq]
				if q.add(seq, uint8(seq)) == had {
					t.Fatalf("add(%d) with %v", seq, had)
				}
				twin.has[seq] = uint8(seq)
				twin.high = max(twin.high, seq)
			}
			q.updateAru()
			for {
				if _, ok := twin.has[twin.aru+1]; !ok {
					break
				}
				twin.aru++
			}
			if rng.IntN(3) == 0 {
				twin.released += rng.Int32N(twin.aru - twin.released + 1)
				q.release(twin.released)
			}
			from := twin.released + int32(rng.IntN(30))
			n := int32(0)
			for s := from + 1; s <= from+15; s++ {
				if _, ok := twin.has[s]; ok {
					n++
				}
			}
			if q.aru != twin.aru || q.high != twin.high || q.count(from, from+15) != n {
				t.Fatalf("aru %d high %d count %d, want %d %d %d", q.aru, q.high, q.count(from, from+15), twin.aru, twin.high, n)
			}
		}
	}
}

func ExampleRing() {
	p := Params{Nodes: 3, HasLink0: true} // all defaults: token 3000 + 650
	cfg := Config{Nodes: 3, Timeouts: p.Timeouts(), FastDataUp: FastDataUp("1.32"), Traffic: Traffic{Every: time.Second}}
	cfg.Links = []Link{{Timeouts: LinkParams{}.Timeouts(cfg.Timeouts.Token), Priority: 1}}
	cfg.Rand = rand.New(rand.NewPCG(1, 1))
	// Two nodes at one site, one at another, 10 ms apart; the line between is dead for 1.5 s.
	line := Line{Delay: 5 * time.Millisecond, Outages: []Span{{10 * time.Second, 11500 * time.Millisecond}}}
	cfg.Network = NewSites([]int{2, 1}, 1, Line{Delay: 100 * time.Microsecond}, line, cfg.Rand)
	ring, err := New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range ring.Run(30 * time.Second) {
		if e.Kind == LinkDown || e.Kind == Membership {
			fmt.Println(e.At.Round(time.Millisecond), e.Describe(cfg.Names))
		}
	}
	fmt.Println("longest gap", ring.LongestGap(0).Length.Round(time.Millisecond), "of", cfg.Timeouts.Token)
	// Output:
	// 11.169s 1 link 0 to 3 down
	// 11.404s 2 link 0 to 3 down
	// 11.631s 3 link 0 to 1 down
	// 11.631s 3 link 0 to 2 down
	// 13.741s 2 new membership 1.8 of {1,2,3}, frozen for 3.6344s
	// 13.746s 3 new membership 1.8 of {1,2,3}, frozen for 4.0624s
	// 13.751s 1 new membership 1.8 of {1,2,3}, frozen for 4.0624s
	// longest gap 4.031s of 3.65s
}
