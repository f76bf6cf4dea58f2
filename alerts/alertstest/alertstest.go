// Package alertstest holds the contract that every receiver of alerts passes, and notifications to test with.
package alertstest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/checker"
)

// Secret is what must not appear in any error, name or log of a receiver.
const Secret = "s3cr3t-t0ken"

// Receiver makes a receiver that talks to the server at url, carries Secret wherever its kind carries secrets, and gives up on
// a call after a second.
type Receiver func(t *testing.T, url string) alerts.Notifier

// HTTP checks what holds for every receiver that speaks HTTP: which answers are retried, that no secret leaks, and that no call
// outlives its time.
func HTTP(t *testing.T, newReceiver Receiver) {
	t.Run("answers", func(t *testing.T) { answers(t, newReceiver) })
	t.Run("network", func(t *testing.T) { network(t, newReceiver) })
	t.Run("redirect", func(t *testing.T) { redirect(t, newReceiver) })
	t.Run("hanging", func(t *testing.T) { hanging(t, newReceiver) })
}

// answerTable holds the statuses that every HTTP receiver treats alike, and whether a retry makes sense.
func answerTable() map[int]struct{ fails, retry bool } {
	type want = struct{ fails, retry bool }
	return map[int]want{
		200: {}, 201: {}, 202: {}, 204: {},
		400: {fails: true}, 401: {fails: true}, 403: {fails: true}, 404: {fails: true}, 410: {fails: true}, 422: {fails: true},
		408: {true, true}, 429: {true, true}, 500: {true, true}, 502: {true, true}, 503: {true, true}, 504: {true, true},
	}
}

func answers(t *testing.T, newReceiver Receiver) {
	for status, want := range answerTable() {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			if status != http.StatusNoContent {
				// A receiver may echo what it was sent; it must not end up in a log.
				_, _ = w.Write([]byte("refused: " + Secret))
			}
		}))
		n := newReceiver(t, server.URL)
		retry, err := n.Notify(t.Context(), Firing())
		if (err != nil) != want.fails || retry != want.retry {
			t.Errorf("status %d: retry %v, error %v; want retry %v, failure %v", status, retry, err, want.retry, want.fails)
		}
		noSecret(t, n, err)
		server.Close()
	}
}

func network(t *testing.T, newReceiver Receiver) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close() // nobody listens any more
	n := newReceiver(t, server.URL)
	retry, err := n.Notify(t.Context(), Firing())
	if err == nil || !retry {
		t.Errorf("nobody listens: retry %v, error %v; want a retry", retry, err)
	}
	noSecret(t, n, err)
}

func redirect(t *testing.T, newReceiver Receiver) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the receiver followed a redirect, with whatever secrets it carries")
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	n := newReceiver(t, server.URL)
	retry, err := n.Notify(t.Context(), Firing())
	if err == nil || retry {
		t.Errorf("redirect: retry %v, error %v; want a failure without retry", retry, err)
	}
	noSecret(t, n, err)
}

func hanging(t *testing.T, newReceiver Receiver) {
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	defer server.Close()
	defer close(done)
	n := newReceiver(t, server.URL)
	start := time.Now()
	retry, err := n.Notify(t.Context(), Firing())
	if took := time.Since(start); err == nil || !retry || took > 10*time.Second {
		t.Errorf("server hangs: retry %v, error %v after %v; want a retry soon", retry, err, took)
	}
	noSecret(t, n, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Notify(ctx, Firing()); err == nil {
		t.Error("context is done: no error")
	}
}

func noSecret(t *testing.T, n alerts.Notifier, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), Secret) {
		t.Errorf("the error shows the secret: %v", err)
	}
	if strings.Contains(n.String(), Secret) {
		t.Errorf("the name shows the secret: %v", n)
	}
}

// Firing is a critical incident with everything in it: a cut between two sites that has not split the membership yet.
func Firing() alerts.Notification {
	since := time.Date(2026, 3, 1, 2, 10, 0, 0, time.UTC)
	return alerts.Notification{
		Key: "stretch/site-cut:south", Status: alerts.Firing, Reason: alerts.New,
		Severity: checker.Critical, Worst: checker.Critical, Since: since, At: since.Add(1400 * time.Millisecond),
		Cause: checker.Finding{
			Code: checker.CodeSiteCut, Severity: checker.Critical, Subject: "south", Key: "site-cut:south", Since: since,
			Title:    "site south is cut off",
			Evidence: map[string]string{"gap": "1.4s", "last heard": "2026-03-01T02:10:00Z"},
			Advice:   "look at the link between the sites: ping -I 10.1.0.1 10.1.0.4", Runbook: checker.RunbookBase + "#" + checker.CodeSiteCut,
		},
		Symptoms: []checker.Finding{{
			Code: checker.CodePathGap, Severity: checker.Warning, Subject: "s1 link 0", Key: "path-gap:s1 link 0",
			Cause: "site-cut:south", Title: `nothing arrives from "s1"`,
		}},
		Report: report(),
	}
}

// Resolved is the end of Firing's incident.
func Resolved() alerts.Notification {
	n := Firing()
	n.Status, n.Reason, n.Severity, n.At, n.Symptoms = alerts.Resolved, alerts.Over, checker.OK, n.Since.Add(time.Minute), nil
	n.Report.Outcome = nil
	return n
}

func report() *checker.Report {
	nodes := func(names ...string) (out []checker.NodeRef) {
		for i, name := range names {
			out = append(out, checker.NodeRef{ID: uint32(i + 1), Name: name})
		}
		return out
	}
	return &checker.Report{
		Schema: checker.SchemaVersion, Node: checker.NodeRef{ID: 1, Name: "n1"}, Cluster: checker.Cluster{Name: "stretch"},
		Timeouts: checker.Timeouts{Token: checker.Seconds(3375 * time.Millisecond)},
		Quorum:   checker.Quorum{Known: true, Quorate: true, Total: 5, Needed: 3, SpareKnown: true, SpareVotes: 2, SpareNodes: 2},
		Margin:   checker.Margin{Known: true, WorstGap: checker.Seconds(1400 * time.Millisecond)},
		Outcome: &checker.Outcome{
			Text: "if it lasts: n1, n2, n3 keep quorum; s1, s2 lose it", Keeps: nodes("n1", "n2", "n3"), Loses: nodes("s1", "s2"),
			TokenLossIn: checker.Seconds(1975 * time.Millisecond), MembershipIn: checker.Seconds(6025 * time.Millisecond),
		},
	}
}
