package webhook

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/alerts/alertstest"
)

var update = flag.Bool("update", false, "write the golden files")

func newNotifier(t *testing.T, c Config) *Notifier {
	t.Helper()
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestContract(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secretFile, []byte(alertstest.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	alertstest.HTTP(t, func(t *testing.T, url string) alerts.Notifier {
		return newNotifier(t, Config{
			Name: "on-call", URL: url + "/hook/" + alertstest.Secret, Timeout: time.Second,
			Headers: []Header{
				{Name: "Authorization", Value: "Bearer " + alertstest.Secret},
				{Name: "X-Token", ValueFile: secretFile},
			},
		})
	})
}

// capture serves one request and returns it with its body.
func capture(t *testing.T, c Config, n alerts.Notification) (*http.Request, []byte) {
	t.Helper()
	var req *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		req = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	if c.URLFile == "" {
		c.URL = server.URL + "/hook?x=1"
	} else if err := os.WriteFile(c.URLFile, []byte(server.URL+"/from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newNotifier(t, c).Notify(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return req, body
}

func TestBody(t *testing.T) {
	for name, n := range map[string]alerts.Notification{
		"firing":   alertstest.Firing(),
		"resolved": alertstest.Resolved(),
		"unknown":  {Key: "c/x y", Reason: alerts.Repeat}, // no report, nothing known
	} {
		t.Run(name, func(t *testing.T) {
			req, body := capture(t, Config{}, n)
			if got := req.Method + " " + req.URL.String() + " " + req.Header.Get("Content-Type"); got != "POST /hook?x=1 application/json" {
				t.Errorf("request %q", got)
			}
			var got bytes.Buffer
			if err := json.Indent(&got, body, "", "  "); err != nil {
				t.Fatal(err)
			}
			got.WriteByte('\n')
			golden(t, name+".json", got.Bytes())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

// TestDocument: the example that operators read is what is sent.
func TestDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/webhook.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("testdata/firing.json")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "```json\n"+string(example)+"```") {
		t.Error("docs/webhook.md does not show testdata/firing.json")
	}
	var fields map[string]any
	if err := json.Unmarshal(example, &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/webhook.md does not explain %s", name)
		}
	}
}

func TestHeadersAndFiles(t *testing.T) {
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	req, _ := capture(t, Config{
		URLFile: filepath.Join(dir, "url"),
		Headers: []Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}, {Name: "Authorization", ValueFile: token}, {Name: "Host", Value: "other.example"}},
	}, alertstest.Firing())
	if got := req.Header["X-A"]; !cmp.Equal(got, []string{"1", "2"}) {
		t.Errorf("X-A: %q", got)
	}
	if got := req.Header.Get("Authorization") + " " + req.URL.Path + " " + req.Host; got != "abc /from-file other.example" {
		t.Errorf("got %q", got)
	}
}

func TestTemplate(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", `{"text": {{json .title}}{{if .votes.quorate}}, "quorate": true{{end}}{{with .outcome}}, "loses": {{json .loses}}{{end}}}`)
	req, body := capture(t, Config{TemplateFile: good, ContentType: "application/vnd.x+json"}, alertstest.Firing())
	if want := `{"text": "site south is cut off", "quorate": true, "loses": ["s1","s2"]}`; string(body) != want {
		t.Errorf("body %s, want %s", body, want)
	}
	if got := req.Header.Get("Content-Type"); got != "application/vnd.x+json" {
		t.Errorf("content type %q", got)
	}
	for name, text := range map[string]string{"syntax": "{{", "unknown field": "{{.titel}}", "null": "{{.outcome.text}}"} {
		if _, err := New(Config{Name: "x", URL: "http://h/", TemplateFile: write("bad", text)}); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			t.Log(err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for want, c := range map[string]Config{
		"give url or url_file, one of them": {},
		"url: not an http or https URL":     {URL: "ftp://s3cr3t@h/"},
		"not a header name":                 {URL: "http://h/", Headers: []Header{{Name: "a b", Value: "1"}}},
		"not a header value":                {URL: "http://h/", Headers: []Header{{Name: "A", Value: "1\r\nB: 2"}}},
		"give value or value_file":          {URL: "http://h/", Headers: []Header{{Name: "A"}}},
		"no such file":                      {URL: "http://h/", TemplateFile: "/nonexistent"},
	} {
		c.Name = "n"
		_, err := New(c)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "webhook n: ") {
			t.Errorf("error %v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("secret in %v", err)
		}
	}
}

// TestMissingSecret: a file that is not there now may be there soon.
func TestMissingSecret(t *testing.T) {
	for _, c := range []Config{
		{URLFile: "/nonexistent"},
		{URL: "http://127.0.0.1:1/", Headers: []Header{{Name: "A", ValueFile: "/nonexistent"}}},
	} {
		retry, err := newNotifier(t, c).Notify(t.Context(), alertstest.Firing())
		if !retry || err == nil || !strings.Contains(err.Error(), "/nonexistent") {
			t.Errorf("retry %v, error %v", retry, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "x": 0, "99999999999999": 0,
		"Sun, 01 Mar 2026 00:00:30 GMT": 30 * time.Second, "Sat, 28 Feb 2026 00:00:30 GMT": 0,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}
