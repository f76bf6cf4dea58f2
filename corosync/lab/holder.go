//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// controlFD is the descriptor of the socket between the lab and its helpers.
const controlFD = 3

// holderSpec is what a holder needs to know; it is the first thing on its control socket.
type holderSpec struct {
	Hostname string
	Private  string // directory of the run that takes what the node writes below /var/lib
	Binds    []bind // directories and files of the run, over those of the machine
}

// bind puts From (in the run directory) over To in the node.
type bind struct{ From, To string }

// privateMounts are empty in each node at first. /sys shows the node's own network devices; /proc its own processes.
var privateMounts = []struct{ fstype, target, data string }{
	{"tmpfs", "/dev/shm", "mode=1777"},
	{"tmpfs", "/run", "mode=0755"},
	{"sysfs", "/sys", ""},
	{"proc", "/proc", ""},
}

// runHolder makes a node out of the fresh namespaces in which it was started, says so, and then is their init until the lab
// goes away.
func runHolder() error {
	debug.SetGCPercent(20)
	control := os.NewFile(controlFD, "control")
	var spec holderSpec
	if err := json.NewDecoder(control).Decode(&spec); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := furnish(spec); err != nil {
		json.NewEncoder(control).Encode(reply{Err: err.Error()})
		return err
	}
	if err := json.NewEncoder(control).Encode(reply{}); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	go reap()
	go canary(json.NewEncoder(control))
	one := make([]byte, 1)
	control.Read(one) // nothing ever comes: it returns when the lab is gone
	return nil
}

const (
	canaryStep  = 20 * time.Millisecond
	canaryLimit = 50 * time.Millisecond // lateness from which on it is told
)

// canary measures what the machine does to an ordinary process of a node, however nice: it tells the lab of each time at which it did
// not run when it should have.
func canary(enc *json.Encoder) {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, niceMost) // without, it just measures a less lucky process
	clock := newClock()
	for {
		due := clock.now() + impair.Instant(canaryStep)
		time.Sleep(canaryStep)
		now := clock.now()
		if by := time.Duration(now - due); by >= canaryLimit && enc.Encode(Late{At: now, By: by}) != nil {
			return // the lab is gone
		}
	}
}

// reply is a helper's answer on its control socket.
type reply struct {
	Err string `json:",omitempty"`
}

func (r reply) error() error {
	if r.Err == "" {
		return nil
	}
	return errors.New(r.Err)
}

func furnish(spec holderSpec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("/: make private: %w", err)
	}
	overlay(spec.Private, "/var/lib")
	for _, b := range spec.Binds {
		if err := unix.Mount(b.From, b.To, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: bind over %s: %w", b.From, b.To, err)
		}
	}
	for _, m := range privateMounts {
		if err := unix.Mount("lab", m.target, m.fstype, unix.MS_NOSUID|unix.MS_NODEV, m.data); err != nil {
			return fmt.Errorf("%s: mount %s: %w", m.target, m.fstype, err)
		}
	}
	for _, dir := range []string{"/run/lock", "/run/corosync"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Sethostname([]byte(spec.Hostname)); err != nil {
		return fmt.Errorf("hostname %s: %w", spec.Hostname, err)
	}
	return sysctls()
}

// overlay lets what the node writes below target go to a directory of the run; what the machine has there can still be read. Where the
// kernel has no overlays, the node writes to the machine's own: no more than the state of its agent, if at all.
func overlay(private, target string) {
	upper, work := filepath.Join(private, "upper"), filepath.Join(private, "work")
	if os.MkdirAll(upper, 0o755) != nil || os.MkdirAll(work, 0o755) != nil {
		return
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", target, upper, work)
	_ = unix.Mount("lab", target, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options) // see above
}

// sysctls lets a node behave as one with ordinary network devices: TUN devices keep their IPv6 addresses over a link-down as ifupdown
// would restore them, and do not go looking for routers.
func sysctls() error {
	for key, value := range map[string]string{
		"net/ipv4/conf/default/promote_secondaries":  "1", // as systemd's defaults have it
		"net/ipv4/conf/all/promote_secondaries":      "1",
		"net/ipv6/conf/default/keep_addr_on_down":    "1",
		"net/ipv6/conf/all/keep_addr_on_down":        "1",
		"net/ipv6/conf/default/accept_dad":           "0",
		"net/ipv6/conf/default/router_solicitations": "0",
		"net/ipv6/conf/default/addr_gen_mode":        "1",
	} {
		if err := os.WriteFile(filepath.Join("/proc/sys", key), []byte(value), 0o644); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("sysctl %s: %w", strings.ReplaceAll(key, "/", "."), err)
		}
	}
	return nil
}

// reap takes the exit status of orphans: an init must.
func reap() {
	died := make(chan os.Signal, 1)
	signal.Notify(died, unix.SIGCHLD)
	for range died {
		for {
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 && !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
}
