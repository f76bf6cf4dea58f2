package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// PlanJSON writes r as indented JSON with a final newline. docs/plan.md describes it.
func PlanJSON(w io.Writer, r *plan.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Plan writes r for people, at most columns wide where words allow: verdict, headline numbers, weak points and what helps, then the
// failures, worst first. Cases that are alike share a line.
func Plan(w io.Writer, r *plan.Report, columns int) error {
	p := &planPrinter{r: r, columns: columns, s: &r.Now}
	if r.Then != nil {
		p.s = r.Then
	}
	p.head()
	p.numbers()
	p.weak()
	p.advice()
	p.changed()
	p.singles()
	p.doubles()
	p.cases()
	p.notes()
	_, err := io.WriteString(w, p.b.String())
	return err
}

type planPrinter struct {
	r       *plan.Report
	s       *plan.State // what is planned: Then if there is one
	columns int
	b       strings.Builder
}

func (p *planPrinter) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	p.b.WriteByte('\n')
}

// wrap writes text behind a label that is padded to a column, broken at blanks; further lines begin at that column.
func (p *planPrinter) wrap(label string, column int, text string) {
	line := label + strings.Repeat(" ", max(0, column-width(label)))
	if width(strings.TrimRight(label, " ")) >= column && strings.TrimSpace(label) != "" {
		for i, part := range fold(label, p.columns-6) {
			p.line("%s%s", [...]string{"  ", "    "}[min(i, 1)], part)
		}
		line = strings.Repeat(" ", column)
	}
	begin := true
	for word := range strings.FieldsSeq(text) {
		if !begin && width(line)+1+width(word) > p.columns {
			p.line("%s", line)
			line, begin = strings.Repeat(" ", column), true
		}
		if !begin {
			line += " "
		}
		line, begin = line+word, false
	}
	p.line("%s", line)
}

func (p *planPrinter) head() {
	word := "WEAK"
	if p.r.OK {
		word = "GOOD"
	}
	p.wrap(word, 6, p.r.Verdict)
	if p.r.Then != nil {
		p.wrap("", 6, "changed: "+strings.Join(p.r.Changes, ", "))
		if now := len(p.r.Now.Weak); now > 0 || !p.r.OK {
			p.wrap("", 6, fmt.Sprintf("%s now, %s then", count(now, "weak point"), count(len(p.s.Weak), "weak point")))
		}
	}
	p.wrap("", 6, p.cluster())
	p.wrap("", 6, "assumed: "+p.assumed())
}

// cluster says what is planned, in a line.
func (p *planPrinter) cluster() string {
	s := p.s
	text := count(len(s.Nodes), "node")
	if len(s.Sites) > 0 {
		var sites []string
		for _, site := range s.Sites {
			sites = append(sites, fmt.Sprintf("%s %d", site.Name, site.Nodes))
		}
		text += fmt.Sprintf(" in %s (%s)", count(len(s.Sites), "site"), strings.Join(sites, ", "))
	} else {
		text += ", no sites named (--site)"
	}
	text += ", " + count(len(s.Links), "link")
	if d := s.Quorum.Device; d != nil {
		text += fmt.Sprintf(", qdevice %s with %s", d.Algorithm, count(d.Votes, "vote"))
	} else {
		text += ", no qdevice"
	}
	if len(s.Quorum.Options) > 0 {
		text += ", " + strings.Join(s.Quorum.Options, ", ")
	}
	return text
}

func (p *planPrinter) assumed() string {
	a := p.r.Assumed
	var parts []string
	if a.Defaults {
		parts = append(parts, "a new Proxmox VE cluster")
	}
	if len(p.s.Sites) > 1 {
		parts = append(parts, "round trips of "+span(units.Time(a.RTTLeast.Duration()), units.Time(a.RTTMost.Duration()))+" between sites")
	}
	switch {
	case a.LossSaid && len(p.s.Sites) > 1 && a.LossMost > 0:
		parts = append(parts, "loss of "+span(units.Percent(a.LossLeast), units.Percent(a.LossMost)))
	case a.LossSaid:
		parts = append(parts, "loss of "+units.Percent(a.LossWithin)+" inside of sites")
	}
	switch n := len(p.s.Nodes); {
	case a.ArmedNodes == n:
		parts = append(parts, "HA armed on all nodes")
	case a.ArmedNodes == 0:
		parts = append(parts, "HA on no node")
	default:
		parts = append(parts, fmt.Sprintf("HA armed on %d of %d nodes", a.ArmedNodes, n))
	}
	return strings.Join(parts, ", ")
}

// span writes a range, or its one value.
func span(least, most string) string {
	if least == most {
		return most
	}
	return least + " to " + most
}

func (p *planPrinter) weak() {
	if len(p.s.Weak) == 0 {
		return
	}
	p.line("\nWEAK POINTS")
	column := 0
	for _, w := range p.s.Weak {
		column = max(column, width(w.Key))
	}
	for _, w := range p.s.Weak {
		p.wrap("  "+w.Key, min(column, 24)+4, w.Text)
	}
}

func (p *planPrinter) advice() {
	if len(p.r.Advice) == 0 {
		if len(p.s.Weak) > 0 {
			p.line("\nNone of the changes that plan tries (docs/plan.md) helps without another weak point.")
		}
		return
	}
	p.line("\nWHAT HELPS, each judged in the same way")
	for _, a := range p.r.Advice {
		p.wrap("  ", 2, a.Flags+": "+a.Text)
		text := "cures " + strings.Join(a.Cures, ", ")
		if len(a.Brings) > 0 {
			text += "; brings instead, milder: " + strings.Join(a.Brings, ", ")
		}
		if len(a.Leaves) > 0 {
			text += "; leaves " + strings.Join(a.Leaves, ", ")
		}
		if len(a.Brings)+len(a.Leaves) == 0 {
			text += ": nothing is left"
		}
		p.wrap("    ", 4, text)
	}
}

// notes come last.
func (p *planPrinter) notes() {
	notes := slices.Clone(p.s.Notes)
	if text := livelockText(p.s.Livelocks); text != "" {
		notes = append(notes, text)
	}
	if len(notes) > 0 {
		p.line("\nNOTES")
	}
	for _, n := range notes {
		p.wrap("  - ", 4, n)
	}
}

// livelockText says what a ring that does not settle costs; nothing if there is none.
func livelockText(all []plan.Livelock) string {
	if len(all) == 0 {
		return ""
	}
	least, most := 1.0, 0.0
	for _, l := range all {
		least, most = min(least, l.Frozen), max(most, l.Frozen)
	}
	share := span(units.Percent(least), units.Percent(most))
	return "while two sites don't hear each other and a third hears both, nodes are out of service for " + share + " of the time (by the model, over " +
		units.Round(all[0].Model.Duration()) + "); if it lasts, watchdogs run out"
}

// alike tells whether a failure comes out the same: with the same impact and, of a split, on the same side.
func alike(a, b *plan.Group) bool {
	if a.Impact != b.Impact || a.Impact != plan.Partial || a.Count > 1 || b.Count > 1 {
		return a.Impact == b.Impact
	}
	return slices.ContainsFunc(a.Worst.Keep, func(n string) bool { return slices.Contains(b.Worst.Keep, n) })
}
