package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Path says what happens to a packet that leaves node from for node to on a link at an instant: it arrives after the delay,
// or not at all. It is called in order of time. A packet of a node to itself is not asked for.
type Path func(from, to uint32, link int, at time.Time) (after time.Duration, ok bool)

// Config describes a cluster.
type Config struct {
	Corosync *corosync.Config
	Start    time.Time // where time begins
	Path     Path
	Libknet  string        // its version, which decides how links come up again; "": a current one
	Software string        // Corosync's version as Status shows it; "": 3.1.10
	Traffic  time.Duration // how often each node multicasts, as pmxcfs does; 0: never, the ring idles
	Seed     uint64        // of phases
	Cold     bool          // no daemon runs at the start. Else all do, long since in one membership

	// Device says whether the quorum device votes for the partition that a node is in; nil: it votes for nobody.
	Device func(partition []uint32) bool
}

// Cluster is a simulated cluster. It is not for concurrent use.
type Cluster struct {
	cfg   Config
	ring  *totem.Ring
	votes votequorum.Config
	nodes []*node // ascending by id: the ring's order
	links []int   // link numbers, in the ring's order
	fixed corosync.Runtime
	now   time.Time
	out   []NodeEvent
}

// NodeEvent is a line that one node's daemon logged.
type NodeEvent struct {
	Node uint32
	corosync.Event
}

// New returns a cluster at cfg.Start.
func New(cfg Config) (*Cluster, error) {
	conf := cfg.Corosync
	votes, _, err := conf.Quorum.Effective()
	if err != nil {
		return nil, fmt.Errorf("sim: quorum: %w", err)
	}
	if cfg.Software == "" {
		cfg.Software = "3.1.10"
	}
	c := &Cluster{cfg: cfg, votes: votes, now: cfg.Start}
	for _, l := range conf.Links {
		c.links = append(c.links, l.Number)
	}
	for i, n := range slices.SortedFunc(slices.Values(conf.Nodes), func(a, b corosync.Node) int { return cmp.Compare(a.ID, b.ID) }) {
		c.nodes = append(c.nodes, c.newNode(i, n))
	}
	for _, n := range c.nodes {
		n.begin()
	}
	c.fixed = c.runtime()
	if c.ring, err = totem.New(c.ringConfig()); err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	return c, nil
}

// ringConfig is the model's part of the configuration.
func (c *Cluster) ringConfig() totem.Config {
	conf := c.cfg.Corosync
	timeouts := conf.Timeouts()
	r := totem.Config{
		Nodes:      len(c.nodes),
		Timeouts:   timeouts,
		FastDataUp: totem.FastDataUp(c.cfg.Libknet),
		Traffic:    totem.Traffic{Every: c.cfg.Traffic},
		Network:    totem.NetworkFunc(c.deliver),
		Rand:       rand.New(rand.NewPCG(c.cfg.Seed, 1)),
		Cold:       c.cfg.Cold,
		Tokens:     true,
	}
	switch conf.LinkMode {
	case "active":
		r.Mode = totem.Active
	case "rr":
		r.Mode = totem.RoundRobin
	}
	for _, l := range conf.Links {
		r.Links = append(r.Links, totem.Link{Timeouts: l.Params.Timeouts(timeouts.Token), Priority: l.Priority})
	}
	return r
}

// Step lets everything happen up to and including now, and returns what the daemons logged, oldest first. The slice is
// valid until the next Step. A now before the last one does nothing.
func (c *Cluster) Step(now time.Time) []NodeEvent {
	c.out = c.out[:0]
	if now.Before(c.now) {
		return nil
	}
	for _, e := range c.ring.Run(now.Sub(c.cfg.Start)) {
		c.now = c.cfg.Start.Add(e.At)
		c.resumePaused()
		c.nodes[e.Node].apply(e)
	}
	c.now = now
	c.resumePaused()
	return c.out
}

// WorstGap is the longest time that any processor went without the token since the last call: what no daemon tells.
func (c *Cluster) WorstGap() time.Duration {
	worst := time.Duration(0)
	for i := range c.nodes {
		worst = max(worst, c.ring.LongestGap(i).Length)
	}
	c.ring.ResetGaps()
	return worst
}

// Now is the time of the last Step.
func (c *Cluster) Now() time.Time { return c.now }

// StartDaemon starts a node's daemon; one that runs goes on.
func (c *Cluster) StartDaemon(node uint32) { c.with(node, func(i int) { c.ring.Start(i) }) }

// StopDaemon ends a node's daemon in order: it says goodbye.
func (c *Cluster) StopDaemon(node uint32) {
	c.with(node, func(i int) {
		c.nodes[i].goodbye = true
		c.ring.Stop(i)
	})
}

// KillDaemon ends a node's daemon without a word; its host lives, and the peers learn from ICMP.
func (c *Cluster) KillDaemon(node uint32) { c.with(node, func(i int) { c.ring.Kill(i) }) }

// PowerOff ends a node: silence.
func (c *Cluster) PowerOff(node uint32) { c.with(node, func(i int) { c.ring.PowerOff(i) }) }

// Pause stops a node for d, as a stalled virtual machine.
func (c *Cluster) Pause(node uint32, d time.Duration) {
	c.with(node, func(i int) {
		n := c.nodes[i]
		if n.state == corosync.DaemonRunning && d > 0 {
			n.pausedSince, n.pausedUntil = c.now, c.now.Add(d)
			n.turn(corosync.DaemonHanging, "the node is paused")
			c.ring.Pause(i, d)
		}
	})
}

// with calls do with a node's place in the ring. A node that does not exist is nobody's.
func (c *Cluster) with(id uint32, do func(i int)) {
	if i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.id == id }); i >= 0 {
		do(i)
	}
}

// resumePaused lets nodes go on whose pause is over. A stall longer than 0.8 of the token is logged and counted.
func (c *Cluster) resumePaused() {
	for _, n := range c.nodes {
		if n.pausedUntil.IsZero() || c.now.Before(n.pausedUntil) {
			continue
		}
		n.resume()
	}
}

// deliver is the model's network: the Path, and knet's counters.
func (c *Cluster) deliver(p totem.Packet) (time.Duration, bool) {
	from, to := c.nodes[p.From], c.nodes[p.To]
	after, ok := c.cfg.Path(from.id, to.id, c.links[p.Link], c.cfg.Start.Add(p.At))
	switch p.Class {
	case totem.ClassPing:
		l := &from.peers[p.To][p.Link]
		l.TxPing++
		l.pingDelay = after
	case totem.ClassPong: // counted when it leaves, not when it arrives
		if ok {
			to.peers[p.From][p.Link].pong(after)
		}
	}
	return after, ok
}
