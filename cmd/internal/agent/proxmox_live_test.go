package agent_test

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// The tests here have real servers, which a bubble cannot hold: they run by the real clock. So what they measure is compared with an
// agent beside that has no Proxmox, and every wait ends as soon as it may.
const (
	inTime   = time.Minute            // for a busy machine: a finding takes a few seconds
	observed = 3 * time.Second        // how long agents are compared
	atLeast  = 0.5                    // share of the other agent's pace
	calmPace = 0.2                    // seconds between an agent's judgements when nothing goes on
	glance   = 10 * time.Millisecond  // between looks at reports
	apiLimit = 500 * time.Millisecond // that an API has for an answer
)

// live runs body with a cluster whose agents run by the real clock.
func live(t *testing.T, proxmoxes map[string]agent.Proxmox, body func(c *cluster)) {
	t.Helper()
	c := newCluster(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var drive sync.WaitGroup
	drive.Go(func() { _ = c.driver.Run(ctx) })
	for name, n := range c.nodes {
		if p := proxmoxes[name]; p != nil {
			n.config.Proxmox = p
			n.Agent = agent.New(n.config)
		}
		c.start(n)
	}
	body(c)
	for _, n := range c.nodes {
		n.stop()
	}
	for name, n := range c.nodes {
		select {
		case err := <-n.ended:
			if err != nil {
				t.Errorf("%s ended with %v", name, err)
			}
		case <-time.After(inTime):
			t.Fatalf("%s does not end", name)
		}
	}
	cancel()
	drive.Wait()
	leakFree(t)
}

// leakFree fails the test when goroutines of agents or of readers of Proxmox are left.
func leakFree(t *testing.T) {
	t.Helper()
	left := ""
	if until(func() bool {
		left = ""
		for g := range strings.SplitSeq(stacks(), "\n\n") {
			for _, of := range []string{"quorumwatch/cmd/internal/agent.", "quorumwatch/proxmox.", "quorumwatch/proxmox/api."} {
				if strings.Contains(g, of) && !strings.Contains(g, "testing.tRunner") {
					left = g
				}
			}
		}
		return left == ""
	}) {
		return
	}
	t.Errorf("goroutines are left, such as\n%s", left)
}

func stacks() string {
	b := make([]byte, 4<<20)
	return string(b[:runtime.Stack(b, true)])
}

// until waits for something, as long as is in time.
func until(ok func() bool) bool {
	for limit := time.Now().Add(inTime); time.Now().Before(limit); time.Sleep(glance) {
		if ok() {
			return true
		}
	}
	return ok()
}

// follow asks a server as an agent does, but more often.
func follow(t *testing.T, c api.Config) agent.Proxmox {
	t.Helper()
	r, err := api.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return proxmox.NewFollower(proxmox.Feed{Reader: r, Every: time.Second, Timeout: max(c.Timeout, 10*apiLimit)})
}

// asking starts a server that is all right, does something to it, and returns who asks it.
func asking(t *testing.T, timeout time.Duration, prepare func(*proxmoxtest.Server, *api.Config)) agent.Proxmox {
	t.Helper()
	s := proxmoxtest.NewServer(t, "healthy")
	c := api.Config{Endpoints: []string{s.URL}, TokenFile: s.TokenFile(t), CAFile: s.CAFile(t), Timeout: timeout}
	prepare(s, &c)
	return follow(t, c)
}

// sickness is a way in which an API fails, and what is to be said of it.
type sickness struct {
	kind    proxmox.FaultKind
	says    string // part of the finding
	proxmox agent.Proxmox
}

// TestSickAPILive: real servers that hang in the handshake and after it, that drip, show another certificate, refuse an expired token, forbid half
// or are gone. Each is a finding in time that says so and what to do; meanwhile probes and judgement keep the pace of an agent without any
// Proxmox, a cut is called, and all ends at once and without leaks though the servers go on hanging.
func TestSickAPILive(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: takes its time by the real clock")
	}
	quick, patient := apiLimit, 10*apiLimit
	for name, nodes := range map[string]map[string]sickness{
		"slow": {
			"a1": {proxmox.TimedOut, "no answer in", asking(t, quick, func(s *proxmoxtest.Server, _ *api.Config) { s.Hang("*") })},
			"a2": {proxmox.TimedOut, "no answer in", asking(t, quick, func(_ *proxmoxtest.Server, c *api.Config) { c.Endpoints = []string{proxmoxtest.NewMute(t)} })},
			"b1": {proxmox.TimedOut, "no answer in", asking(t, quick, func(s *proxmoxtest.Server, _ *api.Config) { s.Drip("*") })},
			"b2": {proxmox.Unreachable, "refused", asking(t, patient, func(s *proxmoxtest.Server, _ *api.Config) { s.Close() })},
		},
		"refusing": {
			"a1": {proxmox.Certificate, "fingerprint", asking(t, patient, func(_ *proxmoxtest.Server, c *api.Config) {
				c.Fingerprints = []string{strings.Repeat("AB:", 31) + "AB"}
			})},
			"a2": {proxmox.TokenExpired, "expired", asking(t, patient, func(s *proxmoxtest.Server, _ *api.Config) {
				s.Answer("*", proxmoxtest.Answer{Status: 401, Reason: "token 'quorumwatch@pve!agent' access expired"})
			})},
			"b1": {proxmox.TokenRefused, "Authentication failed", asking(t, patient, func(s *proxmoxtest.Server, _ *api.Config) { s.RefuseToken() })},
			"b2": {proxmox.Forbidden, "Sys.Audit", asking(t, patient, func(s *proxmoxtest.Server, _ *api.Config) {
				s.Forbid("/cluster/ha/status/current", "/cluster/ha/status/manager_status", "/cluster/ha/rules", "/cluster/status", "/cluster/resources")
			})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			proxmoxes := map[string]agent.Proxmox{}
			for node, s := range nodes {
				proxmoxes[node] = s.proxmox
			}
			live(t, proxmoxes, func(c *cluster) {
				for _, node := range slices.Sorted(maps.Keys(nodes)) {
					c.finds(node, nodes[node])
				}
				c.keepsPace("w1")
				c.cut(notB, siteB, 0, true)
				for _, node := range []string{"a1", "b1", "w1"} {
					if !until(func() bool {
						return hasAny(c.nodes[node].Report(), checker.CodeSiteCut, checker.CodeGroupCut)
					}) {
						t.Errorf("%s does not see the cut: %s", node, describe(c.nodes[node].Report()))
					}
				}
			})
		})
	}
}

// finds waits for a node's finding of its Proxmox.
func (c *cluster) finds(node string, want sickness) {
	c.t.Helper()
	var last checker.Finding
	if until(func() bool {
		r := c.nodes[node].Report()
		if r == nil {
			return false
		}
		i := slices.IndexFunc(r.Findings, func(f checker.Finding) bool {
			return f.Code == checker.CodeProxmox && f.Evidence["kind"] == string(want.kind) && f.Severity == checker.Warning
		})
		if i >= 0 {
			last = r.Findings[i]
		}
		return i >= 0
	}) {
		if !strings.Contains(last.Title, want.says) || last.Advice == "" {
			c.t.Errorf("%s, %s: %+v", node, want.kind, last)
		}
		return
	}
	c.t.Errorf("%s says nothing of %s: %s", node, want.kind, describe(c.nodes[node].Report()))
}

// keepsPace compares the Reports and the probes of all nodes with those of one.
func (c *cluster) keepsPace(with string) {
	c.t.Helper()
	reports, last := map[string]int{}, map[string]*checker.Report{}
	before := map[string]uint64{}
	for name, n := range c.nodes {
		last[name] = n.Report()
		before[name] = sent(last[name])
	}
	for end := time.Now().Add(observed); time.Now().Before(end); time.Sleep(glance) {
		for name, n := range c.nodes {
			if r := n.Report(); r != last[name] {
				last[name] = r
				reports[name]++
			}
		}
	}
	enough := func(have, other float64) bool { return other > 0 && have >= atLeast*other }
	calm := observed.Seconds() / calmPace // an agent that saw a path in trouble judges more often for a while
	for name := range c.nodes {
		probes, others := sent(last[name])-before[name], sent(last[with])-before[with]
		if !enough(float64(probes), float64(others)) || !enough(float64(reports[name]), min(float64(reports[with]), calm)) {
			c.t.Errorf("%s: %d reports and %d probes in %s, %s: %d and %d", name, reports[name], probes, observed, with, reports[with], others)
		}
	}
}

func sent(r *checker.Report) (n uint64) {
	for i := range r.Paths {
		n += r.Paths[i].Total.Sent
	}
	return n
}

// TestHangingAPIAtShutdown: an agent ends although its API has not answered and would be waited for much longer.
func TestHangingAPIAtShutdown(t *testing.T) {
	asked := make(chan *proxmoxtest.Server, 1)
	p := asking(t, time.Hour, func(s *proxmoxtest.Server, _ *api.Config) {
		s.Hang("*")
		asked <- s
	})
	s := <-asked
	live(t, map[string]agent.Proxmox{"a1": p}, func(*cluster) {
		if !until(func() bool { return s.Asked("/cluster/status") > 0 }) {
			t.Error("nobody asks")
		}
	})
}
