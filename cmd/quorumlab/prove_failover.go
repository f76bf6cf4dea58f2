//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// failoverDead is how long a link stays away, in tokens: until Totem has decided.
const failoverDead = 3

// failoverCases are failures of one of two links, of both, and of one that has just flapped, in times of the token.
func failoverCases(token time.Duration) []trialCell {
	part := func(share float64) time.Duration {
		return time.Duration(share * float64(token)).Round(time.Millisecond)
	}
	dead := part(failoverDead)
	list := []trialCell{
		{Case: "link 0 dies", Cuts: []cutOf{{Links: []int{0}, For: dead}}},
		{Case: "link 1 dies", Cuts: []cutOf{{Links: []int{1}, For: dead}}},
		{Case: "link 0 dies, then link 1 for a quarter of the token", Cuts: []cutOf{{Links: []int{0}, For: dead}, {Links: []int{1}, After: part(1.5), For: part(0.25)}}},
		{Case: "both die", Cuts: []cutOf{{For: dead}}},
		{Case: "both for 0.6 T", Cuts: []cutOf{{For: part(0.6)}}},
	}
	for _, wait := range []time.Duration{2 * time.Second, 4 * time.Second, 7 * time.Second} {
		flap := part(0.75)
		list = append(list, trialCell{
			Case: fmt.Sprintf("link 0 flaps and dies %v after that", wait),
			Cuts: []cutOf{{Links: []int{0}, For: flap}, {Links: []int{0}, After: flap + 3*part(0.32) + wait, For: dead}},
		})
	}
	return list
}

// proveFailover lets links of two fail, all kinds of failure in turns.
func proveFailover(ctx context.Context, b *bench) ([]requirement, error) {
	var cells []trialCell
	for range b.o.runs {
		for _, c := range failoverCases(b.token) {
			c.Ring, c.Effective = b.o.ring(), b.token
			cells = append(cells, c)
		}
	}
	all, err := b.trials(ctx, "failover", cells)
	if err != nil {
		return nil, err
	}
	return tabulateTrials(b.w, all, b.o.seeds, false)
}

func tableFailover(w io.Writer, o proveOptions) ([]requirement, error) {
	cells, err := readRecord[trialCell](o.record, "failover")
	if err != nil {
		return nil, err
	}
	return tabulateTrials(w, cells, o.seeds, false)
}
