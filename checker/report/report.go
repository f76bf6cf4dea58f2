// Package report writes a checker.Report for people and for machines: as text for a terminal and as JSON. Nothing here
// judges: what is shown is what the Report says, worst first, and unknown is shown as unknown.
package report

import (
	"encoding/json"
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
