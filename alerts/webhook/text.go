package webhook

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/alerts"
)

// text is the whole story for people: what, since when, how bad, why, what to do.
func (b Body) text() string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	add("%s", b.headline())
	add("since %s, for %s", b.Since.Format(time.RFC3339), b.At.Sub(b.Since).Round(100*time.Millisecond))
	if b.Outcome != nil {
		add("%s", b.Outcome.Text)
	}
	if t := b.Token; t.Timeout != nil && t.WorstGap != nil && t.Share != nil {
		add("worst gap %s, %.0f %% of the token timeout (%s)", rounded(t.WorstGap.Duration()), *t.Share*100, t.Timeout)
	}
	if v := b.Votes; v.Quorate != nil {
		spare := ""
		if v.Spare != nil {
			spare = fmt.Sprintf(", %d may still be lost", *v.Spare)
		}
		add("%s: %d of %d votes needed%s", quorate(*v.Quorate), *v.Needed, *v.Total, spare)
	}
	for _, k := range slices.Sorted(maps.Keys(b.Evidence)) {
		add("%s: %s", k, b.Evidence[k])
	}
	for _, s := range b.Symptoms {
		add("also: %s", s.Title)
	}
	if b.Advice != "" && b.Status == alerts.Firing {
		add("next: %s", b.Advice)
	}
	if b.Runbook != "" {
		add("see %s", b.Runbook)
	}
	return strings.Join(lines, "\n")
}

func (b Body) headline() string {
	var state string
	switch {
	case b.MergedInto != "":
		state = "merged into " + b.MergedInto
	case b.Status == alerts.Resolved:
		state = "resolved"
	default:
		state = b.Severity.String()
	}
	return fmt.Sprintf("[%s] %s: %s (seen by %s)", state, b.Cluster, b.Title, b.Reporter.Name)
}

func quorate(yes bool) string {
	if yes {
		return "quorate"
	}
	return "no quorum"
}

func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
