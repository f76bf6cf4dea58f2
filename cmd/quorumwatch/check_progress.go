package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
)

// progress tells how far a run is: on a terminal in one line that changes, else, of a soak, in a line now and then.
type progress struct {
	w        io.Writer
	terminal bool
	every    time.Duration // between lines elsewhere; 0: none
	told     time.Time
	interim  atomic.Pointer[string] // verdict so far; nil: none yet
}

// linesOf a soak are written where there is no terminal, a minute apart at least.
const linesOf = 24

func newProgress(w io.Writer, soak time.Duration) *progress {
	p := &progress{w: w, terminal: isTerminal(w)}
	if soak > 0 {
		p.every = max(soak/linesOf, time.Minute)
	}
	return p
}

// tell is a check.Config's Progress.
func (p *progress) tell(x check.Progress) {
	switch {
	case p.terminal:
		columns, _ := terminalSize(p.w)
		fmt.Fprintf(p.w, "\r\x1b[K%s", clipTo(p.line(x), columns-1))
	case p.every > 0 && time.Since(p.told) >= p.every:
		p.told = time.Now()
		fmt.Fprintf(p.w, "%s %s\n", p.told.Format(time.DateTime), strings.TrimSpace(p.line(x)))
	}
}

// end takes the line off the terminal.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *progress) line(x check.Progress) string {
	share := min(float64(x.Done)/float64(max(x.Of, 1)), 1)
	text := fmt.Sprintf("%3.0f %%, %s of %s left, %s", math.Floor(100*share), roughly(x.Of-x.Done), roughly(x.Of), answers(x))
	if p.terminal {
		const width = 20
		done := int(share * width)
		text = "[" + strings.Repeat("#", done) + strings.Repeat(".", width-done) + "] " + text
	}
	if x.SaveErr != nil {
		text += "; NOT SAVED: " + x.SaveErr.Error()
	}
	if s := p.interim.Load(); s != nil {
		text += "; so far " + *s
	}
	return text
}

func answers(x check.Progress) string {
	if x.Answered == 0 {
		return "nobody answers"
	}
	return fmt.Sprintf("%d of %d paths answer, %d of %d probes lost", x.Answered, x.Paths, x.Lost, x.Probes)
}

// roughly writes a time in at most two units.
func roughly(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= 100*time.Second:
		return fmt.Sprintf("%d min %02d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// clipTo cuts a line to n characters.
func clipTo(s string, n int) string {
	if r := []rune(s); len(r) > n && n > 1 {
		return string(r[:n-1]) + "…"
	}
	return s
}
