package demo

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/sim"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/simnet"
	"github.com/quorumwatch/quorumwatch/probe/stamp"

	_ "embed"
)

//go:embed corosync.conf
var conf []byte

// confFile names the embedded corosync.conf in messages.
const confFile = "demo:corosync.conf"

// Config says how to show the demo.
type Config struct {
	Software string
	Node     string // whose view is shown; "": a1
	Listen   []string
	Log      zerolog.Logger // of all five agents
}

// Demo is the cluster. It does nothing until Run.
type Demo struct {
	config  Config
	begin   time.Time
	driver  *sim.Driver
	nodes   []corosync.Node
	agents  map[string]*agent.Agent
	network *simnet.Net
	pve     *pve
}

// New builds the cluster.
func New(c Config) (*Demo, error) {
	if c.Node == "" {
		c.Node = "a1"
	}
	parsed, err := corosync.Parse(confFile, bytes.NewReader(conf))
	if err != nil {
		return nil, err
	}
	d := &Demo{
		config: c, begin: time.Now(), nodes: parsed.Nodes,
		agents: map[string]*agent.Agent{}, network: simnet.New(1), pve: newPVE(parsed.Nodes),
	}
	cluster, err := sim.New(sim.Config{
		Corosync: parsed, Start: d.begin, Path: d.path(parsed), Software: "simulated", Traffic: time.Second, Seed: 1,
	})
	if err != nil {
		return nil, err
	}
	d.network.Polled = true // as real sockets are, for a quarter less CPU
	d.driver = sim.NewDriver(cluster, 50*time.Millisecond)
	d.wire()
	for _, n := range parsed.Nodes {
		if err := d.addAgent(n); err != nil {
			return nil, err
		}
	}
	if d.agents[c.Node] == nil {
		return nil, fmt.Errorf("node %q: there are a1, a2, b1, b2 and c1", c.Node)
	}
	return d, nil
}

// siteOf is the site of a node's address: its third octet.
func siteOf(addr netip.Addr) int { return int(addr.As4()[2]) }

func addrOf(n corosync.Node, link int) netip.Addr { return netip.MustParseAddr(n.Addrs[link]) }

// path is the network as the simulated daemons meet it: by the same rules as the probes.
func (d *Demo) path(c *corosync.Config) sim.Path {
	site := map[uint32]int{}
	for _, n := range c.Nodes {
		site[n.ID] = siteOf(addrOf(n, 0))
	}
	random := rand.New(rand.NewPCG(1, 2))
	return func(from, to uint32, link int, at time.Time) (time.Duration, bool) {
		l := rules(site[from], site[to], link, at.Sub(d.begin))
		if l.Down || random.Float64() < l.Loss {
			return 0, false
		}
		return l.Delay + time.Duration(random.Float64()*float64(l.Jitter)), true
	}
}

// wire lays the probes' network between all addresses.
func (d *Demo) wire() {
	offset := d.network.Since(d.begin) // the network's own beginning was a moment later
	for _, a := range d.nodes {
		for _, b := range d.nodes {
			if a.ID == b.ID {
				continue
			}
			for link := range a.Addrs {
				from, to := addrOf(a, link), addrOf(b, link)
				d.network.Script(from, to, func(since time.Duration) simnet.Link {
					return rules(siteOf(from), siteOf(to), link, since-offset)
				})
			}
		}
	}
}

func (d *Demo) addAgent(n corosync.Node) error {
	addrs := []netip.Addr{addrOf(n, 0), addrOf(n, 1)}
	host := d.network.Host(n.Name, addrs...)
	key, err := stamp.DeriveKey([]byte("the demo's nodes live in one process and keep no secret"))
	if err != nil {
		return err
	}
	daemon := d.driver.Daemon(n.ID)
	d.agents[n.Name] = agent.New(agent.Config{
		Software: d.config.Software, Hostname: n.Name,
		LocalAddrs: func() ([]netip.Addr, error) { return addrs, nil },
		ReadConf:   func() (string, []byte, error) { return confFile, conf, nil },
		Daemon:     daemon,
		Proxmox:    d.pve.node(n, daemon),
		Probe:      agent.Probe{Network: host, NewPacer: host.NewPacer, Port: probe.DefaultPort},
		Settings: agent.Settings{
			Sites:    map[string]string{"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c"},
			Interval: 50 * time.Millisecond, FullSize: 1472, FullSizeInterval: 500 * time.Millisecond,
			Key: func(*corosync.Config) (stamp.Master, error) { return key, nil },
		},
		Log: d.config.Log.With().Str("node", n.Name).Logger(),
	})
	return nil
}

// Report is the newest of the node that is shown.
func (d *Demo) Report() *checker.Report { return d.agents[d.config.Node].Report() }

// Run plays until ctx ends.
func (d *Demo) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.driver.Run(ctx) })
	for _, a := range d.agents {
		group.Go(func() error { return a.Run(ctx) })
	}
	if len(d.config.Listen) > 0 {
		group.Go(func() error {
			return agent.Serve(ctx, agent.ServeConfig{
				Listen: d.config.Listen, Handler: d.handler(), Log: d.config.Log, Ready: func() {},
			})
		})
	}
	return group.Wait()
}

// handler serves the shown node at the root, and each node below /nodes/NAME.
func (d *Demo) handler() http.Handler {
	mux := http.NewServeMux()
	for name, a := range d.agents {
		prefix := "/nodes/" + name
		mux.Handle(prefix+"/", http.StripPrefix(prefix, a.Handler(prefix)))
	}
	mux.Handle("/", d.agents[d.config.Node].Handler(""))
	return mux
}
