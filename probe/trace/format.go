package trace

import (
	"errors"
	"fmt"
	"time"
)

// The form of a trace file: docs/trace.md.
const (
	magic   = "QWTRACE"
	version = 1
)

// Tags of sections. A reader passes over those it does not know if they are lower-case.
const (
	tagHeader = 'H'
	tagConfig = 'C'
	tagNodes  = 'N'
	tagPath   = 'P'
	tagMarks  = 'M'
	tagEnd    = 'E'
)

// Limits of a file, so that a hostile one costs little. A cluster of 32 nodes with three links has 2976 paths.
const (
	maxSize    = 256 << 20 // decompressed
	maxSection = 32 << 20
	maxText    = 1 << 16
	maxConfig  = 1 << 20
	maxNodes   = 1 << 10
	maxLinks   = 8
	maxPaths   = 1 << 16
	maxRuns    = 8 << 20 // of all paths
	maxSlots   = 1 << 31 // of a path, and before it
	maxMarks   = 1 << 20
	maxLength  = 100 * 365 * 24 * time.Hour // from slot 0

	// From the first sample of any path to the last of any: readers may take memory for every slot of it, and time for every second. Agents
	// keep a day at most, of slots of 50 ms at least (1.7 million).
	maxSpan     = 1 << 24
	maxSpanTime = 31 * 24 * time.Hour
)

// Errors that a FormatError may wrap.
var (
	ErrNotTrace  = errors.New("this is no trace of quorumwatch")
	ErrVersion   = errors.New("written in a version of the format that this quorumwatch does not know")
	ErrTruncated = errors.New("the file ends here, in the middle")
	ErrMore      = errors.New("the trace is whole, but something follows it")
	ErrTooLarge  = errors.New("more than a trace may hold")
)

// FormatError says what is wrong with a file, and where.
type FormatError struct {
	Offset  int64  // in the decompressed file
	Section string // "path 1>2 link 0"
	Err     error
}

// Error implements error.
func (e *FormatError) Error() string {
	return fmt.Sprintf("trace: byte %d (%s): %v", e.Offset, e.Section, e.Err)
}

// Unwrap returns the reason.
func (e *FormatError) Unwrap() error { return e.Err }
