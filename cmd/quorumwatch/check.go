package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// leastRun is the shortest measurement: what is younger than a second is not decided yet.
const leastRun = 2 * time.Second

// exitUnknown is what check ends with when there is no answer, as monitoring plug-ins do.
const exitUnknown = 3

// checkFlags is the command line of check, as written.
type checkFlags struct {
	last     time.Duration
	burst    bool
	soak     time.Duration
	state    string
	fresh    bool
	own      bool
	agent    string
	config   string
	planned  string
	peers    []string
	code     string
	keyFile  string
	open     bool
	port     uint16
	sites    []string
	json     bool
	yaml     bool
	nagios   bool
	html     bool
	columns  int
	lastSaid bool
}

func newCheckCommand(p *process) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Is this cluster, or the path to a new site, good enough? One verdict",
		Long: `check looks at corosync.conf, the running Corosync, this host's interfaces and Proxmox VE's own files, measures the paths to the
other nodes, runs what it measured through a model of Corosync, and comes to one verdict: GO, GO WITH CHANGES, NO-GO or NOT ENOUGH DATA, with
the headroom in shares of the effective token, the limit that broke first, and what to change.

If an agent runs on this node, its report and the last hour of its record are used. Otherwise check probes for ten seconds itself, from a port
of its own to the peers' port 5412: they must run an agent or 'quorumwatch reflect'. Ctrl-C ends a run early with the verdict so far.

--burst is the quick gate: both sizes of packets, a millisecond apart. --soak is the long one: it is kept in a file, so that after Ctrl-C, a restart or
a crash the same command goes on; the time in between is told, and counts as neither good nor bad.

--peer judges the path to a site that is not in the cluster yet: run 'quorumwatch reflect' there.

Exit status: 0 GO, 1 GO WITH CHANGES, 2 NO-GO, 3 NOT ENOUGH DATA or no answer. With --agent and --nagios it is the agent's own state: 0 to 3.`,
		Example: `  quorumwatch check
  quorumwatch check --for 10m --json > monday.json
  quorumwatch check --burst
  quorumwatch check --soak 24h
  quorumwatch check --peer site-b=198.51.100.7 --plan planned-corosync.conf --code K7QPA-...
  quorumwatch check --agent http://127.0.0.1:8412 --nagios
  quorumwatch check diff monday.json tuesday.json`,
		GroupID: groupAsk,
		Args:    cobra.ArbitraryArgs,
	}
	f.register(cmd)
	_ = cmd.MarkFlagFilename("plan", "conf")
	_ = cmd.MarkFlagFilename("state", "gz")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return unanswered(p, &f, flagError(cmd, err)) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f.lastSaid = cmd.Flags().Changed("for")
		if len(args) > 0 {
			return unanswered(p, &f, unknownCommand(cmd, args))
		}
		err := exclusive(cmd, []string{"json", "yaml", "nagios", "html"}, []string{"code", "key-file", "open"}, []string{"for", "burst", "soak"},
			[]string{"agent", "own"}, []string{"agent", "peer"}, []string{"agent", "for"}, []string{"agent", "burst"}, []string{"agent", "soak"})
		if err == nil {
			err = f.checkSoak(cmd)
		}
		if err != nil {
			return unanswered(p, &f, err)
		}
		if f.last < leastRun {
			return unanswered(p, &f, usage("two seconds at least", "--for %v", f.last))
		}
		return unanswered(p, &f, runCheck(cmd.Context(), p, &f))
	}
	cmd.AddCommand(newCheckDiffCommand(p))
	return cmd
}

func (f *checkFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.DurationVar(&f.last, "for", 10*time.Second, "measure so long, a `time` (10m, 24h)")
	flags.BoolVar(&f.burst, "burst", false, "send 10,000 small and 10,000 full-size probes at 1 ms on each path: the gate that Proxmox's omping test was")
	flags.DurationVar(&f.soak, "soak", 0, "measure for a long `time` (24h), keeping what was measured in a file: if it is broken off, the same command goes on")
	flags.StringVar(&f.state, "state", "", "`file` of the soak (default: soak.json.gz in state_dir for root, else in $XDG_STATE_HOME/quorumwatch)")
	flags.BoolVar(&f.fresh, "fresh", false, "throw away the soak that is kept there, and begin another one")
	flags.BoolVar(&f.own, "own", false, "measure, even if an agent runs on this node")
	flags.StringVar(&f.agent, "agent", "", "judge what the agent at this `URL` has measured; with --nagios only its report is read")
	flags.StringVar(&f.config, "config", "", "corosync.conf, a `file` (default: that of this node)")
	flags.StringVar(&f.planned, "plan", "", "corosync.conf as it is to be, a `file`")
	flags.StringArrayVar(&f.peers, "peer", nil, "judge the path to a node that is to join: `name=address`, or name/1=address for link 1; repeat for more")
	flags.StringVar(&f.code, "code", "", "the `code` that 'quorumwatch reflect' printed")
	flags.StringVar(&f.keyFile, "key-file", "", "`file` with the key that the other end has, too")
	flags.BoolVar(&f.open, "open", false, "probe without authentication: 'quorumwatch reflect --open'")
	flags.Uint16Var(&f.port, "port", 0, "UDP `port` of the other ends (default: probe.port of the configuration, 5412)")
	flags.StringArrayVar(&f.sites, "site", nil, "`site`s: a=node,node; repeat for more (default: those of the configuration, else found by round trips)")
	flags.BoolVar(&f.json, "json", false, "print JSON (docs/check.md)")
	flags.BoolVar(&f.yaml, "yaml", false, "print the same as YAML")
	flags.BoolVar(&f.nagios, "nagios", false, "print as a monitoring plug-in")
	flags.BoolVar(&f.html, "html", false, "print one self-contained page")
	flags.IntVar(&f.columns, "columns", 0, "write so `wide` (default: as the terminal)")
}

// exclusive refuses flags that contradict each other.
func exclusive(cmd *cobra.Command, groups ...[]string) error {
	for _, g := range groups {
		var said []string
		for _, name := range g {
			if cmd.Flags().Changed(name) {
				said = append(said, "--"+name)
			}
		}
		if len(said) > 1 {
			return usage("choose one of them", "%s together", strings.Join(said, " and "))
		}
	}
	return nil
}

// unanswered turns an error into status 3, after it was told; monitoring reads standard output.
func unanswered(p *process, f *checkFlags, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[statusError](err); ok {
		return err
	}
	if f.nagios {
		fmt.Fprintf(p.out, "UNKNOWN - %v\n", err)
	}
	printError(p.err, err)
	return statusError(exitUnknown)
}

func runCheck(ctx context.Context, p *process, f *checkFlags) error {
	if f.agent != "" && f.nagios {
		return nagiosOfAgent(ctx, p, f.agent)
	}
	in, err := f.input(ctx, p)
	if err != nil {
		return err
	}
	v, err := verdict.Judge(in)
	if err != nil {
		return noAnswer(err)
	}
	v.Diff = verdictDiff(&v)
	if err := f.write(p, &v); err != nil {
		return err
	}
	if status := v.Answer.Status(); status != 0 {
		return statusError(status)
	}
	return nil
}

// input measures, or asks an agent.
func (f *checkFlags) input(ctx context.Context, p *process) (verdict.Input, error) {
	h, err := f.host(ctx, p)
	if err != nil {
		return verdict.Input{}, err
	}
	switch {
	case len(f.peers) > 0:
		return f.toPeers(ctx, p, h)
	case f.agent != "":
		return f.ofAgent(ctx, h, f.agent)
	case !f.own && !f.lastSaid && !f.burst && f.soak == 0:
		for _, url := range h.agents() {
			if in, err := f.ofAgent(ctx, h, url); err == nil {
				return in, nil
			}
		}
	}
	return f.toNodes(ctx, p, h)
}
