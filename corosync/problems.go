package corosync

import (
	"fmt"
	"strings"
)

// Problem is an error or a warning about one place of a file. As an error it prints `file:line: key: reason`; the hint is
// for a line of its own.
type Problem struct {
	File   string
	Line   int // 1-based; 0: the file as a whole
	Key    string
	Reason string
	Hint   string // what to do; may be empty

	Proxmox bool // a warning of no interest where Proxmox VE is not: Corosync itself agrees with the file
}

// Error implements error.
func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key)
		b.WriteString(": ")
	}
	b.WriteString(p.Reason)
	return b.String()
}

// ParseError says why Corosync would not start with a file. It holds at least one problem.
type ParseError struct {
	Problems []Problem
}

// Error implements error: one problem per line.
func (e *ParseError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each Problem to errors.As.
func (e *ParseError) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}

// excerpt makes a piece of a file printable and short.
func excerpt(s string) string {
	const longest = 60
	if len(s) > longest {
		s = s[:longest] + "..."
	}
	return fmt.Sprintf("%q", s)
}

func listOf(words []string) string { return strings.Join(words, ", ") }
