//go:build linux

package main

import (
	"path/filepath"
	"testing"
)

// TestCheckRecord: nothing that was recorded in the lab is other than what is written down. docs/check.md has the table, and how to make the record.
func TestCheckRecord(t *testing.T) {
	cells, err := readRecord[checkCell](filepath.Join("testdata", "check.jsonl"), "check")
	if err != nil || len(cells) == 0 {
		t.Fatalf("%d cells, %v", len(cells), err)
	}
	for _, r := range tabulateChecks(t.Output(), cells) {
		if r.Met != r.Of {
			t.Error(r)
		}
	}
}
