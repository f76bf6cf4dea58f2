//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// outageShares are the lengths of the blackouts in tokens.
var outageShares = []float64{0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5}

// proveOutages takes the whole path away for parts of the token, at random moments, all lengths in turns.
func proveOutages(ctx context.Context, b *bench) ([]requirement, error) {
	var cells []trialCell
	for range b.o.runs {
		for _, share := range outageShares {
			length := time.Duration(share * float64(b.token)).Round(time.Millisecond)
			cells = append(cells, trialCell{Ring: b.o.ring(), Effective: b.token, Case: fmt.Sprintf("%.2f T", share), Cuts: []cutOf{{For: length}}})
		}
	}
	all, err := b.trials(ctx, "outages", cells)
	if err != nil {
		return nil, err
	}
	return tabulateTrials(b.w, all, b.o.seeds, true)
}

func tableOutages(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[trialCell](o.record, "outages")
	if err != nil {
		return nil, err
	}
	return tabulateTrials(w, cells, o.seeds, true)
}

// trialRow are all trials of one kind, and what the model says of it.
type trialRow struct {
	trialCell
	Model    trialModel
	Trials   int
	Doubtful int
	Losses   int
	Formed   []time.Duration
	Whole    []time.Duration
}

// gatherTrials makes a row of each kind. Doubtful trials are left out and counted.
func gatherTrials(cells []trialCell, seeds int) ([]*trialRow, error) {
	var rows []*trialRow
	for _, c := range cells {
		i := slices.IndexFunc(rows, func(r *trialRow) bool { return r.same(c) })
		if i < 0 {
			m, err := c.forecast(seeds)
			if err != nil {
				return nil, err
			}
			i, rows = len(rows), append(rows, &trialRow{trialCell: c, Model: m})
		}
		r := rows[i]
		if len(c.Doubts) > 0 {
			r.Doubtful++
			continue
		}
		r.Trials++
		if c.Lost != 0 {
			r.Losses, r.Formed, r.Whole = r.Losses+1, append(r.Formed, c.Formed), append(r.Whole, c.Healed)
		}
	}
	slices.SortStableFunc(rows, func(a, b *trialRow) int {
		return cmp.Or(cmp.Compare(a.Ring.nodes(), b.Ring.nodes()), cmp.Compare(a.Effective, b.Effective))
	})
	return rows, nil
}

func tabulateTrials(w io.Writer, cells []trialCell, seeds int, lengths bool) ([]requirement, error) {
	rows, err := gatherTrials(cells, 2*seeds)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "Of the model %d phases. Times in ms from the beginning of the cut: median, and of the model where nine of ten lie.\n\n", 2*seeds)
	head(w, "case", "nodes", "links", "token", "trials", "lost", "model", "certain", "first membership", "model", "whole again", "model", "left out as doubtful")
	for _, r := range rows {
		r.print(w)
	}
	return requireTrials(rows, lengths), nil
}

func (r *trialRow) print(w io.Writer) {
	sure := "no"
	if r.Model.certainty() {
		sure = yes(r.right() == r.Trials)
	}
	line(w, r.Case, r.Ring.sites(), fmt.Sprint(r.Ring.Links), fmt.Sprint(r.Effective.Milliseconds()), fmt.Sprint(r.Trials), fmt.Sprint(r.Losses),
		fmt.Sprintf("%.0f %%", 100*r.Model.Lost), sure, cellOf(r.Formed), rangeOf(r.Model.Formed), cellOf(r.Whole), rangeOf(r.Model.Whole), fmt.Sprint(r.Doubtful))
}

func cellOf(list []time.Duration) string {
	if len(list) == 0 {
		return "-"
	}
	return cell(middle(slices.Sorted(slices.Values(list))))
}

// rangeOf is median and nine of ten of an ascending list.
func rangeOf(list []time.Duration) string {
	if len(list) == 0 {
		return "-"
	}
	n := len(list)
	return fmt.Sprintf("%s (%s to %s)", cell(middle(list)), cell(list[n/20]), cell(list[n-1-n/20]))
}

// right counts the trials that went as the model holds for likelier.
func (r *trialRow) right() int {
	if r.Model.says() {
		return r.Losses
	}
	return r.Trials - r.Losses
}

// requireTrials are the promises about single failures.
func requireTrials(rows []*trialRow, lengths bool) []requirement {
	sure := requirement{Text: fmt.Sprintf("lost or not is forecast right where the model calls it certain (%.0f %% or more one way), in at least 95 %% of them", 100*certain)}
	for _, r := range rows {
		if r.Model.certainty() {
			sure.Met, sure.Of = sure.Met+r.right(), sure.Of+r.Trials
		}
	}
	sure.Idle = sure.Of == 0
	sure.Least = int(math.Ceil(0.95 * float64(sure.Of)))
	list := []requirement{sure, requireCalibration(rows)}
	if lengths {
		list = append(list, requireTimes(rows))
	}
	return list
}

// requireCalibration holds the losses of the uncertain kinds against what the model expects of them, all together.
func requireCalibration(rows []*trialRow) requirement {
	r := requirement{Text: "in the others the number of losses is what the model expects, within what chance makes of it (95 %)"}
	trials, losses, expected, variance, brier, reference := 0, 0, 0.0, 0.0, 0.0, 0.0
	for _, row := range rows {
		p := row.Model.Lost
		n, k := float64(row.Trials), float64(row.Losses)
		if row.Trials == 0 || row.Model.certainty() {
			continue
		}
		trials, losses = trials+row.Trials, losses+row.Losses
		expected, variance = expected+n*p, variance+n*p*(1-p)
		brier += k*(1-p)*(1-p) + (n-k)*p*p
		reference += n * p * (1 - p)
	}
	if trials == 0 {
		r.Idle = true
		return r
	}
	r.Of = 1
	if math.Abs(float64(losses)-expected) <= 1.96*math.Sqrt(variance)+0.5 {
		r.Met = 1
	}
	r.Note = fmt.Sprintf("%d of %d lost, expected %.1f ± %.1f; Brier score %.3f, expected of true probabilities %.3f",
		losses, trials, expected, math.Sqrt(variance), brier/float64(trials), reference/float64(trials))
	return r
}

// timesWithin is how far the time to the new membership may be off.
const timesWithin = 0.15

// fewest is how many losses of one kind make a median.
const fewest = 3

// requireTimes holds the median time to the first new membership and to a whole ring against the model's.
func requireTimes(rows []*trialRow) requirement {
	r := requirement{Text: fmt.Sprintf("the median time to the first new membership is within %.0f %%, by kind with %d losses or more", 100*timesWithin, fewest)}
	worst := 0.0
	for _, row := range rows {
		if row.Losses < fewest || len(row.Model.Formed) < fewest {
			continue
		}
		r.Of++
		real, model := middle(slices.Sorted(slices.Values(row.Formed))), middle(row.Model.Formed)
		off := math.Abs(float64(real-model)) / float64(real)
		worst = max(worst, off)
		if off <= timesWithin {
			r.Met++
		}
	}
	r.Idle, r.Note = r.Of == 0, fmt.Sprintf("worst: %.0f %%", 100*worst)
	return r
}
