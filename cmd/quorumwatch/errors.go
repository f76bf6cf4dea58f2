package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit statuses. A reader of scripts may rely on them.
const (
	exitError = 1
	exitUsage = 2
)

// usageError is an error of the command line, not of what it asked for.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string   { return e.err.Error() }
func (e *usageError) Unwrap() error   { return e.err }
func (e *usageError) Hints() []string { return []string{e.hint} }

// statusError ends the process with a status and without a word: the answer is on standard output.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitStatus maps an error to the status of the process.
func exitStatus(err error) int {
	if status, ok := errors.AsType[statusError](err); ok {
		return int(status)
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	return exitError
}

// hinter is an error that knows what a person can do about it.
type hinter interface{ Hints() []string }

// printError writes one "quorumwatch: ..." line for each joined error, then its hints.
func printError(w io.Writer, err error) {
	if _, ok := errors.AsType[statusError](err); ok {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			printError(w, e)
		}
		return
	}
	fmt.Fprintf(w, "quorumwatch: %v\n", err)
	var h hinter
	if !errors.As(err, &h) {
		return
	}
	for _, hint := range h.Hints() {
		if hint != "" {
			fmt.Fprintf(w, "hint: %s\n", hint)
		}
	}
}

// flagError turns a complaint of the flag parser into a usage error.
func flagError(cmd *cobra.Command, err error) error {
	return &usageError{err: err, hint: fmt.Sprintf("'%s --help' lists the flags", cmd.CommandPath())}
}

// unknownCommand is the argument check of commands that only hold subcommands.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("'%s --help' lists the commands", cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean '%s %s'?", cmd.CommandPath(), strings.Join(near, "' or '"+cmd.CommandPath()+" "))
	}
	return &usageError{err: fmt.Errorf("unknown command %q", args[0]), hint: hint}
}

// arguments makes a usage error of what an argument check says.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err: err, hint: "usage: " + cmd.UseLine()}
		}
		return nil
	}
}
