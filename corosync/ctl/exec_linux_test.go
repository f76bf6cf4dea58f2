package ctl_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/ctl"
)

func TestExecRun(t *testing.T) {
	out, err := ctl.Exec{}.Run(t.Context(), "sh", "-c", "echo hello; echo $LC_ALL; echo oh >&2; exit 3")
	if err != nil || string(out.Stdout) != "hello\nC\n" || out.Stderr != "oh\n" || out.Code != 3 {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := (ctl.Exec{}).Run(t.Context(), "no-such-tool"); !errors.Is(err, ctl.ErrAbsent) {
		t.Errorf("absent tool: %v", err)
	}
	if _, err := (ctl.Exec{}).Stream(t.Context(), func(string) {}, "no-such-tool"); !errors.Is(err, ctl.ErrAbsent) {
		t.Errorf("absent tool: %v", err)
	}
	if _, err := (ctl.Exec{}).Run(t.Context(), "sh", "-c", "kill -9 $$"); err == nil {
		t.Error("a killed tool: no error")
	}
	if _, err := (ctl.Exec{}).Run(t.Context(), "head", "-c", "5000000", "/dev/zero"); err == nil || !strings.Contains(err.Error(), "bytes of output") {
		t.Errorf("endless output: %v", err)
	}
	script := filepath.Join(t.TempDir(), "tool")
	if err := os.WriteFile(script, []byte("not executable"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (ctl.Exec{}).Run(t.Context(), script); err == nil {
		t.Error("a file that is no program: no error")
	}
}

// What hangs is killed with its children, and the call returns although a child holds the pipe.
func TestExecDeadline(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := ctl.Exec{}.Run(ctx, "sh", "-c", "trap '' TERM; sleep 300 & echo $! $$ > "+pids+"; wait; sleep 300")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("returned after %v", took)
	}
	gone(t, pids)
}

// gone fails if one of the processes still lives after a while.
func gone(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(5 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("process %d lives", pid)
				break
			}
		}
	}
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ") // an orphan whose new parent has not buried it is dead
}

// Lines come as they are written, although the tool writes into a pipe, and its standard input stays open.
func TestExecStream(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := make(chan string, 10)
	ended := make(chan error, 1)
	go func() {
		_, err := ctl.Exec{}.Stream(ctx, func(line string) { lines <- line }, "sh", "-c",
			"echo $$ > "+pids+"; printf 'a\\n' | sed s/a/first/; read x || { echo eof; exit; }")
		ended <- err
	}()
	if got := <-lines; got != "first" {
		t.Errorf("line %q", got)
	}
	select {
	case line := <-lines:
		t.Errorf("line %q", line)
	case err := <-ended:
		t.Errorf("ended: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	cancel()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the stream did not end with its context")
	}
	gone(t, pids)
}

func TestExecStreamEnds(t *testing.T) {
	n := 0
	out, err := ctl.Exec{}.Stream(t.Context(), func(string) { n++ }, "sh", "-c", "seq 1000; echo Dispatch error CS_ERR_LIBRARY >&2; exit 1")
	if err != nil || n != 1000 || out.Code != 1 || out.Stderr != "Dispatch error CS_ERR_LIBRARY\n" {
		t.Errorf("%d lines, %+v, %v", n, out, err)
	}
}

// A line that is too long is cut, and does not keep what follows it from being read.
func TestExecStreamLongLine(t *testing.T) {
	const most = 16 << 10
	long := "head -c 100000 /dev/zero | tr '\\0' x; echo; "
	var got []string
	_, err := ctl.Exec{}.Stream(t.Context(), func(line string) { got = append(got, line) }, "sh", "-c",
		"echo before; "+long+long+"printf 'after\\r\\n\\n'; printf 'no end'")
	cut := strings.Repeat("x", most)
	if want := []string{"before", cut, cut, "after", "", "no end"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%.100q, %v", got, err)
	}
}

// Follow hands over what comes after a line that is too long.
func TestJournalLongLine(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\nprintf '1795178897.250000 pve1 pmxcfs[1]: '; head -c 20000 /dev/zero | tr '\\0' x; echo\n" +
		"echo '1795178938.000001 pve1 watchdog-mux[801]: client watchdog is about to expire'\n"
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	var got []string
	_ = ctl.Journal{}.Follow(t.Context(), time.Minute, func(_ time.Time, text string) { got = append(got, text) }, "watchdog-mux.service")
	if len(got) != 2 || got[1] != "pve1 watchdog-mux[801]: client watchdog is about to expire" {
		t.Errorf("%.100q", got)
	}
}

func TestExecPrefix(t *testing.T) {
	e := ctl.Exec{Prefix: []string{"env", "QW=1"}}
	out, err := e.Run(t.Context(), "sh", "-c", "echo $QW")
	if err != nil || string(out.Stdout) != "1\n" {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := e.Run(t.Context(), "no-such-tool"); !errors.Is(err, ctl.ErrAbsent) {
		t.Errorf("absent tool: %v", err)
	}
}
