//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// What the proofs of the model measure takes hours, so each cell goes to a file as one line of JSON, and a grid is continued where it
// ended. A record is read back by the proof that wrote it; lines of others are left alone.

// entryOf is one line of a record.
type entryOf[T any] struct {
	Proof string `json:"proof"`
	Cell  T      `json:"cell"`
}

// appendRecord adds a cell to the record; no file, no record.
func appendRecord[T any](file, proof string, cell T) error {
	if file == "" {
		return nil
	}
	data, err := json.Marshal(entryOf[T]{proof, cell})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	return errors.Join(err, f.Close())
}

// readRecord gives all cells of a proof, in the order in which they were measured. A file that is not there has none.
func readRecord[T any](file, proof string) ([]T, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	defer f.Close()
	var list []T
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var any entryOf[json.RawMessage]
		if err := json.Unmarshal(lines.Bytes(), &any); err != nil {
			return nil, fmt.Errorf("record: %s: line %d: %w", file, n, err)
		}
		if any.Proof != proof {
			continue
		}
		var cell T
		if err := json.Unmarshal(any.Cell, &cell); err != nil {
			return nil, fmt.Errorf("record: %s: line %d: %w", file, n, err)
		}
		list = append(list, cell)
	}
	return list, lines.Err()
}
