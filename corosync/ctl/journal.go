package ctl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Journal follows the journal of other units than Corosync's.
type Journal struct {
	Runner Runner // nil: Exec{}
}

// Follow calls line for what the units have logged in the present boot since back ago, oldest first, and then for what they log, until ctx
// ends (the error is nil) or journalctl does. Times are the wall clock's. The error wraps ErrAbsent where there is no journalctl.
func (j Journal) Follow(ctx context.Context, back time.Duration, line func(at time.Time, text string), units ...string) error {
	run := j.Runner
	if run == nil {
		run = Exec{}
	}
	args := []string{"-q", "-b", "-f", "--no-tail", fmt.Sprintf("--since=-%ds", int(back.Seconds())), "-o", "short-unix"}
	for _, u := range units {
		args = append(args, "-u", u)
	}
	out, err := run.Stream(ctx, func(text string) {
		if at, rest, ok := cutUnix(text); ok {
			line(at, rest)
		}
	}, "journalctl", args...)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	return errors.New("journalctl ended with " + strconv.Itoa(out.Code) + ": " + firstLine(out.Stderr))
}

// cutUnix splits a line of journalctl's short-unix format: seconds with six decimals, then the rest.
func cutUnix(text string) (at time.Time, rest string, ok bool) {
	first, rest, ok := strings.Cut(text, " ")
	seconds, micros, dot := strings.Cut(first, ".")
	sec, err := strconv.ParseInt(seconds, 10, 64)
	if !ok || !dot || len(micros) != 6 || err != nil || sec <= 0 {
		return time.Time{}, "", false
	}
	us, err := strconv.ParseUint(micros, 10, 32)
	if err != nil {
		return time.Time{}, "", false
	}
	return time.Unix(sec, int64(us)*int64(time.Microsecond)), rest, true
}
