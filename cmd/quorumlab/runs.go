//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// downGrace is how long down waits for a lab to tear itself down.
const downGrace = 15 * time.Second

// living returns the one running lab, or the one of that name.
func living(dir, name string) (lab.Record, error) {
	runs, err := lab.Runs(dir)
	if err != nil {
		return lab.Record{}, err
	}
	var found []lab.Record
	var names []string
	for _, r := range runs {
		if r.Alive() && len(r.Nodes) > 0 && (name == "" || r.Name == name) {
			found, names = append(found, r), append(names, r.Name)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return lab.Record{}, &usageError{fmt.Errorf("several labs run: %s", strings.Join(names, ", ")), "name one with --lab"}
	case name != "":
		return lab.Record{}, fmt.Errorf("no lab %q runs: quorumlab status lists them", name)
	}
	return lab.Record{}, fmt.Errorf("no lab runs: start one with quorumlab up FILE.yaml")
}

func nodeOf(r lab.Record, name string) (lab.NodeRecord, error) {
	var names []string
	for _, n := range r.Nodes {
		if n.Name == name {
			return n, nil
		}
		names = append(names, n.Name)
	}
	return lab.NodeRecord{}, &usageError{fmt.Errorf("lab %s: no node %q", r.Name, name), "its nodes are " + strings.Join(names, ", ")}
}

func newExecCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "exec NODE -- COMMAND [ARGUMENT...]",
		Short: "Run a command inside a node",
		Args:  arguments(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			command := args[1:]
			if command[0] == "--" && len(command) > 1 {
				command = command[1:]
			}
			return inside(cmd, name, args[0], command)
		},
	}
	cmd.Flags().StringVar(&name, "lab", "", "name of the lab, when several run")
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func newEnterCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "enter NODE",
		Short: "Open a shell inside a node",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			shell := os.Getenv("SHELL")
			if shell == "" {
				shell = "/bin/sh"
			}
			return inside(cmd, name, args[0], []string{shell})
		},
	}
	cmd.Flags().StringVar(&name, "lab", "", "name of the lab, when several run")
	return cmd
}

// inside runs a command in a node with this process's own input and output.
func inside(cmd *cobra.Command, labName, node string, args []string) error {
	r, err := living(dirOf(cmd), labName)
	if err != nil {
		return err
	}
	n, err := nodeOf(r, node)
	if err != nil {
		return err
	}
	// A terminal's Ctrl-C goes to the command as well; it decides.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	p, err := n.Start(lab.Command{Args: args, Stdin: os.Stdin, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(), Tied: true})
	if err != nil {
		return fmt.Errorf("%s: %w", node, err)
	}
	for {
		select {
		case <-p.Done():
			err := p.Wait(context.Background())
			if status, ok := lab.ExitStatus(err); ok {
				return &endedError{status}
			}
			return err
		case sig := <-signals:
			if sig == syscall.SIGTERM {
				p.Signal(syscall.SIGTERM)
			}
		}
	}
}

func newStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List the labs of this machine, what their nodes see, and what crashed ones left",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			runs, err := lab.Runs(dirOf(cmd))
			if err != nil {
				return err
			}
			if len(runs) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "no lab")
			}
			for _, r := range runs {
				printRun(cmd.Context(), cmd.OutOrStdout(), r)
			}
			return nil
		},
	}
}

func printRun(ctx context.Context, w io.Writer, r lab.Record) {
	if !r.Alive() {
		fmt.Fprintf(w, "%s: crashed (was process %d, %s): quorumlab clean removes %s\n", r.Name, r.Lab.PID, r.Started.Format(time.DateTime), r.Dir)
		return
	}
	fmt.Fprintf(w, "%s: runs since %s, process %d, %s\n", r.Name, r.Started.Format(time.DateTime), r.Lab.PID, r.Dir)
	for _, n := range r.Nodes {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		state := ""
		if m, err := n.Membership(ctx); err != nil {
			state = "corosync does not answer"
		} else {
			state = m.String()
		}
		cancel()
		fmt.Fprintf(w, "  %-4s %s  %s  %s\n", n.Name, strings.Join(n.Addrs, " "), state, n.Report)
	}
}

func newDownCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "down",
		Short: "End the running lab",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := living(dirOf(cmd), name)
			if err != nil {
				return err
			}
			if err := syscall.Kill(r.Lab.PID, syscall.SIGTERM); err != nil {
				return fmt.Errorf("lab %s: process %d: %w", r.Name, r.Lab.PID, err)
			}
			for end := time.Now().Add(downGrace); r.Alive(); time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					return fmt.Errorf("lab %s: process %d still runs after %v: kill it, then quorumlab clean", r.Name, r.Lab.PID, downGrace)
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: ended\n", r.Name)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "lab", "", "name of the lab, when several run")
	return cmd
}

func newCleanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "Remove what crashed labs left; running ones stay",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cleaned, err := lab.Clean(dirOf(cmd))
			for _, name := range cleaned {
				fmt.Fprintf(cmd.OutOrStdout(), "%s: removed\n", name)
			}
			if err == nil && len(cleaned) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing to remove")
			}
			return err
		},
	}
}
