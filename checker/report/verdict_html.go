package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

//go:embed verdict.html
var verdictPage string

// VerdictHTML writes v as one page that needs nothing else: to send to a colleague or a provider.
func VerdictHTML(w io.Writer, v *verdict.Verdict) error {
	page, err := template.New("verdict").Funcs(template.FuncMap{
		"show":    func(s verdict.Seconds) string { return units.Time(s.Duration()) },
		"percent": units.Percent,
		"class":   func(a verdict.Answer) string { return [...]string{"pass", "warn", "fail", "unknown"}[a.Status()] },
		"upper":   func(s verdict.Status) string { return strings.ToUpper(string(s)) },
		"soak":    soakText,
		"minute":  func(m verdict.Minute) string { return minuteText(&m) },
		"cluster": func(c verdict.Cluster) string { return verdictCluster(&c) },
	}).Parse(verdictPage)
	if err != nil {
		return err
	}
	return page.Execute(w, v)
}
