package risk

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// What agents can't see is taken like what they see: the other direction, the same sites; and it is said.
func TestGuessedPaths(t *testing.T) {
	c := fitCluster(3*time.Second, 0, 1, 2, 2)
	rng := rand.New(rand.NewPCG(3, 5))
	r := record(c, wan(c, Process{Loss: 0.02, Delay: Delay{Usual: 5 * time.Millisecond}}), 10*time.Minute,
		func(p trace.Path) bool { return p.From == 1 && p.To == 3 }, 0, rng)
	f := fitOf(c, r)
	near(t, "loss of the other direction of other nodes", lossOf(f.Lines, trace.Path{From: 4, To: 2}), 0.02, 1.3)
	if len(f.Guessed) != 7 || len(f.Blind) != 4 {
		t.Errorf("guessed %v, blind %v", f.Guessed, f.Blind)
	}
}

// Paths that nobody knows are no evidence of a good network: they count as unknown packets, unless others tell of them.
func TestForecastWithFewAgents(t *testing.T) {
	sites, one := []int{3, 2}, []int{5}
	for _, tt := range []struct {
		name            string
		sizes           []int
		told            bool
		probed          func(trace.Path) bool
		known           float64
		guessed, unseen int
		want            string // reason; empty: there is a forecast
	}{
		{"all agents", one, false, all, 1, 0, 0, ""},
		{"one of five in one place", one, false, seenBy(1), 0.4, 0, 12, "the fate of 60 % of the packets is unknown; nothing is known of 12 of 20 paths"},
		{"two of five in one place", one, false, func(p trace.Path) bool { return seenBy(1)(p) || seenBy(2)(p) }, 0.7, 0, 6, ""},
		{"one of five, sites told", sites, true, seenBy(1), 0.8, 10, 2, ""},
		{"one of five, sites found", sites, false, seenBy(1), 0.8, 10, 2, ""},
		{"one direction of one path", sites, true, func(p trace.Path) bool { return p == trace.Path{From: 1, To: 4} }, 1.0 / 9, 11, 8, "nothing is known of 19 of 20 paths"},
	} {
		c := fitCluster(3*time.Second, 125*time.Millisecond, 1, tt.sizes...)
		ls := append(Lines{{Paths: in(c, all), Process: Process{Delay: Delay{Usual: 150 * time.Microsecond}}}}, wan(c, Process{Delay: Delay{Usual: 5 * time.Millisecond}})...)
		r := record(c, ls, 10*time.Minute, tt.probed, 0, rand.New(rand.NewPCG(3, 7)))
		for _, p := range in(c, all) {
			if r.Paths[p] == nil { // agents know of the path, but not what becomes of its packets
				r.Paths[p] = &trace.Series{}
				r.Paths[p].Append(10*60*20, trace.Sample{})
			}
		}
		for i := range c.Nodes {
			if !tt.told {
				c.Nodes[i].Site = ""
			}
		}
		f := fitOf(c, r)
		if math.Abs(f.Known-tt.known) > 1e-3 || len(f.Guessed) != tt.guessed || len(f.Blind) != tt.unseen {
			t.Errorf("%s: known %.3f, guessed %v, blind %v", tt.name, f.Known, f.Guessed, f.Blind)
		}
		got := Predict(c, f, rand.New(rand.NewPCG(1, 1)), rounds(1))
		if got.Enough != (tt.want == "") || !strings.Contains(got.Reason, tt.want) || got.Guessed != tt.guessed || got.Blind != tt.unseen || got.Probed+tt.guessed+tt.unseen != 20 {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}
