//go:build linux

package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// TestProve measures a little of what quorumlab prove measures: enough to see that the promises hold, on a machine that may be too busy
// to be fair to milliseconds. These are printed, and only what comes of them is required.
func TestProve(t *testing.T) {
	lab.Require(t)
	agent := buildAgent(t)
	for _, c := range []struct {
		name  string
		runs  int
		timed int // the requirement that is about milliseconds; -1: none
	}{{"blackouts", 2, 0}, {"short", 1, -1}} {
		t.Run(c.name, func(t *testing.T) {
			o := proveOptions{
				dir: t.TempDir(), agent: agent, runs: c.runs, nodes: "a:3,b:2", token: time.Second, interval: 50 * time.Millisecond,
				lasts: time.Minute, seeds: 1, details: true, wait: true,
			}
			if c.timed < 0 {
				o.token, o.coeff = 0, 125*time.Millisecond // one that surely survives
			}
			got := proveHere(t, c.name, o)
			if !promisesKept(got, c.timed) && len(got.Doubts) > 0 {
				t.Logf("the machine stalled, so once more: %v", got.Doubts)
				got = proveHere(t, c.name, o)
			}
			for i, r := range got.List {
				if !r.ok() && i != c.timed {
					t.Error(r)
				}
			}
		})
	}
}

// proveHere prints what the proof prints.
func proveHere(t *testing.T, name string, o proveOptions) *proven {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	got, err := prove(ctx, t.Output(), name, o)
	if unmet := (*unmetError)(nil); err != nil && !errors.As(err, &unmet) {
		t.Fatal(err)
	}
	return got
}

// promisesKept: all requirements were met, but for the one that is about milliseconds.
func promisesKept(p *proven, timed int) bool {
	for i, r := range p.List {
		if !r.ok() && i != timed {
			return false
		}
	}
	return true
}

// buildAgent builds the quorumwatch of this tree.
func buildAgent(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "quorumwatch")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "../quorumwatch").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	return file
}

// TestProveModel measures a little of a lossy path: enough to see that the hub reads the tokens and that a record is continued.
func TestProveModel(t *testing.T) {
	lab.Require(t)
	o := proveOptions{
		dir: t.TempDir(), nodes: "a:2,b:1", token: time.Second, interval: 50 * time.Millisecond, lasts: 5 * time.Second, losses: []float64{0, 0.3}, seeds: 5,
		record: filepath.Join(t.TempDir(), "record"), wait: true,
	}
	proveHere(t, "loss", o) // so few seconds decide nothing
	cells, err := readRecord[lossCell](o.record, "loss")
	if err != nil || len(cells) != 2 {
		t.Fatalf("cells %+v, %v", cells, err)
	}
	hold := 180 * time.Millisecond // of token 1000: an idle ring's token comes once in this time
	if quiet := cells[0]; len(quiet.Breaks) > 0 || longest(quiet.Gaps) < hold || longest(quiet.Gaps) > 500*time.Millisecond {
		t.Errorf("without loss: %+v", quiet)
	}
	if sick := cells[1]; sick.Downs == 0 {
		t.Errorf("30 %% loss: %+v", sick)
	}
}
