package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/report"
	"github.com/quorumwatch/quorumwatch/corosync"
)

func newPlanCommand(p *process) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "What if: a site lost, a node more, a qdevice, another token",
		Long: `plan sends nothing. From a corosync.conf, or from nothing but sites and counts, it tells the effective timers, every single and
double failure of nodes, sites, links, paths between sites and the quorum device with who keeps quorum and who resets, how many nodes
may still be lost, whether the token outlives the death of a link, how often it is lost under a loss of packets, and whether a failure
leaves the HA watchdogs enough time. Options that change something put now and then beside each other.

Who stays quorate is decided by votequorum's own rules; link deaths and token losses come from a model of Totem and knet. Changes that
are recommended were judged in the same way.

The exit status is 0 if no single failure costs more than it must (its own nodes, the smaller side of a cut, a pause), 1 if there are
weak points, 2 if there is no answer: a wrong command line, a configuration that Corosync would not start with, or no place to write
it to.`,
		Example: `  quorumwatch plan --site a=pve1,pve2 --site b=pve3,pve4          # the cluster of this machine's corosync.conf
  quorumwatch plan --site a:3,b:3 --links 2 --rtt 5ms             # a cluster that is not there yet
  quorumwatch plan --site a:3,b:3 --links 2 --qdevice 192.0.2.9   # now, and then with a qdevice elsewhere
  quorumwatch plan --config corosync.conf --add-node pve6 --coefficient 125
  quorumwatch plan --site a:2,b:2,c:1 --links 2 --loss 1% --rtt a-b=8ms --rtt /1=20ms`,
		GroupID: groupAsk,
		Args:    planArguments,

		ValidArgsFunction: cobra.NoFileCompletions, // --config FILE is a flag
	}
	f.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return runPlan(p, cmd, &f) }
	return cmd
}

// planArguments are none: the configuration is a flag, since there may be none.
func planArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("plan reads a corosync.conf with --config "+args[0], "plan takes no arguments: %q", args[0])
}

func runPlan(p *process, cmd *cobra.Command, f *planFlags) error {
	now, err := f.design(cmd.Flags().Changed)
	if err != nil {
		return noAnswer(err)
	}
	changes, err := f.changes(cmd.Flags().Changed, now.Assumed)
	if err != nil {
		return noAnswer(err)
	}
	r, err := plan.Make(now, changes, plan.Options{All: f.all, Thorough: f.thorough, LossSaid: len(f.loss) > 0})
	if err != nil {
		return noAnswer(err)
	}
	if f.json {
		err = report.PlanJSON(p.out, r)
	} else {
		err = report.Plan(p.out, r, planColumns(p, f.columns))
	}
	switch {
	case err != nil:
		return noAnswer(err) // nobody has read of weak points
	case !r.OK:
		return statusError(exitError) // weak points: the answer has said so
	}
	return nil
}

// planColumns is how wide to write: as the terminal is, else as other reports.
func planColumns(p *process, asked int) int {
	const least, most = 60, 140
	switch {
	case asked > 0:
		return max(asked, least)
	case isTerminal(p.out):
		columns, _ := terminalSize(p.out)
		return min(max(columns, least), most)
	}
	return report.Width
}

// corosyncFiles are where the configuration is looked for if it is not named.
func corosyncFiles() []string {
	return []string{"/etc/corosync/corosync.conf", "/etc/pve/corosync.conf"}
}

// readCorosync reads a corosync.conf; without a name the one of this machine, if it has one.
func readCorosync(name string) (*corosync.Config, error) {
	names := corosyncFiles()
	if name != "" {
		names = []string{name}
	}
	for _, n := range names {
		file, err := os.Open(n)
		if errors.Is(err, os.ErrNotExist) && name == "" {
			continue
		}
		if err != nil {
			return nil, &usageError{err: err, hint: "--config names a corosync.conf; with --site a:3,b:2 none is needed"}
		}
		defer file.Close()
		return corosync.Parse(n, file)
	}
	return nil, &usageError{
		err:  fmt.Errorf("neither %s nor %s is here, and no sites with counts were given", names[0], names[len(names)-1]),
		hint: "--config FILE reads a corosync.conf; --site a:3,b:2 plans without any",
	}
}
