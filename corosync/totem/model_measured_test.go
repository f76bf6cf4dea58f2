package totem

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What a real Corosync did, and the same in the model. `go test -run AgainstMeasured -v` prints the tables of DESIGN.md.

// together is how far apart the phases of daemons are that a lab starts one after the other: their heartbeats stay nearly
// in step for minutes, unlike those of daemons that were started on different days.
const together = 100 * time.Millisecond

// labRow is one run of four minutes in the lab: a lone link, sites 10 ms apart, one message per second and node, libknet
// 1.25, loss in both directions between the sites.
type labRow struct {
	loss              float64
	sites             []int
	token             time.Duration
	coefficient       time.Duration
	disruptions       float64 // per minute
	downs             float64 // in four minutes
	lost              bool    // members or quorum
	patient           bool    // knet's timers out of the way
	disruptionsAtMost float64 // where the record gives a range
}

const labMinutes = 4

// byChance is how rare, to one side, a measured count may be under the modelled rate before the two disagree.
const byChance = 0.01

var measuredLoss = []labRow{
	{loss: 0.01, sites: []int{2, 1}, token: 1000, disruptions: 7.75, downs: 35},
	{loss: 0.01, sites: []int{2, 1}, token: 3000, coefficient: 125, disruptions: 0.75, downs: 22},
	{loss: 0.01, sites: []int{3, 2}, token: 1000, disruptions: 6.5, downs: 94},
	{loss: 0.01, sites: []int{3, 2}, token: 3000, coefficient: 125, disruptions: 0.25, downs: 44},
	{loss: 0.05, sites: []int{2, 1}, token: 1000, disruptions: 12.5, downs: 78, lost: true},
	{loss: 0.05, sites: []int{2, 1}, token: 3000, coefficient: 125, disruptions: 3.75, downs: 59},
	{loss: 0.05, sites: []int{3, 2}, token: 1000, disruptions: 13.0, downs: 242, lost: true},
	{loss: 0.05, sites: []int{3, 2}, token: 3000, coefficient: 125, disruptions: 4.25, downs: 150},
	{loss: 0.10, sites: []int{2, 1}, token: 1000, disruptions: 12.5, downs: 97, lost: true},
	{loss: 0.10, sites: []int{2, 1}, token: 3000, coefficient: 125, disruptions: 4.5, downs: 75},
	{loss: 0.10, sites: []int{3, 2}, token: 1000, disruptions: 10.25, downs: 289, lost: true},
	{loss: 0.10, sites: []int{3, 2}, token: 3000, coefficient: 125, disruptions: 3.5, downs: 226, lost: true},
}

// The record gives, for each loss, the least and the most of three tokens.
var measuredPatient = []labRow{
	{loss: 0.01, disruptions: 0, disruptionsAtMost: 0},
	{loss: 0.05, disruptions: 0, disruptionsAtMost: 0.25},
	{loss: 0.10, disruptions: 0, disruptionsAtMost: 0.5},
	{loss: 0.20, disruptions: 0.25, disruptionsAtMost: 1.5},
	{loss: 0.40, disruptions: 1.5, disruptionsAtMost: 2.5},
}

// config is the lab's cluster of a row.
func (row labRow) config(rng *rand.Rand) Config {
	nodes := 0
	for _, n := range row.sites {
		nodes += n
	}
	cfg := proxmoxConfig(nodes, 1, row.token*time.Millisecond, row.coefficient*time.Millisecond)
	if row.patient {
		cfg.Links[0].Timeouts = LinkParams{PingInterval: time.Second, PingTimeout: 10 * time.Second}.Timeouts(cfg.Timeouts.Token)
	}
	cfg.Traffic.Every = time.Second
	cfg.Spread = together
	cfg.Rand = rng
	cfg.Network = NewSites(row.sites, 1, Line{Delay: 100 * time.Microsecond}, Line{Delay: 5 * time.Millisecond, Loss: row.loss}, rng)
	return cfg
}

// outcome is what one modelled run gave.
type outcome struct {
	disruptions, downs float64
	lost               bool
}

func (row labRow) run(t *testing.T, seed uint64) outcome {
	r := mustNew(t, row.config(rand.New(rand.NewPCG(seed, 99))))
	var o outcome
	for _, e := range r.Run(labMinutes * time.Minute) {
		o.lost = o.lost || e.Kind == Membership && e.Left != 0
	}
	o.disruptions, o.downs = float64(r.Stats().Disruptions), float64(r.Stats().LinkDowns)
	return o
}

var moreSeeds = flag.Int("seeds", 1, "how many times as many modelled runs per measured row: smoother tables")

// trials is how many runs to model.
func trials(n int) int {
	if slow || testing.Short() {
		n = (n + 3) / 4
	}
	return n * *moreSeeds
}

// repeat runs a trial for many seeds on both cores.
func repeat[T any](n int, trial func(seed uint64) T) []T {
	out := make([]T, n)
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < n; i += 2 {
				out[i] = trial(uint64(i))
			}
		})
	}
	wg.Wait()
	return out
}

// sample is the mean of a figure over the seeds and where nine of ten runs fell.
type sample struct{ mean, low, high float64 }

func sampleOf(values []float64) sample {
	slices.Sort(values)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	n := len(values)
	return sample{sum / float64(n), values[n/20], values[n-1-n/20]}
}

func (s sample) scale(by float64) sample { return sample{s.mean * by, s.low * by, s.high * by} }

func column(os []outcome, f func(outcome) float64) sample {
	var v []float64
	for _, o := range os {
		v = append(v, f(o))
	}
	return sampleOf(v)
}

// within2 says whether a modelled rate agrees with a count that was measured once: within a factor of two, or, where the
// count is small, within what chance makes of such a rate.
func within2(model, count float64) bool {
	if model >= count/2 && model <= count*2 {
		return true
	}
	return count < 8 && poissonAtMost(model, count) > byChance && 1-poissonAtMost(model, count-1) > byChance
}

// extremeWithin2 is within2 for the least or most of one measured run per rate (both per minute).
func extremeWithin2(rates []float64, measured, model float64, most bool) bool {
	if model >= measured/2 && model <= measured*2 {
		return true
	}
	count := measured * labMinutes
	allAtMost, allBelow, allAtLeast, allAbove := 1.0, 1.0, 1.0, 1.0
	for _, rate := range rates {
		atMost, below := poissonAtMost(rate*labMinutes, count), poissonAtMost(rate*labMinutes, count-1)
		allAtMost *= atMost
		allBelow *= below
		allAtLeast *= 1 - below
		allAbove *= 1 - atMost
	}
	if most { // the most is at most count, and at least count
		return allAtMost > byChance && 1-allBelow > byChance
	}
	return allAtLeast > byChance && 1-allAbove > byChance
}

func poissonAtMost(mean, count float64) float64 {
	if count < 0 {
		return 0
	}
	term, sum := math.Exp(-mean), 0.0
	for k := 0.0; k <= count; k++ {
		sum += term
		term *= mean / (k + 1)
	}
	return sum
}

func TestModelAgainstMeasuredLoss(t *testing.T) {
	seeds := trials(40)
	var table strings.Builder
	for _, row := range measuredLoss {
		os := repeat(seeds, func(seed uint64) outcome { return row.run(t, seed) })
		dis := column(os, func(o outcome) float64 { return o.disruptions })
		downs := column(os, func(o outcome) float64 { return o.downs })
		lost := column(os, func(o outcome) float64 {
			if o.lost {
				return 1
			}
			return 0
		})
		perMinute := dis.scale(1.0 / labMinutes)
		fmt.Fprintf(&table, "| %2.0f %% | %v | %4.0f | %5.2f | %5.2f (%.2f to %.2f) | %3.0f | %3.0f (%.0f to %.0f) | %-3s | %3.0f %% |\n",
			100*row.loss, row.sites, row.config(nil).Timeouts.Token.Seconds()*1000, row.disruptions, perMinute.mean, perMinute.low, perMinute.high,
			row.downs, downs.mean, downs.low, downs.high, map[bool]string{true: "yes", false: "no"}[row.lost], 100*lost.mean)
		if !within2(dis.mean, row.disruptions*labMinutes) {
			t.Errorf("%v %v token %v: %.2f disruptions per minute, measured %.2f", row.loss, row.sites, row.token, perMinute.mean, row.disruptions)
		}
		if !within2(downs.mean, row.downs) {
			t.Errorf("%v %v token %v: %.1f link downs in 4 minutes, measured %.0f", row.loss, row.sites, row.token, downs.mean, row.downs)
		}
	}
	t.Logf("\n| loss | nodes | token | disruptions/min | model | link downs in 4 min | model | lost members | model |\n%s", &table)
}

// TestModelAgainstMeasuredPatientKnet compares with the record of rates, least to most over three tokens.
func TestModelAgainstMeasuredPatientKnet(t *testing.T) {
	seeds := trials(40)
	var table strings.Builder
	for _, row := range measuredPatient {
		var rates []float64
		for _, token := range []time.Duration{1000, 1650, 3125} {
			row.sites, row.token, row.patient = []int{2, 1}, token, true
			os := repeat(seeds, func(seed uint64) outcome { return row.run(t, seed) })
			seen := column(os, func(o outcome) float64 { return o.disruptions }).mean
			rates = append(rates, max(seen, 0.5/float64(seeds))/labMinutes) // none seen does not make it impossible
		}
		least, most := slices.Min(rates), slices.Max(rates)
		fmt.Fprintf(&table, "| %2.0f %% | %.2f to %.2f | %.2f to %.2f |\n", 100*row.loss, row.disruptions, row.disruptionsAtMost, least, most)
		if !extremeWithin2(rates, row.disruptions, least, false) || !extremeWithin2(rates, row.disruptionsAtMost, most, true) {
			t.Errorf("%v: %.2f to %.2f disruptions per minute, measured %.2f to %.2f", row.loss, least, most, row.disruptions, row.disruptionsAtMost)
		}
	}
	t.Logf("\n| loss | disruptions/min | model |\n%s", &table)
}

// TestModelConstantDelay: latency alone disturbs nothing.
func TestModelConstantDelay(t *testing.T) {
	for _, delay := range []time.Duration{25 * time.Millisecond, 50 * time.Millisecond} {
		for _, sites := range [][]int{{2, 1}, {3, 2}} {
			for _, token := range []time.Duration{1650, 3125} {
				row := labRow{sites: sites, token: token}
				cfg := row.config(rand.New(rand.NewPCG(1, 1)))
				cfg.Network = NewSites(sites, 1, Line{Delay: 100 * time.Microsecond}, Line{Delay: delay}, nil)
				r := mustNew(t, cfg)
				if events := r.Run(10 * time.Minute); len(events) > 0 {
					t.Errorf("delay %v sites %v token %v: %s", delay, sites, token, events[0].Describe(nil))
				}
			}
		}
	}
}
