package proxmoxtest

import (
	"bufio"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Token is what a Server takes, as it is written in a token file.
const Token = "quorumwatch@pve!agent=5f1c0d3e-8a77-4f0e-9d10-0c7a4f3b2e19"

// Server answers as a node's pveproxy does, over TLS. Its methods may be called while it runs.
type Server struct {
	*httptest.Server

	mu      sync.Mutex
	state   State
	token   string
	special map[string]func(http.ResponseWriter, *http.Request)
	asked   map[string]int
	release chan struct{} // closed when the server ends: hanging answers end
}

// NewServer starts a Server, which ends with the test.
func NewServer(t testing.TB, state string) *Server {
	t.Helper()
	s := &Server{
		state: Load(state), token: Token, special: map[string]func(http.ResponseWriter, *http.Request){}, asked: map[string]int{},
		release: make(chan struct{}),
	}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // broken handshakes are what tests make
	s.StartTLS()
	t.Cleanup(func() {
		close(s.release)
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// Switch changes to another state.
func (s *Server) Switch(state string) { s.Use(Load(state)) }

// Use changes to a state of one's own.
func (s *Server) Use(state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = state
}

// Answer makes a path answer so, whatever the state; "*" is every path.
func (s *Server) Answer(path string, a Answer) {
	s.handle(path, func(w http.ResponseWriter, _ *http.Request) { write(w, a) })
}

// Hang makes a path never answer.
func (s *Server) Hang(path string) {
	s.handle(path, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-s.release:
		}
	})
}

// Drip makes a path answer a byte now and then, without end: no read of the answer waits for long, and none ever has it.
func (s *Server) Drip(path string) {
	s.handle(path, func(w http.ResponseWriter, r *http.Request) {
		flush := http.NewResponseController(w).Flush
		if _, err := io.WriteString(w, `{"data":[`); err != nil {
			return
		}
		for range time.Tick(dripEvery) {
			if _, err := io.WriteString(w, " "); err != nil || flush() != nil || r.Context().Err() != nil || s.ended() {
				return
			}
		}
	})
}

const dripEvery = 20 * time.Millisecond

func (s *Server) ended() bool {
	select {
	case <-s.release:
		return true
	default:
		return false
	}
}

// Forbid makes paths answer 403, as they do without a privilege.
func (s *Server) Forbid(paths ...string) {
	for _, path := range paths {
		why := "Permission check failed (/, Sys.Audit)"
		s.Answer(path, Answer{Status: 403, Reason: why, Body: `{"data":null,"message":"` + why + `\n"}`})
	}
}

// Handle makes a path answer by f.
func (s *Server) Handle(path string, f http.HandlerFunc) { s.handle(path, f) }

func (s *Server) handle(path string, f func(http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.special[path] = f
}

// Reset ends what Answer, Hang, Forbid and RefuseToken have begun.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.special)
	s.token = Token
}

// RefuseToken makes the server refuse the token, as it does an expired one.
func (s *Server) RefuseToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}

// Asked is how often a path was asked for.
func (s *Server) Asked(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[path]
}

// TokenFile writes a token file for the test, and returns its name.
func (s *Server) TokenFile(t testing.TB) string {
	t.Helper()
	return writeFile(t, "token", Token+"\n")
}

// CAFile writes the server's CA to a file for the test, and returns its name.
func (s *Server) CAFile(t testing.TB) string {
	t.Helper()
	return writeFile(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
}

// Fingerprint is the server's, as Proxmox shows it.
func (s *Server) Fingerprint() string {
	sum := sha256.Sum256(s.Certificate().Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// ServeHTTP answers.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api2/json")
	s.mu.Lock()
	s.asked[path]++
	special := s.special[path]
	if special == nil {
		special = s.special["*"]
	}
	state, token := s.state, s.token
	s.mu.Unlock()
	w.Header().Set("Date", state.At.UTC().Format(http.TimeFormat))
	switch {
	case special != nil:
		special(w, r)
	case r.Method != http.MethodGet:
		write(w, Answer{Status: 501, Reason: "Method '" + r.Method + " " + path + "' not implemented"})
	case r.Header.Get("Authorization") != "PVEAPIToken="+token:
		write(w, Answer{Status: 401, Reason: "Authentication failed!"}) // Proxmox waits 3 s before it says so
	default:
		s.mu.Lock()
		a := state.Answer(path)
		s.mu.Unlock()
		write(w, a)
	}
}

// write writes an answer. Other statuses than 200 go past net/http, which knows no reasons of one's own.
func write(w http.ResponseWriter, a Answer) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if a.Status == http.StatusOK {
		_, _ = w.Write([]byte(a.Body))
		return
	}
	date := w.Header().Get("Date")
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	reason := a.Reason
	if reason == "" {
		reason = http.StatusText(a.Status)
	}
	raw(rw, a, reason, date)
}

func raw(rw *bufio.ReadWriter, a Answer, reason, date string) {
	fmt.Fprintf(rw, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: pve-api-daemon/3.0\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		a.Status, reason, date, len(a.Body), a.Body)
	_ = rw.Flush()
}

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
