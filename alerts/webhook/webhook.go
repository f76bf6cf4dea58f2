package webhook

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"text/template"
	"time"

	"github.com/quorumwatch/quorumwatch/alerts"
)

// Notifier posts to one receiver. It implements alerts.Notifier.
type Notifier struct {
	config   Config
	client   *http.Client
	template *template.Template // nil: JSON
}

// New checks the configuration and reads the template.
func New(c Config) (*Notifier, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("webhook %s: %w", c.Name, err)
	}
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.ContentType = cmp.Or(c.ContentType, DefaultContentType)
	n := &Notifier{config: c, client: &http.Client{
		Transport:     newTransport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.TemplateFile != "" {
		if err := n.readTemplate(); err != nil {
			return nil, fmt.Errorf("webhook %s: %w", c.Name, err)
		}
	}
	return n, nil
}

// newTransport keeps no connection for long: pages are rare, and a path that was cut since must not be tried first.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 1
	t.IdleConnTimeout = 5 * time.Second
	return t
}

func (n *Notifier) readTemplate() error {
	text, err := os.ReadFile(n.config.TemplateFile)
	if err != nil {
		return err
	}
	// JSON in a template needs its strings quoted: {{json .title}}.
	n.template, err = template.New(n.config.TemplateFile).Option("missingkey=error").
		Funcs(template.FuncMap{"json": toJSON}).Parse(string(text))
	if err != nil {
		return err
	}
	_, err = n.render(NewBody(alerts.Notification{}))
	return err
}

func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// String names the receiver.
func (n *Notifier) String() string { return "webhook " + n.config.Name }

// Notify makes one POST.
func (n *Notifier) Notify(ctx context.Context, note alerts.Notification) (retry bool, err error) {
	body, err := n.render(NewBody(note))
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.config.Timeout)
	defer cancel()
	req, err := n.request(ctx, body)
	if err != nil {
		return true, err // a file that is not there now may be there soon
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return true, withoutURL(err)
	}
	defer resp.Body.Close()
	// The connection can be used again only if the answer was read; of an endless one a part is enough.
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return verdict(resp, time.Now())
}

func (n *Notifier) render(b Body) ([]byte, error) {
	if n.template == nil {
		return json.Marshal(b)
	}
	// Templates see the object as receivers do: the same names, and null is false.
	var fields map[string]any
	data, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := n.template.Execute(&out, fields); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (n *Notifier) request(ctx context.Context, body []byte) (*http.Request, error) {
	address, err := secret(n.config.URL, n.config.URLFile)
	if err != nil {
		return nil, err
	}
	u, err := parseURL(address)
	if err != nil {
		return nil, err
	}
	header, err := n.config.header()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("url: not usable")
	}
	req.Header.Set("Content-Type", n.config.ContentType)
	req.Header.Set("User-Agent", "quorumwatch")
	for name, values := range header {
		req.Header[name] = values
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	return req, nil
}

// withoutURL takes the URL out of an error of http.Client: it may hold a token.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return err
}

// statusError is an answer other than 2xx.
type statusError struct {
	code  int
	after time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("answered %d %s", e.code, http.StatusText(e.code))
}

// RetryAfter is how long the receiver asked to wait, 0 if it did not.
func (e *statusError) RetryAfter() time.Duration { return e.after }

// verdict reads an answer.
func verdict(resp *http.Response, now time.Time) (retry bool, err error) {
	code := resp.StatusCode
	if code/100 == 2 {
		return false, nil
	}
	retry = code/100 == 5 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
	return retry, &statusError{code: code, after: retryAfter(resp.Header.Get("Retry-After"), now)}
}

// retryAfter reads both forms of RFC 9110 section 10.2.3.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
