//go:build linux

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// spawner starts processes from one thread that lives as long as the lab. A parent-death signal is tied to the thread that
// forked, and threads of the Go runtime come and go.
type spawner struct {
	work chan func()
	done chan struct{}
}

func newSpawner() *spawner {
	s := &spawner{work: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for f := range s.work {
			f()
		}
	}()
	return s
}

// start starts the command with SIGKILL as its parent-death signal; under SCHED_FIFO, if that is wanted and possible.
func (s *spawner) start(cmd *exec.Cmd, realtime bool) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	err := make(chan error)
	s.work <- func() {
		if realtime && setRealtime() == nil {
			defer unsetRealtime()
		}
		err <- cmd.Start()
	}
	return <-err
}

// setRealtime puts this thread, and what it starts, under SCHED_FIFO.
func setRealtime() error {
	attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: hubPriority}
	if err := unix.SchedSetAttr(0, attr, 0); err != nil {
		return fmt.Errorf("SCHED_FIFO: %w", err)
	}
	return nil
}

func unsetRealtime() error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0)
}

// close ends the thread; what it started and still runs is killed by the kernel.
func (s *spawner) close() {
	close(s.work)
	<-s.done
}

// inNet runs f on a thread that is in the network namespace of process pid. Sockets that f makes stay in it. f must not hand the
// making of sockets to other goroutines.
func inNet(pid int, f func() error) error {
	return onThread(func() error {
		if err := enter(pid, "net", unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

// inNode runs f on a thread that is in all namespaces of process pid; processes that f starts are nodes' processes.
func inNode(pid int, f func() error) error {
	return onThread(func() error {
		// The root directory is shared between threads; a mount namespace cannot be entered before that ends.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		for _, ns := range []struct {
			name string
			flag int
		}{
			{"net", unix.CLONE_NEWNET}, {"uts", unix.CLONE_NEWUTS}, {"ipc", unix.CLONE_NEWIPC},
			{"pid", unix.CLONE_NEWPID}, {"mnt", unix.CLONE_NEWNS},
		} {
			if err := enter(pid, ns.name, ns.flag); err != nil {
				return err
			}
		}
		return f()
	})
}

// onThread runs f on a thread of its own that ends afterwards, so that what f changes in it cannot leak.
func onThread(f func() error) error {
	err := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		err <- f()
	}()
	return <-err
}

func enter(pid int, name string, flag int) error {
	path := fmt.Sprintf("/proc/%d/ns/%s", pid, name)
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("node's holder: %w", err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), flag); err != nil {
		return fmt.Errorf("%s: setns: %w", path, err)
	}
	return nil
}
