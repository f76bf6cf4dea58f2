//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Daemon is the Corosync of one node. Its methods may be called from any goroutine.
type Daemon struct {
	node *Node

	mu     sync.Mutex
	proc   *Process
	pauses []span // times in which it was stopped on purpose
}

// span is a stretch of time; a zero end means that it goes on.
type span struct{ from, to time.Time }

// stopGrace is how long a daemon may take to leave the cluster before it is killed.
const stopGrace = 10 * time.Second

// Start starts the daemon. It returns when the process is there, not when it is a member of anything. One that runs is an error.
func (d *Daemon) Start(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.proc != nil && d.proc.Running() {
		return fmt.Errorf("%s: corosync: runs already", d.node.Name())
	}
	p, err := d.node.Start(Command{Args: []string{"corosync", "-f"}, Nice: niceMost})
	if err != nil {
		return err
	}
	d.proc = p
	return nil
}

// Stop ends the daemon as its service manager would: it leaves the cluster in an orderly way.
func (d *Daemon) Stop() error {
	if p := d.process(); p != nil {
		return p.Stop(stopGrace)
	}
	return nil
}

// Kill ends the daemon with SIGKILL.
func (d *Daemon) Kill() error {
	p := d.process()
	if p == nil {
		return nil
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Pause stops the process (SIGSTOP), as a host that hangs does.
func (d *Daemon) Pause() error {
	d.mu.Lock()
	d.pauses = append(d.pauses, span{from: time.Now()})
	d.mu.Unlock()
	return d.signal(syscall.SIGSTOP)
}

// Resume lets a paused process go on.
func (d *Daemon) Resume() error {
	err := d.signal(syscall.SIGCONT)
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.pauses); n > 0 && d.pauses[n-1].to.IsZero() {
		d.pauses[n-1].to = time.Now()
	}
	return err
}

// Running reports whether the process is there (paused ones are).
func (d *Daemon) Running() bool {
	p := d.process()
	return p != nil && p.Running()
}

// Process returns the process that was started last, nil before.
func (d *Daemon) Process() *Process { return d.process() }

// Output is what the daemon printed on its standard output and error, all starts together.
func (d *Daemon) Output() string {
	b, err := os.ReadFile(filepath.Join(d.node.dir, "corosync.log"))
	if err != nil {
		return ""
	}
	return string(b)
}

func (d *Daemon) process() *Process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.proc
}

func (d *Daemon) signal(sig syscall.Signal) error {
	if p := d.process(); p != nil {
		return p.Signal(sig)
	}
	return fmt.Errorf("%s: corosync: was never started", d.node.Name())
}

// pausedNear reports whether the daemon was stopped on purpose at t or within slack before it.
func (d *Daemon) pausedNear(t time.Time, slack time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.pauses, func(s span) bool {
		return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to.Add(slack)))
	})
}

// Membership is what a node's quorum service shows.
type Membership struct {
	RingID  string // as printed: REP.SEQ, both hexadecimal
	Quorate bool
	Members []uint32 // ascending
}

// String is one line for people.
func (m Membership) String() string {
	return fmt.Sprintf("ring %s, members %v, quorate %v", m.RingID, m.Members, m.Quorate)
}

// Membership asks corosync-quorumtool. While Corosync forms a new membership, it shows the old one.
func (n *Node) Membership(ctx context.Context) (Membership, error) {
	return membership(n.Run(ctx, "corosync-quorumtool", "-s"))
}

func membership(out []byte, err error) (Membership, error) {
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 2) { // 2: not quorate
		return Membership{}, err
	}
	return parseQuorum(string(out))
}

// parseQuorum reads the output of corosync-quorumtool -s (tools/corosync-quorumtool.c display_quorum_data).
func parseQuorum(text string) (Membership, error) {
	var m Membership
	table := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case ok && key == "Ring ID":
			m.RingID = value
		case ok && key == "Quorate":
			m.Quorate = value == "Yes"
		case strings.HasPrefix(line, "Nodeid"):
			table = true
		case table:
			id, err := strconv.ParseUint(firstField(line), 10, 32)
			if err == nil && id != 0 { // 0: the quorum device
				m.Members = append(m.Members, uint32(id))
			}
		}
	}
	if m.RingID == "" {
		return m, fmt.Errorf("corosync-quorumtool: no ring id in %q", text)
	}
	slices.Sort(m.Members)
	return m, nil
}

func firstField(line string) string {
	field, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return field
}
