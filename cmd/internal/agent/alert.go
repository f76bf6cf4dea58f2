package agent

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/checker"
)

// alert turns Reports into notifications and puts them into every receiver's line.
func (a *Agent) alert(ctx context.Context, ready func()) error {
	manager := alerts.NewManager(a.config.Alerts)
	ready()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.published:
		}
		for _, n := range manager.Step(time.Now(), a.Report()) {
			for _, q := range a.config.Receivers {
				q.Add(n)
			}
		}
	}
}

// logFindings logs what began, changed its severity or ended between two Reports.
func (a *Agent) logFindings(old, rep *checker.Report) {
	before := map[string]checker.Finding{}
	if old != nil {
		for _, f := range old.Findings {
			before[f.Key] = f
		}
	}
	for _, f := range rep.Findings {
		was, stood := before[f.Key]
		delete(before, f.Key)
		if stood && was.Severity == f.Severity && was.Clearing == f.Clearing {
			continue
		}
		event := a.log.WithLevel(logLevel(f.Severity)).Str("code", f.Code).Str("subject", f.Subject).
			Stringer("severity", f.Severity).Bool("clearing", f.Clearing)
		if f.Cause != "" {
			event.Str("cause", f.Cause)
		}
		event.Msg(f.Title)
	}
	for _, f := range before {
		a.log.Info().Str("code", f.Code).Str("subject", f.Subject).Msg("cleared: " + f.Title)
	}
}

func logLevel(s checker.Severity) zerolog.Level {
	switch s {
	case checker.Critical:
		return zerolog.ErrorLevel
	case checker.Warning:
		return zerolog.WarnLevel
	default:
		return zerolog.InfoLevel
	}
}
