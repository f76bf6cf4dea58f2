//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SingleSpec is one daemon with a corosync.conf of the caller's.
type SingleSpec struct {
	Conf     []byte                // corosync.conf, verbatim
	Hostname string                // default: localhost-like "single"
	Addrs    []netip.Addr          // addresses of the node, on one interface: /24 or /64 each
	Hosts    map[string]netip.Addr // further lines of /etc/hosts
	Key      []byte                // /etc/corosync/authkey; nil: a random one
	NoKey    bool                  // no authkey at all
	NoConf   bool                  // no corosync.conf at all
	Dir      string                // directory of all runs; default /run/quorumlab
}

// SingleResult is what the daemon made of it.
type SingleResult struct {
	Accepted bool
	Exit     int    // exit status of a daemon that ended; -1 when a signal ended it
	Output   string // what it printed on standard output and error (log lines too, unless the configuration sends them elsewhere)
	Log      string // /var/log/corosync/corosync.log, if the configuration has it
	Cmap     []byte // accepted: corosync-cmapctl
	Stats    []byte // accepted: corosync-cmapctl -m stats
	Quorum   []byte // accepted: corosync-quorumtool -s, may be empty when no quorum provider is set
}

const (
	singlePoll = 30 * time.Millisecond
	singleWait = 15 * time.Second
)

// Single starts one real daemon, waits until it answers or ends, and tells which. An error means that no answer could be had,
// not that the configuration was refused.
func Single(ctx context.Context, spec SingleSpec) (SingleResult, error) {
	if spec.Dir == "" {
		spec.Dir = defaultDir
	}
	if spec.Hostname == "" {
		spec.Hostname = "single"
	}
	lock, err := lockLabs(ctx, unix.LOCK_SH, true, "")
	if err != nil {
		return SingleResult{}, fmt.Errorf("lab: %w", err)
	}
	defer lock.Close()
	ctx, cancel := context.WithTimeout(ctx, singleWait)
	defer cancel()
	if err := os.MkdirAll(spec.Dir, 0o755); err != nil {
		return SingleResult{}, err
	}
	dir, err := os.MkdirTemp(spec.Dir, "single-")
	if err != nil {
		return SingleResult{}, err
	}
	defer os.RemoveAll(dir)
	r, err := spec.run(ctx, dir)
	if err != nil {
		return r, fmt.Errorf("lab: single daemon: %w", err)
	}
	return r, nil
}

func (spec SingleSpec) run(ctx context.Context, dir string) (SingleResult, error) {
	self, err := processID(os.Getpid())
	if err != nil {
		return SingleResult{}, err
	}
	record := Record{Name: filepath.Base(dir), Dir: dir, Started: time.Now(), Lab: self}
	if err := record.write(); err != nil {
		return SingleResult{}, err
	}
	if err := spec.files().write(dir); err != nil {
		return SingleResult{}, err
	}
	s := newSpawner()
	defer s.close()
	n := &Node{dir: dir}
	h, err := startHelper(s, roleHolder, namespaces, holderSpec{Hostname: spec.Hostname, Private: filepath.Join(n.dir, "private"), Binds: n.binds()})
	if err != nil {
		return SingleResult{}, err
	}
	defer h.kill()
	fd, err := spec.network(h.id.PID)
	if err != nil {
		return SingleResult{}, err
	}
	defer unix.Close(fd)
	p, err := startIn(h.id.PID, dir, Command{Args: []string{"corosync", "-f"}})
	if err != nil {
		return SingleResult{}, err
	}
	return spec.outcome(ctx, dir, h.id.PID, p)
}

func (spec SingleSpec) files() nodeFiles {
	hosts := "127.0.0.1 localhost\n::1 localhost\n"
	for name, addr := range spec.Hosts {
		hosts += fmt.Sprintf("%v %s\n", addr, name)
	}
	f := nodeFiles{conf: spec.Conf, key: spec.Key, hosts: hosts}
	if f.conf == nil && !spec.NoConf {
		f.conf = []byte{}
	}
	if f.key == nil && !spec.NoKey {
		f.key = newKey()
	}
	return f
}

// network makes the node's interface; nobody is at its other end.
func (spec SingleSpec) network(holder int) (fd int, err error) {
	fd, err = openTUN(holder, device(0))
	if err != nil {
		return -1, err
	}
	var addrs []netip.Prefix
	for _, a := range spec.Addrs {
		bits := 24
		if a.Is6() {
			bits = 64
		}
		addrs = append(addrs, netip.PrefixFrom(a, bits))
	}
	if err := upTUN(holder, device(0), defaultMTU, addrs...); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// outcome waits until the daemon has ended or has formed its own membership.
func (spec SingleSpec) outcome(ctx context.Context, dir string, holder int, p *Process) (SingleResult, error) {
	r := SingleResult{}
	for {
		select {
		case <-p.Done():
			r.Exit = p.cmd.ProcessState.ExitCode()
			r.Output, r.Log = text(filepath.Join(dir, "corosync.log")), text(filepath.Join(dir, "log", "corosync.log"))
			return r, nil
		case <-ctx.Done():
			return r, fmt.Errorf("neither serves nor ends: %w: %s", ctx.Err(), text(filepath.Join(dir, "corosync.log")))
		case <-time.After(singlePoll):
		}
		out, err := runIn(ctx, holder, "corosync-cmapctl")
		if err != nil || !strings.Contains(string(out), "runtime.members.") {
			continue
		}
		r.Accepted, r.Cmap = true, out
		if r.Stats, err = runIn(ctx, holder, "corosync-cmapctl", "-m", "stats"); err != nil {
			return r, err
		}
		r.Quorum, err = runIn(ctx, holder, "corosync-quorumtool", "-s")
		if err != nil && len(r.Quorum) == 0 {
			r.Quorum = nil // no provider: that is not the daemon's refusal
		}
		r.Output, r.Log = text(filepath.Join(dir, "corosync.log")), text(filepath.Join(dir, "log", "corosync.log"))
		return r, nil
	}
}

func text(file string) string {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return string(b)
}
