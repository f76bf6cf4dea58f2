package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// worstHours is how many hours are shown one by one.
const worstHours = 5

// verdictSoak tells of a long run hour by hour.
func verdictSoak(p *planPrinter, s *verdict.Soak) {
	if s == nil {
		return
	}
	p.line("")
	p.wrap("soak", labels, soakText(s))
	if m := &s.Worst; !m.Begin.IsZero() {
		p.wrap("", labels, minuteText(m))
	}
	if len(s.Hours) == 0 {
		return
	}
	p.wrap("", labels, "lost by hour: "+lossesByHour(s.Hours))
	rows := table{{"\nworst hours", "margin", "worst gap", "without token (model)", "lost", "where"}}
	for _, h := range hoursByMargin(s.Hours)[:min(len(s.Hours), worstHours)] {
		rows = append(rows, []string{
			h.Begin.Format("2006-01-02 15:04"), units.Percent(h.Margin), showGap(h.Gap), showGap(h.Virtual), fmt.Sprintf("%d of %d", h.Lost, h.Probes), h.Where,
		})
	}
	printed := &printer{}
	printed.table(rows)
	p.b.WriteString(printed.b.String())
}

func showGap(d verdict.Seconds) string {
	if d == 0 {
		return "none"
	}
	return units.Time(d.Duration())
}

// soakText says how much there is, and what is missing in between.
func soakText(s *verdict.Soak) string {
	text := fmt.Sprintf("%s of %s measured since %s", units.Time(s.Measured.Duration()), units.Time(s.Asked.Duration()), s.Started.Format("2006-01-02 15:04"))
	if s.Runs > 1 {
		text += fmt.Sprintf(" in %d runs; not measured and not judged: %s", s.Runs, units.Time(s.Down.Duration()))
		if n := len(s.Gaps); n > 0 {
			g := &s.Gaps[n-1]
			text += fmt.Sprintf(" (the last time from %s to %s)", g.From.Format("01-02 15:04:05"), g.To.Format("01-02 15:04:05"))
		}
	}
	if s.Measured < s.Asked {
		text += "; run the same command to go on"
	}
	return text
}

func minuteText(m *verdict.Minute) string {
	if m.Gap == 0 && m.Lost == 0 {
		return "worst minute: none, nothing was lost or late"
	}
	return fmt.Sprintf("worst minute %s: %d of %d probes lost, longest gap %s, %s", m.Begin.Format("2006-01-02 15:04"), m.Lost, m.Probes, showGap(m.Gap), m.Where)
}

// lossesByHour names the hours that lost something.
func lossesByHour(hours []verdict.Hour) string {
	var parts []string
	day := ""
	for i := range hours {
		h := &hours[i]
		if h.Lost == 0 {
			continue
		}
		at := h.Begin
		form := "15:04"
		if d := at.Format(time.DateOnly); d != day {
			day, form = d, "01-02 15:04"
		}
		parts = append(parts, fmt.Sprintf("%s %d", at.Format(form), h.Lost))
	}
	if len(parts) == 0 {
		return "none in " + count(len(hours), "hour")
	}
	return fmt.Sprintf("%s; none in %s", strings.Join(parts, ", "), count(len(hours)-len(parts), "other hour"))
}

// hoursByMargin orders hours from the worst to the best.
func hoursByMargin(hours []verdict.Hour) []*verdict.Hour {
	var out []*verdict.Hour
	for i := range hours {
		out = append(out, &hours[i])
	}
	slices.SortStableFunc(out, func(a, b *verdict.Hour) int {
		return cmp.Or(cmp.Compare(a.Margin, b.Margin), cmp.Compare(b.Lost, a.Lost))
	})
	return out
}
