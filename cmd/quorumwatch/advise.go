package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// Exit statuses of advise.
const (
	exitChange    = 3 // a change is proposed
	exitNoSetting = 4 // there is trouble, and no setting helps
	exitNotEnough = 5 // the record does not say enough
)

// adviseFlags is what the command line of advise says.
type adviseFlags struct {
	agent, config, libknet string
	asJSON, onlyDiff       bool
	seed                   uint64
}

func newAdviseCommand(p *process) *cobra.Command {
	var f adviseFlags
	cmd := &cobra.Command{
		Use:   "advise [trace]",
		Short: "Find the smallest change of corosync.conf that helps on what was measured",
		Long: `advise tries settings of corosync.conf - knet's ping timers, token retransmits, token, token_coefficient, link priorities - in a model
of Corosync's own rules over a record of what the network did, and proposes the smallest change that the model shows to help: as a diff, with
the figures before and after, and the steps in order. It changes nothing itself.

The record is a trace file, or what the agent of this node keeps. Settings are refused that Corosync would not take, with which a dead link
or a dead node would be noticed too late, or which break one of two bounds: the longest measured stall x 2 is below the token; token,
consensus and synchronization take no more than half of the 60 s that a watchdog gives.

Exit status: 0 nothing to change, 3 a change is proposed, 4 no setting helps (the path itself must be repaired), 5 not enough data, 2 wrong
command line, 1 any other error.`,
		Example: `  quorumwatch advise                                   # ask the agent of this node
  quorumwatch advise incident.trace --config /etc/pve/corosync.conf
  quorumwatch advise --diff | patch /etc/pve/corosync.conf.new`,
		GroupID: groupAsk,
		Args:    arguments(cobra.MaximumNArgs(1)),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.agent, "agent", "http://127.0.0.1:8412", "`URL` of the agent whose record is used when no trace is given")
	flags.StringVar(&f.config, "config", "", "corosync.conf to change, a `file`; default: the one in the record")
	flags.StringVar(&f.libknet, "libknet", "", "`version` of libknet, if the record does not know it")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	flags.BoolVar(&f.onlyDiff, "diff", false, "print nothing but the diff, for patch(1)")
	flags.Uint64Var(&f.seed, "seed", 1, "`number` that decides the phases of Corosync's timers in the model")
	_ = cmd.MarkFlagFilename("config", "conf")
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return runAdvise(cmd.Context(), p, f, args) }
	return cmd
}

func runAdvise(ctx context.Context, p *process, f adviseFlags, args []string) error {
	if f.asJSON && f.onlyDiff {
		return &usageError{errors.New("--json and --diff exclude each other"), "the JSON has the diff, too"}
	}
	if err := checkLibknet(f.libknet); err != nil {
		return err
	}
	in, err := adviseInput(ctx, f, args)
	if err != nil {
		return err
	}
	a, err := advice.Advise(in)
	if err != nil {
		return adviseError(in, err)
	}
	if f.onlyDiff {
		tellOtherNames(p, a)
	}
	switch {
	case f.asJSON:
		err = writeAdviceJSON(p.out, a, diffOf(in, a))
	case f.onlyDiff && a.Verdict == advice.Change:
		_, err = p.out.Write(diffOf(in, a))
	case f.onlyDiff:
		for _, why := range a.Why {
			fmt.Fprintf(p.err, "quorumwatch: no diff (%s): %s\n", a.Verdict, why)
		}
	default:
		err = writeAdvice(p.out, in, a, columns(p))
	}
	if err != nil {
		return err
	}
	return adviseStatus(a.Verdict)
}

// tellOtherNames warns of a diff that may be for another cluster, where nothing else is told.
func tellOtherNames(p *process, a advice.Advice) {
	for _, r := range a.Remarks {
		if r.About == advice.OtherNames {
			fmt.Fprintf(p.err, "quorumwatch: %s\n", r.Text)
		}
	}
}

// columns is how wide the text may be.
func columns(p *process) int {
	if !isTerminal(p.out) {
		return 120
	}
	wide, _ := terminalSize(p.out)
	return max(60, min(wide, 140))
}

func adviseStatus(v advice.Verdict) error {
	switch v {
	case advice.Change:
		return statusError(exitChange)
	case advice.NoSetting:
		return statusError(exitNoSetting)
	case advice.NotEnough:
		return statusError(exitNotEnough)
	}
	return nil
}

// adviseError adds what can be done.
func adviseError(in advice.Input, err error) error {
	if errors.Is(err, advice.ErrNoRecord) {
		return &hinted{err, "the nodeids and links of the record and of corosync.conf differ: give the corosync.conf that was in force with --config"}
	}
	if errors.Is(err, advice.ErrVersion) {
		return &hinted{err, "Corosync and pmxcfs take a file for newer by a higher config_version only; to see what would help, give a copy with a lower one with --config"}
	}
	if errors.Is(err, advice.ErrOtherNodes) {
		return &hinted{err, "is it the corosync.conf of another cluster? Give the one that was in force with --config, or a record from after the nodes joined"}
	}
	if errors.Is(err, risk.ErrNoRing) {
		if conf, err := corosync.Parse(in.Name, bytes.NewReader(in.Conf)); err == nil {
			return noKnet(in.Name, conf)
		}
	}
	if e, ok := errors.AsType[*corosync.ParseError](err); ok {
		var all []error
		for _, problem := range e.Problems {
			all = append(all, &hinted{problem, problem.Hint})
		}
		return errors.Join(all...)
	}
	return err
}

// hinted is an error with a hint.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error   { return h.error }
func (h *hinted) Hints() []string { return []string{h.hint} }

// fileName is how the diff calls the file.
func fileName(in advice.Input) string { return filepath.Base(in.Name) }
