package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
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

// Size tells how many columns and lines a terminal has now.
type Size func() (columns, lines int)

// Show plays until ctx ends, and shows it: on a terminal as a screen that is drawn again and again, elsewhere (size is nil) line by
// line.
func (d *Demo) Show(ctx context.Context, w io.Writer, size Size) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.Run(ctx) })
	group.Go(func() error {
		if size != nil {
			return d.screen(ctx, w, size)
		}
		return d.lines(ctx, w)
	})
	return group.Wait()
}

// screen draws the shown node's report again and again, until ctx ends, and leaves the last one standing.
func (d *Demo) screen(ctx context.Context, w io.Writer, size Size) error {
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	if _, err := io.WriteString(w, clear+hideCursor); err != nil {
		return err
	}
	defer func() { _, _ = io.WriteString(w, showCursor+"\n") }()
	for {
		frame, err := d.frame(time.Now(), size)
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

func (d *Demo) frame(now time.Time, size Size) ([]byte, error) {
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
	_, lines := size()
	return fit(text.Bytes(), lines), nil
}

// fit makes a frame of a text: what the screen has room for, the worst first, and how much is left out.
func fit(text []byte, lines int) []byte {
	all := slices.Collect(bytes.Lines(text))
	left := 0
	if room := max(lines-2, 3); len(all) > room {
		left, all = len(all)-room, all[:room]
	}
	frame := bytes.NewBufferString(home)
	for _, line := range all {
		frame.Write(paint(bytes.TrimSuffix(line, []byte("\n"))))
		frame.WriteString(eraseLine + "\n")
	}
	if left > 0 {
		fmt.Fprintf(frame, "... %d more lines: /report.txt has them all, or make the window taller%s", left, eraseLine)
	}
	frame.WriteString(eraseBelow)
	return frame.Bytes()
}

// paint colors the severity that a line begins with.
func paint(line []byte) []byte {
	for word, color := range map[string]string{"CRITICAL": "\x1b[1;37;41m", "WARNING": "\x1b[1;33m", "INFO": "\x1b[36m", "clearing": "\x1b[2m"} {
		if rest, ok := bytes.CutPrefix(line, []byte(word+" ")); ok {
			return append([]byte(color+word+"\x1b[0m "), rest...)
		}
	}
	return line
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
