package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// knetDowns is how often the simulated daemons have taken links down, each end counting its own.
func (c *cluster) knetDowns() (n uint64) {
	for _, node := range c.nodes {
		if r := node.Report(); r != nil {
			for _, p := range r.Paths {
				n += p.KnetDowns
			}
		}
	}
	return n
}

// What agents foretell from their probes is what the daemons beside them do then, on the same network.
func TestForecastComesTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of a cluster of five agents")
	}
	inBubble(t, 1, func(c *cluster) {
		c.mu.Lock()
		c.loss = 0.05
		c.mu.Unlock()
		told := 0
		for tries := 0; told == 0 && tries < 2; tries++ { // in a cut nothing is foretold: then half a minute later
			c.pass(35 * time.Second)
			for name, n := range c.nodes {
				f := n.Report().Forecast
				if f == nil {
					continue
				}
				told++
				if f.Enough || f.LinkFlap.Every != 0 || !strings.Contains(f.Text, "not enough data") {
					t.Errorf("%s after less than %v of probes: %+v", name, 80*time.Second, f)
				}
			}
		}
		if told == 0 {
			t.Error("nobody says that there is not enough data yet")
		}
		c.pass(140 * time.Second)
		before, lost := c.knetDowns(), c.nodes["a1"].Report().Corosync.TokenLost
		c.pass(3 * time.Minute)
		downs := float64(c.knetDowns()-before) * 20
		for name, n := range c.nodes {
			f := n.Report().Forecast
			if f == nil || !f.Enough {
				t.Fatalf("%s: %+v", name, f)
			}
			if got := f.LinkFlap.PerHour; got < downs/1.5 || got > downs*1.5 {
				t.Errorf("%s: %.0f link flaps an hour foretold, %.0f came", name, got, downs)
			}
			if worst := f.Network[0]; worst.Loss < 0.04 || worst.Loss > 0.065 || len(worst.Bursts) > 0 {
				t.Errorf("%s: the worst of the network is %+v", name, worst)
			}
			t.Logf("%s: %s", name, f.Text)
		}
		r := c.nodes["a1"].Report()
		t.Logf("link downs %.0f/h, token losses of a1 %d in 3 min", downs, r.Corosync.TokenLost-lost)
		found := false
		for _, x := range r.Findings {
			found = found || x.Code == checker.CodeLossForecast && x.Severity == checker.Warning
		}
		if !found {
			t.Errorf("no warning: %+v", r.Findings)
		}
	})
}

// In good times nothing is foretold but how rare it must be, and nobody is warned.
func TestForecastOfGoodTimes(t *testing.T) {
	if testing.Short() {
		t.Skip("eleven minutes of five agents take a while")
	}
	inBubble(t, 1, func(c *cluster) {
		c.pass(11 * time.Minute)
		f := c.nodes["b1"].Report().Forecast
		if f == nil || !f.Enough || !f.LinkFlap.Rare || !f.TokenLoss.Rare || f.TokenLoss.Every != 0 || f.TokenLoss.Least.Duration() > 5*time.Minute || len(f.Network) != 0 {
			t.Fatalf("%+v", f)
		}
		for _, x := range c.nodes["b1"].Report().Findings {
			if x.Code == checker.CodeLossForecast {
				t.Errorf("%+v", x)
			}
		}
		t.Log(f.Text)
	})
}
