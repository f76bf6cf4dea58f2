package main

import (
	"errors"

	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// noAnswer makes an error of status 2 of everything that kept a plan from being made, each problem with its hint.
func noAnswer(err error) error {
	if e, ok := errors.AsType[*corosync.ParseError](err); ok {
		var all []error
		for _, problem := range e.Problems {
			all = append(all, &usageError{err: problem, hint: problem.Hint})
		}
		return errors.Join(all...)
	}
	if e, ok := errors.AsType[*plan.InputError](err); ok {
		return &usageError{err: e, hint: e.Hint}
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return err
	}
	return &usageError{err: err}
}
