package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// table is rows of cells; the first row is the head.
type table [][]string

// table writes rows with aligned columns. A head that begins with a newline has an empty line before it.
func (p *printer) table(t table) {
	if first, found := strings.CutPrefix(t[0][0], "\n"); found {
		t[0][0] = first
		p.line("")
	}
	wide := make([]int, len(t[0]))
	for _, row := range t {
		for i, c := range row {
			wide[i] = max(wide[i], width(c))
		}
	}
	for _, row := range t {
		var b strings.Builder
		for i, c := range row {
			if i > 0 {
				b.WriteString("  ")
			}
			if i < len(row)-1 {
				c += strings.Repeat(" ", wide[i]-width(c))
			}
			b.WriteString(c)
		}
		p.line("%s", b.String())
	}
}

func width(s string) int { return utf8.RuneCountInString(strings.TrimPrefix(s, "\n")) }

// clip cuts s to n columns, with a sign that it was cut.
func clip(s string, n int) string {
	head := ""
	if rest, found := strings.CutPrefix(s, "\n"); found {
		head, s = "\n", rest
	}
	if width(s) <= n {
		return head + s
	}
	r := []rune(s)
	return head + string(r[:n-1]) + "…"
}

func percent(r float64) string {
	switch p := r * 100; {
	case p == 0:
		return "0 %"
	case p < 0.1:
		return strconv.FormatFloat(p, 'f', 2, 64) + " %"
	case p < 10:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}

// show prints a duration as people read it.
func show(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + show(-d)
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d)/1e6, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
	case d < 100*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
