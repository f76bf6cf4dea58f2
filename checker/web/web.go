// Package web serves one node's Report over HTTP: as JSON and text, with the metrics and a health check beside it. It is a view:
// everything it answers comes from the Report that the given function returns, and it only ever reads.
package web

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/report"

	_ "embed"
)

// StaleAfter is the age at which a Report no longer describes the present: the agent publishes several a second, so one
// this old means that it hangs.
const StaleAfter = 5 * time.Second

//go:embed index.html
var indexHTML string

// Config says what to serve.
type Config struct {
	Report  func() *checker.Report // the newest Report; nil while there is none yet
	Metrics http.Handler           // answers /metrics; nil for none
	Prefix  string                 // path prefix of all links in the page, "" or "/nodes/b1"
}

// New returns a handler for /, /api/v1/report (JSON, or text with ?format=text), /report.txt, /metrics and /healthz.
// Paths are relative to where the handler is mounted.
func New(c Config) http.Handler {
	h := handler{Config: c, index: template.Must(template.New("index").Parse(indexHTML))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.page)
	mux.HandleFunc("GET /api/v1/report", h.report)
	mux.HandleFunc("GET /report.txt", h.text)
	mux.HandleFunc("GET /healthz", h.health)
	if c.Metrics != nil {
		mux.Handle("GET /metrics", c.Metrics)
	}
	return secured(mux)
}

type handler struct {
	Config
	index *template.Template
}

// secured adds the headers that keep a browser from doing more with an answer than showing it.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// current returns the newest Report, or answers 503 and returns nil when there is none.
func (h handler) current(w http.ResponseWriter) *checker.Report {
	rep := h.Report()
	if rep == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "no report yet: the agent has only just started", http.StatusServiceUnavailable)
	}
	return rep
}

func (h handler) report(w http.ResponseWriter, r *http.Request) {
	switch f := r.URL.Query().Get("format"); f {
	case "", "json":
	case "text":
		h.text(w, r)
		return
	default:
		http.Error(w, "format "+f+" is not one of json, text", http.StatusBadRequest)
		return
	}
	rep := h.current(w)
	if rep == nil {
		return
	}
	var b bytes.Buffer
	if err := report.JSON(&b, rep); err != nil {
		http.Error(w, "encoding the report: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b.Bytes())
}

func (h handler) text(w http.ResponseWriter, _ *http.Request) {
	rep := h.current(w)
	if rep == nil {
		return
	}
	var b bytes.Buffer
	if err := report.Text(&b, rep); err != nil {
		http.Error(w, "writing the report: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (h handler) page(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := h.index.Execute(&b, struct{ Prefix string }{h.Prefix}); err != nil {
		http.Error(w, "writing the page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

// health answers 200 as long as the agent judges, whatever it finds: a sick cluster is not a sick agent.
func (h handler) health(w http.ResponseWriter, _ *http.Request) {
	answer := struct {
		Status    string  `json:"status"` // ok, starting or stale
		ReportAge float64 `json:"report_age_seconds"`
		Severity  string  `json:"severity,omitempty"` // of the worst finding
	}{Status: "starting"}
	code := http.StatusServiceUnavailable
	if rep := h.Report(); rep != nil {
		age := time.Since(rep.At)
		answer.ReportAge, answer.Severity = age.Seconds(), rep.Severity.String()
		answer.Status = "stale"
		if age < StaleAfter {
			answer.Status, code = "ok", http.StatusOK
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(answer)
}
