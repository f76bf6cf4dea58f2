package ctl

import (
	"context"
	"errors"
)

// ErrAbsent says that a tool is not installed on this machine.
var ErrAbsent = errors.New("not installed")

// Runner runs Corosync's tools. Exec is the real one; corosynctest has one with a script.
type Runner interface {
	// Run runs a tool to its end. The error is nil whenever the tool ran and ended by itself, whatever its exit status. It
	// wraps ErrAbsent if there is no such tool, and the context's error if that ended it.
	Run(ctx context.Context, name string, args ...string) (Output, error)

	// Stream runs a tool that goes on until ctx ends or it ends itself, and calls line for every line of its standard
	// output as soon as the tool wrote it, without the newline. Its standard input stays open. Error as of Run; of the
	// Output only Stderr and Code are set.
	Stream(ctx context.Context, line func(string), name string, args ...string) (Output, error)
}

// Output is what a tool left behind.
type Output struct {
	Stdout []byte
	Stderr string
	Code   int // exit status
}
