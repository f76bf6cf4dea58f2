package ctl

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Exec runs tools as processes.
type Exec struct {
	// Prefix is put before every command: nsenter and its arguments, to reach a daemon in other namespaces.
	Prefix []string
	// Dir is where the tools are; "": the PATH, and where an ordinary user's PATH does not look.
	Dir string
}

const (
	// maxStdout bounds what is read of a tool: the stats of 32 nodes with 8 links are 500 KiB.
	maxStdout = 4 << 20
	maxStderr = 4 << 10
	maxLine   = 16 << 10

	// killWait is how long a killed tool's pipes may stay open, held by a child of its own.
	killWait = time.Second
)

// Run implements Runner.
func (e Exec) Run(ctx context.Context, name string, args ...string) (Output, error) {
	cmd, err := e.command(ctx, name, args)
	if err != nil {
		return Output{}, err
	}
	stdout, stderr := &bounded{max: maxStdout}, &bounded{max: maxStderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	out := Output{Stdout: stdout.kept, Stderr: string(stderr.kept), Code: cmd.ProcessState.ExitCode()}
	if e.notFound(out) {
		return out, fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	if err == nil && stdout.cut {
		return out, fmt.Errorf("%s: more than %d bytes of output", name, maxStdout)
	}
	return out, ended(ctx, name, err)
}

// Stream implements Runner. The tool's standard output is made line-buffered with stdbuf, which lines from corosync-cmapctl
// and corosync-quorumtool need: into a pipe they come in blocks of 4 KiB. Without stdbuf there is no stream (ErrAbsent), and a
// Follower polls only.
func (e Exec) Stream(ctx context.Context, line func(string), name string, args ...string) (Output, error) {
	cmd, err := e.command(ctx, "stdbuf", append([]string{"-oL", e.path(name)}, args...))
	if err != nil {
		return Output{}, err
	}
	if len(e.Prefix) == 0 && !filepath.IsAbs(e.path(name)) {
		return Output{}, fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	stdin, err := cmd.StdinPipe() // corosync-cmapctl ends when its standard input does, also when this process dies
	if err != nil {
		return Output{}, fmt.Errorf("%s: %w", name, err)
	}
	defer stdin.Close()
	stderr := &bounded{max: maxStderr}
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return Output{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return Output{}, ended(ctx, name, err)
	}
	readErr := readLines(stdout, line)
	if readErr != nil {
		_ = cmd.Cancel() // it would block on a pipe that nobody reads
	}
	err = cmd.Wait()
	out := Output{Stderr: string(stderr.kept), Code: cmd.ProcessState.ExitCode()}
	if e.notFound(out) {
		return out, fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	if readErr != nil && ctx.Err() == nil {
		return out, fmt.Errorf("%s: %w", name, readErr)
	}
	return out, ended(ctx, name, err)
}

// command prepares a process in a group of its own, so that all of it can be killed.
func (e Exec) command(ctx context.Context, name string, args []string) (*exec.Cmd, error) {
	path := e.path(name)
	if len(e.Prefix) > 0 {
		args = append(append(append([]string{}, e.Prefix[1:]...), path), args...)
		path = e.Prefix[0]
	} else if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = killWait
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	return cmd, nil
}

// path finds a tool, also where an ordinary user's PATH does not look. Not found: the name itself.
func (e Exec) path(name string) string {
	if len(e.Prefix) > 0 {
		return name
	}
	if e.Dir != "" && strings.HasPrefix(name, "corosync") {
		if p, err := exec.LookPath(filepath.Join(e.Dir, name)); err == nil {
			return p
		}
		return name // not there: not another one's
	}
	if p, err := exec.LookPath(name); err == nil && filepath.IsAbs(p) {
		return p
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"} {
		if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return p
		}
	}
	return name
}

// notFound recognizes how nsenter and stdbuf say that what they should run does not exist.
func (e Exec) notFound(out Output) bool {
	return len(e.Prefix) > 0 && out.Code == 127 && strings.Contains(out.Stderr, "No such file or directory")
}

// ended turns what exec says into what Runner promises.
func ended(ctx context.Context, name string, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	case errors.As(err, &exit) && exit.Exited():
		return nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", name, ErrAbsent)
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
}

// readLines calls line for each line of r. What a line has beyond maxLine is skipped: the lines behind it matter all the same.
func readLines(r io.Reader, line func(string)) error {
	b, cut := bufio.NewReaderSize(r, maxLine), false
	for {
		text, err := b.ReadSlice('\n')
		if !cut && len(text) > 0 {
			line(string(bytes.TrimRight(text, "\r\n")))
		}
		cut = errors.Is(err, bufio.ErrBufferFull)
		switch {
		case err == nil, cut:
		case errors.Is(err, io.EOF), errors.Is(err, fs.ErrClosed):
			return nil
		default:
			return err
		}
	}
}

// bounded keeps the first max bytes written to it and swallows the rest, so that the writer never stops.
type bounded struct {
	kept []byte
	max  int
	cut  bool
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	room := min(len(p), b.max-len(b.kept))
	b.kept = append(b.kept, p[:room]...)
	b.cut = b.cut || room < len(p)
	return len(p), nil
}
