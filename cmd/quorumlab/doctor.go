//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// examination is one line of doctor.
type examination struct {
	name   string
	needed bool // without it no lab runs
	look   func() (string, error)
}

func examinations() []examination {
	return []examination{
		{"root, corosync, namespaces, tun", true, func() (string, error) { return "there", lab.Check() }},
		{"corosync's version", false, lab.Version},
		{"real time for the hub", false, func() (string, error) { return "SCHED_FIFO granted", lab.CheckRealtime() }},
		{"two cores or more", false, func() (string, error) {
			if n := runtime.NumCPU(); n < 2 {
				return "", fmt.Errorf("%d core: three nodes at most, and doubtful ones", n)
			}
			return fmt.Sprintf("%d cores: %d nodes or so", runtime.NumCPU(), runtime.NumCPU()*5/2), nil
		}},
		{"load (gcc, libcpg)", false, func() (string, error) { return "there", lab.CheckLoad() }},
		{"agent (quorumwatch)", false, func() (string, error) { return findAgent("") }},
	}
}

func newDoctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this machine can run a lab, and what it lacks",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return examine(cmd.OutOrStdout(), examinations())
		},
	}
}

func examine(w io.Writer, list []examination) error {
	unfit := false
	for _, e := range list {
		text, err := e.look()
		switch {
		case err == nil:
			fmt.Fprintf(w, "ok    %s: %s\n", e.name, text)
		case e.needed:
			unfit = true
			fmt.Fprintf(w, "FAIL  %s: %s\n", e.name, oneLine(err))
		default:
			fmt.Fprintf(w, "warn  %s: %s\n", e.name, oneLine(err))
		}
	}
	if unfit {
		return errors.New("this machine cannot run a lab as it is")
	}
	return nil
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// findAgent returns the quorumwatch binary: the one named, the one beside this program, or the one in PATH.
func findAgent(path string) (string, error) {
	if path != "" {
		return lab.FindProgram(path)
	}
	p, err := lab.FindProgram("quorumwatch")
	if err != nil {
		return "", errors.New("no quorumwatch beside quorumlab or in PATH: name it with --agent, or do without it with --no-agent")
	}
	return p, nil
}
