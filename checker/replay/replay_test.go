package replay

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

const slot = 50 * time.Millisecond

// cluster is five nodes in three sites with the default timers of three years ago, 1 s of token, and some links.
func cluster(links int) risk.Cluster {
	p := totem.Params{Nodes: 5, HasLink0: true, Token: time.Second, TokenCoefficient: new(time.Duration)}
	c := risk.Cluster{Totem: p, Timeouts: p.Timeouts(), FastDataUp: true}
	for i, name := range []string{"a1", "a2", "b1", "b2", "c1"} {
		c.Nodes = append(c.Nodes, risk.Node{ID: uint32(i + 1), Name: name, Site: name[:1]})
	}
	for l := range links {
		c.Links = append(c.Links, risk.Link{Number: l, Priority: 1, Timeouts: totem.LinkParams{}.Timeouts(time.Second)})
	}
	return c
}

// record makes a trace of a length out of what a function says of each path and slot.
func record(c risk.Cluster, length time.Duration, fate func(from, to string, link int, at time.Duration) trace.Sample) *trace.Trace {
	t := &trace.Trace{Start: time.Unix(1e9, 0), Slot: slot, Paths: map[trace.Path]*trace.Series{}}
	for _, a := range c.Nodes {
		for _, b := range c.Nodes {
			for _, l := range c.Links {
				s := &trace.Series{}
				for s.Next() < int(length/slot) && a.ID != b.ID {
					s.Append(1, fate(a.Name, b.Name, l.Number, t.At(s.Next())))
				}
				if a.ID != b.ID {
					t.Paths[trace.Path{From: a.ID, To: b.ID, Link: l.Number}] = s
				}
			}
		}
	}
	return t
}

func arrived() trace.Sample { return trace.Sample{State: trace.Arrived, Delay: 2 * time.Millisecond} }

// siteB says whether a path crosses the border of site b.
func siteB(from, to string) bool { return (from[0] == 'b') != (to[0] == 'b') }

func outcome(t *testing.T, c risk.Cluster, x *trace.Trace, passes int) (*Replay, Outcome) {
	t.Helper()
	r, err := New(c, x)
	if err != nil {
		t.Fatal(err)
	}
	var all []Pass
	for seed := range passes {
		p, err := r.Pass(uint64(seed))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return r, r.Summarize(all)
}

func TestHealthy(t *testing.T) {
	c := cluster(2)
	x := record(c, time.Minute, func(string, string, int, time.Duration) trace.Sample { return arrived() })
	r, o := outcome(t, c, x, 5)
	if o.Lost != 0 || !o.Losses.Never() || !o.LinkDowns.Never() || len(o.Events) != 0 || o.WorstUsed > 0.5 || o.Typical == 0 || r.Length() != time.Minute {
		t.Errorf("%+v", o)
	}
}

// A cut of a site on all links loses the token in each pass, at once, and names the site.
func TestCut(t *testing.T) {
	c := cluster(2)
	x := record(c, 40*time.Second, func(from, to string, _ int, at time.Duration) trace.Sample {
		if siteB(from, to) && at >= 10*time.Second && at < 20*time.Second {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	})
	_, o := outcome(t, c, x, 8)
	if o.Lost != 8 || o.Losses.Low < 1 || o.Splits.Low < 1 || o.WorstUsed != 1 || len(o.Events) == 0 {
		t.Fatalf("%+v", o)
	}
	e := o.Events[0]
	if e.Passes != 8 || e.First < 10500*time.Millisecond || e.Last > 12*time.Second || e.Where != "b1, b2 cut off from a1, a2, c1 on all links" {
		t.Errorf("%+v", e)
	}
	if o.Freeze < 2*time.Second || o.Freeze > 20*time.Second {
		t.Errorf("frozen for %v", o.Freeze)
	}
}

// The same outage on one of two links is survived, and on the only one it is not. Where it is not everybody, the path is named.
func TestOneLink(t *testing.T) {
	dead := func(from, to string, link int, at time.Duration) trace.Sample {
		if from == "a2" && to == "b1" && link == 0 && at >= 10*time.Second && at < 14*time.Second {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	}
	if _, o := outcome(t, cluster(2), record(cluster(2), 30*time.Second, dead), 8); o.Lost != 0 || o.LinkDowns.Low == 0 {
		t.Errorf("two links: %+v", o)
	}
	_, o := outcome(t, cluster(1), record(cluster(1), 30*time.Second, dead), 8)
	if o.Lost != 8 || len(o.Events) == 0 || o.Events[0].Where != "a2 to b1 link 0 lost 100 %" {
		t.Errorf("one link: %+v", o)
	}
}

// A longer token bears what a short one does not, and equal seeds are equal passes.
func TestOtherSettings(t *testing.T) {
	c := cluster(1)
	x := record(c, 30*time.Second, func(from, to string, _ int, at time.Duration) trace.Sample {
		if siteB(from, to) && at >= 10*time.Second && at < 11500*time.Millisecond {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	})
	if _, o := outcome(t, c, x, 6); o.Lost < 5 {
		t.Errorf("token 1 s: %+v", o)
	}
	long := c
	long.Totem.Token = 10 * time.Second
	long.Timeouts = long.Totem.Timeouts()
	long.Links = []risk.Link{{Timeouts: totem.LinkParams{}.Timeouts(10 * time.Second)}}
	if _, o := outcome(t, long, x, 6); o.Lost != 0 {
		t.Errorf("token 10 s: %+v", o)
	}
	r, err := New(c, x)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Pass(3)
	b, _ := r.Pass(3)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%+v and %+v", a, b)
	}
}

// What is passed over because nothing happens must not change what happens: a replay that promises no calm is the dumb twin.
func TestCalmChangesNothing(t *testing.T) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 3))
		c := cluster(1 + int(seed%2))
		from := time.Duration(random.IntN(20)) * time.Second
		x := record(c, 30*time.Second, func(a, b string, _ int, at time.Duration) trace.Sample {
			switch {
			case at > from && at < from+4*time.Second && siteB(a, b) && random.IntN(2) == 0:
				return trace.Sample{State: trace.Lost}
			case at > from+6*time.Second:
				return trace.Sample{State: trace.Arrived, Delay: 5 * time.Millisecond}
			}
			return arrived()
		})
		r, err := New(c, x)
		if err != nil {
			t.Fatal(err)
		}
		quick, _ := r.Pass(seed)
		for i := range r.quiet.until {
			r.quiet.until[i] = int32(i)
		}
		slow, _ := r.Pass(seed)
		if !reflect.DeepEqual(quick.Losses, slow.Losses) || !reflect.DeepEqual(quick.LinkDowns, slow.LinkDowns) || (quick.Worst.Length-slow.Worst.Length).Abs() > time.Millisecond {
			t.Errorf("seed %d:\n%+v\n%+v", seed, quick, slow)
		}
	}
}

func TestQuiet(t *testing.T) {
	lost, late := trace.Sample{State: trace.Lost}, trace.Sample{State: trace.Arrived, Delay: time.Second}
	a, b := &trace.Series{}, &trace.Series{}
	a.Append(5, arrived())
	a.Append(2, lost)
	a.Append(3, arrived())
	b.Append(8, arrived())
	b.Append(2, late)
	q := newQuiet([]*trace.Series{a, b}, 1, 10)
	if want := []int32{4, 4, 4, 4, 4, 5, 7, 9, 9}; !reflect.DeepEqual(q.until, want) {
		t.Errorf("%v, want %v", q.until, want)
	}
}

// What nobody knew in the middle of an outage was lost; elsewhere it is left alone.
func TestBridge(t *testing.T) {
	series := func(text string) *trace.Series {
		s := &trace.Series{}
		for _, c := range text {
			s.Append(1, trace.Sample{State: map[rune]trace.State{'?': trace.Unknown, '.': trace.Arrived, 'x': trace.Lost}[c]})
		}
		return s
	}
	for in, want := range map[string]string{
		"":                      "",
		"..xxx??xxx..":          "..xxxxxxxx..",
		"..xx??xxx..":           "..xx??xxx..",
		"..xxx??xx?":            "..xxx??xx?",
		"..xxx??..xxx":          "..xxx??..xxx",
		"xxx???xxx??xxxx.":      "xxxxxxxxxxxxxxx.",
		"xxx??????xxx":          "xxx??????xxx", // longer than is bridged
		"...???...":             "...???...",
		"xxx?xxx????xxx....xx?": "xxxxxxxxxxxxxx....xx?",
	} {
		s, w := series(".."+in), series(".."+want)
		s.Forget(2)
		got := bridge(s, 5)
		if got.First() != s.First() || got.Next() != w.Next() {
			t.Errorf("%s: slots %d to %d", in, got.First(), got.Next())
		}
		for i := s.First(); i < w.Next(); i++ {
			if got.At(i) != w.At(i) {
				t.Errorf("%s slot %d: %v, want %v", in, i, got.At(i), w.At(i))
			}
		}
	}
}

// A path that begins late and has no samples is as one that is not there, wherever it begins.
func TestEmptyPath(t *testing.T) {
	c := cluster(1)
	late := trace.Path{From: 2, To: 1}
	x := record(c, 20*time.Second, func(from, to string, _ int, at time.Duration) trace.Sample {
		if siteB(from, to) && at >= 5*time.Second && at < 8*time.Second {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	})
	delete(x.Paths, late)
	_, want := outcome(t, c, x, 2)
	for _, first := range []int{0, 399, 400, 3000} {
		empty := &trace.Series{}
		empty.Append(first, trace.Sample{})
		empty.Forget(first)
		x.Paths[late] = empty
		if _, got := outcome(t, c, x, 2); !reflect.DeepEqual(got, want) {
			t.Errorf("from slot %d: %+v, want %+v", first, got, want)
		}
	}
	x.Paths = map[trace.Path]*trace.Series{late: x.Paths[late], {From: 8, To: 9}: x.Paths[trace.Path{From: 1, To: 2}]}
	if _, err := New(c, x); err != ErrOthers {
		t.Errorf("no path of the cluster has samples: %v", err)
	}
}

func TestErrors(t *testing.T) {
	c := cluster(1)
	if _, err := New(c, &trace.Trace{Slot: slot}); err != ErrEmpty {
		t.Error(err)
	}
	other := record(c, time.Second, func(string, string, int, time.Duration) trace.Sample { return arrived() })
	c.Links[0].Number = 5
	if _, err := New(c, other); err != ErrOthers {
		t.Error(err)
	}
}

func TestWhereUnknown(t *testing.T) {
	c := cluster(1)
	x := record(c, 10*time.Second, func(from, to string, _ int, _ time.Duration) trace.Sample {
		if from == "c1" {
			return trace.Sample{}
		}
		return arrived()
	})
	r, err := New(c, x)
	if err != nil {
		t.Fatal(err)
	}
	if text := r.Where(time.Second, 2*time.Second); !strings.HasPrefix(text, "no path lost packets") {
		t.Error(text)
	}
}

// BenchmarkPass is a pass through an hour of five nodes with two links: one percent is lost on half of the paths for six minutes.
func BenchmarkPass(b *testing.B) {
	c := cluster(2)
	random := rand.New(rand.NewPCG(1, 3))
	x := record(c, time.Hour, func(from, to string, link int, at time.Duration) trace.Sample {
		if link == 0 && siteB(from, to) && at < 6*time.Minute && random.IntN(100) == 0 {
			return trace.Sample{State: trace.Lost}
		}
		return arrived()
	})
	r, err := New(c, x)
	if err != nil {
		b.Fatal(err)
	}
	for seed := uint64(0); b.Loop(); seed++ {
		if _, err := r.Pass(seed); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLostAt: a pass counts for an instant if it lost the token close to it, or had lost it and not found it again.
func TestLostAt(t *testing.T) {
	at := func(from, to int) Loss {
		return Loss{At: time.Duration(from) * time.Second, End: time.Duration(to) * time.Second}
	}
	passes := []Pass{{Losses: []Loss{at(100, 103), at(112, 120)}}, {Losses: []Loss{at(112, 120)}}, {}, {Losses: []Loss{at(99, 130)}}}
	for second, want := range map[int]int{90: 0, 98: 2, 100: 2, 102: 2, 104: 1, 108: 1, 110: 3, 119: 3, 125: 1, 140: 0} {
		if got := LostAt(passes, time.Duration(second)*time.Second, 3*time.Second); got != want {
			t.Errorf("second %d: %d, not %d", second, got, want)
		}
	}
}
