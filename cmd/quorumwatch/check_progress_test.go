package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
)

// TestProgress: what a person sees of a soak, and that a log is not flooded.
func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, 24*time.Hour)
	x := check.Progress{Done: 9 * time.Hour, Of: 24 * time.Hour, Answered: 3, Paths: 4, Probes: 1_944_000, Lost: 57}
	so := "GO WITH CHANGES (loss burst), worst gap 61 % of the token"
	p.interim.Store(&so)
	for range 10 {
		p.tell(x)
	}
	want := " 37 %, 15 h 00 min of 24 h 00 min left, 3 of 4 paths answer, 57 of 1944000 probes lost; so far " + so + "\n"
	if got := b.String(); strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, want) {
		t.Errorf("%q", got)
	}
	b.Reset()
	p.terminal = true
	p.tell(x)
	p.end()
	if got := b.String(); !strings.HasPrefix(got, "\r\x1b[K[#######.............]  37 %, 15 h ") || !strings.HasSuffix(got, "…\r\x1b[K") || strings.Contains(got, "\n") {
		t.Errorf("%q", got)
	}
	if x.SaveErr = errors.New("no space left on device"); !strings.Contains(p.line(x), "; NOT SAVED: no space left on device; so far") {
		t.Errorf("%q", p.line(x))
	}
	b.Reset()
	quiet := newProgress(&b, 0)
	quiet.tell(x)
	if quiet.end(); b.Len() > 0 {
		t.Errorf("a short run writes %q where nobody looks", b.String())
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 1400 * time.Millisecond: "1 s", 99 * time.Second: "99 s", 119600 * time.Millisecond: "2 min 00 s",
		59*time.Minute + 59*time.Second + 600*time.Millisecond: "1 h 00 min", 90*time.Minute + 31*time.Second: "1 h 31 min",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
