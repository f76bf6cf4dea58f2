package plan

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func keysOf(s *State) []string {
	var out []string
	for _, w := range s.Weak {
		out = append(out, w.Key)
	}
	return out
}

// TestSecondLinkUnderLoss: where the death of a second link may cost the token, as it may under heavy loss, that is still milder than what
// a lone link does. It must not hide the advice.
func TestSecondLinkUnderLoss(t *testing.T) {
	for _, test := range []struct {
		sizes []int
		loss  float64
	}{{[]int{2, 2, 1}, 0.1}, {[]int{3, 3}, 0.05}} {
		d := mustNew(t, 1, test.sizes...)
		d.Network.Between.Loss = test.loss
		r, err := Make(d, Changes{}, Options{LossSaid: true})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(r.Advice, func(a Advice) bool { return a.Flags == "--links 2" })
		if i < 0 || !slices.Contains(r.Advice[i].Cures, "link 0") {
			t.Errorf("%v at %g: %+v", test.sizes, test.loss, r.Advice)
			continue
		}
		two := mustNew(t, 2, test.sizes...)
		two.Network = d.Network
		after, err := Make(two, Changes{}, Options{LossSaid: true, NoAdvice: true})
		if err != nil {
			t.Fatal(err)
		}
		said := slices.Sorted(slices.Values(append(slices.Clone(r.Advice[i].Leaves), r.Advice[i].Brings...)))
		if is := slices.Sorted(slices.Values(keysOf(&after.Now))); !slices.Equal(said, is) {
			t.Errorf("%v at %g: said to be left are %q, left are %q", test.sizes, test.loss, said, is)
		}
	}
}

// TestCompare: a change that makes anything worse cures nothing, whatever else it does.
func TestCompare(t *testing.T) {
	weak := func(key string, harm int, of ...string) Weak { return Weak{Key: key, of: of, harm: harm} }
	link, milder := weak("link 0", int(Stopped), "link 0"), weak("link 0 dies", int(Failover), "link 0")
	path := weak("path a-b", int(Stopped), "path a-b")
	for name, test := range map[string]struct {
		before, after         []Weak
		cures, leaves, brings string
	}{
		"all":             {[]Weak{link, path}, nil, "link 0 path a-b", "", ""},
		"one":             {[]Weak{link, path}, []Weak{path}, "link 0", "path a-b", ""},
		"a milder form":   {[]Weak{link, path}, []Weak{milder}, "link 0 path a-b", "", "link 0 dies"},
		"a worse form":    {[]Weak{milder, path}, []Weak{link}, "", "", ""},
		"a new one":       {[]Weak{path}, []Weak{milder}, "", "", ""},
		"worse by itself": {[]Weak{link, path}, []Weak{weak("path a-b", int(BothGo), "path a-b")}, "", "", ""},
		"fewer nodes": {
			[]Weak{weak("any node", int(Stopped), "node a", "node b", "node c")}, []Weak{weak("any of 2 nodes", int(Stopped), "node a", "node b")}, "", "", "",
		},
		"nodes, milder": {
			[]Weak{weak("any node", int(BothGo), "node a", "node b")}, []Weak{weak("node b", int(Stopped), "node b")}, "any node", "", "node b",
		},
	} {
		var a Advice
		a.compare(test.before, test.after)
		got := [3]string{strings.Join(a.Cures, " "), strings.Join(a.Leaves, " "), strings.Join(a.Brings, " ")}
		if want := [3]string{test.cures, test.leaves, test.brings}; len(a.Cures) > 0 && got != want || len(a.Cures) == 0 && test.cures != "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestOneTrialDecidesNothing: that a link's death is a weak point takes more than bad luck, and is seen where it is plain.
func TestOneTrialDecidesNothing(t *testing.T) {
	for _, test := range []struct {
		lost, trials int
		weak         bool
	}{{0, 6, false}, {1, 6, false}, {2, 6, false}, {3, 6, true}, {1, 120, false}, {2, 12, false}, {3, 12, true}, {10, 96, true}} {
		s := State{Switches: []Switch{{Failure: Failure{Kind: Link}, Lost: test.lost, Trials: test.trials}}}
		w := &s.Switches[0]
		w.LostLeast, w.LostMost = binomialInterval(w.Lost, w.Trials)
		s.Timers.Token = Seconds(time.Second)
		(&world{d: &Design{}}).findWeak(&s, Options{})
		if got := slices.Contains(keysOf(&s), "link 0 dies"); got != test.weak {
			t.Errorf("%d of %d, %.3f to %.3f: weak %v, want %v", w.Lost, w.Trials, w.LostLeast, w.LostMost, got, test.weak)
		}
	}
}

// TestTrialsUntilDecided: a doubtful death gets more trials than a plain one, the same each time.
func TestTrialsUntilDecided(t *testing.T) {
	die := func(loss float64, e effort) Switch {
		d := mustNew(t, 2, 2, 2, 1)
		d.Network.Between.Loss = loss
		w, err := newWorld(&d)
		if err != nil {
			t.Fatal(err)
		}
		s, err := w.switchOver(Failure{Kind: Link}, e)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	e := effortFor(&Design{}, Options{}, false)
	plain, rare, none := die(0.15, e), die(0.02, e), die(0, e)
	if !plain.Weak() || plain.Trials > 24 {
		t.Errorf("15 %% loss: %+v", plain)
	}
	if rare.Trials < 24 || none.Trials < 48 || none.Lost > 0 || none.LostMost >= 0.1 {
		t.Errorf("2 %% loss: %+v; none: %+v", rare, none)
	}
	if again := die(0.02, e); again != rare {
		t.Errorf("%+v, then %+v", rare, again)
	}
}

func TestBinomialInterval(t *testing.T) {
	for _, test := range []struct {
		k, n      int
		low, high float64
	}{{0, 6, 0, 0.45926}, {0, 72, 0, 0.04995}, {1, 12, 0.00211, 0.38480}, {5, 10, 0.18709, 0.81291}, {12, 12, 0.73535, 1}, {1, 120, 0.00021, 0.04556}} {
		low, high := binomialInterval(test.k, test.n)
		if math.Abs(low-test.low) > 2e-5 || math.Abs(high-test.high) > 2e-5 {
			t.Errorf("%d of %d: %.5f to %.5f, want %.5f to %.5f", test.k, test.n, low, high, test.low, test.high)
		}
	}
}

// TestLongTimers: what goes by the length of timers is cut short, and said to be.
func TestLongTimers(t *testing.T) {
	for _, token := range []time.Duration{time.Minute, time.Hour} {
		d := mustApply(t, mustNew(t, 2, 11, 11, 10), Changes{Token: &token})
		e := effortFor(&d, Options{}, true)
		s, err := judgeDesign(&d, Options{}, e, nil)
		if err != nil {
			t.Fatal(err)
		}
		if sw := s.Switches[0]; sw.Trials > 6 || sw.Trials < 1 || sw.LostMost < 0.4 {
			t.Errorf("token %v: %+v", token, sw)
		}
		loose := time.Duration(0)
		for _, l := range s.Livelocks {
			loose += l.Model.Duration()
		}
		note := slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "was not modelled") })
		if most := time.Duration(e.loose/36) * d.Cluster.Timeouts.Join; loose > most || note != (loose == 0) {
			t.Errorf("token %v: %v of a ring without end, at most %v; noted: %v", token, loose, most, note)
		}
	}
}

// TestSpareLater: last_man_standing lets one more node be lost once its window has passed, and the answer knows both.
func TestSpareLater(t *testing.T) {
	on := true
	for name, test := range map[string]struct {
		changes Changes
		now     int
		later   *Range
	}{
		"with":    {Changes{LastManStands: &on, WaitForAll: &on}, 0, &Range{1, 1}},
		"without": {Changes{}, 0, nil},
	} {
		s := judged(t, mustApply(t, mustNew(t, 2, 2, 2), test.changes))
		i := slices.IndexFunc(s.Singles, func(g Group) bool { return g.Kinds[0] == Node })
		g := s.Singles[i]
		if *g.Spare != (Range{test.now, test.now}) || (g.Later == nil) != (test.later == nil) || g.Later != nil && *g.Later != *test.later {
			t.Errorf("%s: %+v, later %+v", name, g.Spare, g.Later)
		}
	}
}

// TestSpareIsOneFigure: with uneven votes, failures after which more may be lost than after others are told apart.
func TestSpareIsOneFigure(t *testing.T) {
	s := judged(t, mustApply(t, readDesign(t, "node-votes.conf"), Changes{Device: &NewDevice{Host: "w"}}))
	spare := map[string]Range{}
	for _, g := range s.Singles {
		for _, f := range g.Patterns[0].One {
			if f.Kind == Node {
				spare[f.String()] = *g.Spare
			}
		}
	}
	// 7 votes, 4 needed: without n1 the device's 3 and n2's 1 just suffice, and n3 has none to lose; without n3 all 7 are left.
	for node, want := range map[string]Range{"node n1": {0, 0}, "node n2": {0, 0}, "node n3": {1, 1}} {
		if spare[node] != want {
			t.Errorf("after %s %v more may be lost, want %v", node, spare[node], want)
		}
	}
}
