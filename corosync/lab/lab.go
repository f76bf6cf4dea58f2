//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Lab is a running set of nodes and their network.
type Lab struct {
	layout  *layout
	dir     string
	key     []byte
	conf    string
	lock    *os.File
	spawner *spawner
	hubProc *helper
	hub     *Hub
	nodes   []*Node
	qnetd   *Qnetd
	load    string
	mu      sync.Mutex // record
	record  Record
	closed  sync.Once
	closing error
	since   atomic.Pointer[mark] // start of what Quality judges
}

// runs numbers the labs of this program, for their names.
var runs atomic.Int64

// New makes the nodes and the network between them. Corosync does not run yet: see Start. When ctx ends, New gives up; it has no
// meaning for the lab afterwards.
func New(ctx context.Context, spec Spec) (*Lab, error) {
	lay, err := spec.layout()
	if err != nil {
		return nil, err
	}
	if lay.Dir, err = filepath.Abs(lay.Dir); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	if lay.Name == "" {
		lay.Name = fmt.Sprintf("%s-%d-%d", filepath.Base(os.Args[0]), os.Getpid(), runs.Add(1))
	}
	lock, err := lockLabs(ctx, unix.LOCK_EX, !lay.NoWait, fmt.Sprintf("%s, process %d", lay.Name, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	l := &Lab{layout: lay, dir: filepath.Join(lay.Dir, lay.Name), key: newKey(), conf: lay.conf(), lock: lock, spawner: newSpawner()}
	if err := l.build(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("lab %s: %w", lay.Name, err), l.Close())
	}
	return l, nil
}

func (l *Lab) build(ctx context.Context) error {
	if err := os.MkdirAll(l.layout.Dir, 0o755); err != nil {
		l.dir = ""
		return err
	}
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		if errors.Is(err, os.ErrExist) {
			l.dir = "" // not ours to remove
			return fmt.Errorf("%w: a crashed run? quorumlab clean removes it", err)
		}
		return err
	}
	self, err := processID(os.Getpid())
	if err != nil {
		return err
	}
	l.record = Record{Name: l.layout.Name, Dir: l.dir, Started: time.Now(), Lab: self}
	if err := l.record.write(); err != nil {
		return err
	}
	for i := range l.layout.nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := l.newNode(i)
		if err != nil {
			return fmt.Errorf("node %s: %w", l.layout.nodes[i].name, err)
		}
		l.nodes = append(l.nodes, n)
		l.record.Nodes = append(l.record.Nodes, n.entry())
	}
	if err := l.startHub(); err != nil {
		return err
	}
	return l.record.write()
}

// startHub starts the hub, which makes the devices, and gives these their addresses.
func (l *Lab) startHub() error {
	first := hubInit{Topology: l.layout.topology(), Seed: l.layout.Seed, MTU: l.layout.MTU, Rules: l.layout.Rules}
	for i, n := range l.nodes {
		for link := range l.layout.Links {
			first.Ports = append(first.Ports, hubPort{
				Holder: n.holder.id.PID, Node: i, Link: link,
				Addrs: []netip.Addr{n.place.addr4[link], n.place.addr6[link]},
			})
		}
	}
	h, err := startHelper(l.spawner, roleHub, 0, first)
	if err != nil {
		return err
	}
	l.hubProc, l.record.Hub = h, h.id
	l.hub = newHubClient(h)
	l.hub.rules = l.layout.Rules
	for _, n := range l.nodes {
		for link := range l.layout.Links {
			if err := n.configureLink(link); err != nil {
				return fmt.Errorf("node %s: %w", n.Name(), err)
			}
		}
	}
	return nil
}

// Start starts Corosync on all nodes, and the load when the Spec asks for it. It does not wait for a membership.
func (l *Lab) Start(ctx context.Context) error {
	var errs []error
	for _, n := range l.nodes {
		errs = append(errs, n.Corosync().Start(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	l.load = "off: not asked for"
	if l.layout.Load {
		l.load = l.startLoad(ctx)
	}
	l.MarkQuality()
	return nil
}

// Name is the name of the run.
func (l *Lab) Name() string { return l.layout.Name }

// Dir is the run's directory: logs of all nodes are below it.
func (l *Lab) Dir() string { return l.dir }

// Hub is the network.
func (l *Lab) Hub() *Hub { return l.hub }

// Nodes returns all nodes, in order of their nodeids.
func (l *Lab) Nodes() []*Node { return l.nodes }

// Node returns the node of that name. A name that is not there is a fault of the caller: it returns nil.
func (l *Lab) Node(name string) *Node {
	for _, n := range l.nodes {
		if n.Name() == name {
			return n
		}
	}
	return nil
}

// Conf is the corosync.conf that all nodes were given.
func (l *Lab) Conf() string { return l.conf }

// Key is the authkey of the cluster.
func (l *Lab) Key() []byte { return l.key }

// SetReport notes in the run's record where the report of a node's agent is.
func (l *Lab) SetReport(node, url string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.record.Nodes {
		if l.record.Nodes[i].Name == node {
			l.record.Nodes[i].Report = url
		}
	}
	return l.record.write()
}

// WaitFormed waits until all nodes show one quorate membership of all nodes. When ctx ends first, the error says what each node shows.
func (l *Lab) WaitFormed(ctx context.Context) error {
	return l.WaitMembers(ctx, l.nodes...)
}

// WaitMembers waits until each of the nodes given shows a quorate membership of just these nodes.
func (l *Lab) WaitMembers(ctx context.Context, nodes ...*Node) error {
	for {
		var open []error
		for _, n := range nodes {
			m, err := n.Membership(ctx)
			switch {
			case err != nil:
				open = append(open, fmt.Errorf("%s: %w", n.Name(), err))
			case !m.Quorate || !sameNodes(m.Members, nodes):
				open = append(open, fmt.Errorf("%s: %v", n.Name(), m))
			}
		}
		if len(open) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lab %s: no common membership: %w", l.Name(), errors.Join(append(open, ctx.Err())...))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// settleTime is how long knet is slower than usual to see a link die after the link was configured or went down: its back-off starts
// at 10 and falls by one a second (libknet/threads_heartbeat.c, links.c).
const settleTime = 11 * time.Second

// WaitSettled is WaitFormed, and then waits until knet is as quick as it will be to see a link die. A cut before that shows another
// Corosync than the one that runs for months.
func (l *Lab) WaitSettled(ctx context.Context) error {
	if err := l.WaitFormed(ctx); err != nil {
		return err
	}
	for {
		last := l.lastLinkEvent()
		wait := time.Until(last.Add(settleTime))
		if wait <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lab %s: not settled: %w", l.Name(), ctx.Err())
		case <-time.After(wait):
		}
	}
}

// lastLinkEvent is when a daemon was last started or a link of any node last changed.
func (l *Lab) lastLinkEvent() time.Time {
	last := l.record.Started
	for _, n := range l.nodes {
		for _, line := range n.log.Lines(0) {
			switch line.Event {
			case EventStarted, EventLinkUp, EventLinkDown:
				if line.At.After(last) {
					last = line.At
				}
			}
		}
	}
	return last
}

func sameNodes(ids []uint32, nodes []*Node) bool {
	if len(ids) != len(nodes) {
		return false
	}
	for i, n := range nodes {
		if ids[i] != n.ID() {
			return false
		}
	}
	return true
}

// Close ends everything and removes the run's directory. It is safe to call more than once.
func (l *Lab) Close() error {
	l.closed.Do(func() { l.closing = l.close(true) })
	return l.closing
}

// CloseKeep is Close, but leaves the run's directory with the logs for a look at them. The next Clean removes it.
func (l *Lab) CloseKeep() error {
	l.closed.Do(func() { l.closing = l.close(false) })
	return l.closing
}

func (l *Lab) close(remove bool) error {
	var errs []error
	for _, n := range l.nodes {
		n.close()
	}
	if l.qnetd != nil {
		l.qnetd.close()
	}
	if l.hubProc != nil {
		l.hubProc.kill()
	}
	if l.spawner != nil {
		l.spawner.close()
	}
	if remove && l.dir != "" {
		errs = append(errs, os.RemoveAll(l.dir))
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	return errors.Join(errs...)
}
