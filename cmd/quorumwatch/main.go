// Command quorumwatch tells the operator of a Proxmox VE or Corosync cluster how far the cluster is from losing its token, its
// membership, its quorum and its nodes.
//
// Each subcommand has a file: it turns flags into a value, builds and calls. What the flags, environment and file may say is the
// business of package config; the commands only add what concerns one run. Answers go to standard output, everything else to
// standard error. The exit status is 0 on success, 2 when the command line is wrong, 1 on any other error.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a clean end; from then on a second one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], &process{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}))
}

// process is what a command may know of the process it runs in, so that tests can stand in for it.
type process struct {
	in      io.Reader
	out     io.Writer // answers
	err     io.Writer // errors, hints, logs
	environ []string  // as os.Environ gives it
}

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, p *process) int {
	root := newRootCommand(p)
	root.SetArgs(args)
	if err := root.ExecuteContext(ctx); err != nil {
		printError(p.err, err)
		return exitStatus(err)
	}
	return 0
}

func newRootCommand(p *process) *cobra.Command {
	root := &cobra.Command{
		Use:   "quorumwatch",
		Short: "How far is this cluster from losing its token, its quorum and its nodes?",
		Long: `quorumwatch runs beside a Proxmox VE or Corosync cluster and tells how far the cluster is from losing its token, its
membership, its quorum and its nodes: continuously, in the cluster's own units, and before it happens.`,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:       readVersion().String(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetVersionTemplate("quorumwatch {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.AddGroup(
		&cobra.Group{ID: groupWatch, Title: "Watch:"},
		&cobra.Group{ID: groupAsk, Title: "Ask what if:"},
		&cobra.Group{ID: groupSetUp, Title: "Set up:"},
	)
	root.SetHelpCommandGroupID(groupSetUp)
	root.SetCompletionCommandGroupID(groupSetUp)
	root.AddCommand(commands(p)...)
	return root
}
