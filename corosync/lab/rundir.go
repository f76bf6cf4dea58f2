//go:build linux

package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	recordFile = "lab.json"
	lockFile   = ".lock"
	lockPoll   = 100 * time.Millisecond
)

// Record is what a run leaves in its directory, so that other commands find it and Clean can clear up after a crash.
type Record struct {
	Name    string       `json:"name"`
	Dir     string       `json:"dir"`
	Started time.Time    `json:"started"`
	Lab     ProcessID    `json:"lab"`
	Hub     ProcessID    `json:"hub"`
	Nodes   []NodeRecord `json:"nodes"`
}

// NodeRecord is one node of a Record.
type NodeRecord struct {
	Name   string    `json:"name"`
	Site   string    `json:"site"`
	ID     uint32    `json:"id"`
	Addrs  []string  `json:"addrs"`
	Holder ProcessID `json:"holder"`
	Report string    `json:"report,omitempty"` // URL of the agent's report as seen from the machine
}

// ProcessID names a process for good: pids are used again, a pid with its start time is not.
type ProcessID struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot: /proc/PID/stat, field 22
}

// Alive reports whether just this process still runs.
func (p ProcessID) Alive() bool {
	if p.PID == 0 {
		return false
	}
	now, err := processID(p.PID)
	return err == nil && now == p
}

// Start starts a process inside a node of a run that another program leads. Its output goes where the command says; without that it is
// lost.
func (n NodeRecord) Start(c Command) (*Process, error) {
	if !n.Holder.Alive() {
		return nil, fmt.Errorf("node %s: does not run (any more)", n.Name)
	}
	return startIn(n.Holder.PID, os.DevNull, c)
}

// Run runs a command inside a node of a run that another program leads, as Node.Run does.
func (n NodeRecord) Run(ctx context.Context, args ...string) ([]byte, error) {
	if !n.Holder.Alive() {
		return nil, fmt.Errorf("node %s: does not run (any more)", n.Name)
	}
	return runIn(ctx, n.Holder.PID, args...)
}

// Membership asks a node of a run that another program leads, as Node.Membership does.
func (n NodeRecord) Membership(ctx context.Context) (Membership, error) {
	return membership(n.Run(ctx, "corosync-quorumtool", "-s"))
}

func processID(pid int) (ProcessID, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ProcessID{}, err
	}
	// The name in parentheses may hold anything; fields are counted behind it.
	rest := string(b[strings.LastIndexByte(string(b), ')')+1:])
	fields := strings.Fields(rest)
	const state, start = 0, 22 - 3
	if len(fields) <= start || fields[state] == "Z" {
		return ProcessID{}, fmt.Errorf("process %d: ended", pid)
	}
	ticks, err := strconv.ParseUint(fields[start], 10, 64)
	return ProcessID{PID: pid, Start: ticks}, err
}

// Runs returns the records of all runs in dir (default when empty), also of crashed ones.
func Runs(dir string) ([]Record, error) {
	if dir == "" {
		dir = defaultDir
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var runs []Record
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		r, err := readRecord(path)
		if err != nil {
			continue // not a run of ours
		}
		runs = append(runs, r)
	}
	return runs, nil
}

func readRecord(dir string) (Record, error) {
	var r Record
	b, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Join(dir, recordFile), err)
	}
	r.Dir = dir
	return r, nil
}

func (r Record) write() error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(r.Dir, recordFile)
	if err := os.WriteFile(file+".new", b, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// Alive reports whether the program that runs the lab is still there.
func (r Record) Alive() bool { return r.Lab.Alive() }

// Clean removes what crashed runs left in dir (default when empty): their processes, if any, and their directories. Runs whose program still
// lives are left alone. It returns the names of the runs that it removed.
func Clean(dir string) ([]string, error) {
	runs, err := Runs(dir)
	if err != nil {
		return nil, err
	}
	var cleaned []string
	var errs []error
	for _, r := range runs {
		if r.Alive() {
			continue
		}
		for _, p := range r.helpers() {
			if p.Alive() {
				errs = append(errs, unix.Kill(p.PID, unix.SIGKILL))
			}
		}
		if err := os.RemoveAll(r.Dir); err != nil {
			errs = append(errs, err)
			continue
		}
		cleaned = append(cleaned, r.Name)
	}
	return cleaned, errors.Join(errs...)
}

func (r Record) helpers() []ProcessID {
	list := []ProcessID{r.Hub}
	for _, n := range r.Nodes {
		list = append(list, n.Holder)
	}
	return list
}

// lockLabs takes the lock of this machine's labs: alone for a lab, shared for single daemons. Closing the file gives it back; so does the
// death of the program. With note, the file says who has it.
func lockLabs(ctx context.Context, how int, wait bool, note string) (*os.File, error) {
	if err := os.MkdirAll(defaultDir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(defaultDir, lockFile), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil {
			return f, errors.Join(f.Truncate(0), writeAt(f, note))
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("%s: lock: %w", f.Name(), err)
		}
		if !wait {
			defer f.Close()
			return nil, fmt.Errorf("another lab runs on this machine: %s", whoHas(f))
		}
		select {
		case <-ctx.Done():
			defer f.Close()
			return nil, fmt.Errorf("waiting for another lab to end: %s: %w", whoHas(f), ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func whoHas(f *os.File) string {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1024))
	if err != nil || len(b) == 0 {
		return "single daemons"
	}
	return string(b)
}
