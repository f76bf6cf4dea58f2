package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

// broken is an output that takes nothing.
type broken struct{}

var errBroken = errors.New("broken output")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// Status 1 of replay says that the token was lost: what cannot be written, or was broken off, is no answer and has another.
func TestReplayUnanswered(t *testing.T) {
	const file = "../../examples/demo.trace"
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		args   []string
		broken bool
		status int
	}{
		{"answer", t.Context(), []string{"replay", file, "--passes", "2"}, false, exitError},
		{"text", t.Context(), []string{"replay", file, "--passes", "2"}, true, exitUsage},
		{"JSON", t.Context(), []string{"replay", file, "--passes", "2", "--json"}, true, exitUsage},
		{"stopped", stopped, []string{"replay", file}, false, exitUsage},
		{"advise, whose 1 is any error", t.Context(), []string{"advise", file}, true, exitError},
	} {
		var out, errs bytes.Buffer
		p := &process{out: &out, err: &errs}
		if c.broken {
			p.out = broken{}
		}
		if got := run(c.ctx, c.args, p); got != c.status || c.broken != bytes.Contains(errs.Bytes(), []byte(errBroken.Error())) {
			t.Errorf("%s: status %d, not %d: %s", c.name, got, c.status, &errs)
		}
	}
}
