//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Qdevice asks for a quorum device: a corosync-qnetd in namespaces of its own, and a corosync-qdevice on each node that reaches it
// without the links, over a connection that can be cut.
type Qdevice struct {
	Votes   int      // quorum.device.votes; 0: not written
	Options []Option // further options of device{}: timeout, sync_timeout
	Net     []Option // options of net{} beside host and tls: algorithm, tie_breaker
}

// write adds device{} to quorum{}, without TLS: the lab makes no certificates.
func (q *Qdevice) write(b *strings.Builder) {
	if q == nil {
		return
	}
	device := []Option{{"model", "net"}}
	if q.Votes > 0 {
		device = append(device, Option{"votes", strconv.Itoa(q.Votes)})
	}
	section(b, "  ", "device", merge(device, q.Options), func() {
		section(b, "    ", "net", merge([]Option{{"host", "127.0.0.1"}, {"tls", "off"}}, q.Net), nil)
	})
}

// qnetdPort is the server's (qdevices/qnet-config.h QNETD_DEFAULT_HOST_PORT).
const qnetdPort = "5403"

// CheckQdevice says what a quorum device misses on this machine, beside what Check says.
func CheckQdevice() error {
	var errs []error
	for _, p := range []string{"corosync-qnetd", "corosync-qdevice"} {
		if _, err := exec.LookPath(p); err != nil {
			errs = append(errs, fmt.Errorf("%s: not installed (Debian: apt-get install %s)", p, p))
		}
	}
	return errors.Join(errs...)
}

// Qnetd is the server of the quorum device.
type Qnetd struct {
	dir     string
	holder  *helper
	process *Process
	doors   map[string]*door // by node
}

// StartDevice starts the server and then a corosync-qdevice on each node, where Corosync must run already. It does not wait for votes.
func (l *Lab) StartDevice(ctx context.Context) error {
	if l.layout.Device == nil {
		return errors.New("lab: no quorum device in the Spec")
	}
	q, err := l.newQnetd()
	if err != nil {
		return fmt.Errorf("qnetd: %w", err)
	}
	for _, n := range l.nodes {
		door, err := openDoor(ctx, n, q.holder.id.PID)
		if err != nil {
			return fmt.Errorf("qnetd: %w", err)
		}
		q.doors[n.Name()] = door
		if err := n.StartQdevice(); err != nil {
			return err
		}
	}
	return nil
}

// Qnetd is the server of the quorum device, nil before StartDevice.
func (l *Lab) Qnetd() *Qnetd { return l.qnetd }

// StartQdevice starts the node's corosync-qdevice. It ends by itself when the node's Corosync does.
func (n *Node) StartQdevice() error {
	_, err := n.Start(Command{Args: []string{"corosync-qdevice", "-f", "-S", runFiles("qdevice")}, Nice: niceMost})
	return err
}

// runFiles keeps what a daemon puts below /run in places that every node has.
func runFiles(name string) string {
	return fmt.Sprintf("lock_file=/run/%s.pid,local_socket_file=/run/%s.sock", name, name)
}

func (l *Lab) newQnetd() (*Qnetd, error) {
	q := &Qnetd{dir: filepath.Join(l.dir, "qnetd"), doors: map[string]*door{}}
	l.qnetd = q // from here on, Close ends it
	if err := os.MkdirAll(q.dir, 0o755); err != nil {
		return nil, err
	}
	var err error
	q.holder, err = startHelper(l.spawner, roleHolder, namespaces, holderSpec{Hostname: "qnetd", Private: filepath.Join(q.dir, "private")})
	if err != nil {
		return nil, err
	}
	if err := inNet(q.holder.id.PID, loopbackUp); err != nil {
		return nil, err
	}
	return q, q.Start()
}

// Start starts the server; at first StartDevice does that.
func (q *Qnetd) Start() error {
	p, err := startIn(q.holder.id.PID, q.dir, Command{
		Args: []string{"corosync-qnetd", "-f", "-s", "off", "-4", "-S", runFiles("qnetd")}, Nice: niceMost,
	})
	q.process = p
	return err
}

// Stop ends the server.
func (q *Qnetd) Stop() error { return q.process.Stop(stopGrace) }

// Output is what the server printed.
func (q *Qnetd) Output() string {
	b, _ := os.ReadFile(filepath.Join(q.dir, "corosync-qnetd.log"))
	return string(b)
}

// Reach lets just these nodes reach the server. Connections of the others are reset, and so are new ones, as by a firewall that rejects.
func (q *Qnetd) Reach(nodes ...string) {
	near := map[string]bool{}
	for _, n := range nodes {
		near[n] = true
	}
	for name, d := range q.doors {
		d.set(near[name])
	}
}

// Reaching are the nodes that reach the server.
func (q *Qnetd) Reaching() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(q.doors)), func(n string) bool { return !q.doors[n].isOpen() })
}

func (q *Qnetd) close() {
	for _, d := range q.doors {
		d.close()
	}
	if q.holder != nil {
		q.holder.kill()
	}
}

func loopbackUp() error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	return upLoopback(h)
}

// door is the server's port on the loopback of one node. It passes connections on into the server's namespace.
type door struct {
	listener net.Listener
	server   int // pid of the server's holder

	mu    sync.Mutex
	open  bool
	conns map[net.Conn]bool
}

func openDoor(ctx context.Context, n *Node, server int) (*door, error) {
	d := &door{server: server, open: true, conns: map[net.Conn]bool{}}
	err := n.Do(func() (err error) {
		d.listener, err = new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:"+qnetdPort)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Name(), err)
	}
	go d.serve()
	return d, nil
}

func (d *door) serve() {
	for {
		in, err := d.listener.Accept()
		if err != nil {
			return // closed
		}
		go d.pass(in)
	}
}

// pass moves bytes both ways until one side is done with it or the door shuts.
func (d *door) pass(in net.Conn) {
	defer d.drop(in)
	var out net.Conn
	err := inNet(d.server, func() (err error) {
		out, err = net.Dial("tcp4", "127.0.0.1:"+qnetdPort)
		return err
	})
	if err != nil || !d.keep(in, out) {
		return
	}
	defer d.drop(out)
	go func() {
		io.Copy(out, in)
		d.drop(out)
	}()
	io.Copy(in, out)
}

func (d *door) keep(conns ...net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range conns {
		d.conns[c] = true
	}
	if !d.open {
		for _, c := range conns {
			c.Close()
		}
	}
	return d.open
}

func (d *door) drop(c net.Conn) {
	c.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
}

func (d *door) set(open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = open
	for c := range d.conns {
		if !open {
			c.Close()
		}
	}
}

func (d *door) isOpen() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

func (d *door) close() {
	d.listener.Close()
	d.set(false)
}
