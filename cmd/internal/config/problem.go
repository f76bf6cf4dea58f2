package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration. Errors from this package are Problems, joined when there are
// several.
type Problem struct {
	Place  string // file:line, "environment" or "command line"
	Key    string // probe.interval, QUORUMWATCH_PROBE_INTERVAL or --probe-interval; "" if it is about the place as a whole
	Reason string
	Hint   string // what to do; may be empty
	Err    error  // the cause, if the operating system gave one
}

// Error is "place: key: reason".
func (p *Problem) Error() string {
	var parts []string
	for _, s := range []string{p.Place, p.Key, p.Reason} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// Hints is what a person can do about it.
func (p *Problem) Hints() []string { return []string{p.Hint} }

// complaint is a reason with a hint, before anyone knows the place.
type complaint struct {
	reason, hint string
}

func (c *complaint) Error() string {
	if c.hint == "" {
		return c.reason
	}
	return c.reason + " (" + c.hint + ")"
}

func complain(hint, reason string, args ...any) *complaint {
	return &complaint{reason: fmt.Sprintf(reason, args...), hint: hint}
}

// at gives the complaint its place.
func (c *complaint) at(place, key string) *Problem {
	return &Problem{Place: place, Key: key, Reason: c.reason, Hint: c.hint}
}
