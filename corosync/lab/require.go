//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// TB is the part of testing.TB that Require needs.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test, saying why, where a lab cannot run. With CI=true and root in the environment it fails the test instead: there
// nothing may be left out quietly.
func Require(t TB) {
	t.Helper()
	err := Check()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		t.Fatalf("CI=true and root, so the lab must run: %v", err)
	}
	t.Skipf("SKIPPED: no real-Corosync lab here: %v", err)
}

// programs of a node.
var programs = []string{"corosync", "corosync-cmapctl", "corosync-quorumtool", "corosync-cfgtool"}

// Check says what a lab misses on this machine; nil when it can run.
func Check() error {
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	var errs []error
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			errs = append(errs, fmt.Errorf("%s: not installed (Debian: apt-get install corosync)", p))
		}
	}
	for _, dir := range []string{"/etc/corosync", "/var/lib/corosync", "/var/log/corosync"} {
		if _, err := os.Stat(dir); err != nil {
			errs = append(errs, fmt.Errorf("%w: nodes mount their own over it", err))
		}
	}
	return errors.Join(append(errs, checkTUN())...)
}

// checkTUN makes a TUN device in a network namespace of its own, and so tries both.
func checkTUN() error {
	return onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("network namespaces: %w", err)
		}
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("/dev/net/tun: %w", err)
		}
		defer unix.Close(fd)
		req, err := unix.NewIfreq(device(0))
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			return fmt.Errorf("/dev/net/tun: make a device: %w", err)
		}
		return nil
	})
}

// CheckRealtime says whether the hub can run under SCHED_FIFO. Without it a lab runs, but doubtfully.
func CheckRealtime() error {
	return onThread(setRealtime)
}

// CheckLoad says whether the load of Spec.Load can be built.
func CheckLoad() error {
	dir, err := os.MkdirTemp("", "quorumlab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return buildLoad(context.Background(), filepath.Join(dir, "cpgload"))
}
