package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

func TestAnswers(t *testing.T) {
	fresh := &checker.Report{Schema: checker.SchemaVersion, At: time.Now(), Node: checker.NodeRef{ID: 1, Name: "a1"}, Severity: checker.Warning}
	old := &checker.Report{At: time.Now().Add(-StaleAfter - time.Second)}
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("quorumwatch_up 1\n")) })
	for _, test := range []struct {
		name, path string
		report     *checker.Report
		code       int
		kind, body string // beginning of the content type, part of the body
	}{
		{"report", "/api/v1/report", fresh, 200, "application/json", `"name": "a1"`},
		{"report as text", "/api/v1/report?format=text", fresh, 200, "text/plain", "WARNING"},
		{"text", "/report.txt", fresh, 200, "text/plain", "quorumwatch"},
		{"page", "/", fresh, 200, "text/html", `"/nodes/b1/report.txt"`},
		{"metrics", "/metrics", fresh, 200, "text/plain", "quorumwatch_up 1"},
		{"health", "/healthz", fresh, 200, "application/json", `"severity":"warning"`},
		{"health of an agent that hangs", "/healthz", old, 503, "application/json", `"status":"stale"`},
		{"health before the first report", "/healthz", nil, 503, "application/json", `"status":"starting"`},
		{"before the first report", "/api/v1/report", nil, 503, "text/plain", "no report yet"},
		{"text before the first report", "/report.txt", nil, 503, "text/plain", "no report yet"},
		{"unknown format", "/api/v1/report?format=xml", fresh, 400, "text/plain", "not one of json, text"},
		{"unknown path", "/admin", fresh, 404, "text/plain", "not found"},
	} {
		h := New(Config{Report: func() *checker.Report { return test.report }, Metrics: metrics, Prefix: "/nodes/b1"})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, test.path, nil))
		if w.Code != test.code || !strings.HasPrefix(w.Header().Get("Content-Type"), test.kind) || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s: %d %s, want %d %s with %q:\n%s", test.name, w.Code, w.Header().Get("Content-Type"), test.code, test.kind, test.body, w.Body)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: headers %v", test.name, w.Header())
		}
	}
}

// TestReadOnly: nothing but GET and HEAD is answered.
func TestReadOnly(t *testing.T) {
	h := New(Config{Report: func() *checker.Report { return &checker.Report{} }})
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api/v1/report", nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

// TestReportRoundTrip: what is served decodes to the same report.
func TestReportRoundTrip(t *testing.T) {
	want := &checker.Report{Schema: 1, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Findings: []checker.Finding{{Code: "path-gap", Severity: checker.Info}}}
	h := New(Config{Report: func() *checker.Report { return want }})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/report", nil))
	var got checker.Report
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !got.At.Equal(want.At) || len(got.Findings) != 1 || got.Findings[0].Severity != checker.Info {
		t.Errorf("got %+v", got)
	}
}
