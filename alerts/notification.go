package alerts

import (
	"context"
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// Notification is one thing to be said about one incident. It is a value; what it points to is never changed.
type Notification struct {
	Key      string // of the incident: stable from New to Resolved
	Status   Status
	Reason   Reason
	Severity checker.Severity // of the worst finding now; after Resolved OK
	Worst    checker.Severity // the worst it has been: what receivers select by, so that who was told of the start hears of the end
	Since    time.Time        // when its first finding was first seen
	At       time.Time        // when this was said
	Cause    checker.Finding  // the finding that explains the others; after Resolved as last seen
	Symptoms []checker.Finding
	Report   *checker.Report // the one that led to this

	MergedInto string // with Resolved: key of the incident that its findings now belong to; "" if they are gone
}

// Status is whether an incident goes on.
type Status int

// The states of an incident.
const (
	Firing Status = iota
	Resolved
)

var statusWords = []string{Firing: "firing", Resolved: "resolved"}

// String returns firing or resolved.
func (s Status) String() string { return enumWord("status", statusWords, int(s)) }

// MarshalText writes String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reason is why something is said now.
type Reason int

// Reasons to speak.
const (
	New     Reason = iota // the incident has just begun
	Worse                 // it became more severe, or another kind of critical finding joined it
	Recause               // another finding turned out to be its cause
	Repeat                // it still stands after the repeat interval
	Over                  // it is over
)

var reasonWords = []string{New: "new", Worse: "worse", Recause: "cause", Repeat: "repeat", Over: "over"}

// String returns new, worse, cause, repeat or over.
func (r Reason) String() string { return enumWord("reason", reasonWords, int(r)) }

// MarshalText writes String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func enumWord(name string, words []string, i int) string {
	if i < 0 || i >= len(words) {
		return fmt.Sprintf("%s(%d)", name, i)
	}
	return words[i]
}

// Notifier brings a notification to one receiver. It returns nil once the receiver has it; else retry tells whether the same
// call may do better later. It honors ctx, may be called by one goroutine at a time, and never puts a secret into its error.
type Notifier interface {
	Notify(ctx context.Context, n Notification) (retry bool, err error)
	String() string // names the receiver in logs, without secrets
}
