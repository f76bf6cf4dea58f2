package report

import (
	"strings"
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
