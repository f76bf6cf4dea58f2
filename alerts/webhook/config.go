package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/quorumwatch/quorumwatch/checker"
)

// Config describes one receiver. URL or URLFile has to be set.
type Config struct {
	Name         string // of the receiver in logs; not a secret
	URL          string // http or https
	URLFile      string // holds the URL; read before each delivery
	Headers      []Header
	Timeout      time.Duration // of one delivery, from dialing to the answer; 0: 10 s
	MinSeverity  checker.Severity
	SendResolved bool
	TemplateFile string // Go text/template over the fields of the JSON object that makes the request's body; "": the object
	ContentType  string // "": application/json
}

// Header is one HTTP header of each request. Value or ValueFile has to be set.
type Header struct {
	Name      string
	Value     string
	ValueFile string // holds the value; read before each delivery
}

// Defaults of Config.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultContentType = "application/json"
)

// Validate tells what cannot work, without looking at any file.
func (c Config) Validate() error {
	if (c.URL == "") == (c.URLFile == "") {
		return errors.New("give url or url_file, one of them")
	}
	if c.URL != "" {
		if _, err := parseURL(c.URL); err != nil {
			return err
		}
	}
	for _, h := range c.Headers {
		if err := h.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (h Header) validate() error {
	if !httpguts.ValidHeaderFieldName(h.Name) {
		return fmt.Errorf("header %q: not a header name", h.Name)
	}
	if (h.Value == "") == (h.ValueFile == "") {
		return fmt.Errorf("header %s: give value or value_file, one of them", h.Name)
	}
	if !httpguts.ValidHeaderFieldValue(h.Value) {
		return fmt.Errorf("header %s: not a header value", h.Name)
	}
	return nil
}

// parseURL checks a URL without repeating it in the error: it may hold a token.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("url: not an http or https URL")
	}
	return u, nil
}

// secret returns the value, else what is in the file, without white space around it.
func secret(value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	value = strings.TrimSpace(string(data))
	if value == "" {
		return "", fmt.Errorf("%s: empty", file)
	}
	return value, nil
}

// header makes the request's headers.
func (c Config) header() (http.Header, error) {
	out := http.Header{}
	for _, h := range c.Headers {
		value, err := secret(h.Value, h.ValueFile)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Name, err)
		}
		if !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("header %s: %s: not a header value", h.Name, h.ValueFile)
		}
		out.Add(h.Name, value)
	}
	return out, nil
}
