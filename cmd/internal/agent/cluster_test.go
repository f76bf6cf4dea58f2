package agent_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/sim"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// oneWay is the delay of all paths of a test's cluster, interval that of its probes.
const (
	oneWay   = 2 * time.Millisecond
	interval = 50 * time.Millisecond
)

// cluster is five whole agents in a bubble: nodes a1, a2, b1, b2 and w1, a simulated network, daemons that follow Totem's rules.
type cluster struct {
	t      *testing.T
	net    *simnet.Net
	driver *sim.Driver
	conf   *corosync.Config
	nodes  map[string]*node
	dir    string // where traces of incidents go, in a folder for each node

	mu     sync.Mutex
	dead   map[direction]bool
	loss   float64 // of what goes between nodes with an odd and an even id, packet by packet
	random *rand.Rand

	weather func(d direction) simnet.Link // what the paths do besides; nil: nothing
}

// direction is one way of a path between two nodes.
type direction struct {
	from, to uint32
	link     int
}

// node is one node of a cluster.
type node struct {
	*agent.Agent
	id     uint32
	host   *simnet.Host
	config agent.Config
	stop   context.CancelFunc
	ended  chan error

	mu    sync.Mutex
	text  string // of its corosync.conf
	err   error  // of reading it
	key   string
	addrs []netip.Addr
}

// inBubble runs body with a cluster whose agents have run for ten seconds.
func inBubble(t *testing.T, links int, body func(c *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, links)
		ctx, cancel := context.WithCancel(t.Context())
		var drive sync.WaitGroup
		drive.Go(func() { _ = c.driver.Run(ctx) })
		for _, n := range c.nodes {
			c.start(n)
		}
		c.pass(10 * time.Second)
		body(c)
		for _, n := range c.nodes {
			n.stop()
		}
		for name, n := range c.nodes {
			if err := <-n.ended; err != nil {
				t.Errorf("%s ended with %v", name, err)
			}
		}
		cancel()
		drive.Wait()
	})
}

func newCluster(t *testing.T, links int) *cluster {
	c := &cluster{
		t: t, net: simnet.New(1), conf: corosynctest.Stretched(links),
		nodes: map[string]*node{}, dead: map[direction]bool{}, dir: t.TempDir(), random: rand.New(rand.NewPCG(5, 6)),
	}
	c.net.Polled = true // as real sockets are
	random := rand.New(rand.NewPCG(3, 4))
	simulated, err := sim.New(sim.Config{
		Corosync: c.conf, Start: time.Now(), Traffic: time.Second, Seed: random.Uint64(),
		Path: func(from, to uint32, link int, _ time.Time) (time.Duration, bool) {
			l := c.link(direction{from, to, link})
			return l.Delay + time.Duration(random.Float64()*float64(l.Jitter)), !l.Down && (l.Loss == 0 || random.Float64() >= l.Loss)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.driver = sim.NewDriver(simulated, 0)
	for _, n := range c.conf.Nodes {
		c.add(n, links)
	}
	c.wire()
	return c
}

func (c *cluster) add(n corosync.Node, links int) {
	out := &node{id: n.ID, text: corosynctest.StretchedConf(links), key: strings.Repeat("k", 128)}
	for link := range links {
		out.addrs = append(out.addrs, netip.MustParseAddr(n.Addrs[link]))
	}
	out.host = c.net.Host(n.Name, out.addrs...)
	c.nodes[n.Name] = out
	out.config = agent.Config{
		Software: "test", Hostname: n.Name, LocalAddrs: out.localAddrs, ReadConf: out.readConf,
		Daemon: c.driver.Daemon(n.ID),
		Probe:  agent.Probe{Network: out.host, NewPacer: out.host.NewPacer, Port: probe.DefaultPort, Wall: out.host.Wall},
		Settings: agent.Settings{
			Interval: interval, FullSize: 1472, FullSizeInterval: 500 * time.Millisecond, Key: out.readKey,
		},
		Trace: agent.Trace{Dir: filepath.Join(c.dir, n.Name)},
	}
	out.Agent = agent.New(out.config)
}

// start runs a node's agent, once.
func (c *cluster) start(n *node) {
	ctx, stop := context.WithCancel(c.t.Context())
	n.stop, n.ended = stop, make(chan error, 1)
	go func() { n.ended <- n.Run(ctx) }()
}

// wire lays the probes' network: the same rules as the daemons'.
func (c *cluster) wire() {
	for _, a := range c.conf.Nodes {
		for _, b := range c.conf.Nodes {
			for link := range a.Addrs {
				d := direction{a.ID, b.ID, link}
				from, to := netip.MustParseAddr(a.Addrs[link]), netip.MustParseAddr(b.Addrs[link])
				c.net.Script(from, to, func(time.Duration) simnet.Link {
					return c.link(d)
				})
			}
		}
	}
}

// link is what a path does now, to probes and to the daemons' packets alike.
func (c *cluster) link(d direction) simnet.Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := simnet.Link{Delay: oneWay}
	if c.weather != nil {
		l = c.weather(d)
	}
	l.Down = l.Down || c.isDead(d)
	return l
}

func (c *cluster) setWeather(weather func(d direction) simnet.Link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.weather = weather
}

func (c *cluster) isDead(d direction) bool {
	return c.dead[d] || c.loss > 0 && d.from%2 != d.to%2 && c.random.Float64() < c.loss
}

// cut kills, or with dead false heals, a link between two groups of nodes, both ways.
func (c *cluster) cut(as, bs string, link int, dead bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range strings.FieldsSeq(as) {
		for b := range strings.FieldsSeq(bs) {
			c.dead[direction{c.nodes[a].id, c.nodes[b].id, link}] = dead
			c.dead[direction{c.nodes[b].id, c.nodes[a].id, link}] = dead
		}
	}
}

// pass lets time pass.
func (c *cluster) pass(d time.Duration) {
	time.Sleep(d) // a bubble's time
	synctest.Wait()
}

// watch lets time pass, and calls look with every node's report of every 25 ms.
func (c *cluster) watch(d time.Duration, look func(name string, r *checker.Report)) {
	for range d / (25 * time.Millisecond) {
		c.pass(25 * time.Millisecond)
		for name, n := range c.nodes {
			if r := n.Report(); r != nil {
				look(name, r)
			}
		}
	}
}

func (n *node) readConf() (string, []byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return "/etc/corosync/corosync.conf", []byte(n.text), n.err
}

func (n *node) setConf(text string, err error) {
	n.mu.Lock()
	n.text, n.err = text, err
	n.mu.Unlock()
	n.Reload(n.Settings())
}

func (n *node) readKey(*corosync.Config) (stamp.Master, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return stamp.DeriveKey([]byte(n.key))
}

func (n *node) localAddrs() ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.addrs), nil
}

// setAddr takes an address of a link away (invalid) or gives another one.
func (n *node) setAddr(link int, addr netip.Addr) {
	n.mu.Lock()
	old := n.addrs[link]
	n.addrs[link] = addr
	n.mu.Unlock()
	if old.IsValid() {
		n.host.Remove(old)
	}
	if addr.IsValid() {
		n.host.Add(addr)
	}
}

// has returns the finding with that code, worst first.
func has(r *checker.Report, code string) (checker.Finding, bool) {
	i := slices.IndexFunc(r.Findings, func(f checker.Finding) bool { return f.Code == code })
	if i < 0 {
		return checker.Finding{}, false
	}
	return r.Findings[i], true
}

// describe lists the findings of a report.
func describe(r *checker.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n\t%s %s (clearing %v): %s", f.Severity, f.Key, f.Clearing, f.Title)
	}
	return b.String()
}
