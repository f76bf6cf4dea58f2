//go:build linux

package agent_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/probe"
)

// A role is what the test binary does as a process of the benchmark: it starts, writes a line, answers each line that it reads
// with one, and ends with its input.
const (
	roleVariable = "QUORUMWATCH_BENCH_ROLE"
	dirVariable  = "QUORUMWATCH_BENCH_DIR"
	roleAgent    = "agent"
	rolePeers    = "peers"
)

// role is a running process.
type role struct {
	b   *testing.B
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startRole(b *testing.B, name, dir string) *role {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	r := &role{b: b, cmd: exec.CommandContext(b.Context(), self)}
	r.cmd.Env = append(os.Environ(), roleVariable+"="+name, dirVariable+"="+dir)
	r.cmd.Stderr = os.Stderr
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	r.out = bufio.NewReader(out)
	if err := withTimerSlack(r.cmd.Start); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.end)
	r.line()
	return r
}

// withTimerSlack starts a process with the TimerSlackNSec of examples/quorumwatch.service: it is inherited.
func withTimerSlack(start func() error) error {
	const prSetTimerslack = 29
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerslack, uintptr(2*time.Millisecond), 0)
	defer func() { _, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerslack, 0, 0) }() // back to the default
	return start()
}

func (r *role) pid() int { return r.cmd.Process.Pid }

func (r *role) line() string {
	r.b.Helper()
	line, err := r.out.ReadString('\n')
	if err != nil {
		r.b.Fatalf("process of the benchmark: %v", err)
	}
	return strings.TrimSpace(line)
}

// say writes a line and returns the answer.
func (r *role) say(text string) string {
	r.b.Helper()
	if _, err := fmt.Fprintln(r.in, text); err != nil {
		r.b.Fatal(err)
	}
	return r.line()
}

// end ends the process, once.
func (r *role) end() {
	if r.cmd.ProcessState == nil {
		_ = r.in.Close()
		_ = r.cmd.Wait()
	}
}

// counts is what the peers counted.
type counts struct{ Sent, Replies, Requests, Reflected uint64 }

func (c counts) since(o counts) counts {
	return counts{c.Sent - o.Sent, c.Replies - o.Replies, c.Requests - o.Requests, c.Reflected - o.Reflected}
}

func (r *role) counters() (c counts) {
	r.b.Helper()
	if err := json.Unmarshal([]byte(r.say("counters")), &c); err != nil {
		r.b.Fatal(err)
	}
	return c
}

// scrape fetches the metrics as a busy Prometheus does until the returned function is called.
func scrape(b *testing.B, where string) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if r, err := http.Get(where + "/metrics"); err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
			}
			select {
			case <-ctx.Done():
			case <-time.After(scrapeEvery):
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

func fetch(b *testing.B, url string, v any) {
	b.Helper()
	r, err := http.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		b.Fatalf("%s: %v", url, err)
	}
}

// playRole is the whole life of such a process.
func playRole(name string) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var run func(context.Context) error
	var answer func() string
	var err error
	switch name {
	case roleAgent:
		run, answer, err = newAgentRole(os.Getenv(dirVariable))
	case rolePeers:
		run, answer, err = newPeersRole()
	default:
		err = fmt.Errorf("no role %q", name)
	}
	if err == nil {
		err = play(ctx, stop, run, answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", name+":", err)
		return 1
	}
	return 0
}

func play(ctx context.Context, stop func(), run func(context.Context) error, answer func() string) error {
	var wg sync.WaitGroup
	var err error
	wg.Go(func() { err = run(ctx) })
	fmt.Println("started")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(answer())
	}
	stop()
	wg.Wait()
	return err
}

// newAgentRole is the agent under test: node 1, as the command builds it, but for a double of Corosync.
func newAgentRole(dir string) (run func(context.Context) error, answer func() string, err error) {
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0)))
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for a free port
	if err != nil {
		return nil, nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, nil, err
	}
	file := filepath.Join(dir, "corosync.conf")
	if err := os.WriteFile(file, []byte(meshConf()), 0o600); err != nil {
		return nil, nil, err
	}
	daemon, err := newStillDaemon()
	if err != nil {
		return nil, nil, err
	}
	a := agent.New(agent.Config{
		Software: "bench", Hostname: meshName(1), LocalAddrs: meshAddrs,
		ReadConf: agent.ConfFile(file), ConfEvents: agent.WatchFile(file),
		Daemon: daemon,
		Probe:  agent.Probe{Network: network(), NewPacer: newPacer, Port: probe.DefaultPort},
		Settings: agent.Settings{
			Sites: meshSites(), Interval: meshInterval, FullSize: fullSize, FullSizeInterval: fullInterval, Key: meshKey,
		},
		Listen: []string{address},
		Log:    zerolog.New(os.Stderr).Level(zerolog.ErrorLevel),
	})
	return profiled(a.Run), func() string { return "http://" + address }, nil
}

// profiled writes profiles of run, if a folder for them is named.
func profiled(run func(context.Context) error) func(context.Context) error {
	dir := os.Getenv("QUORUMWATCH_BENCH_PROFILE")
	if dir == "" {
		return run
	}
	return func(ctx context.Context) error {
		runtime.MemProfileRate = 16 << 10
		f, err := os.Create(filepath.Join(dir, "cpu.pprof"))
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer writeProfile(filepath.Join(dir, "allocs.pprof"))
		defer pprof.StopCPUProfile()
		return run(ctx)
	}
}

func writeProfile(name string) {
	f, err := os.Create(name)
	if err != nil {
		return
	}
	defer f.Close()
	_ = pprof.Lookup("allocs").WriteTo(f, 0)
}
