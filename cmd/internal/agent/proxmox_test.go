package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
	"github.com/quorumwatch/quorumwatch/proxmox/proxmoxtest"
)

// stuck is a Reader that never answers, whatever its context says, until the end of the test.
type stuck struct{ end chan struct{} }

func (s stuck) Read(context.Context) proxmox.Snapshot { <-s.end; return proxmox.Snapshot{} }
func (stuck) Source() proxmox.Source                  { return proxmox.FromAPI }
func (stuck) String() string                          { return "https://pve1:8006" }

// said is what a real Reader once read.
type said proxmox.Snapshot

func (s said) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (s said) Latest() proxmox.Snapshot      { return proxmox.Snapshot(s) }

// ask reads once from a server over TLS.
func ask(t *testing.T, edit func(*api.Config), prepare func(*proxmoxtest.Server)) said {
	t.Helper()
	server := proxmoxtest.NewServer(t, "healthy")
	cfg := api.Config{Endpoints: []string{server.URL}, TokenFile: server.TokenFile(t), CAFile: server.CAFile(t), Timeout: 300 * time.Millisecond}
	if edit != nil {
		edit(&cfg)
	}
	if prepare != nil {
		prepare(server)
	}
	r, err := api.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return said(r.Read(t.Context()))
}

// sickAPIs are ways not to be told things by Proxmox VE's API.
func sickAPIs(t *testing.T) map[string]said {
	return map[string]said{
		"a1": ask(t, nil, func(s *proxmoxtest.Server) { s.Close() }),
		"a2": ask(t, func(c *api.Config) { c.Fingerprints = []string{strings.Repeat("AB:", 31) + "AB"} }, nil),
		"b1": ask(t, nil, func(s *proxmoxtest.Server) {
			s.Answer("*", proxmoxtest.Answer{Status: 401, Reason: "token 'quorumwatch@pve!agent' access expired"})
		}),
		"b2": ask(t, nil, func(s *proxmoxtest.Server) {
			s.Forbid("/cluster/ha/status/current", "/cluster/ha/status/manager_status", "/cluster/ha/resources", "/cluster/status")
		}),
	}
}

// with starts a node's agent anew beside a Proxmox.
func (c *cluster) with(n *node, p agent.Proxmox) {
	n.stop()
	if err := <-n.ended; err != nil {
		c.t.Error(err)
	}
	n.config.Proxmox = p
	n.Agent = agent.New(n.config)
	c.start(n)
}

// TestSickAPI: an API that is dead, is another one, refuses the token, forbids half of it or hangs is a finding, and nothing else: no agent
// probes or judges less than before, and a cut is called as ever.
func TestSickAPI(t *testing.T) {
	sick := sickAPIs(t)
	inBubble(t, 1, func(c *cluster) {
		end := make(chan struct{})
		defer close(end)
		for name, s := range sick {
			c.with(c.nodes[name], s)
		}
		c.pass(time.Minute)
		reports, probes := c.pace(10 * time.Second)
		c.with(c.nodes["w1"], proxmox.NewFollower(proxmox.Feed{Reader: stuck{end}, Timeout: 5 * time.Second}))
		c.pass(time.Minute)
		after, probed := c.pace(10 * time.Second)
		for name := range c.nodes {
			if after[name] < reports[name]*9/10 || probed[name] < probes[name]*99/100 || probes[name] < 4*190 {
				t.Errorf("%s: %d reports and %d probes in 10 s, before %d and %d", name, after[name], probed[name], reports[name], probes[name])
			}
		}
		for name, kind := range map[string]proxmox.FaultKind{
			"a1": proxmox.Unreachable, "a2": proxmox.Certificate, "b1": proxmox.TokenExpired, "b2": proxmox.Forbidden, "w1": proxmox.Hanging,
		} {
			f, ok := has(c.nodes[name].Report(), checker.CodeProxmox)
			if !ok || f.Severity != checker.Warning || f.Evidence["kind"] != string(kind) || f.Advice == "" {
				t.Errorf("%s, %s: %+v\n%s", name, kind, f, describe(c.nodes[name].Report()))
			}
		}
		c.calm(5*time.Second, checker.CodeProxmox, string(topology.ProxmoxNodes), string(topology.ProxmoxConfig)) // the server is another cluster's
		c.cut(notB, siteB, 0, true)
		c.pass(3*interval + 100*time.Millisecond)
		for _, name := range []string{"a1", "w1"} {
			if r := c.nodes[name].Report(); !hasAny(r, checker.CodeSiteCut, checker.CodeGroupCut, checker.CodePathGap) {
				t.Errorf("%s: %s", name, describe(r))
			}
		}
	})
}

// pace counts each node's Reports and probes of a while.
func (c *cluster) pace(d time.Duration) (reports, probes map[string]uint64) {
	sent := func() map[string]uint64 {
		all := map[string]uint64{}
		for name, n := range c.nodes {
			for _, p := range n.Report().Paths {
				all[name] += p.Total.Sent
			}
		}
		return all
	}
	before, last := sent(), map[string]*checker.Report{}
	reports = map[string]uint64{}
	c.watch(d, func(name string, r *checker.Report) {
		if last[name] != r {
			last[name] = r
			reports[name]++
		}
	})
	probes = sent()
	for name := range probes {
		probes[name] -= before[name]
	}
	return reports, probes
}
