package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/quorumwatch/quorumwatch/checker/replay"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// table puts the sets side by side: each behind its name, below it where names are too long for that, in words where nothing else fits.
func (a *replayed) table(w io.Writer, columns int) {
	head := []string{"token", "token lost", "splits", "link flaps", "worst gap", "margin", "freeze"}
	beside, below := [][]string{append([]string{"settings"}, head...)}, [][]string{append([]string{""}, head...)}
	for i := range a.runs {
		figures := a.runs[i].figures()
		beside, below = append(beside, append([]string{a.runs[i].name()}, figures...)), append(below, append([]string{""}, figures...))
	}
	if lines, fit := aligned(beside, columns); fit {
		fmt.Fprintln(w, strings.Join(lines, "\n"))
		return
	}
	lines, fit := aligned(below, columns)
	if fit {
		fmt.Fprintln(w, lines[0])
	}
	for i := range a.runs {
		fmt.Fprintln(w, wrapped(a.runs[i].name(), columns))
		if fit {
			fmt.Fprintln(w, lines[i+1])
			continue
		}
		var words []string
		for j, figure := range below[i+1][1:] {
			words = append(words, head[j]+" "+figure)
		}
		fmt.Fprintln(w, indented(strings.Join(words, ", "), columns))
	}
}

// figures are the cells of a set.
func (r *replayedSet) figures() []string {
	o := &r.outcome
	freeze := "-"
	if o.Lost > 0 {
		freeze = units.Time(o.Freeze)
	}
	return []string{
		units.Time(r.cluster.Timeouts.Token), often(o.Losses), often(o.Splits), often(o.LinkDowns), units.Time(o.Worst),
		fmt.Sprintf("%.0f %%", 100*(1-o.WorstUsed)), freeze,
	}
}

// aligned makes lines of rows, each cell below that of the same column, and says whether they fit.
func aligned(rows [][]string, columns int) (lines []string, fit bool) {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	_ = t.Flush() // to memory
	lines = strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	return lines, !slices.ContainsFunc(lines, func(l string) bool { return utf8.RuneCountInString(l) > columns })
}

// often is a count and its range: "3 (2 to 4)".
func often(c replay.Count) string {
	switch {
	case c.Never():
		return "never"
	case c.Low == c.High:
		return fmt.Sprint(c.Median)
	}
	return fmt.Sprintf("%d (%d to %d)", c.Median, c.Low, c.High)
}
