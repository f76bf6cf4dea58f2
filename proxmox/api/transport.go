package api

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// maxAnswer bounds an answer. /cluster/resources of a large cluster has some megabytes.
const maxAnswer = 32 << 20

// maxRefusal is how much of a refusal's text is read.
const maxRefusal = 4096

// guard is the transport below go-proxmox. It lets only a 200 through, of bounded size.
type guard struct {
	next  http.RoundTripper
	ahead atomic.Int64 // the server's clock minus ours, in nanoseconds
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	reason string // Proxmox's words: from the body, else from the status line
	empty  bool   // without a body
}

func (r *refusal) Error() string {
	if r.reason == "" {
		return fmt.Sprintf("status %d", r.status)
	}
	return fmt.Sprintf("status %d: %s", r.status, r.reason)
}

var errTooLarge = errors.New("the answer is larger than 32 MiB")

// RoundTrip makes one request.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	g.compareClock(res.Header.Get("Date"))
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		return nil, refused(res)
	}
	if res.ContentLength > maxAnswer {
		res.Body.Close()
		return nil, errTooLarge
	}
	res.Body = &bounded{ReadCloser: res.Body, left: maxAnswer}
	return res, nil
}

// compareClock notes how far the server's clock is ahead. The header has whole seconds; less than one is none.
func (g *guard) compareClock(date string) {
	t, err := http.ParseTime(date)
	if err != nil {
		return
	}
	ahead := time.Until(t.Add(time.Second / 2))
	if ahead.Abs() <= 1500*time.Millisecond {
		ahead = 0
	}
	g.ahead.Store(int64(ahead.Round(time.Second)))
}

// refused reads why. Proxmox puts its message into the body, as JSON or plain, and into the status line.
func refused(res *http.Response) *refusal {
	r := &refusal{status: res.StatusCode}
	_, r.reason, _ = strings.Cut(res.Status, " ")
	body, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	r.empty = err == nil && len(body) == 0
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil && said.Message != "" {
		r.reason = said.Message
	}
	r.reason = oneLine(r.reason)
	return r
}

// oneLine makes foreign text fit to be shown: printable, one line, not long.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == '\uFFFD' {
			return ' '
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}

// bounded is a body that ends with an error when it is too long.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// wrongFingerprint is a certificate other than the pinned ones.
type wrongFingerprint struct{ got [sha256.Size]byte }

func (w *wrongFingerprint) Error() string {
	return "the certificate's fingerprint is " + colons(w.got)
}

// colons writes a fingerprint as Proxmox does.
func colons(sum [sha256.Size]byte) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// tlsConfig verifies by fingerprint if there are any, else by CA.
func tlsConfig(pins [][sha256.Size]byte, roots *x509.CertPool) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	if len(pins) == 0 {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection does it
	c.VerifyConnection = func(state tls.ConnectionState) error {
		got := sha256.Sum256(state.PeerCertificates[0].Raw)
		for _, pin := range pins {
			if got == pin {
				return nil
			}
		}
		return &wrongFingerprint{got}
	}
	return c
}

// roots reads the CAs that are trusted.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if pem, err := os.ReadFile(clusterCA); err == nil {
			pool.AppendCertsFromPEM(pem)
		}
		return pool, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", file, reasonOf(err))
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return pool, nil
}

// newTransport is a transport of few connections without a proxy: the token goes to the nodes themselves.
func newTransport(c *tls.Config, timeout time.Duration) *http.Transport {
	return &http.Transport{
		TLSClientConfig:       c,
		DialContext:           (&net.Dialer{Timeout: timeout}).DialContext,
		TLSHandshakeTimeout:   timeout,
		ResponseHeaderTimeout: timeout,
		MaxConnsPerHost:       2,
		MaxIdleConnsPerHost:   1,
		IdleConnTimeout:       time.Minute,
	}
}
