package agent

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/checker"
)

// expired is a receiver whose token has expired.
type expired struct{}

func (expired) String() string { return "webhook pager" }

func (expired) Notify(context.Context, alerts.Notification) (bool, error) {
	return false, errors.New("answered 401 Unauthorized")
}

// TestMetricsOfReceivers: pages that do not arrive show in the metrics, even before the first Report.
func TestMetricsOfReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := alerts.NewQueue(alerts.QueueConfig{Notifier: expired{}, Limit: 2, Log: zerolog.Nop()})
		for _, key := range []string{"a", "b", "c"} { // one too many
			q.Add(alerts.Notification{Key: key, Severity: checker.Critical, Worst: checker.Critical})
		}
		a := New(Config{Receivers: []*alerts.Queue{q}, Log: zerolog.Nop()})
		if d := cmp.Diff([]string{
			`quorumwatch_notification_retries_total{receiver="webhook pager"} 0`,
			`quorumwatch_notifications_pending{receiver="webhook pager"} 2`,
			`quorumwatch_notifications_total{receiver="webhook pager",result="delivered"} 0`,
			`quorumwatch_notifications_total{receiver="webhook pager",result="dropped"} 1`,
			`quorumwatch_notifications_total{receiver="webhook pager",result="failed"} 0`,
			`quorumwatch_notifications_total{receiver="webhook pager",result="given_up"} 0`,
		}, notificationSeries(t, a)); d != "" {
			t.Errorf("before (-want +got):\n%s", d)
		}
		go func() { _ = q.Run(t.Context()) }() // ends with the test
		synctest.Wait()
		got := strings.Join(notificationSeries(t, a), "\n")
		for _, want := range []string{`pending{receiver="webhook pager"} 0`, `result="failed"} 2`} {
			if !strings.Contains(got, want) {
				t.Errorf("after: no %s in\n%s", want, got)
			}
		}
	})
}

// notificationSeries scrapes the agent.
func notificationSeries(t *testing.T, a *Agent) (series []string) {
	t.Helper()
	w := httptest.NewRecorder()
	a.Handler("").ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "quorumwatch_notification") {
			series = append(series, strings.TrimSpace(line))
		}
	}
	return series
}
