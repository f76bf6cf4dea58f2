package main

import (
	"testing"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// TestFactsLibknet: the model runs as the libknet that is installed here does; what an agent has told is not forgotten.
func TestFactsLibknet(t *testing.T) {
	for _, c := range []struct{ told, here, want string }{
		{"", "1.25-1", "1.25-1"},
		{"1.28", "", "1.28"},
		{"", "", ""},
	} {
		in := verdict.Input{Libknet: c.told}
		new(checkHost).facts(&in, corosync.Status{Libknet: c.here})
		if in.Libknet != c.want {
			t.Errorf("told %q, here %q: %q", c.told, c.here, in.Libknet)
		}
	}
}
