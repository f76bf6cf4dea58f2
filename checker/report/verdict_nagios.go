package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// nagiosLine is how long the first line of a monitoring plug-in may be.
const nagiosLine = 79

// VerdictNagios writes v as a monitoring plug-in does: one short line, details, and performance data after the bar of the last line. The
// exit status that goes with it is v.Answer.Status().
func VerdictNagios(w io.Writer, v *verdict.Verdict) error {
	h := &v.Headroom
	first := fmt.Sprintf("%s: %s", v.Answer, v.Text)
	details := []string{}
	for _, l := range v.Limits {
		if l.Status == verdict.Fail || l.Status == verdict.Warn {
			details = append(details, fmt.Sprintf("[%s] %s: %s", l.Status, l.Name, l.Text))
		}
	}
	details = append(details, v.Rests...)
	perf := []string{
		perfTime("worst_gap", h.Gap.Duration(), h.Token.Duration()), perfRatio("gap_share", h.Share),
		perfTime("ring_round", v.Ring.Round.Duration(), v.Ring.Retransmit.Duration()),
		fmt.Sprintf("'token'=%gs", h.Token.Duration().Seconds()), fmt.Sprintf("'probes'=%dc", v.Basis.Probes),
	}
	for i := range v.Paths {
		p := &v.Paths[i]
		name := fmt.Sprintf("%s_link%d", quoteless(p.Peer), p.Link)
		perf = append(perf, perfLoss("loss_"+name, p.LossRatio))
		if p.Full != nil {
			perf = append(perf, perfLoss("loss_full_"+name, p.Full.LossRatio))
		}
	}
	if s := v.Soak; s != nil {
		perf = append(perf, fmt.Sprintf("'soaked'=%.0fs;;;0;%.0f", s.Measured.Duration().Seconds(), s.Asked.Duration().Seconds()))
	}
	return nagios(w, first, details, perf)
}

// Nagios writes a running agent's report as a monitoring plug-in does, and returns the exit status: by the worst finding, and 3 if the report
// is older than maxAge or knows nothing of quorum.
func Nagios(w io.Writer, r *checker.Report, now time.Time, maxAge time.Duration) (status int, err error) {
	state, what := 0, ""
	switch age := now.Sub(r.At); {
	case age > maxAge:
		state, what = 3, fmt.Sprintf("the agent's report is %s old", units.Time(age))
	case r.Severity >= checker.Critical:
		state = 2
	case r.Severity == checker.Warning:
		state = 1
	case !r.Quorum.Known:
		state, what = 3, "nothing is known of quorum"
	}
	var details []string
	for i := range r.Findings {
		f := &r.Findings[i]
		if what == "" && f.Severity == r.Severity && state > 0 {
			what = f.Title
		}
		if f.Severity >= checker.Warning {
			details = append(details, fmt.Sprintf("[%s] %s: %s", f.Severity, f.Code, f.Title))
		}
	}
	gap, margin := r.Margin.WorstGap.Duration(), r.Margin.TenMin
	if what == "" {
		what = fmt.Sprintf("quorate, %d votes to spare", r.Quorum.SpareVotes)
		if r.Margin.Known {
			what += fmt.Sprintf(", worst gap %s of the token", units.Percent(1-margin))
		}
	}
	word := [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[state]
	perf := []string{fmt.Sprintf("'token'=%gs", r.Timeouts.Token.Duration().Seconds())}
	if r.Margin.Known {
		perf = append(perf, perfTime("worst_gap", gap, r.Timeouts.Token.Duration()), perfRatio("gap_share", 1-margin))
	}
	if r.Quorum.SpareKnown {
		perf = append(perf, fmt.Sprintf("'spare_votes'=%d;;;0", r.Quorum.SpareVotes))
	}
	details = append(details, fmt.Sprintf("node %s, cluster %s", r.Node.Name, r.Cluster.Name))
	return state, nagios(w, fmt.Sprintf("%s - %s", word, what), details, perf)
}

// nagios lays a plug-in's output out.
func nagios(w io.Writer, first string, details, perf []string) error {
	plain := func(s string) string { return strings.Map(bars, strings.Join(strings.Fields(s), " ")) }
	var b strings.Builder
	fmt.Fprintln(&b, clip(plain(first), nagiosLine))
	for i, d := range details {
		if b.WriteString(plain(d)); i < len(details)-1 {
			b.WriteByte('\n')
		}
	}
	fmt.Fprintf(&b, " | %s\n", strings.Join(perf, " "))
	_, err := io.WriteString(w, b.String())
	return err
}

// bars keeps the sign that begins performance data out of words.
func bars(r rune) rune {
	if r == '|' {
		return '/'
	}
	return r
}

func quoteless(s string) string {
	return strings.Map(func(r rune) rune { return replaceAny(r, "'=| ") }, s)
}

func replaceAny(r rune, out string) rune {
	if strings.ContainsRune(out, r) {
		return '_'
	}
	return r
}

// perfTime is a time with warning at half and critical at three quarters of a bound, where Corosync itself warns.
func perfTime(name string, d, bound time.Duration) string {
	return fmt.Sprintf("'%s'=%.6fs;%.3f;%.3f;0;%.3f", name, d.Seconds(), bound.Seconds()/2, bound.Seconds()*3/4, bound.Seconds())
}

func perfLoss(name string, ratio float64) string {
	return fmt.Sprintf("'%s'=%.3f%%;;;0;100", name, 100*ratio)
}

func perfRatio(name string, share float64) string {
	return fmt.Sprintf("'%s'=%.1f%%;50;75;0;100", name, 100*share)
}
