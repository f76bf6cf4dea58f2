//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Cells of the tables: milliseconds, and a dash for what did not happen.

func cell(d time.Duration) string {
	if d == never {
		return "-"
	}
	return fmt.Sprint(d.Round(time.Millisecond).Milliseconds())
}

// pair is median and worst.
func pair(list []time.Duration) string {
	if slices.Contains(list, never) {
		return median(list) + " / never"
	}
	return median(list) + " / " + worst(list)
}

func median(list []time.Duration) string {
	list = slices.DeleteFunc(slices.Clone(list), func(d time.Duration) bool { return d == never })
	if len(list) == 0 {
		return "-"
	}
	slices.Sort(list)
	return cell((list[(len(list)-1)/2] + list[len(list)/2]) / 2)
}

func worst(list []time.Duration) string {
	if len(list) == 0 {
		return "-"
	}
	return cell(slices.Max(list))
}

// early is median and earliest: of what Corosync does, the sooner is the worse.
func early(list []time.Duration) string {
	list = slices.DeleteFunc(slices.Clone(list), func(d time.Duration) bool { return d == never })
	if len(list) == 0 {
		return "-"
	}
	return median(list) + ", earliest " + cell(slices.Min(list))
}

func line(w io.Writer, cells ...string) {
	fmt.Fprintln(w, "| "+strings.Join(cells, " | ")+" |")
}

func head(w io.Writer, cells ...string) {
	line(w, cells...)
	fmt.Fprintln(w, "|"+strings.Repeat("---|", len(cells)))
}

// yes is a cell for a promise.
func yes(kept bool) string {
	if kept {
		return "yes"
	}
	return "**NO**"
}

// doubt marks the verdict of a run in which the machine stalled.
func doubt(doubtful bool) string {
	if doubtful {
		return " (doubtful)"
	}
	return ""
}

// of takes one time of all accounts.
func (r row) of(what func(account) time.Duration) []time.Duration {
	list := make([]time.Duration, len(r.Accounts))
	for i, a := range r.Accounts {
		list[i] = what(a)
	}
	return list
}

func findingOf(a account) time.Duration  { return a.Finding }
func anyOf(a account) time.Duration      { return a.AfterAny }
func criticalOf(a account) time.Duration { return a.Critical }

func headBlackouts(w io.Writer) {
	fmt.Fprint(w, "Times in ms, median / worst over the nodes. \"Own\" counts from the first probe packet lost on a path of the node, all others from the\n"+
		"first packet of any kind that the cut took.\n\n")
	head(w, "cut", "finding, own", "intervals beyond RTT, worst", "finding", "critical", "75 % warning", "token timed out", "new membership, first-last",
		"named before", "kept")
}

func (r row) print(w io.Writer) {
	line(w, fmt.Sprint(r.Number), pair(r.of(findingOf)), worstOf([]row{r}, shareOf), pair(r.of(anyOf)), pair(r.of(criticalOf)), cell(r.Warning), cell(r.Lost),
		cell(r.Split)+"-"+cell(r.LastSplit), yes(r.agrees()), yes(r.ok())+doubt(r.Doubtful))
}

// sumBlackouts prints the totals: median and worst over all cuts and nodes, median and earliest of what Corosync did.
func sumBlackouts(w io.Writer, rows []row) {
	var own, all, critical, warning, lost, split []time.Duration
	var toLost, toSplit []time.Duration
	for _, r := range rows {
		own, all, critical = append(own, r.of(findingOf)...), append(all, r.of(anyOf)...), append(critical, r.of(criticalOf)...)
		warning, lost, split = append(warning, r.Warning), append(lost, r.Lost), append(split, r.Split)
		for _, a := range r.Accounts {
			if r.Lost != never && a.AfterAny != never {
				toLost = append(toLost, r.Lost-a.AfterAny)
			}
			if r.Split != never && a.Critical != never {
				toSplit = append(toSplit, r.Split-a.Critical)
			}
		}
	}
	line(w, "all", pair(own), worstOf(rows, shareOf), pair(all), pair(critical), early(warning), early(lost), early(split), "", "")
	if len(toLost) > 0 && len(toSplit) > 0 {
		fmt.Fprintf(w, "\nThe finding stood %s ms before \"token timed out\" (median; least %s), critical %s ms before the new membership (least %s).\n",
			median(toLost), cell(slices.Min(toLost)), median(toSplit), cell(slices.Min(toSplit)))
	}
}

// detailBlackouts prints a table by cut and node.
func detailBlackouts(w io.Writer, rows []row) {
	fmt.Fprintln(w)
	head(w, "cut", "node", "own first loss", "finding, own", "intervals beyond RTT", "what", "critical", "new membership", "named before the split", "Corosync shows")
	for _, r := range rows {
		for _, a := range r.Accounts {
			shown := "the same"
			if !a.Agrees {
				shown = r.Shown.String()
			}
			line(w, fmt.Sprint(r.Number), a.Node, cell(a.Own), cell(a.Finding), fmt.Sprintf("%.2f", a.Share), a.Code, cell(a.Critical), cell(a.Split),
				a.Named.String(), shown)
		}
	}
}
