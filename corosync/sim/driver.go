package sim

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// DefaultStep is how often a Driver moves its cluster on: what a Status tells is so much late at most.
const DefaultStep = 20 * time.Millisecond

const (
	eventsKept = 256

	// quiet is how often a Status is renewed when nothing happens: counters move on.
	quiet = 500 * time.Millisecond
)

// Driver runs a Cluster by the clock. Its methods may be called from any goroutine.
type Driver struct {
	mu      sync.Mutex
	cluster *Cluster
	daemons []*Daemon
	step    time.Duration
}

// NewDriver returns a driver of a cluster, which is its own from now on. The cluster's Start should be the present. Step 0:
// DefaultStep.
func NewDriver(c *Cluster, step time.Duration) *Driver {
	if step <= 0 {
		step = DefaultStep
	}
	d := &Driver{cluster: c, step: step}
	for _, n := range c.nodes {
		daemon := &Daemon{node: n.id, events: make(chan corosync.Event, eventsKept)}
		daemon.changed.Store(new(make(chan struct{})))
		daemon.status.Store(new(c.Status(n.id)))
		d.daemons = append(d.daemons, daemon)
	}
	return d
}

// Run moves the cluster on until ctx ends; then it returns nil.
func (d *Driver) Run(ctx context.Context) error {
	tick := time.NewTicker(d.step)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d.advance(nil)
		}
	}
}

// Do moves the cluster on to the present and lets f intervene: stop a daemon, pause a node.
func (d *Driver) Do(f func(c *Cluster)) { d.advance(f) }

// advance moves the cluster on and tells those daemons' followers that have news.
func (d *Driver) advance(f func(c *Cluster)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for _, e := range d.cluster.Step(now) {
		daemon := d.Daemon(e.Node)
		daemon.pass(e.Event)
		daemon.news = true
	}
	if f != nil {
		f(d.cluster)
	}
	for _, daemon := range d.daemons {
		if f != nil || daemon.news || now.Sub(daemon.told) >= quiet {
			daemon.news, daemon.told = false, now
			daemon.publish(d.cluster.Status(daemon.node))
		}
	}
}

// Daemon returns a node's daemon, nil for a node that does not exist.
func (d *Driver) Daemon(node uint32) *Daemon {
	i := slices.IndexFunc(d.daemons, func(daemon *Daemon) bool { return daemon.node == node })
	if i < 0 {
		return nil
	}
	return d.daemons[i]
}

// Daemon is one node's daemon as a follower sees it: what ctl.Follower is for a real one.
type Daemon struct {
	node    uint32
	status  atomic.Pointer[corosync.Status]
	changed atomic.Pointer[chan struct{}]
	events  chan corosync.Event
	dropped atomic.Uint64

	news bool      // the driver's: it logged something
	told time.Time // the driver's: when its Status was published
}

// Run waits for the end of ctx: the Driver does the work.
func (d *Daemon) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Status returns what the daemon says now.
func (d *Daemon) Status() corosync.Status { return *d.status.Load() }

// Changed returns a channel that is closed at the next change of Status.
func (d *Daemon) Changed() <-chan struct{} { return *d.changed.Load() }

// Hurry does nothing: what is known is never older than a step.
func (d *Daemon) Hurry() {}

// Events delivers what the daemon logs. When nobody reads, events are dropped and counted.
func (d *Daemon) Events() <-chan corosync.Event { return d.events }

// Dropped is how many events found no room in Events.
func (d *Daemon) Dropped() uint64 { return d.dropped.Load() }

func (d *Daemon) publish(s corosync.Status) {
	d.status.Store(&s)
	close(*d.changed.Swap(new(make(chan struct{}))))
}

func (d *Daemon) pass(e corosync.Event) {
	select {
	case d.events <- e:
	default:
		d.dropped.Add(1)
	}
}
