//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ExitStatus returns the exit status that an error of Run or Wait speaks of. It reports false for any other error.
func ExitStatus(err error) (int, bool) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, false
	}
	return exit.ExitCode(), true
}

// Version is the version of Corosync on this machine, in its own words.
func Version() (string, error) {
	out, err := exec.Command("corosync", "-v").Output()
	if err != nil {
		return "", fmt.Errorf("corosync -v: %w", err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line, nil
}

// FindProgram returns the absolute path of a program: what a path with a slash names, else the one beside the running program, else the
// one in PATH.
func FindProgram(name string) (string, error) {
	if self, err := os.Executable(); err == nil && !strings.ContainsRune(name, '/') {
		if p, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return p, nil
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return filepath.Abs(p)
}
