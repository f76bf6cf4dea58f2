package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal tells whether what is written goes to a person.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalSize returns the size of a terminal; 80 columns and 24 lines if it does not tell.
func terminalSize(w io.Writer) (columns, lines int) {
	if f, ok := w.(*os.File); ok {
		if columns, lines, err := term.GetSize(int(f.Fd())); err == nil {
			return columns, lines
		}
	}
	return 80, 24
}
