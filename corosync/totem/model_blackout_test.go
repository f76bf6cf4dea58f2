package totem

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// blackoutRow is a series of blackouts of the only path between the sites, at random moments.
type blackoutRow struct {
	sites              []int
	token, coefficient time.Duration
	libknet            string
	wan                time.Duration
	traffic            time.Duration
	length             time.Duration
	trials             int
	seen               [4]int    // of trials: warning, link down, token lost, new ring
	at                 [4]string // when, from the beginning of the blackout, in ms: median [range]
}

var blackoutKinds = [4]EventKind{TokenWarning, LinkDown, TokenLost, Membership}

// facts/lab.md section 2: 500 ms, 12 each, a message per second and node.
var measuredBlackouts = []blackoutRow{
	{sites: []int{2, 1}, token: 1000, libknet: "1.25", wan: 5 * time.Millisecond, traffic: time.Second, length: 500, trials: 12,
		seen: [4]int{11, 11, 11, 11}, at: [4]string{"632 [571-745]", "340 [225-530]", "884 [823-993]", "1735 [1456-1949]"}},
	{sites: []int{2, 1}, token: 3000, coefficient: 125, libknet: "1.25", wan: 5 * time.Millisecond, traffic: time.Second, length: 500, trials: 12,
		seen: [4]int{3, 9, 2, 2}, at: [4]string{"2189", "912 [809-1217]", "3033", "3145"}},
	{sites: []int{3, 2}, token: 1000, libknet: "1.25", wan: 5 * time.Millisecond, traffic: time.Second, length: 500, trials: 12,
		seen: [4]int{11, 11, 11, 11}, at: [4]string{"709 [609-746]", "272 [193-402]", "961 [861-996]", "1689 [1562-1963]"}},
	{sites: []int{3, 2}, token: 3000, coefficient: 125, libknet: "1.25", wan: 5 * time.Millisecond, traffic: time.Second, length: 500, trials: 12,
		seen: [4]int{3, 8, 1, 1}, at: [4]string{"2520", "1035 [800-1272]", "3261", "3333"}},
}

// facts/totem.md 3.3: an idle ring of three, token 3125; only losses were recorded for libknet 1.25 (-1: no record).
var measuredIdleBlackouts = []blackoutRow{
	{libknet: "1.32", length: 500, trials: 4, seen: [4]int{3, 3, 0, 0}},
	{libknet: "1.32", length: 700, trials: 4, seen: [4]int{2, 4, 0, 0}},
	{libknet: "1.32", length: 900, trials: 4, seen: [4]int{2, 4, 1, 1}},
	{libknet: "1.32", length: 1100, trials: 4, seen: [4]int{3, 4, 3, 3}},
	{libknet: "1.32", length: 1400, trials: 4, seen: [4]int{4, 4, 4, 4}},
	{libknet: "1.25", length: 500, trials: 4, seen: [4]int{-1, -1, 1, 1}},
	{libknet: "1.25", length: 700, trials: 4, seen: [4]int{-1, -1, 1, 1}},
	{libknet: "1.25", length: 900, trials: 4, seen: [4]int{-1, -1, 2, 2}},
	{libknet: "1.25", length: 1100, trials: 3, seen: [4]int{-1, -1, 3, 3}},
}

// times is when each kind of event was first seen after the blackout began, in ms; negative: never.
type times [4]float64

func (row blackoutRow) run(t *testing.T, seed uint64) times {
	rng := rand.New(rand.NewPCG(seed, 3))
	cfg := labRow{sites: row.sites, token: row.token, coefficient: row.coefficient}.config(rng)
	cfg.FastDataUp = FastDataUp(row.libknet)
	cfg.Traffic.Every = row.traffic
	begin := 5*time.Second + time.Duration(rng.Int64N(int64(5*time.Second)))
	out := []Span{{begin, begin + row.length*time.Millisecond}}
	cfg.Network = NewSites(row.sites, 1, Line{Delay: 100 * time.Microsecond}, Line{Delay: row.wan, Outages: out}, rng)
	first := times{-1, -1, -1, -1}
	for _, e := range mustNew(t, cfg).Run(25 * time.Second) {
		if k := slices.Index(blackoutKinds[:], e.Kind); k >= 0 && first[k] < 0 {
			first[k] = float64((e.At - begin) / time.Millisecond)
		}
	}
	return first
}

// summary gives the share of trials that saw kind k, and when.
func summary(all []times, k int) (share float64, when string) {
	var at []float64
	for _, x := range all {
		if x[k] >= 0 {
			at = append(at, x[k])
		}
	}
	if len(at) == 0 {
		return 0, "-"
	}
	slices.Sort(at)
	n := len(at)
	return float64(n) / float64(len(all)), fmt.Sprintf("%.0f [%.0f-%.0f]", at[n/2], at[n/20], at[n-1-n/20])
}

// plausible says whether seen of trials agrees with a share: not further in the tail than one in a hundred.
func plausible(share float64, seen, trials int) bool {
	below, at, above := 0.0, 0.0, 0.0
	for k := range trials + 1 {
		switch p := binomial(trials, k, share); {
		case k < seen:
			below += p
		case k > seen:
			above += p
		default:
			at = p
		}
	}
	return min(below+at, above+at) > 0.005
}

func binomial(n, k int, p float64) float64 {
	out := 1.0
	for i := range k {
		out *= p * float64(n-i) / float64(i+1)
	}
	for range n - k {
		out *= 1 - p
	}
	return out
}

func TestModelAgainstMeasuredBlackouts(t *testing.T) {
	var table strings.Builder
	for _, row := range measuredBlackouts {
		row.compare(t, &table, true)
	}
	t.Logf("\n| nodes | token | blackout | | measured | at ms | model | at ms |\n%s", &table)
}

func TestModelAgainstMeasuredIdleBlackouts(t *testing.T) {
	var table strings.Builder
	for _, row := range measuredIdleBlackouts {
		row.sites, row.token, row.wan = []int{2, 1}, 3125, 100*time.Microsecond
		row.compare(t, &table, false)
	}
	t.Logf("\n| libknet | blackout | | measured | model |\n%s", &table)
}

func (row blackoutRow) compare(t *testing.T, table *strings.Builder, when bool) {
	t.Helper()
	all := repeat(trials(200), func(seed uint64) times { return row.run(t, seed) })
	for k, name := range []string{"75 % warning", "link down", "token lost", "new ring"} {
		if row.seen[k] < 0 {
			continue
		}
		share, at := summary(all, k)
		if when {
			fmt.Fprintf(table, "| %v | %d | %d | %s | %d of %d | %s | %.1f | %s |\n", row.sites, labRow{sites: row.sites, token: row.token, coefficient: row.coefficient}.config(nil).Timeouts.Token.Milliseconds(),
				row.length, name, row.seen[k], row.trials, row.at[k], share*float64(row.trials), at)
		} else {
			fmt.Fprintf(table, "| %s | %d | %s | %d of %d | %.1f |\n", row.libknet, row.length, name, row.seen[k], row.trials, share*float64(row.trials))
		}
		// All of the lab's series at token 1000 show 11 of 12: one blackout of each was lost to the record.
		if seen := row.seen[k]; !plausible(share, seen, row.trials) && !(share > 0.99 && seen >= row.trials-1) {
			t.Errorf("%v libknet %s token %v blackout %d ms: %s in %.0f %% of the modelled trials, measured %d of %d", row.sites, row.libknet, row.token, row.length, name, 100*share, seen, row.trials)
		}
	}
}
