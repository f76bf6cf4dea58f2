//go:build linux

package lab

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// loadSource is the program behind Spec.Load. There is no CPG client in Go, so it is built from C when a lab wants it.
//
//go:embed cpgload.c.txt
var loadSource []byte

// startLoad builds the load and starts it on all nodes. It returns how that went, for people: a lab without load is a lab.
func (l *Lab) startLoad(ctx context.Context) string {
	program := filepath.Join(l.dir, "cpgload")
	if err := buildLoad(ctx, program); err != nil {
		return "off: " + err.Error()
	}
	for _, n := range l.nodes {
		// The run's directory may not be seen from inside a node; what is mounted from it is.
		if err := os.Link(program, filepath.Join(n.dir, "lib", "cpgload")); err != nil {
			return "off: " + err.Error()
		}
		if _, err := n.Start(Command{Args: []string{"/var/lib/corosync/cpgload"}}); err != nil {
			return "off: " + err.Error()
		}
	}
	return "on: one CPG message per second and node"
}

func buildLoad(ctx context.Context, program string) error {
	cc, err := exec.LookPath("gcc")
	if err != nil {
		return fmt.Errorf("no C compiler (Debian: apt-get install gcc libc6-dev libcpg-dev): %w", err)
	}
	cmd := exec.CommandContext(ctx, cc, "-O1", "-x", "c", "-", "-o", program, "-lcpg")
	cmd.Stdin = bytes.NewReader(loadSource)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("gcc -lcpg (Debian: apt-get install libcpg-dev): %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Load says whether the load of Spec.Load runs, and if not, why.
func (l *Lab) Load() string { return l.load }
