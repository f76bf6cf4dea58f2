package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/plan"
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
		parts = append(parts, "round trips of "+show(a.RTTBetween.Duration())+" between sites")
	}
	if a.Exceptions > 0 {
		parts = append(parts, count(a.Exceptions, "exception"))
	}
	if a.LossSaid {
		parts = append(parts, "loss of "+percent(a.LossBetween))
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

// numbers is the table of headline figures, with a column for now where something changes.
func (p *planPrinter) numbers() {
	type row struct {
		name string
		of   func(*plan.State) string
	}
	rows := []row{
		{"may be lost", spareText},
		{"token", func(s *plan.State) string { return show(s.Timers.Token.Duration()) }},
		{"membership", func(s *plan.State) string { return show(s.Timers.Membership.Duration()) + " after the last token" }},
		{"ring", ringText},
		{"reset", func(s *plan.State) string {
			if !slices.ContainsFunc(s.Nodes, func(n plan.NodeState) bool { return n.Armed }) {
				return "no node: HA is not armed"
			}
			return fmt.Sprintf("%.0f to %.0f s after a cut", s.Fence.First.Duration().Seconds(), s.Fence.Last.Duration().Seconds())
		}},
		{"fence budget", fenceText},
		{"a link dies", deathText},
		{"token losses", p.lossText},
	}
	p.line("")
	const first = 14
	if p.r.Then == nil {
		for _, r := range rows {
			p.wrap(r.name, first, r.of(p.s))
		}
		return
	}
	half := (p.columns - first - 2) / 2
	p.line("%-*s%-*s  %s", first, "", half, "now", "then")
	for _, r := range rows {
		now, then := r.of(&p.r.Now), r.of(p.r.Then)
		if now == then {
			then = "same"
		}
		p.pair(r.name, first, half, now, then)
	}
}

// pair writes two texts beside each other.
func (p *planPrinter) pair(name string, first, half int, now, then string) {
	left, right := fold(now, half), fold(then, half)
	for i := range max(len(left), len(right)) {
		a, b := "", ""
		if i < len(left) {
			a = left[i]
		}
		if i < len(right) {
			b = right[i]
		}
		p.line("%-*s%s%s  %s", first, name, a, strings.Repeat(" ", max(0, half-width(a))), b)
		name = ""
	}
}

// fold breaks a text at blanks.
func fold(text string, columns int) []string {
	var out []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && width(line)+1+width(word) > columns {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(out, line)
}

func spareText(s *plan.State) string {
	q := s.Quorum
	total := fmt.Sprintf("(%d votes, %d needed)", q.Expected, q.Needed)
	if q.SpareNodes == 0 {
		return "no node " + total
	}
	if q.SpareNodes == 1 {
		return "any 1 node " + total
	}
	return fmt.Sprintf("any %d nodes at once %s", q.SpareNodes, total)
}

func ringText(s *plan.State) string {
	text := show(s.Timers.Round.Duration()) + " once around"
	if len(s.Sites) > 1 {
		text += fmt.Sprintf(", %d of %d hops from site to site", s.Timers.Crossings, len(s.Nodes))
	}
	return text
}

func fenceText(s *plan.State) string {
	word := "good"
	switch {
	case s.Fence.Exceeds:
		word = "EXCEEDED: nodes with quorum may reset too"
	case s.Fence.Share >= 0.5:
		word = "more than half"
	}
	return fmt.Sprintf("%s of %.0f s: %s", show(s.Fence.Needed.Duration()), s.Fence.Usable.Duration().Seconds(), word)
}

func deathText(s *plan.State) string {
	if len(s.Links) == 1 {
		return "no other link: each node is alone"
	}
	worst := plan.Switch{}
	for _, sw := range s.Switches {
		if sw.Lost > worst.Lost || worst.Trials == 0 || sw.Lost == worst.Lost && sw.Share > worst.Share {
			worst = sw
		}
	}
	if worst.Trials == 0 {
		return "not modelled"
	}
	if worst.Lost > 0 {
		return fmt.Sprintf("token LOST in %d of %d trials (%s)", worst.Lost, worst.Trials, worst.Failure)
	}
	return fmt.Sprintf("token waits up to %s (%s), lost in none of %d trials", show(worst.WorstGap.Duration()), percent(worst.Share), worst.Trials)
}

func (p *planPrinter) lossText(s *plan.State) string {
	if len(s.Losses) == 0 && len(s.Sites) < 2 {
		return "not modelled: no loss assumed (--loss within=1%)"
	}
	if len(s.Losses) == 0 {
		return "not modelled: no loss assumed (--loss)"
	}
	var parts []string
	for _, l := range s.Losses {
		text := rate(l)
		if l.Without != nil {
			text = fmt.Sprintf("with link %d dead %s", *l.Without, text)
		}
		parts = append(parts, text)
	}
	loss, where := s.Losses[0].Between, "between sites"
	if loss == 0 {
		loss, where = s.Losses[0].Within, "inside of sites"
	}
	if !p.r.Assumed.LossSaid {
		return fmt.Sprintf("if %s were lost %s: %s", percent(loss), where, strings.Join(parts, "; "))
	}
	return fmt.Sprintf("at %s loss %s: %s", percent(loss), where, strings.Join(parts, "; "))
}

// rate says how many token losses an hour there are, as far as the model's time allows.
func rate(l plan.Losses) string {
	if l.Hopeless() {
		return fmt.Sprintf("the ring is BROKEN for %s of the time", percent(l.Broken))
	}
	if l.Count == 0 {
		return fmt.Sprintf("fewer than %s an hour (none in %s of the model)", figures(l.Most), span(l.Model.Duration()))
	}
	return fmt.Sprintf("%s an hour (%s to %s)", figures(l.PerHour), figures(l.Least), figures(l.Most))
}

// span is a length of model time.
func span(d time.Duration) string {
	if d < 2*time.Hour {
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}

func figures(f float64) string {
	switch {
	case f >= 10:
		return fmt.Sprintf("%.0f", f)
	case f >= 1:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

func count(n int, word string) string {
	switch n {
	case 0:
		return "no " + word + "s"
	case 1:
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
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
			p.line("\nNothing that was tried (qdevice, second link, one more node) helps without another weak point.")
		}
		return
	}
	p.line("\nWHAT HELPS, each judged in the same way")
	for _, a := range p.r.Advice {
		p.wrap("  ", 2, a.Flags+": "+a.Text)
		text := "cures " + strings.Join(a.Cures, ", ")
		if len(a.Leaves) > 0 {
			text += "; leaves " + strings.Join(a.Leaves, ", ")
		} else {
			text += ": nothing is left"
		}
		p.wrap("    ", 4, text)
	}
}

// notes come last.
func (p *planPrinter) notes() {
	for i, n := range p.s.Notes {
		if i == 0 {
			p.line("\nNOTES")
		}
		p.wrap("  - ", 4, n)
	}
	for _, l := range p.s.Livelocks {
		p.wrap("  - ", 4, fmt.Sprintf("%s on all links, by the model: a node is out of service for %s of the time, the worst of them for %s",
			l.Failure, percent(l.Frozen), percent(l.Worst)))
	}
}

// alike tells whether a failure comes out the same: with the same impact and, of a split, on the same side.
func alike(a, b *plan.Group) bool {
	if a.Impact != b.Impact || a.Impact != plan.Partial || a.Count > 1 || b.Count > 1 {
		return a.Impact == b.Impact
	}
	return slices.ContainsFunc(a.Worst.Keep, func(n string) bool { return slices.Contains(b.Worst.Keep, n) })
}
