//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/scenario"
)

// formTimeout is how long the nodes may take to form their first membership.
const formTimeout = 2 * time.Minute

// upOptions are the flags of up.
type upOptions struct {
	dir      string
	agent    string
	noAgent  bool
	args     []string // further arguments of the agent
	listen   string   // where the agent serves, inside its node
	basePort int      // first port of the reports on this machine
	wait     bool     // wait for another lab to end
	exit     bool     // end after the timeline
	keep     bool     // leave the run's directory
	all      bool     // show context and symptoms as well
	events   string   // file for the table as JSON lines
}

func newUpCommand() *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up FILE.yaml",
		Short: "Start a lab with an agent on each node and play its timeline",
		Long: `up starts the nodes of the scenario with Corosync and a quorumwatch agent on each, waits until the cluster has formed and settled, plays
the timeline and prints what Corosync did beside what quorumwatch said. Then the lab stays up until Ctrl-C. Nothing of it outlives the
command, however that ends; after a crash, quorumlab clean removes its directory.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.dir = dirOf(cmd)
			return up(cmd.Context(), cmd.OutOrStdout(), args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.agent, "agent", "", "quorumwatch binary (default: beside quorumlab, then in PATH)")
	f.BoolVar(&o.noAgent, "no-agent", false, "start no agents")
	f.StringArrayVar(&o.args, "agent-arg", nil, "further argument of the agents; may be repeated")
	f.StringVar(&o.listen, "agent-listen", "127.0.0.1:8412", "where an agent serves its report, inside its node")
	f.IntVar(&o.basePort, "port", 8421, "first port of 127.0.0.1 for the nodes' reports")
	f.BoolVar(&o.wait, "wait", false, "wait for another lab of this machine to end instead of refusing")
	f.BoolVar(&o.exit, "exit", false, "end after the timeline instead of waiting for Ctrl-C")
	f.BoolVar(&o.keep, "keep", false, "leave the directory with all logs")
	f.BoolVar(&o.all, "all", false, "show context (severity info) and symptoms as well")
	f.StringVar(&o.events, "events", "", "write the table to this file, too, as JSON lines")
	return cmd
}

func up(ctx context.Context, w io.Writer, file string, o upOptions) (err error) {
	s, err := load(file)
	if err != nil {
		return err
	}
	if !o.noAgent {
		if o.agent, err = findAgent(o.agent); err != nil {
			return err
		}
	}
	if err := lab.Check(); err != nil {
		return fmt.Errorf("%w (see quorumlab doctor)", err)
	}
	if err := sweep(w, o.dir, s.Name); err != nil {
		return err
	}
	s.Spec.Dir, s.Spec.NoWait = o.dir, !o.wait
	l, err := lab.New(ctx, s.Spec)
	if err != nil {
		return err
	}
	defer func() {
		fmt.Fprintln(w, "tearing down")
		if o.keep {
			err = errors.Join(err, l.CloseKeep())
			fmt.Fprintf(w, "logs are in %s; quorumlab clean removes them\n", l.Dir())
			return
		}
		err = errors.Join(err, l.Close())
	}()
	err = perform(ctx, w, l, s, o)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // Ctrl-C is how a lab ends
	}
	return err
}

func load(file string) (*scenario.Scenario, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return scenario.Parse(file, f)
}

// sweep removes what a crashed run of the same name left.
func sweep(w io.Writer, dir, name string) error {
	runs, err := lab.Runs(dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(runs, func(r lab.Record) bool { return r.Name == name && !r.Alive() }) {
		return nil
	}
	cleaned, err := lab.Clean(dir)
	for _, c := range cleaned {
		fmt.Fprintf(w, "removed what the crashed lab %s left\n", c)
	}
	return err
}

// perform is everything between the start of the nodes and their end.
func perform(ctx context.Context, w io.Writer, l *lab.Lab, s *scenario.Scenario, o upOptions) error {
	if s.About != "" {
		fmt.Fprintf(w, "%s\n\n", s.About)
	}
	if err := l.Start(ctx); err != nil {
		return err
	}
	cast, err := startAgents(ctx, l, o)
	if err != nil {
		return err
	}
	defer cast.close()
	introduce(w, l, cast, o)
	forming, cancel := context.WithTimeout(ctx, formTimeout)
	defer cancel()
	begin := time.Now()
	if err := l.WaitFormed(forming); err != nil {
		return err
	}
	fmt.Fprintf(w, "formed in %.1f s; letting knet settle\n", time.Since(begin).Seconds())
	if err := l.WaitSettled(ctx); err != nil {
		return err
	}
	p, err := newPlay(w, l, s, cast, o)
	if err != nil {
		return err
	}
	defer p.close()
	return p.run(ctx)
}

// introduce prints who is there and how to reach them.
func introduce(w io.Writer, l *lab.Lab, cast *agents, o upOptions) {
	fmt.Fprintf(w, "lab %s: %d nodes, directory %s, load %s\n", l.Name(), len(l.Nodes()), l.Dir(), l.Load())
	for _, n := range l.Nodes() {
		fmt.Fprintf(w, "  %-4s site %-4s %-15v %s\n", n.Name(), n.Site(), n.Addr(0), cast.url(n.Name()))
	}
	first := l.Nodes()[0].Name()
	fmt.Fprintf(w, "enter a node:    quorumlab enter %s\n", first)
	fmt.Fprintf(w, "run a command:   quorumlab exec %s -- corosync-quorumtool -s\n", first)
	if !o.noAgent {
		fmt.Fprintf(w, "a node's report: quorumlab exec %s -- curl -s http://%s/api/v1/report\n", first, o.listen)
	}
}
