//go:build linux

// Command quorumlab runs a real Corosync cluster on one machine, with a sick network on demand and a quorumwatch agent beside each
// daemon. It plays a timeline of faults and prints what Corosync did beside what quorumwatch said.
//
// Answers go to standard output, errors to standard error. The exit status is 0 on success, 2 when the command line is wrong, 1 on any
// other error; exec and enter give the status of what they ran.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

func main() {
	lab.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// The first signal asks for a clean end; a second one kills. Then, too, nothing of a lab stays but its directory.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit statuses.
const (
	exitError = 1
	exitUsage = 2
)

// usageError is an error of the command line, not of what it asked for.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// endedError says that a command of exec or enter ended with another status than 0. It has spoken for itself.
type endedError struct{ status int }

func (e *endedError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ended, ok := errors.AsType[*endedError](err); ok {
		return ended.status
	}
	printError(stderr, err)
	if usage, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintln(stderr, "hint:", usage.hint)
		return exitUsage
	}
	return exitError
}

// printError writes one line for each joined error.
func printError(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			printError(w, e)
		}
		return
	}
	fmt.Fprintf(w, "quorumlab: %v\n", err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "quorumlab",
		Short: "A real Corosync cluster on this machine, with a sick network on demand",
		Long: `quorumlab runs real Corosync nodes in network namespaces, a user-space network between them that can be made sick in any way, and a
quorumwatch agent beside each daemon. It plays a timeline of faults and prints what Corosync did beside what quorumwatch said.

  sudo quorumlab up examples/lab/stretched.yaml
  sudo quorumlab exec a1 -- corosync-quorumtool -s      (in another terminal)

It touches nothing of the machine's own network or Corosync. It needs root, Corosync and /dev/net/tun: see quorumlab doctor.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown command %q", args[0]), "'quorumlab --help' lists the commands"}
			}
			return nil
		},
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{err, fmt.Sprintf("'%s --help' lists the flags", cmd.CommandPath())}
	})
	root.PersistentFlags().String("dir", "/run/quorumlab", "directory of all runs")
	root.AddCommand(newUpCommand(), newEnterCommand(), newExecCommand(), newStatusCommand(), newDownCommand(), newCleanCommand(), newDoctorCommand(),
		newProveCommand())
	return root
}

// arguments makes a usage error of what an argument check says.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err, "usage: " + cmd.UseLine()}
		}
		return nil
	}
}

// dirOf is the directory of runs that the command line names.
func dirOf(cmd *cobra.Command) string {
	dir, err := cmd.Flags().GetString("dir")
	if err != nil {
		return ""
	}
	return dir
}
