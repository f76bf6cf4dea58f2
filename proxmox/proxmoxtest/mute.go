package proxmoxtest

import (
	"net"
	"sync"
	"testing"
)

// NewMute starts a server that accepts connections and never says a word: not even the TLS handshake begins. It returns its URL, and ends
// with the test.
func NewMute(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var open []net.Conn // of the goroutine below until it ends
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open = append(open, c)
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
		for _, c := range open {
			_ = c.Close()
		}
	})
	return "https://" + l.Addr().String()
}
