package report

import (
	"fmt"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// margin writes how far the token was from its timeout, and where the worst came from.
func (p *printer) margin() {
	m := p.r.Margin
	if !m.Known {
		p.line("MARGIN    unknown")
		return
	}
	text := fmt.Sprintf("%s now, %s in the last minute, %s in ten", units.Percent(m.Now), units.Percent(m.Minute), units.Percent(m.TenMin))
	if len(m.Windows) < 5 {
		p.line("MARGIN    %s (worst gap %s, %s link %d)", text, units.Time(m.WorstGap.Duration()), m.Peer.Name, m.Link)
		if m.Reason != "" {
			p.wrap("          by gaps: ", m.Reason)
		}
		return
	}
	for i, name := range []string{"in the hour", "in the day"} {
		text += ", " + units.Percent(m.Windows[3+i].Margin) + " " + name
	}
	p.line("MARGIN    %s", text)
	p.wrap("          ", p.worstTen(&m))
	if t := m.Trend; t != nil && t.Falling {
		p.line("          falling: %s was usual in the hour before, %s are left", units.Percent(t.Before), units.Percent(t.Now))
	}
}

// worstTen is what the virtual rings did in the last ten minutes.
func (p *printer) worstTen(m *checker.Margin) string {
	w := &m.Windows[2]
	text := fmt.Sprintf("in ten minutes the virtual token was away for %s", units.Time(w.Gap.Duration()))
	if w.WorstGap > w.Gap {
		text += fmt.Sprintf(", at worst %s", units.Time(w.WorstGap.Duration()))
	}
	if w.From.ID != 0 {
		text += fmt.Sprintf(" (%s to %s on link %d, %s)", w.From.Name, w.To.Name, w.Link, w.At.Format("15:04:05"))
	}
	if w.LossShare > 0 {
		text += fmt.Sprintf("; %.0f of %d rings lost it", w.LossShare*float64(m.Rings), m.Rings)
	}
	if w.TokenLosses > 0 {
		text += fmt.Sprintf("; Corosync really lost it: %d", w.TokenLosses)
	}
	if m.Coverage < 1 {
		text += fmt.Sprintf("; %s of the paths known", units.Percent(m.Coverage))
	}
	return text
}
