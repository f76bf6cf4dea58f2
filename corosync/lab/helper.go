//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// helper is a re-execution of this program as holder or hub, with a control socket.
type helper struct {
	role    string
	cmd     *exec.Cmd
	control *os.File
	in      *json.Decoder // of control
	stderr  *lockedBuffer
	id      ProcessID
	done    chan struct{}
}

// namespaces are what a node has of its own.
const namespaces = unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// startHelper starts a helper, sends it its first message and waits for its reply.
func startHelper(s *spawner, role string, flags uintptr, first any) (*helper, error) {
	if !hooked.Load() {
		return nil, errors.New("lab: call lab.Main first in main or TestMain")
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: socket pair: %w", role, err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), role), os.NewFile(uintptr(pair[1]), role)
	defer theirs.Close()
	h := &helper{role: role, control: ours, in: json.NewDecoder(ours), stderr: &lockedBuffer{}, done: make(chan struct{})}
	h.cmd = exec.Command("/proc/self/exe")
	h.cmd.Args = []string{"quorumlab-" + role}
	// Signals that preempt goroutines would only interrupt the hub's thread.
	h.cmd.Env = append(childEnv(), roleEnv+"="+role, "GODEBUG=asyncpreemptoff=1")
	h.cmd.ExtraFiles = []*os.File{theirs}
	h.cmd.Stderr = h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Setsid: true} // a terminal's Ctrl-C is for the program only
	if err := s.start(h.cmd, role == roleHub); err != nil {
		ours.Close()
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	favour(h.cmd.Process.Pid, niceMost)
	go func() {
		h.cmd.Wait()
		close(h.done)
	}()
	if h.id, err = processID(h.cmd.Process.Pid); err == nil {
		err = h.greet(first)
	}
	if err != nil {
		h.kill()
		if said := strings.TrimSpace(string(h.stderr.Bytes())); said != "" {
			return nil, fmt.Errorf("%s: %w: %s", role, err, said)
		}
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	return h, nil
}

// greet sends the first message and waits for the answer.
func (h *helper) greet(first any) error {
	if err := json.NewEncoder(h.control).Encode(first); err != nil {
		return err
	}
	var r reply
	if err := h.in.Decode(&r); err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	return r.error()
}

func (h *helper) kill() {
	h.cmd.Process.Kill()
	<-h.done
	h.control.Close()
}
