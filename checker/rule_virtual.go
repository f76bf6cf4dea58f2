package checker

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// When the margin is told, by the last ten minutes. An idle ring's is 0.8; failing over to a second link takes it to 0.3, at worst 0.05:
// that is worth a word. What repeats is a warning (risk.Window.Threatened): in trials with rising loss it stood minutes before the first
// real loss. It is critical when the ring has really been lost again and again, and the virtual ones agree that the paths are why: the next
// time it may not come back whole. Once is enough where a split would leave nobody with quorum.
const (
	lowMargin     = 0.5
	lossesToPage  = 3   // real ones, but for cuts that were told of
	agreeingShare = 0.5 // of the rings

	goesOnFor = 3 * time.Minute // since the last spell: then it does not page any more
)

// marginSeverity grades the last ten minutes, with what is at stake; OK when there is nothing to tell.
func (j *judge) marginSeverity(w *risk.Window, stake *Outcome) Severity {
	threatened := w.Threatened()
	page := lossesToPage
	if stake != nil && len(stake.Keeps) == 0 {
		page = 1
	}
	switch {
	case threatened && w.Real.Losses-w.Real.InCuts >= page && w.LossShare >= agreeingShare && j.ago(j.virtual.Last) < goesOnFor:
		return Critical
	case threatened:
		return Warning
	case w.Ratio(j.token) < lowMargin:
		return Info
	}
	return OK
}

// virtualMargin tells of a low margin by the virtual token, and what is at stake. While somebody is out of reach, or may be, that is told of
// by the findings about cuts: then nothing new is said, and nothing worse.
func (j *judge) virtualMargin() {
	w := &j.virtual.Ten
	var stake *Outcome
	if w.Threatened() {
		stake = j.atStake(w.Hop)
	}
	severity := j.marginSeverity(w, stake)
	if j.unsettled() {
		severity = min(severity, j.stood(key(CodeLowMargin, "ring")))
	}
	if severity > OK {
		j.lowMarginFinding(w, severity, stake)
	}
	if t := j.virtual.Trend; t.Falling(j.token) && !j.unsettled() {
		j.add(draft{
			code: CodeMarginFalling, severity: Info, subject: "ring", cause: key(CodeLowMargin, "ring"),
			title:    fmt.Sprintf("the margin has fallen from %s to %s within the hour", units.Percent(1-ratio(t.Before, j.token)), units.Percent(max(0, 1-ratio(t.Now, j.token)))),
			evidence: map[string]string{"usual_gap": units.Time(t.Before), "gap_now": units.Time(t.Now)},
		})
	}
}

func (j *judge) lowMarginFinding(w *risk.Window, severity Severity, stake *Outcome) {
	d := draft{code: CodeLowMargin, severity: severity, subject: "ring", cause: j.hopCause(w.Hop, severity)}
	d.title = "the token came within " + units.Percent(w.Ratio(j.token)) + " of its timeout in the last 10 min"
	switch {
	case w.Real.Losses > 0:
		d.title = fmt.Sprintf("Corosync lost the token %s in the last 10 min", times(w.Real.Losses))
	case w.LossShare > 0 && w.Threatened():
		d.title = fmt.Sprintf("the paths were bad enough to lose the token: %.0f of %d virtual rings did in the last 10 min", w.LossShare*float64(j.virtual.Rings), j.virtual.Rings)
	}
	d.evidence = map[string]string{
		"token_gap": units.Time(w.Gap()), "share_of_token": units.Percent(ratio(w.Gap(), j.token)), "worst_ring": units.Time(w.Worst), "spells": strconv.Itoa(w.Spells),
		"virtual_losses": strconv.FormatFloat(w.Losses, 'f', 2, 64), "token_losses": strconv.Itoa(w.Real.Losses), "coverage": units.Percent(j.virtual.Coverage),
	}
	if h := w.Hop; h.Cause != risk.CauseNone {
		hop := fmt.Sprintf("%s to %s on link %d", j.nodeName(h.From), j.nodeName(h.To), h.Link)
		d.title += "; it was held up from " + hop
		d.evidence["hop"], d.evidence["hop_cause"], d.evidence["at"] = hop, h.Cause.String(), w.At.Format("15:04:05")
		if stake != nil {
			d.evidence["at_stake"] = stake.Text
			d.title += "; if that breaks, " + stake.Text
		}
	}
	j.add(d)
}

// unsettled: somebody is out of reach, or it cannot be told yet why somebody is silent.
func (j *judge) unsettled() bool {
	return len(j.cuts) > 0 || slices.ContainsFunc(j.peers, func(p peer) bool { return p.verdict == silent })
}

// stood is the severity at which a finding stood before.
func (j *judge) stood(key string) Severity {
	for i := range j.prev.findings {
		if t := &j.prev.findings[i]; t.finding.Key == key && t.shown && !t.finding.Clearing {
			return t.finding.Severity
		}
	}
	return OK
}

// hopCause is the finding that explains why a hop held the token up, if it is as bad; the rules about paths have spoken before.
func (j *judge) hopCause(h risk.Hop, severity Severity) string {
	if h.Cause == risk.CauseNone {
		return ""
	}
	link := linkName(h.Link)
	for _, want := range []string{
		key(CodeLocalLink, link), key(CodeLinkDown, link), key(CodePathLoss, j.nodeName(h.From)+"/"+link), key(CodePathLoss, j.nodeName(h.To)+"/"+link),
	} {
		if slices.ContainsFunc(j.drafts, func(d draft) bool { return key(d.code, d.subject) == want && d.severity >= severity }) {
			return want
		}
	}
	return ""
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return strconv.Itoa(n) + " times"
}
