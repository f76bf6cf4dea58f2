//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Command is a process to start inside a node.
type Command struct {
	Args   []string  // program and arguments
	Env    []string  // beside the lab's own environment
	Dir    string    // default: /
	Stdin  io.Reader // default: none
	Stdout io.Writer // default: the node's directory, PROGRAM.log
	Stderr io.Writer // default: as Stdout
	Nice   int       // -20 to 19; Corosync itself runs at -20
	Tied   bool      // stays in the caller's session, so that a terminal is its own and Ctrl-C reaches it
}

// Process is a process inside a node. It dies with the node.
type Process struct {
	name string
	cmd  *exec.Cmd
	out  *os.File // default output, if it was used
	done chan struct{}
	err  error // valid after done
}

// start runs the command in the namespaces of the holder.
func startIn(holder int, dir string, c Command) (*Process, error) {
	if len(c.Args) == 0 {
		return nil, errors.New("no program given")
	}
	p := &Process{name: c.Args[0], cmd: exec.Command(c.Args[0], c.Args[1:]...), done: make(chan struct{})}
	p.cmd.Env = append(childEnv(), c.Env...)
	p.cmd.Dir, p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = c.Dir, c.Stdin, c.Stdout, c.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: !c.Tied}
	if c.Dir == "" {
		p.cmd.Dir = "/"
	}
	if err := p.output(dir); err != nil {
		return nil, err
	}
	err := inNode(holder, func() error {
		if c.Nice != 0 {
			if err := unix.Setpriority(unix.PRIO_PROCESS, 0, c.Nice); err != nil { // this thread; children inherit
				return fmt.Errorf("nice %d: %w", c.Nice, err)
			}
		}
		return p.cmd.Start()
	})
	if p.out != nil {
		defer p.out.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	if !c.Tied {
		favour(p.cmd.Process.Pid, c.Nice)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// niceMost is the highest priority of ordinary processes, and Corosync's own with "priority: max".
const niceMost = -20

// favour makes nice hold against other sessions, too: with autogroups (sched(7)) it only counts within one. A kernel without them needs
// nothing.
func favour(pid, nice int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte(strconv.Itoa(nice)), 0)
}

func (p *Process) output(dir string) error {
	if p.cmd.Stdout != nil && p.cmd.Stderr != nil {
		return nil
	}
	if p.cmd.Stdout != nil {
		p.cmd.Stderr = p.cmd.Stdout
		return nil
	}
	file := dir
	if dir != os.DevNull {
		file = filepath.Join(dir, filepath.Base(p.name)+".log")
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	p.out, p.cmd.Stdout = f, f
	if p.cmd.Stderr == nil {
		p.cmd.Stderr = f
	}
	return nil
}

// childEnv is the environment without what makes a program a holder or hub.
func childEnv() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, roleEnv+"=") {
			env = append(env, e)
		}
	}
	return env
}

// PID returns the process id as the machine (not the node) numbers it.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Wait waits for the end of the process or of ctx. A process that did not exit with 0 gives an *exec.ExitError.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", p.name, ctx.Err())
	}
}

// Signal sends a signal. One that has ended already is no error.
func (p *Process) Signal(sig syscall.Signal) error {
	if !p.Running() {
		return nil
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %v: %w", p.name, sig, err)
	}
	return nil
}

// Stop ends the process with SIGTERM, and with SIGKILL when it is still there after grace.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// run runs a command to its end and returns its standard output. When ctx ends first, it is killed.
func runIn(ctx context.Context, holder int, args ...string) ([]byte, error) {
	var stdout, stderr lockedBuffer
	p, err := startIn(holder, "", Command{Args: args, Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		return nil, err
	}
	if err := p.Wait(ctx); err != nil {
		if p.Running() {
			p.Signal(syscall.SIGKILL)
			<-p.done
		}
		if text := strings.TrimSpace(string(stderr.Bytes())); text != "" {
			return stdout.Bytes(), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, text)
		}
		return stdout.Bytes(), fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return stdout.Bytes(), nil
}

// lockedBuffer may be read while a process still writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// Bytes returns a copy.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}
