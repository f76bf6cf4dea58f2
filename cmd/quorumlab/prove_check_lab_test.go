//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// TestProveCheck runs check in a real cluster once over a path that is well and once over one that is not.
func TestProveCheck(t *testing.T) {
	lab.Require(t)
	o := proveOptions{
		dir: t.TempDir(), agent: buildAgent(t), runs: 1, coeff: 125 * time.Millisecond, interval: 50 * time.Millisecond, lasts: time.Minute, seeds: 1, wait: true,
		cases: []string{"check: one place", "--burst: 10 %, 2 ms"},
	}
	got := proveHere(t, "check", o)
	const same = 2 // what is run once cannot differ
	if !promisesKept(got, same) && len(got.Doubts) > 0 {
		t.Logf("the machine stalled, so once more: %v", got.Doubts)
		got = proveHere(t, "check", o)
	}
	for i, r := range got.List {
		if i != same && r.Of == 0 && len(got.Doubts) > 0 {
			t.Skipf("SKIPPED: the machine stalled twice: %v", got.Doubts)
		}
		if i != same && !r.ok() {
			t.Error(r)
		}
	}
}
