package main

import (
	"fmt"
	"os"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/report"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// write writes a verdict as was asked for.
func (f *checkFlags) write(p *process, v *verdict.Verdict) error {
	switch {
	case f.json:
		return report.VerdictJSON(p.out, v)
	case f.yaml:
		return report.VerdictYAML(p.out, v)
	case f.nagios:
		return report.VerdictNagios(p.out, v)
	case f.html:
		return report.VerdictHTML(p.out, v)
	}
	return report.Verdict(p.out, v, planColumns(p, f.columns))
}

// verdictDiff is the proposed change as a unified diff.
func verdictDiff(v *verdict.Verdict) string {
	if v.Edited == nil {
		return ""
	}
	return string(diff.Diff("a/corosync.conf", v.Original, "b/corosync.conf", v.Edited))
}

func newCheckDiffCommand(p *process) *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two runs of 'quorumwatch check --json'",
		Long: `diff compares two runs that were kept as JSON, the earlier one first.

The exit status is 0 if the later one is as good or better, 1 if it is worse, 3 if they cannot be compared.`,
		Example: "  quorumwatch check diff monday.json tuesday.json",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := arguments(cobra.ExactArgs(2))(cmd, args); err != nil {
				return unanswered(p, &checkFlags{}, err)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return unanswered(p, &checkFlags{}, diffRuns(p, args)) },
	}
}

func diffRuns(p *process, names []string) error {
	var runs [2]*verdict.Verdict
	for i, name := range names {
		file, err := os.Open(name)
		if err != nil {
			return unwrapped(name, err)
		}
		runs[i], err = report.ReadVerdict(file)
		_ = file.Close() // only read
		if err != nil {
			return &hinted{fmt.Errorf("%s: %w", name, err), "keep a run with: quorumwatch check --json > run.json"}
		}
	}
	worse, err := report.VerdictDiff(p.out, runs[0], runs[1])
	if err == nil && worse {
		return statusError(exitError)
	}
	return err
}
