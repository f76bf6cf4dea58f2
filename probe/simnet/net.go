package simnet

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
)

// Errors that links and hosts give. Tests may look for them.
var (
	ErrNoAddress = errors.New("simnet: no such address on this host")
	ErrInUse     = errors.New("simnet: address already in use")
	ErrRefused   = fmt.Errorf("simnet: %w", syscall.ECONNREFUSED)
	ErrTooLong   = errors.New("simnet: message too long")
	ErrNoRoute   = errors.New("simnet: no route to host")
)

// Net is a simulated network. Its methods may be called at any time, from any goroutine.
type Net struct {
	// Polled says that sockets may be polled (probe.Poller), as the real network's may. If not, what arrives is read at once, which
	// is easier to reason about. Set it before the first socket is opened.
	Polled bool

	mu    sync.Mutex
	seed  uint64
	start time.Time
	hosts map[netip.Addr]*Host
	pipes map[pair]*pipe
	tap   func(Packet)
	free  [][]byte
}

// pair names one direction.
type pair struct{ from, to netip.Addr }

// Packet is a datagram as the network sees it, before the link's rules.
type Packet struct {
	From, To netip.AddrPort
	At       time.Time
	Data     []byte // valid during the call only
}

// New returns a network without hosts. The seed decides all its randomness.
func New(seed uint64) *Net {
	return &Net{
		seed: seed, start: time.Now(), hosts: map[netip.Addr]*Host{}, pipes: map[pair]*pipe{},
	}
}

// Host adds a host with addresses. Addresses must be new to the network.
func (n *Net) Host(name string, addrs ...netip.Addr) *Host {
	h := &Host{net: n, name: name, conns: map[netip.AddrPort]*conn{}, resumed: make(chan struct{})}
	close(h.resumed)
	for _, a := range addrs {
		h.Add(a)
	}
	return h
}

// Set gives the direction from one address to another its rules, in place of a script.
func (n *Net) Set(from, to netip.Addr, l Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.pipe(from, to)
	p.link, p.script = l, nil
}

// SetBoth gives both directions between two addresses the same rules.
func (n *Net) SetBoth(a, b netip.Addr, l Link) {
	n.Set(a, b, l)
	n.Set(b, a, l)
}

// Script lets a function of the time since New give the rules of a direction. It is called for each datagram, with the
// network locked: it must be quick and must not call the network.
func (n *Net) Script(from, to netip.Addr, script func(since time.Duration) Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pipe(from, to).script = script
}

// Tap lets a function see every datagram that a host sends. It must not call the network.
func (n *Net) Tap(f func(Packet)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tap = f
}

// Inject delivers a datagram as if from had sent it, at once and whatever the link's rules: a spoofed or replayed packet. It
// reports whether a socket was there to take it.
func (n *Net) Inject(from, to netip.AddrPort, data []byte) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.socket(to)
	if c == nil {
		return false
	}
	c.put(item{at: time.Now(), from: from, buf: append(n.buffer(), data...)})
	return true
}

// Since returns the time since New, which scripts are given.
func (n *Net) Since(at time.Time) time.Duration { return at.Sub(n.start) }

// pipe returns the state of a direction. Each has a random stream of its own, so that traffic elsewhere does not change it.
func (n *Net) pipe(from, to netip.Addr) *pipe {
	k := pair{from, to}
	if p := n.pipes[k]; p != nil {
		return p
	}
	h := fnv.New64a()
	a, b := from.As16(), to.As16()
	h.Write(a[:])
	h.Write(b[:])
	p := &pipe{rng: rand.New(rand.NewPCG(n.seed, h.Sum64()))}
	n.pipes[k] = p
	return p
}

// socket returns who listens on an address, nil if nobody does.
func (n *Net) socket(to netip.AddrPort) *conn {
	h := n.hosts[to.Addr()]
	if h == nil {
		return nil
	}
	return h.conns[to]
}

// buffer returns an empty buffer.
func (n *Net) buffer() []byte {
	if k := len(n.free); k > 0 {
		b := n.free[k-1]
		n.free = n.free[:k-1]
		return b[:0]
	}
	return make([]byte, 0, 1600)
}

func (n *Net) release(b []byte) {
	if b != nil && len(n.free) < 1<<14 {
		n.free = append(n.free, b)
	}
}

// Host is a machine with addresses. It implements probe.Network.
type Host struct {
	net  *Net
	name string

	// Under net.mu:
	conns     map[netip.AddrPort]*conn
	addrs     []netip.Addr
	resumed   chan struct{} // closed while the host runs
	suspended time.Time     // since when the machine is frozen; zero while it is not
	offset    time.Duration // of its wall clock
}

// String returns the host's name.
func (h *Host) String() string { return h.name }

// Add gives the host an address.
func (h *Host) Add(addr netip.Addr) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.net.hosts[addr] = h
	h.addrs = append(h.addrs, addr)
}

// Remove takes an address away, as an interface that goes down does: its sockets can't send any more, and nothing arrives. They
// work again when the address comes back.
func (h *Host) Remove(addr netip.Addr) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if h.net.hosts[addr] == h {
		delete(h.net.hosts, addr)
	}
	h.addrs = slices.DeleteFunc(h.addrs, func(a netip.Addr) bool { return a == addr })
}

// Listen opens a socket.
func (h *Host) Listen(_ context.Context, cfg probe.ListenConfig) (probe.Conn, error) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if !slices.Contains(h.addrs, cfg.Addr.Addr()) {
		return nil, fmt.Errorf("%s: %v: %w", h.name, cfg.Addr.Addr(), ErrNoAddress)
	}
	if h.conns[cfg.Addr] != nil {
		return nil, fmt.Errorf("%s: %v: %w", h.name, cfg.Addr, ErrInUse)
	}
	c := newConn(h, cfg)
	h.conns[cfg.Addr] = c
	return c, nil
}

// Stop halts the host's process, as SIGSTOP or a starved scheduler does: nothing is read, written or paced until Cont. Its kernel goes on.
func (h *Host) Stop() { h.halt(false) }

// Suspend freezes the whole machine until Cont, as a hypervisor does: what arrives meanwhile is lost.
func (h *Host) Suspend() { h.halt(true) }

func (h *Host) halt(suspend bool) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if suspend && h.suspended.IsZero() {
		h.suspended = time.Now()
	}
	if h.running() {
		h.resumed = make(chan struct{})
	}
}

// Cont lets a stopped or suspended host run on.
func (h *Host) Cont() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	if !h.suspended.IsZero() {
		for _, c := range h.conns {
			c.forget(h.suspended, time.Now())
		}
		h.suspended = time.Time{}
	}
	if !h.running() {
		close(h.resumed)
	}
}

// running says whether the host is neither stopped nor suspended; under net.mu.
func (h *Host) running() bool {
	select {
	case <-h.resumed:
		return true
	default:
		return false
	}
}

// gate returns a channel that is closed while the host runs.
func (h *Host) gate() <-chan struct{} {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.resumed
}

// SetClock puts the host's wall clock off the true time.
func (h *Host) SetClock(offset time.Duration) {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.offset = offset
}

// Wall returns the host's wall-clock time.
func (h *Host) Wall() time.Time {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return time.Now().Round(0).Add(h.offset)
}

// NewPacer returns a pacer that wakes late while the host does not run.
func (h *Host) NewPacer() (probe.Pacer, error) {
	return &pacer{host: h, timer: time.NewTimer(0), closed: make(chan struct{})}, nil
}
