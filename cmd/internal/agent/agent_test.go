package agent_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync/sim"
)

const (
	siteA = "a1 a2"
	siteB = "b1 b2"
	notB  = "a1 a2 w1"
)

// calm fails the test when a node has a finding above info while time passes.
func (c *cluster) calm(d time.Duration, except ...string) {
	c.t.Helper()
	told := map[string]bool{}
	c.watch(d, func(name string, r *checker.Report) {
		for _, f := range r.Findings {
			if f.Severity > checker.Info && !slices.Contains(except, f.Code) && !told[name+f.Key] {
				told[name+f.Key] = true
				c.t.Errorf("%s: %s %s: %s", name, f.Severity, f.Key, f.Title)
			}
		}
	})
}

// clear fails the test when a finding above info is left after a stable period.
func (c *cluster) clear(d time.Duration, except ...string) {
	c.t.Helper()
	c.pass(d)
	c.calm(time.Second, except...)
}

func TestHealthyClusterIsCalm(t *testing.T) {
	inBubble(t, 2, func(c *cluster) {
		c.calm(60 * time.Second)
		r := c.nodes["a1"].Report()
		if r.Corosync.State != "running" || !r.Quorum.Quorate || len(r.Paths) != 8 || len(r.Mesh) != 4*8 {
			t.Errorf("corosync %s, quorate %v, %d paths, %d rows of the mesh", r.Corosync.State, r.Quorum.Quorate, len(r.Paths), len(r.Mesh))
		}
		for _, p := range r.Paths {
			if p.State != checker.PathUp || p.RTT.Smoothed.Duration() != 2*oneWay || !p.Authenticated {
				t.Errorf("path %s link %d: %s, rtt %s, authenticated %v", p.Peer.Name, p.Link, p.State, p.RTT.Smoothed, p.Authenticated)
			}
		}
	})
}

// TestCutOnTheOnlyLink: the finding stands within three intervals and a round trip of the first probe that was lost, it is
// critical before Corosync's membership changes, and it names the partitions that then come.
func TestCutOnTheOnlyLink(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		began := time.Now()
		c.cut(notB, siteB, 0, true)
		first, critical, split := map[string]time.Duration{}, map[string]time.Duration{}, map[string]time.Duration{}
		outcome := map[string]checker.Outcome{}
		c.watch(12*time.Second, func(name string, r *checker.Report) {
			at := time.Since(began)
			note(first, name, at, r.Severity >= checker.Info && hasAny(r, checker.CodeSiteCut, checker.CodeGroupCut, checker.CodePathGap, checker.CodeIsolated))
			note(critical, name, at, r.Severity == checker.Critical)
			note(split, name, at, len(r.Corosync.Members) < 5)
			if r.Outcome != nil && !r.Outcome.Happened && r.Severity == checker.Critical {
				outcome[name] = *r.Outcome
			}
		})
		for name := range c.nodes {
			// The first probe may leave an interval after the cut.
			if limit := 4*interval + 2*oneWay; first[name] == 0 || first[name] > limit {
				t.Errorf("%s: finding after %v, want within %v", name, first[name], limit)
			}
			if critical[name] == 0 || critical[name] >= split[name] {
				t.Errorf("%s: critical after %v, split after %v", name, critical[name], split[name])
			}
			if keeps := refs(outcome[name].Keeps); keeps != "a1 a2 w1" {
				t.Errorf("%s: says that %q keep quorum", name, keeps)
			}
			r := c.nodes[name].Report()
			if wantQuorate := !strings.HasPrefix(name, "b"); r.Quorum.Quorate != wantQuorate || r.Outcome == nil || !r.Outcome.Happened {
				t.Errorf("%s: after the split: quorate %v, outcome %+v", name, r.Quorum.Quorate, r.Outcome)
			}
		}
		c.cut(notB, siteB, 0, false)
		c.clear(60*time.Second, checker.CodeLowMargin, checker.CodePathLoss)
	})
}

func note(m map[string]time.Duration, name string, at time.Duration, now bool) {
	if _, known := m[name]; now && !known {
		m[name] = at
	}
}

func hasAny(r *checker.Report, codes ...string) bool {
	return slices.ContainsFunc(codes, func(code string) bool { _, ok := has(r, code); return ok })
}

func refs(nodes []checker.NodeRef) string {
	var names []string
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestShortCut: an outage that the token survives is a finding, never a split, and gone after a stable period.
func TestShortCut(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		c.cut(notB, siteB, 0, true)
		seen := map[string]bool{}
		look := func(name string, r *checker.Report) {
			seen[name] = seen[name] || hasAny(r, checker.CodeSiteCut, checker.CodeGroupCut, checker.CodePathGap, checker.CodeIsolated)
			if r.Outcome != nil && r.Outcome.Happened {
				t.Errorf("%s claims a split: %s", name, r.Outcome.Text)
			}
		}
		c.watch(250*time.Millisecond, look)
		c.cut(notB, siteB, 0, false)
		c.watch(5*time.Second, look)
		for name := range c.nodes {
			if !seen[name] {
				t.Errorf("%s saw nothing", name)
			}
		}
		c.clear(40*time.Second, checker.CodePathLoss)
	})
}

// TestRedundantLink: one dead link of two is a warning, both are a cut.
func TestRedundantLink(t *testing.T) {
	inBubble(t, 2, func(c *cluster) {
		c.cut(notB, siteB, 0, true)
		warned := map[string]bool{}
		c.watch(30*time.Second, func(name string, r *checker.Report) {
			f, ok := has(r, checker.CodeLinkDown)
			warned[name] = warned[name] || ok && f.Severity == checker.Warning
			if r.Severity == checker.Critical {
				t.Fatalf("%s is critical with a healthy second link:%s", name, describe(r))
			}
		})
		for name := range c.nodes {
			if !warned[name] {
				t.Errorf("%s did not warn of the dead link:%s", name, describe(c.nodes[name].Report()))
			}
		}
		c.cut(notB, siteB, 1, true)
		c.pass(5 * time.Second)
		for name, n := range c.nodes {
			if r := n.Report(); r.Severity != checker.Critical {
				t.Errorf("%s is %s 5 s after the second link died:%s", name, r.Severity, describe(r))
			}
		}
	})
}

func TestInterfaceDownAndUp(t *testing.T) {
	inBubble(t, 2, func(c *cluster) {
		b1 := c.nodes["b1"]
		addr := b1.addrs[0]
		b1.setAddr(0, netip.Addr{})
		c.cut("b1", "a1 a2 b2 w1", 0, true)
		c.pass(5 * time.Second)
		if _, ok := has(b1.Report(), checker.CodeLocalLink); !ok {
			t.Errorf("b1 does not say that its own link is gone:%s", describe(b1.Report()))
		}
		for name, n := range c.nodes {
			if n.Report().Severity != checker.Warning {
				t.Errorf("%s: %s, want a warning:%s", name, n.Report().Severity, describe(n.Report()))
			}
		}
		b1.setAddr(0, addr)
		c.cut("b1", "a1 a2 b2 w1", 0, false)
		c.clear(60*time.Second, checker.CodePathLoss, checker.CodeLowMargin)
	})
}

func TestAddressChanged(t *testing.T) {
	inBubble(t, 2, func(c *cluster) {
		b1 := c.nodes["b1"]
		was, is := b1.addrs[0], netip.MustParseAddr("10.50.2.33")
		b1.setAddr(0, is)
		for _, n := range c.nodes {
			n.setConf(strings.ReplaceAll(n.text, was.String(), is.String()), nil)
		}
		c.pass(2 * time.Second)
		for name, n := range c.nodes {
			for _, p := range n.Report().Paths {
				if p.Remote == was || p.Local == was {
					t.Errorf("%s still probes %s -> %s", name, p.Local, p.Remote)
				}
				if (p.Remote == is || p.Local == is) && p.State != checker.PathUp {
					t.Errorf("%s: path %s -> %s is %s", name, p.Local, p.Remote, p.State)
				}
			}
		}
	})
}

// TestPeerAgentGone: an agent that ends, or hangs, while its Corosync lives on is unknown, not a cut.
func TestPeerAgentGone(t *testing.T) {
	for what, end := range map[string]func(n *node){
		"stopped": func(n *node) { n.stop() },
		"hanging": func(n *node) { n.host.Stop() },
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, 1, func(c *cluster) {
				end(c.nodes["b1"])
				c.watch(30*time.Second, func(name string, r *checker.Report) {
					if name != "b1" && r.Severity == checker.Critical {
						t.Fatalf("%s is critical:%s", name, describe(r))
					}
				})
				for name, n := range c.nodes {
					r := n.Report()
					if name == "b1" {
						continue
					}
					if !hasAny(r, checker.CodeAgentStopped, checker.CodeAgentSilent) || r.Outcome != nil {
						t.Errorf("%s: outcome %v, findings:%s", name, r.Outcome, describe(r))
					}
					for _, p := range r.Paths {
						if p.Peer.Name == "b1" && p.State != checker.PathUnknown {
							t.Errorf("%s: path to b1 is %s, want unknown", name, p.State)
						}
					}
				}
				c.nodes["b1"].host.Cont()
			})
		})
	}
}

func TestCorosyncKilled(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		c.driver.Do(func(s *sim.Cluster) { s.KillDaemon(c.nodes["b1"].id) })
		c.pass(15 * time.Second)
		if _, ok := has(c.nodes["b1"].Report(), checker.CodeCorosyncStopped); !ok {
			t.Errorf("b1 does not say that its Corosync is gone:%s", describe(c.nodes["b1"].Report()))
		}
		r := c.nodes["a1"].Report()
		if !hasAny(r, checker.CodePeerCorosync, checker.CodeMemberMissing) || hasAny(r, checker.CodePeerCut, checker.CodePathGap) {
			t.Errorf("a1:%s", describe(r))
		}
		c.driver.Do(func(s *sim.Cluster) { s.StartDaemon(c.nodes["b1"].id) })
		c.clear(60*time.Second, checker.CodeCorosyncRestarted)
	})
}

// TestClockStep: a node's clock that jumps by an hour is not seen by anybody.
func TestClockStep(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			inBubble(t, 1, func(c *cluster) {
				c.nodes["b1"].host.SetClock(by)
				c.calm(30 * time.Second)
				c.nodes["b1"].host.SetClock(0)
				c.calm(30 * time.Second)
			})
		})
	}
}

// TestStoppedForSeconds: a host that does not run for three seconds blames itself, and is not a cut for the others.
func TestStoppedForSeconds(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		c.nodes["b1"].host.Stop()
		c.watch(3*time.Second, func(name string, r *checker.Report) {
			if r.Severity == checker.Critical {
				t.Fatalf("%s is critical:%s", name, describe(r))
			}
		})
		c.nodes["b1"].host.Cont()
		c.pass(time.Second)
		r := c.nodes["b1"].Report()
		if !hasAny(r, checker.CodeHostPause) || hasAny(r, checker.CodePathGap, checker.CodeIsolated) {
			t.Errorf("b1 after its stall:%s", describe(r))
		}
		c.clear(60 * time.Second)
	})
}

// TestBrokenConfig: whatever becomes of corosync.conf, the last good one stays in force, and the report says so.
func TestBrokenConfig(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		n := c.nodes["a1"]
		good := n.text
		for what, bad := range map[string]struct {
			text string
			err  error
		}{
			"missing":    {err: errors.New("no such file")},
			"empty":      {},
			"truncated":  {text: good[:len(good)/2]},
			"binary":     {text: strings.Repeat("\x00\xff{}", 1000)},
			"10 MB":      {text: strings.Repeat("# a comment\n", 900_000)},
			"wrong name": {text: strings.NewReplacer("a1", "z9", "10.50.1.1", "10.99.9.9").Replace(good)},
			"no nodes":   {text: good[:strings.Index(good, "nodelist")] + "quorum {\n provider: corosync_votequorum\n}\n"},
			"same id":    {text: strings.ReplaceAll(good, "nodeid: 2", "nodeid: 3")},
		} {
			n.setConf(bad.text, bad.err)
			c.pass(2 * time.Second)
			r := n.Report()
			if f, ok := has(r, checker.CodeConfigError); !ok || len(r.Paths) != 4 || r.Paths[0].State != checker.PathUp {
				t.Errorf("%s: finding %q, %d paths:%s", what, f.Title, len(r.Paths), describe(r))
			}
		}
		n.setConf(good, nil)
		c.clear(20 * time.Second)
	})
}

// TestOddConfig: files that Corosync takes, and that a cluster cannot work with, are findings.
func TestOddConfig(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		n := c.nodes["a1"]
		good := n.text
		for want, odd := range map[string]string{
			string(topology.AddressNotLocal):  strings.Replace(good, "10.50.1.1", "10.99.9.9", 1),
			string(topology.AddressDuplicate): strings.Replace(good, "10.50.2.3", "10.50.2.4", 1),
		} {
			n.setConf(odd, nil)
			c.pass(3 * time.Second)
			if _, ok := has(n.Report(), want); !ok {
				t.Errorf("no finding %s:%s", want, describe(n.Report()))
			}
		}
		n.setConf(strings.Replace(good, "}\n\nquorum {", manyNodes(64-5)+"}\n\nquorum {", 1), nil)
		c.pass(3 * time.Second)
		r := n.Report()
		if len(r.Cluster.Nodes) != 64 || len(r.Paths) != 63 || r.Severity == checker.Critical {
			t.Errorf("64 nodes: %d nodes, %d paths:%s", len(r.Cluster.Nodes), len(r.Paths), describe(r))
		}
	})
}

// manyNodes returns a nodelist that goes on where the cluster's ends.
func manyNodes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  node {\n    name: x%d\n    nodeid: %d\n    ring0_addr: 10.50.9.%d\n  }\n", i, 100+i, 1+i)
	}
	return b.String()
}

// TestNewKey: probes go on when all nodes get another authkey, without being told of it.
func TestNewKey(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		for _, n := range c.nodes {
			n.mu.Lock()
			n.key = strings.Repeat("z", 128)
			n.mu.Unlock()
		}
		c.pass(45 * time.Second)
		for name, n := range c.nodes {
			for _, p := range n.Report().Paths {
				if p.State != checker.PathUp {
					t.Errorf("%s: path to %s is %s", name, p.Peer.Name, p.State)
				}
			}
		}
	})
}

// TestNoKey: without a key nothing is probed, and everything else goes on.
func TestNoKey(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		n := c.nodes["a1"]
		n.mu.Lock()
		n.key = ""
		n.mu.Unlock()
		n.Reload(n.Settings())
		c.pass(2 * time.Second)
		r := n.Report()
		if f, ok := has(r, checker.CodeProbeKey); !ok || !r.Quorum.Quorate || r.Paths[0].State != checker.PathUp {
			t.Errorf("finding %q, quorate %v, first path %s", f.Title, r.Quorum.Quorate, r.Paths[0].State)
		}
	})
}

func TestTasks(t *testing.T) {
	inBubble(t, 1, func(c *cluster) {
		var names []string
		for _, task := range c.nodes["a1"].Tasks() {
			names = append(names, task.String())
		}
		if got, want := strings.Join(names, " "), "config daemon probes judge traces forecast alerts systemd"; got != want {
			t.Errorf("tasks %q, want %q", got, want)
		}
	})
}
