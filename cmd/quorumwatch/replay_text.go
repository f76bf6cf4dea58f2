package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/quorumwatch/quorumwatch/checker/replay"
	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// mostEvents is how many losses of a set are listed.
const mostEvents = 8

// text writes the answer for people.
func (a *replayed) text(w io.Writer, columns int) error {
	var b bytes.Buffer
	a.heading(&b, columns)
	fmt.Fprintln(&b)
	a.table(&b, columns)
	fmt.Fprintln(&b)
	for i := range a.runs {
		fmt.Fprintln(&b, wrapped(a.runs[i].sentence(), columns))
	}
	for i := range a.runs {
		for _, note := range a.runs[i].notes(a.trace) {
			fmt.Fprintln(&b, wrapped("Note: "+a.runs[i].name()+": "+note+".", columns))
		}
	}
	for i := range a.runs {
		a.events(&b, &a.runs[i], columns)
	}
	a.unexplained(&b, columns)
	_, err := w.Write(b.Bytes())
	return err
}

// heading says what the trace is.
func (a *replayed) heading(w io.Writer, columns int) {
	x := a.facts()
	line := func(format string, args ...any) { fmt.Fprintln(w, wrapped(fmt.Sprintf(format, args...), columns)) }
	line("Trace of %s: %s to %s UTC (%s), %d nodes, %d paths", x.author, x.start.Format("2006-01-02 15:04:05"), x.end.Format("15:04:05"),
		units.Time(x.end.Sub(x.start)), len(a.trace.Nodes), x.paths)
	line("Of what was sent %s was lost; of %s nothing is known", percent(x.lost, x.lost+x.arrived), percent(x.unknown, x.lost+x.arrived+x.unknown))
	line("Corosync itself, as %s logged: %s", x.author, a.logged())
}

// logged sums up what Corosync said.
func (a *replayed) logged() string {
	n := map[string]int{}
	for _, m := range a.trace.Marks {
		n[m.Kind]++
	}
	var out []string
	for _, k := range []struct{ kind, one, many string }{
		{trace.KindTokenLost, "token lost once", "token lost %d times"},
		{trace.KindTokenWarning, "1 token warning", "%d token warnings"},
		{trace.KindMembership, "1 new membership", "%d new memberships"},
		{trace.KindLinkDown, "1 link down", "%d links down"},
	} {
		switch n[k.kind] {
		case 0:
		case 1:
			out = append(out, k.one)
		default:
			out = append(out, fmt.Sprintf(k.many, n[k.kind]))
		}
	}
	if len(out) == 0 {
		return "nothing of its token, membership or links"
	}
	return strings.Join(out, ", ")
}

// sentence is a set's outcome in words.
func (r *replayedSet) sentence() string {
	o := &r.outcome
	who := "With " + r.name()
	if len(r.changes) == 0 {
		who = "As recorded"
	}
	if o.Lost == 0 {
		return fmt.Sprintf("%s: the token would never have been lost, in %d passes; %s without it at worst, %.0f %% of the %s that Corosync waits.",
			who, o.Passes, units.Time(o.Worst), 100*o.WorstUsed, units.Time(r.cluster.Timeouts.Token))
	}
	times := fmt.Sprintf("%d times", o.Losses.Median)
	if o.Losses.Median == 1 {
		times = "once"
	}
	if o.Losses.Low != o.Losses.High {
		times += fmt.Sprintf(" (%d to %d)", o.Losses.Low, o.Losses.High)
	}
	if o.Losses.Low == 0 {
		times = fmt.Sprintf("in %d of %d passes, up to %d times", o.Lost, o.Passes, o.Losses.High)
		if o.Losses.High == 1 {
			times = fmt.Sprintf("in %d of %d passes, once", o.Lost, o.Passes)
		}
	}
	freeze := fmt.Sprintf("frozen for up to %s.", units.Time(o.Freeze))
	if o.Splits.Never() {
		return fmt.Sprintf("%s: you would have lost the token %s, but no node; %s", who, times, freeze)
	}
	return fmt.Sprintf("%s: you would have lost the token %s, and nodes with it; %s", who, times, freeze)
}

// events lists when a set lost the token, and why.
func (a *replayed) events(w io.Writer, r *replayedSet, columns int) {
	o := &r.outcome
	if len(o.Events) == 0 {
		return
	}
	fmt.Fprintln(w, "\n"+wrapped("Token losses, "+r.name()+":", columns))
	events, left := slices.Clone(o.Events), []replay.Event(nil)
	if len(events) > mostEvents { // the ones of most passes
		slices.SortStableFunc(events, func(x, y replay.Event) int { return cmp.Compare(y.Passes, x.Passes) })
		events, left = events[:mostEvents], events[mostEvents:]
		slices.SortFunc(events, func(x, y replay.Event) int { return cmp.Compare(x.First, y.First) })
	}
	for _, e := range events {
		at := a.clock(e.First)
		if until := a.clock(e.Last); until != at {
			at += " to " + until
		}
		line := fmt.Sprintf("%s  in %d of %d passes, frozen for up to %s", at, e.Passes, o.Passes, units.Time(e.Freeze))
		if e.Splits > 0 {
			line += ", nodes left"
		}
		fmt.Fprintln(w, indented(line+": "+e.Where, columns))
	}
	if len(left) > 0 {
		fmt.Fprintf(w, "  and %d more, each in %d of %d passes at most\n", len(left), left[0].Passes, o.Passes)
	}
}

// unexplained lists what Corosync lost beside what the model did under the recorded settings.
func (a *replayed) unexplained(w io.Writer, columns int) {
	head := false
	for _, m := range a.trace.Marks {
		if m.Kind != trace.KindTokenLost {
			continue
		}
		if !head {
			fmt.Fprintf(w, "\nToken losses that Corosync logged:\n")
			head = true
		}
		fmt.Fprintln(w, indented(a.clock(m.At)+"  "+a.matched(m), columns))
	}
}

// matched says in how many passes the model lost the token then too, under the recorded settings.
func (a *replayed) matched(m trace.Mark) string {
	r := &a.runs[0]
	if n := replay.LostAt(r.passes, m.At, r.cluster.Timeouts.Token); n > 0 {
		return fmt.Sprintf("the model too, as recorded, in %d of %d passes", n, r.outcome.Passes)
	}
	return fmt.Sprintf("not the model, in %d passes: either few phases of the timers lose it, or what happened is not in the trace "+
		"(a stopped daemon, a stalled host, paths that nobody could tell of)", r.outcome.Passes)
}

// clock is an instant of the trace as a wall clock showed it.
func (a *replayed) clock(at time.Duration) string {
	return a.trace.Start.Add(at).UTC().Format("15:04:05.0")
}

// percent is a part in per cent.
func percent(part, whole int) string {
	switch p := 100 * float64(part) / float64(max(whole, 1)); {
	case part == 0:
		return "nothing"
	case p < 0.01:
		return "less than 0.01 %"
	case p < 10:
		return fmt.Sprintf("%.2g %%", p)
	default:
		return fmt.Sprintf("%.0f %%", p)
	}
}

// indented is a line of a list, wrapped below itself.
func indented(line string, columns int) string {
	return "  " + strings.ReplaceAll(wrapped(line, columns-4), "\n", "\n    ")
}

// wrapped breaks a text into lines.
func wrapped(text string, columns int) string {
	var b strings.Builder
	n := 0
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
		case n+1+utf8.RuneCountInString(word) > columns:
			b.WriteByte('\n')
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += utf8.RuneCountInString(word)
	}
	return b.String()
}
