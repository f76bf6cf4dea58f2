package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// mostTried is how many of the settings that were tried the text shows.
const mostTried = 20

// wideColumns is where there is room for more words.
const wideColumns = 100

// adviceText writes advice for people.
type adviceText struct {
	b       strings.Builder
	in      advice.Input
	a       advice.Advice
	columns int
}

func writeAdvice(w io.Writer, in advice.Input, a advice.Advice, columns int) error {
	t := &adviceText{in: in, a: a, columns: columns}
	t.head()
	t.figures()
	t.bounds()
	t.tried()
	t.change()
	for _, r := range a.Remarks {
		t.section(r.About)
		t.wrap("  ", r.Text)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}

func (t *adviceText) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

func (t *adviceText) section(name string) { t.line("\n%s", name) }

// wrap writes words behind an indent, broken at blanks; the first line has its mark instead.
func (t *adviceText) wrap(mark, text string) {
	line, indent := mark, strings.Repeat(" ", len(mark))
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > t.columns && strings.TrimSpace(line) != "" && line != mark {
			t.line("%s", line)
			line = indent
		}
		if !strings.HasSuffix(line, " ") && line != "" {
			line += " "
		}
		line += word
	}
	t.line("%s", line)
}

func (t *adviceText) head() {
	a := t.a
	switch a.Verdict {
	case advice.Change:
		t.wrap("CHANGE       ", a.Proposed.Name)
	case advice.Nothing:
		t.line("NOTHING TO CHANGE")
	case advice.NotEnough:
		t.line("NOT ENOUGH DATA")
	case advice.NoSetting:
		t.line("NO SETTING HELPS: the path itself must be repaired")
	}
	e := a.Evidence
	t.wrap("record       ", fmt.Sprintf("%s from %s, %.0f %% known", short(e.Length), t.in.Trace.Start.UTC().Format(time.RFC3339), 100*e.Known))
	for _, l := range e.Loss {
		if l.Loss > 0 {
			t.wrap("loss         ", fmt.Sprintf("link %d: at worst %.2g %%, %s to %s", l.Path.Link, 100*l.Loss, t.name(l.Path.From), t.name(l.Path.To)))
		}
	}
	for i, why := range a.Why {
		t.wrap([]string{"why          ", "             "}[min(i, 1)], why)
	}
	if a.Limit != "" {
		t.wrap("first limit  ", a.Limit)
	}
}

func (t *adviceText) name(id uint32) string {
	for _, n := range t.in.Trace.Nodes {
		if n.ID == id && n.Name != "" {
			return n.Name
		}
	}
	return fmt.Sprintf("node %d", id)
}

// figures sets before beside after.
func (t *adviceText) figures() {
	if !t.a.Before.Tested {
		return
	}
	trials := []advice.Trial{t.a.Before}
	head := []string{"\nin the model", "as it is"}
	if t.a.Proposed != nil {
		trials, head = append(trials, *t.a.Proposed), append(head, "changed")
	}
	rows := [][]string{head}
	add := func(name string, cell func(advice.Trial) string) {
		row := []string{"  " + name}
		for _, tr := range trials {
			row = append(row, cell(tr))
		}
		rows = append(rows, row)
	}
	add("token losses an hour", func(tr advice.Trial) string { return rate(tr.Figures.TokenLosses) })
	if f := t.a.Before.Forecast; f != nil && f.Enough {
		add("on networks like this one", func(tr advice.Trial) string { return expected(tr.Forecast) })
	}
	add("with nodes lost", func(tr advice.Trial) string { return rate(tr.Figures.Splits) })
	add("links taken down an hour", func(tr advice.Trial) string { return rate(tr.Figures.LinkDowns) })
	add("longest time without token", func(tr advice.Trial) string { return t.share(tr.Figures.WorstGap, tr.Bounds.Token) })
	if d := t.a.Before.Drill; d != nil && d.Links > 1 {
		add("preferred link dies", func(tr advice.Trial) string { return t.share(tr.Drill.Failover, tr.Bounds.Token) })
		add("which costs the token", func(tr advice.Trial) string { return fmt.Sprintf("in %.0f %%", 100*tr.Drill.Lost) })
		add("the same after a flap", func(tr advice.Trial) string { return fmt.Sprintf("in %.0f %%", 100*tr.Drill.LostBackedUp) })
	}
	if t.a.Before.Drill != nil {
		add("dead node declared after", func(tr advice.Trial) string { return short(tr.Drill.DeadNode) })
	}
	t.table(rows)
}

func (t *adviceText) table(rows [][]string) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	_ = w.Flush() // to memory
	for line := range strings.Lines(b.String()) {
		t.line("%s", strings.TrimSuffix(line, "\n"))
	}
}

// bounds shows both.
func (t *adviceText) bounds() {
	b := t.a.Before.Bounds
	if t.a.Proposed != nil {
		b = t.a.Proposed.Bounds
	}
	if b.Token == 0 {
		return
	}
	t.section("bounds of the token" + map[bool]string{true: ", changed"}[t.a.Proposed != nil])
	lower := holds(b.LowerHolds())
	if t.a.Verdict == advice.NotEnough && b.LowerHolds() { // a longer record may have a longer one
		lower = "not enough data to say that it holds"
	}
	t.wrap("  ", fmt.Sprintf("longest stall %s x %d = %s < token %s: %s", short(b.Least/advice.Safety), advice.Safety, short(b.Least), short(b.Token), lower))
	t.wrap("  ", fmt.Sprintf("token + consensus + synchronization = %s <= %s, half of the fence budget of %s: %s", short(b.Membership), short(b.Most), short(advice.FenceBudget),
		holds(b.UpperHolds())))
}

func holds(ok bool) string {
	if ok {
		return "holds"
	}
	return "BROKEN"
}

// tried lists what else was looked at; what was refused unseen for one reason shares a line.
func (t *adviceText) tried() {
	if len(t.a.Tried) == 0 {
		return
	}
	refused, reasons, shown, left := map[string][]string{}, []string{}, 0, 0
	t.section("settings tried: token losses an hour, longest time without token")
	for _, tr := range t.a.Tried {
		switch {
		case !tr.Tested:
			if refused[tr.Refused] == nil {
				reasons = append(reasons, tr.Refused)
			}
			refused[tr.Refused] = append(refused[tr.Refused], tr.Name)
		case shown == mostTried:
			left++
		default:
			shown++
			t.triedOne(tr)
		}
	}
	if left > 0 {
		t.line("  and %d more: --json shows all", left)
	}
	for _, r := range reasons {
		names := refused[r]
		what := names[0]
		if len(names) > 1 {
			what = fmt.Sprintf("%d, from %q to %q", len(names), names[0], names[len(names)-1])
		}
		t.wrap("  ", "refused: "+what+": "+r)
	}
}

// triedOne has its figures before its name, which may be long.
func (t *adviceText) triedOne(tr advice.Trial) {
	text := tr.Name
	switch {
	case t.a.Proposed != nil && tr.Name == t.a.Proposed.Name:
		text += "  <- proposed"
	case tr.Refused != "":
		text += "; refused: " + tr.Refused
	}
	widest := len(t.share(9*time.Second, time.Second))
	t.wrap(fmt.Sprintf("  %4s  %-*s ", figure(tr.Figures.TokenLosses.PerHour), widest, t.share(tr.Figures.WorstGap, tr.Bounds.Token)), text)
}

// change is the diff and what to do with it.
func (t *adviceText) change() {
	if t.a.Verdict != advice.Change {
		return
	}
	t.section("diff")
	for line := range strings.Lines(string(diffOf(t.in, t.a))) {
		if !strings.HasPrefix(line, "diff ") {
			t.line("  %s", strings.TrimRight(line, "\r\n"))
		}
	}
	t.section("steps")
	for i, s := range t.a.Steps {
		t.wrap(fmt.Sprintf("  %d. ", i+1), s)
	}
}

func rate(r advice.Rate) string {
	return fmt.Sprintf("%s (%s to %s)", figure(r.PerHour), figure(r.Low), figure(r.High))
}

func figure(x float64) string {
	switch {
	case x < 0.005:
		return "0"
	case x < 9.95:
		return fmt.Sprintf("%.2g", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// expected is the forecast's rate.
func expected(f *risk.Forecast) string {
	switch {
	case f == nil || !f.Enough:
		return "unknown"
	case f.TokenLoss.Rare:
		return "at most " + figure(f.TokenLoss.High)
	}
	return rate(advice.Rate{PerHour: f.TokenLoss.PerHour, Low: f.TokenLoss.Low, High: f.TokenLoss.High})
}

// share is a time, and what it is of the token.
func (t *adviceText) share(d, token time.Duration) string {
	of := " of token"
	if t.columns < wideColumns {
		of = ""
	}
	return fmt.Sprintf("%s (%.0f %%%s)", short(d), 100*d.Seconds()/token.Seconds(), of)
}

// short is a duration in at most four digits.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return units.Time(d)
}
