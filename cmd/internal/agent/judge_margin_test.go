package agent_test

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/sim"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
)

// sites of the cluster's nodes 1 to 5: a1 a2, b1 b2, w1.
func apart(d direction) bool { return (d.from+1)/2 != (d.to+1)/2 }

// worstGap is what the simulated ring itself did since the last call.
func (c *cluster) worstGap() (gap time.Duration) {
	c.driver.Do(func(s *sim.Cluster) { gap = s.WorstGap() })
	return gap
}

// TestMarginOfAgents: every agent's margin is that of the simulated ring, within 15 % of the gap or one retransmit interval; which path it was is
// told.
func TestMarginOfAgents(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of a cluster of five agents")
	}
	for _, test := range []struct {
		name    string
		links   int
		outage  time.Duration // of link 0 between the sites
		loss    float64       // on link 0
		noFault bool
	}{
		{name: "idle", links: 2, noFault: true},
		{name: "failover", links: 2, outage: 8 * time.Second},
		{name: "outage that loses the token", links: 1, outage: 1600 * time.Millisecond},
		{name: "loss on one of two links", links: 2, loss: 0.03},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, test.links, func(c *cluster) {
				c.pass(20 * time.Second)
				c.worstGap()
				c.setWeather(func(d direction) simnet.Link {
					l := simnet.Link{Delay: oneWay}
					if apart(d) && d.link == 0 {
						l.Down, l.Loss = test.outage > 0, test.loss
					}
					return l
				})
				c.pass(test.outage)
				if test.outage > 0 {
					c.setWeather(nil)
				}
				c.pass(50 * time.Second)
				token := 3375 * time.Millisecond
				real := min(c.worstGap(), token)
				for name, n := range c.nodes {
					m := n.Report().Margin
					if !m.Known || m.Basis != "virtual-token" || m.Coverage < 1 {
						t.Fatalf("%s: %+v", name, m)
					}
					w := m.Windows[2]
					said := min(w.Gap.Duration(), token)
					if diff := (said - real).Abs(); diff > max(real*15/100, token*238/1000+10*time.Millisecond) {
						t.Errorf("%s: the ring's worst gap was %v, the margin says %v (worst ring %v)", name, real, said, w.WorstGap)
					}
					if !test.noFault && said > token/2 && (w.Link != 0 || !apart(direction{from: w.From.ID, to: w.To.ID})) {
						t.Errorf("%s: held up from %v to %v on link %d (%s)", name, w.From, w.To, w.Link, w.Cause)
					}
				}
			})
		})
	}
}

// TestMarginCalm: networks that are noisy but safe, an agent that stops, Corosync that is restarted: nothing above information for the margin.
func TestMarginCalm(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of a cluster of five agents")
	}
	inBubble(t, 2, func(c *cluster) {
		c.setWeather(func(d direction) simnet.Link {
			switch {
			case !apart(d):
				return simnet.Link{Delay: oneWay}
			case d.link == 0:
				return simnet.Link{Delay: 5 * time.Millisecond, Loss: 0.03}
			}
			return simnet.Link{Delay: 5 * time.Millisecond, Jitter: 20 * time.Millisecond}
		})
		look := func(d time.Duration) {
			for range d / time.Second {
				c.pass(time.Second)
				for name, n := range c.nodes {
					if f, ok := has(n.Report(), checker.CodeLowMargin); ok && f.Severity > checker.Info {
						t.Fatalf("%s: %s", name, f.Title)
					}
				}
			}
		}
		look(time.Minute)
		b2 := c.nodes["b2"]
		b2.stop() // an agent alone
		look(20 * time.Second)
		for name, n := range c.nodes {
			if m := n.Report().Margin; name != "b2" && (m.Basis != "virtual-token" || m.TenMin == 0) {
				t.Errorf("%s without the agent of b2: %+v", name, m)
			}
		}
		c.driver.Do(func(s *sim.Cluster) { s.StopDaemon(c.nodes["w1"].id) })
		look(10 * time.Second)
		c.driver.Do(func(s *sim.Cluster) { s.StartDaemon(c.nodes["w1"].id) })
		look(40 * time.Second)
	})
}

// TestSlowDegradation: loss between the sites grows slowly on the lone link, until the simulated ring loses its token for the first time. Every
// agent warns a minute before.
func TestSlowDegradation(t *testing.T) {
	if testing.Short() {
		t.Skip("ten minutes of a cluster")
	}
	inBubble(t, 1, func(c *cluster) {
		begin := time.Now()
		c.setWeather(func(d direction) simnet.Link {
			l := simnet.Link{Delay: oneWay}
			if apart(d) {
				l.Loss = 0.06 * time.Since(begin).Hours()
			}
			return l
		})
		warned := map[string]time.Duration{}
		c.worstGap()
		lost := time.Duration(0)
		for lost == 0 && time.Since(begin) < 20*time.Minute {
			c.pass(time.Second)
			if c.worstGap() >= 3375*time.Millisecond {
				lost = time.Since(begin)
			}
			for name, n := range c.nodes {
				for _, code := range []string{checker.CodeLowMargin, checker.CodePathLoss} {
					if f, _ := has(n.Report(), code); warned[name] == 0 && f.Severity >= checker.Warning {
						warned[name] = time.Since(begin)
						t.Logf("%s after %v: %s", name, warned[name], f.Title)
					}
				}
			}
		}
		t.Logf("lost after %v", lost)
		for name := range c.nodes {
			if at := warned[name]; at == 0 || lost > 0 && lost-at < time.Minute {
				t.Errorf("%s warned after %v, the token was lost after %v", name, at, lost)
			}
		}
	})
}
