//go:build linux

package lab

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// Node is one machine of the lab.
type Node struct {
	lab    *Lab
	place  place
	index  int
	dir    string
	holder *helper
	daemon *Daemon
	log    *Log

	mu      sync.Mutex
	starved []Late // moments at which ordinary processes of the node did not run
}

// binds of a node: what in its directory stands where in the node.
func (n *Node) binds() []bind {
	return []bind{
		{filepath.Join(n.dir, "etc"), "/etc/corosync"},
		{filepath.Join(n.dir, "lib"), "/var/lib/corosync"},
		{filepath.Join(n.dir, "log"), "/var/log/corosync"},
		{filepath.Join(n.dir, "hosts"), "/etc/hosts"},
	}
}

func (l *Lab) newNode(i int) (*Node, error) {
	n := &Node{lab: l, place: l.layout.nodes[i], index: i}
	n.dir = filepath.Join(l.dir, n.place.name)
	files := nodeFiles{conf: []byte(l.conf), key: l.key, hosts: l.layout.hosts()}
	if err := files.write(n.dir); err != nil {
		return nil, err
	}
	h, err := startHelper(l.spawner, roleHolder, namespaces, holderSpec{Hostname: n.place.name, Private: filepath.Join(n.dir, "private"), Binds: n.binds()})
	if err != nil {
		return nil, err
	}
	n.holder = h
	go n.listen()
	n.daemon = &Daemon{node: n}
	n.log = followLog(n.place.name, filepath.Join(n.dir, "log", filepath.Base(logFile)))
	return n, nil
}

// listen takes what the holder's canary tells, until the holder is gone.
func (n *Node) listen() {
	for {
		var late Late
		if n.holder.in.Decode(&late) != nil {
			return
		}
		n.mu.Lock()
		n.starved = append(n.starved, late)
		n.mu.Unlock()
	}
}

// starvedSince returns the moments since t at which ordinary processes of the node did not run.
func (n *Node) starvedSince(t impair.Instant) []Late {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.starved), func(l Late) bool { return l.At < t })
}

// nodeFiles is the furniture of a node's directory.
type nodeFiles struct {
	conf, key []byte // absent when nil
	hosts     string
}

func (f nodeFiles) write(dir string) error {
	for _, d := range []string{"etc/uidgid.d", "lib", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	for _, file := range []struct {
		name string
		mode os.FileMode
		data []byte
	}{{"etc/corosync.conf", 0o644, f.conf}, {"etc/authkey", 0o400, f.key}, {"hosts", 0o644, []byte(f.hosts)}} {
		if file.data == nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, file.name), file.data, file.mode); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) entry() NodeRecord {
	e := NodeRecord{Name: n.Name(), Site: n.Site(), ID: n.ID(), Holder: n.holder.id}
	for link := range n.lab.layout.Links {
		e.Addrs = append(e.Addrs, n.Addr(link).String())
	}
	return e
}

func (n *Node) close() {
	n.log.close()
	n.holder.kill()
}

// Name is the node's host name and its name in corosync.conf.
func (n *Node) Name() string { return n.place.name }

// Site is the site in which it is.
func (n *Node) Site() string { return n.place.site }

// ID is its nodeid.
func (n *Node) ID() uint32 { return n.place.id }

// Addr is its ring address on a link.
func (n *Node) Addr(link int) netip.Addr { return n.place.addr(link, n.lab.layout.IPv6) }

// Dir is its directory on the machine: etc/corosync.conf, etc/authkey, log/corosync.log and the output of its processes.
func (n *Node) Dir() string { return n.dir }

// HolderPID is the init of the node, as the machine numbers processes.
func (n *Node) HolderPID() int { return n.holder.id.PID }

// Corosync is the node's Corosync daemon.
func (n *Node) Corosync() *Daemon { return n.daemon }

// Log is the node's Corosync log.
func (n *Node) Log() *Log { return n.log }

// Run runs a command inside the node and returns its standard output. When ctx ends, the command is killed. A command that exits with
// another status than 0 gives an error that wraps *exec.ExitError and holds its standard error.
func (n *Node) Run(ctx context.Context, args ...string) ([]byte, error) {
	out, err := runIn(ctx, n.holder.id.PID, args...)
	if err != nil {
		return out, fmt.Errorf("%s: %w", n.Name(), err)
	}
	return out, nil
}

// Start starts a process inside the node. Its output goes to a file in the node's directory unless the command says otherwise.
func (n *Node) Start(c Command) (*Process, error) {
	p, err := startIn(n.holder.id.PID, n.dir, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name(), err)
	}
	return p, nil
}

// Do runs f on a thread inside the node's network namespace. Sockets that f makes belong to the node, for as long as they live. f must
// not leave the making of sockets to another goroutine, and must not resolve names.
func (n *Node) Do(f func() error) error { return inNet(n.holder.id.PID, f) }

// Dial connects from inside the node. The address must be a literal IP address and port, e.g. 127.0.0.1:8412.
func (n *Node) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, fmt.Errorf("%s: dial %s: want a literal IP address and port: %w", n.Name(), address, err)
	}
	var conn net.Conn
	err := n.Do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name(), err)
	}
	return conn, nil
}

// HTTPClient returns a client whose connections start inside the node. URLs must name literal addresses.
func (n *Node) HTTPClient() *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{DialContext: n.Dial, IdleConnTimeout: time.Minute, DisableCompression: true},
	}
}

func (n *Node) configureLink(link int) error {
	p := n.place
	return upTUN(n.holder.id.PID, device(link), n.lab.layout.MTU, netip.PrefixFrom(p.addr4[link], 16), netip.PrefixFrom(p.addr6[link], 64))
}

// LinkDown takes the node's interface of a link down, as if its cable were pulled. Addresses stay.
func (n *Node) LinkDown(link int) error {
	return withDevice(n.holder.id.PID, device(link), func(h *netlink.Handle, dev netlink.Link) error { return h.LinkSetDown(dev) })
}

// LinkUp takes it up again.
func (n *Node) LinkUp(link int) error {
	return withDevice(n.holder.id.PID, device(link), func(h *netlink.Handle, dev netlink.Link) error { return h.LinkSetUp(dev) })
}

// SetAddr changes the node's address of one family on a link, on its interface and in the hub. corosync.conf and /etc/hosts keep the old one.
func (n *Node) SetAddr(link int, addr netip.Addr) error {
	slot, bits := &n.place.addr4[link], 16
	if addr.Is6() {
		slot, bits = &n.place.addr6[link], 64
	}
	old := *slot
	err := withDevice(n.holder.id.PID, device(link), func(h *netlink.Handle, dev netlink.Link) error {
		if err := h.AddrAdd(dev, address(netip.PrefixFrom(addr, bits))); err != nil {
			return fmt.Errorf("%s: address %v: %w", device(link), addr, err)
		}
		if err := h.AddrDel(dev, address(netip.PrefixFrom(old, bits))); err != nil {
			return fmt.Errorf("%s: remove address %v: %w", device(link), old, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name(), err)
	}
	*slot = addr
	return n.lab.hub.reroute(hubPort{Node: n.index, Link: link, Addrs: []netip.Addr{n.place.addr4[link], n.place.addr6[link]}})
}
