package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/report"
)

// Control sequences of a terminal (ECMA-48): to the upper left corner; erase to the end of the line, of the screen; the cursor.
const (
	home       = "\x1b[H"
	eraseLine  = "\x1b[K"
	eraseBelow = "\x1b[J"
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clear      = "\x1b[2J"
)

// refresh is how often the screen is drawn.
const refresh = 250 * time.Millisecond

// Show plays until ctx ends, and shows it: as a screen that is drawn again and again, or line by line.
func (d *Demo) Show(ctx context.Context, w io.Writer, screen bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.Run(ctx) })
	group.Go(func() error {
		if screen {
			return d.screen(ctx, w)
		}
		return d.lines(ctx, w)
	})
	return group.Wait()
}

// screen draws the shown node's report again and again, until ctx ends, and leaves the last one standing.
func (d *Demo) screen(ctx context.Context, w io.Writer) error {
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	if _, err := io.WriteString(w, clear+hideCursor); err != nil {
		return err
	}
	defer func() { _, _ = io.WriteString(w, showCursor+"\n") }()
	for {
		frame, err := d.frame(time.Now())
		if err != nil {
			return err
		}
		if _, err := w.Write(frame); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (d *Demo) frame(now time.Time) ([]byte, error) {
	var text bytes.Buffer
	fmt.Fprintln(&text, d.caption(now))
	for _, address := range d.config.Listen {
		fmt.Fprintf(&text, "as a page, JSON, text and metrics: http://%s    other nodes: /nodes/b1/    end: Ctrl-C\n", address)
	}
	fmt.Fprintln(&text)
	if rep := d.Report(); rep != nil {
		if err := report.Text(&text, rep); err != nil {
			return nil, err
		}
	}
	frame := bytes.NewBufferString(home)
	for line := range bytes.Lines(text.Bytes()) {
		frame.Write(bytes.TrimSuffix(line, []byte("\n")))
		frame.WriteString(eraseLine + "\n")
	}
	frame.WriteString(eraseBelow)
	return frame.Bytes(), nil
}

// caption says what the script does now.
func (d *Demo) caption(now time.Time) string {
	since := now.Sub(d.begin)
	s, next := at(since)
	return fmt.Sprintf("DEMO %s  the network: %s  (next scene in %d s)", clock(since), s.text, int((next-since)/time.Second)+1)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// lines tells what changes, a line each, for outputs that are no terminal, until ctx ends.
func (d *Demo) lines(ctx context.Context, w io.Writer) error {
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	var (
		scene string
		told  = map[string]checker.Severity{}
	)
	for {
		now := time.Now()
		stamp := clock(now.Sub(d.begin))
		if s, _ := at(now.Sub(d.begin)); s.text != scene {
			scene = s.text
			fmt.Fprintf(w, "%6s  -------- %s\n", stamp, scene)
		}
		if rep := d.Report(); rep != nil {
			tellFindings(w, stamp, rep, told)
		}
		select {
		case <-ctx.Done():
			return d.last(w)
		case <-ticker.C:
		}
	}
}

// tellFindings writes what began, changed its severity or ended since the last call.
func tellFindings(w io.Writer, stamp string, rep *checker.Report, told map[string]checker.Severity) {
	stands := map[string]bool{}
	for _, f := range rep.Findings {
		stands[f.Key] = true
		if old, ok := told[f.Key]; !ok || old != f.Severity {
			told[f.Key] = f.Severity
			fmt.Fprintf(w, "%6s  %-8s  %s\n", stamp, f.Severity, f.Title)
		}
	}
	for key := range told {
		if !stands[key] {
			delete(told, key)
			fmt.Fprintf(w, "%6s  cleared   %s\n", stamp, key)
		}
	}
}

// last writes the whole report once.
func (d *Demo) last(w io.Writer) error {
	rep := d.Report()
	if rep == nil {
		return nil
	}
	fmt.Fprintln(w)
	return report.Text(w, rep)
}
