//go:build linux

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// logPoll is how often a log file is looked at.
const logPoll = 25 * time.Millisecond

// Log follows the Corosync log of one node. Its methods may be called from any goroutine.
type Log struct {
	node string
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	lines []Line
	grown chan struct{} // closed and replaced when lines come
}

// followLog reads the file from its beginning until close, whenever it comes to be.
func followLog(node, file string) *Log {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Log{node: node, stop: cancel, done: make(chan struct{}), grown: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.follow(ctx, file)
	}()
	return l
}

func (l *Log) close() {
	l.stop()
	<-l.done
}

func (l *Log) follow(ctx context.Context, file string) {
	var f *os.File
	var rest []byte
	buf := make([]byte, 64<<10)
	poll := time.NewTicker(logPoll)
	defer poll.Stop()
	for {
		if f == nil {
			f, _ = os.Open(file) // not there yet: next time
		}
		for f != nil {
			n, err := f.Read(buf)
			rest = l.take(append(rest, buf[:n]...))
			if n == 0 || err != nil {
				if err != nil && !errors.Is(err, io.EOF) {
					f.Close()
					return
				}
				break
			}
		}
		select {
		case <-ctx.Done():
			if f != nil {
				f.Close()
			}
			return
		case <-poll.C:
		}
	}
}

// take stores all whole lines and returns the rest.
func (l *Log) take(b []byte) []byte {
	now := time.Now()
	var lines []Line
	for {
		text, rest, ok := bytes.Cut(b, []byte{'\n'})
		if !ok {
			break
		}
		b = rest
		if line, ok := parseLine(string(text), now); ok {
			line.Node = l.node
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		l.mu.Lock()
		l.lines = append(l.lines, lines...)
		close(l.grown)
		l.grown = make(chan struct{})
		l.mu.Unlock()
	}
	return bytes.Clone(b)
}

// Lines returns all lines so far, from the i-th on.
func (l *Log) Lines(i int) []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines[min(max(i, 0), len(l.lines)):])
}

// Since returns the lines that Corosync stamped at t or later.
func (l *Log) Since(t time.Time) []Line {
	return slices.DeleteFunc(l.Lines(0), func(line Line) bool { return line.At.Before(stamp(t)) })
}

// Wait returns the first line stamped at since or later for which match reports true, as soon as there is one.
func (l *Log) Wait(ctx context.Context, since time.Time, match func(Line) bool) (Line, error) {
	for next := 0; ; {
		l.mu.Lock()
		lines, grown := l.lines[next:], l.grown
		next = len(l.lines)
		l.mu.Unlock()
		for _, line := range lines {
			if !line.At.Before(stamp(since)) && match(line) {
				return line, nil
			}
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return Line{}, fmt.Errorf("%s: corosync's log: no such line: %w", l.node, ctx.Err())
		}
	}
}

// WaitEvent is Wait for the first line of an event.
func (l *Log) WaitEvent(ctx context.Context, since time.Time, e Event) (Line, error) {
	line, err := l.Wait(ctx, since, func(line Line) bool { return line.Event == e })
	if err != nil {
		return line, fmt.Errorf("%v: %w", e, err)
	}
	return line, nil
}

// tick is the grain of Corosync's stamps: CLOCK_REALTIME_COARSE at HZ 100 at worst.
const tick = 10 * time.Millisecond

// stamp is the oldest stamp that a line written at t may carry.
func stamp(t time.Time) time.Time { return t.Add(-tick) }

// Lines returns the lines of all nodes that were stamped at t or later, in order of their stamps.
func (l *Lab) Lines(t time.Time) []Line {
	var all []Line
	for _, n := range l.nodes {
		all = append(all, n.Log().Since(t)...)
	}
	slices.SortStableFunc(all, func(a, b Line) int { return a.At.Compare(b.At) })
	return all
}
