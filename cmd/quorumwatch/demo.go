package main

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/cmd/internal/demo"
)

func newDemoCommand(p *process) *cobra.Command {
	var (
		c      demo.Config
		length time.Duration
		plain  bool
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a stretched five-node cluster with sickening links, all in this process",
		Long: `demo runs five agents on a simulated network with simulated Corosync daemons: two nodes each in sites a and b, one in
site c, two links. A script lets site b's links sicken, die and heal, and begins again after three minutes. It needs
neither root nor Corosync.

The agents are those of "quorumwatch agent"; the daemons lose links, token and quorum by Corosync's own rules.`,
		Example: `  quorumwatch demo
  quorumwatch demo --node b1                    # as the site that gets cut off sees it
  quorumwatch demo --for 30s --plain            # lines instead of a screen, for half a minute`,
		GroupID: groupWatch,
		Args:    arguments(cobra.NoArgs),
	}
	flags := cmd.Flags()
	flags.StringVar(&c.Node, "node", "a1", "`name` of the node whose view is shown: a1, a2, b1, b2 or c1")
	flags.StringSliceVar(&c.Listen, "listen", []string{"127.0.0.1:8412"}, "`addresses` to serve reports and metrics on; empty: none")
	flags.DurationVar(&length, "for", 0, "end after this `time`; 0: at Ctrl-C")
	flags.BoolVar(&plain, "plain", false, "tell what changes, line by line, as is done without a terminal")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		if length > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, length)
			defer cancel()
		}
		c.Software, c.Log = readVersion().Version, zerolog.Nop()
		return runDemo(ctx, p, c, plain || !isTerminal(p.out))
	}
	return cmd
}

func runDemo(ctx context.Context, p *process, c demo.Config, plain bool) error {
	d, err := demo.New(c)
	if err != nil {
		return &usageError{err: err, hint: "'quorumwatch demo --help' shows how it is used"}
	}
	if plain {
		return d.Show(ctx, p.out, nil)
	}
	return d.Show(ctx, p.out, func() (columns, lines int) { return terminalSize(p.out) })
}
