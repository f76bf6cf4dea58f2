package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// numbers is the table of headline figures, with a column for now where something changes.
func (p *planPrinter) numbers() {
	type row struct {
		name string
		of   func(*plan.State) string
	}
	rows := []row{
		{"may be lost", spareText},
		{"two at once", doublesText},
		{"token", func(s *plan.State) string { return units.Time(s.Timers.Token.Duration()) }},
		{"membership", func(s *plan.State) string {
			return units.Time(s.Timers.Membership.Duration()) + " after the last token"
		}},
		{"timers", timersText},
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
	total := fmt.Sprintf("(%s, %d needed)", count(q.Expected, "vote"), q.Needed)
	if q.SpareNodes == 0 {
		return "no node " + total
	}
	if q.SpareNodes == 1 {
		return "any 1 node " + total
	}
	return fmt.Sprintf("any %d nodes at once %s", q.SpareNodes, total)
}

// doublesText counts the double failures that nobody survives as a cluster.
func doublesText(s *plan.State) string {
	fatal, total := 0, 0
	for _, g := range s.Doubles {
		total += g.Count
		if g.Impact >= plan.Loose {
			fatal += g.Count
		}
	}
	if total == 0 {
		return "no double failures"
	}
	return fmt.Sprintf("%d of %s %s fatal", fatal, count(total, "double failure"), agree(fatal == 1, "is", "are"))
}

func timersText(s *plan.State) string {
	t, l := s.Timers, s.Links[0]
	return fmt.Sprintf("consensus %s, token retransmit %s, hold %s, knet ping every %s with timeout %s", units.Time(t.Consensus.Duration()),
		units.Time(t.Retransmit.Duration()), units.Time(t.Hold.Duration()), units.Time(l.PingInterval.Duration()), units.Time(l.PingTimeout.Duration()))
}

func ringText(s *plan.State) string {
	text := units.Time(s.Timers.Round.Duration()) + " once around"
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
	return fmt.Sprintf("%s of %.0f s: %s", units.Time(s.Fence.Needed.Duration()), s.Fence.Usable.Duration().Seconds(), word)
}

func deathText(s *plan.State) string {
	if len(s.Links) == 1 {
		return "no other link: each node is alone"
	}
	worst := plan.Switch{}
	for _, sw := range s.Switches {
		if worst.Trials == 0 || sw.LostLeast > worst.LostLeast || sw.LostLeast == worst.LostLeast && sw.Share > worst.Share {
			worst = sw
		}
	}
	if worst.Trials == 0 {
		return "not modelled"
	}
	if worst.Weak() {
		return fmt.Sprintf("token LOST in %d of %s (%s; %s)", worst.Lost, count(worst.Trials, "trial"), lostShare(worst), worst.Failure)
	}
	lost := "none"
	if worst.Lost > 0 {
		lost = fmt.Sprint(worst.Lost)
	}
	return fmt.Sprintf("token waits up to %s (%s), lost in %s of %s (%s)", units.Time(worst.WorstGap.Duration()), units.Percent(worst.Share),
		lost, count(worst.Trials, "trial"), lostShare(worst))
}

// lostShare is the interval of the share of deaths that cost the token.
func lostShare(s plan.Switch) string {
	if s.Lost == 0 {
		return fmt.Sprintf("below %.0f %%", math.Ceil(100*s.LostMost))
	}
	return fmt.Sprintf("%s to %s %%", figures(100*s.LostLeast), figures(100*s.LostMost))
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
		return fmt.Sprintf("if %s were lost %s: %s", units.Percent(loss), where, strings.Join(parts, "; "))
	}
	return fmt.Sprintf("at %s loss %s: %s", units.Percent(loss), where, strings.Join(parts, "; "))
}

// rate says how many token losses an hour there are, as far as the model's time allows.
func rate(l plan.Losses) string {
	if l.Hopeless() {
		return fmt.Sprintf("the ring is BROKEN for %s of the time", units.Percent(l.Broken))
	}
	if l.Count == 0 {
		return fmt.Sprintf("fewer than %s an hour (none in %s of the model)", figures(l.Most), units.Round(l.Model.Duration()))
	}
	return fmt.Sprintf("%s an hour (%s to %s)", figures(l.PerHour), figures(l.Least), figures(l.Most))
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
