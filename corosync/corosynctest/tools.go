package corosynctest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

// Tools are Corosync's tools on a node whose daemon does as the test says. It is a ctl.Runner for use in a synctest bubble:
// a call takes Latency of the bubble's time and no process.
type Tools struct {
	mu      sync.Mutex
	latency time.Duration
	state   corosync.Daemon
	outputs Recording
	answers map[string]ctl.Output
	wake    chan struct{} // closed at every change of state
	streams map[string][]*following
	calls   map[string]int
}

// following is a tool that streams.
type following struct {
	lines chan string
	ended chan struct{}
}

// NewTools returns tools whose daemon runs and answers as in the recording.
func NewTools(r Recording) *Tools {
	return &Tools{
		latency: 10 * time.Millisecond, // the real ones take 4 to 25 ms
		state:   corosync.DaemonRunning,
		outputs: r,
		answers: map[string]ctl.Output{},
		wake:    make(chan struct{}),
		streams: map[string][]*following{},
		calls:   map[string]int{},
	}
}

// Set makes the daemon stop, start, hang, ... What followed it ends when it stops.
func (t *Tools) Set(state corosync.Daemon) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = state
	close(t.wake)
	t.wake = make(chan struct{})
}

// Take makes a call take d.
func (t *Tools) Take(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latency = d
}

// Answer makes the tools answer as in another recording.
func (t *Tools) Answer(r Recording) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outputs = r
}

// AnswerWith overrides the answer to the calls of a tool whose arguments begin with args.
func (t *Tools) AnswerWith(out ctl.Output, name string, args ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.answers[strings.Join(append([]string{name}, args...), " ")] = out
}

// Say lets what runs as a stream of this tool ("corosync-cmapctl", "corosync-quorumtool", "journalctl", "tail") print
// lines. It reports whether any ran.
func (t *Tools) Say(tool string, lines ...string) bool {
	t.mu.Lock()
	streams := slices.Clone(t.streams[tool])
	t.mu.Unlock()
	for _, s := range streams {
		for _, line := range lines {
			select {
			case s.lines <- line:
			case <-s.ended:
			}
		}
	}
	return len(streams) > 0
}

// Calls counts the calls since the beginning or the last Reset, by command.
func (t *Tools) Calls() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.calls)
}

// Reset starts counting anew.
func (t *Tools) Reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.calls)
}

// Run implements ctl.Runner.
func (t *Tools) Run(ctx context.Context, name string, args ...string) (ctl.Output, error) {
	command := strings.Join(append([]string{name}, args...), " ")
	t.mu.Lock()
	t.calls[command]++
	latency := t.latency
	t.mu.Unlock()
	if err := pause(ctx, name, latency); err != nil {
		return ctl.Output{}, err
	}
	for {
		t.mu.Lock()
		state, wake, out := t.state, t.wake, t.answer(name, command, args)
		t.mu.Unlock()
		switch state {
		case corosync.DaemonRunning:
			return out, nil
		case corosync.DaemonAbsent:
			return ctl.Output{}, fmt.Errorf("%s: %w", name, ctl.ErrAbsent)
		case corosync.DaemonHanging:
			select {
			case <-wake:
			case <-ctx.Done():
				return ctl.Output{}, fmt.Errorf("%s: %w", name, ctx.Err())
			}
		case corosync.DaemonStarting:
			if name == "corosync-cmapctl" { // it would wait and try ten times
				if err := pause(ctx, name, time.Second); err != nil {
					return ctl.Output{}, err
				}
				continue
			}
			return complaint(name, 6), nil
		case corosync.DaemonDenied:
			return complaint(name, 11), nil
		default:
			return complaint(name, 2), nil
		}
	}
}

// answer is what a running daemon's tool prints. The lock is held.
func (t *Tools) answer(name, command string, args []string) ctl.Output {
	for prefix, out := range t.answers {
		if strings.HasPrefix(command, prefix) {
			return out
		}
	}
	return t.outputs.Output(name, args...)
}

// Stream implements ctl.Runner.
func (t *Tools) Stream(ctx context.Context, line func(string), name string, args ...string) (ctl.Output, error) {
	command := strings.Join(append([]string{name}, args...), " ")
	me := &following{make(chan string), make(chan struct{})}
	t.mu.Lock()
	t.calls[command]++
	t.streams[name] = append(t.streams[name], me)
	t.mu.Unlock()
	defer func() {
		close(me.ended)
		t.mu.Lock()
		t.streams[name] = slices.DeleteFunc(t.streams[name], func(f *following) bool { return f == me })
		t.mu.Unlock()
	}()
	if name == "corosync-cmapctl" {
		line(`Type "q" to finish`)
	}
	for {
		t.mu.Lock()
		state, wake := t.state, t.wake
		t.mu.Unlock()
		if state == corosync.DaemonAbsent {
			return ctl.Output{}, fmt.Errorf("%s: %w", name, ctl.ErrAbsent)
		}
		if strings.HasPrefix(name, "corosync-") && state != corosync.DaemonRunning && state != corosync.DaemonHanging {
			return ctl.Output{Stderr: "Dispatch error CS_ERR_LIBRARY\n"}, nil
		}
		select {
		case text := <-me.lines:
			line(text)
		case <-wake:
		case <-ctx.Done():
			return ctl.Output{}, fmt.Errorf("%s: %w", name, ctx.Err())
		}
	}
}

// complaint is how the tools of Corosync 3.1.7 give up, recorded.
func complaint(name string, code int) ctl.Output {
	words := map[int]string{2: "CS_ERR_LIBRARY", 6: "CS_ERR_TRY_AGAIN", 11: "CS_ERR_ACCESS"}
	text := "Cannot initialize CMAP service\n"
	switch name {
	case "corosync-cfgtool":
		text = fmt.Sprintf("Could not initialize corosync configuration API error %d\n", code)
	case "corosync-cmapctl":
		text = "Failed to initialize the cmap API. Error " + words[code] + "\n"
	}
	return ctl.Output{Stderr: text, Code: 1}
}

func pause(ctx context.Context, name string, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", name, ctx.Err())
	}
}
