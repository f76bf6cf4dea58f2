package corosync_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// FuzzParse wants that no input panics, that every error is well-formed, and that what is accepted has sane timers.
func FuzzParse(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add(c.raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := corosync.Parse("fuzz.conf", bytes.NewReader(raw))
		if err != nil {
			p, ok := err.(*corosync.ParseError)
			if !ok || len(p.Problems) == 0 || p.Problems[0].Reason == "" || c != nil {
				t.Fatalf("malformed refusal: %v", err)
			}
			return
		}
		if len(c.Nodes) == 0 || len(c.Links) == 0 || len(c.Links) > 8 {
			t.Fatalf("%d nodes, links %v", len(c.Nodes), c.Links)
		}
		checkTimers(t, c)
		if c.Quorum.NodeVotes == nil || len(c.Quorum.NodeVotes) > len(c.Nodes) {
			t.Fatalf("votes of %v", c.Quorum.NodeVotes)
		}
		if d := corosync.Drift(c, c.RuntimeValues()); d != nil {
			t.Fatalf("a configuration drifts from itself: %v", d)
		}
		for _, p := range c.Warnings {
			if p.Reason == "" || p.File == "" {
				t.Fatalf("malformed warning: %+v", p)
			}
		}
	})
}

func checkTimers(t *testing.T, c *corosync.Config) {
	least := 30 * time.Millisecond
	tm := c.Timeouts()
	for name, d := range map[string]time.Duration{"token": tm.Token, "rtx": tm.TokenRetransmit, "join": tm.Join, "consensus": tm.Consensus, "merge": tm.Merge} {
		if d < least {
			t.Fatalf("%s is %v", name, d)
		}
	}
	if tm.Consensus < tm.Join || tm.Hold <= 0 || tm.TokenWarning < 0 || tm.WindowSize <= 0 {
		t.Fatalf("%+v", tm)
	}
	for _, l := range c.Links {
		lt := l.Params.Timeouts(tm.Token)
		if lt.EffectiveInterval <= 0 || lt.EffectiveInterval < lt.PingInterval || lt.PingTimeout < 0 || lt.PongCount <= 0 || l.Port == 0 {
			t.Fatalf("link %d: %+v", l.Number, lt)
		}
	}
}
