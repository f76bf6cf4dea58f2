package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/quorumwatch/quorumwatch/checker/replay"
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

// What replay writes is as wide as it may be: names, however long, tables, and what Corosync logged. Only a word that is wider by itself is left whole.
func TestReplayWidth(t *testing.T) {
	x, err := traceFile("../../examples/demo.trace")
	if err != nil {
		t.Fatal(err)
	}
	var asked settingFlags
	asked.values = map[string]*[]string{}
	for _, k := range settingKeys() {
		asked.values[k.key] = new([]string)
	}
	*asked.values["token"] = []string{"3000"}
	for _, more := range [][]string{nil, {"token=1000,retransmits=8"}, {"token=1000,coefficient=0,retransmits=8,ping-interval=300,ping-timeout=900,pong-count=2,link-mode=passive,libknet=1.28"}} {
		sets, err := asked.sets(more)
		if err != nil {
			t.Fatal(err)
		}
		a := replayed{name: "demo.trace", trace: x, passes: 2}
		for _, s := range sets {
			c, err := s.cluster(x)
			if err != nil {
				t.Fatal(err)
			}
			r, err := replay.New(c, x)
			if err != nil {
				t.Fatal(err)
			}
			a.runs = append(a.runs, replayedSet{setting: s, cluster: c, replay: r})
		}
		if err := a.play(t.Context(), 1, func(int) {}); err != nil {
			t.Fatal(err)
		}
		for _, columns := range []int{60, 80, 100, 140} {
			var text bytes.Buffer
			if err := a.text(&text, columns); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(text.String()) {
				if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > columns && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%d columns: %s", columns, line)
				}
			}
			for _, r := range a.runs { // each set has all its figures, in whatever form
				all := strings.Join(strings.Fields(text.String()), " ")
				for _, f := range append(r.figures(), r.name()) {
					if !strings.Contains(all, f) {
						t.Errorf("%d columns: no %q in:\n%s", columns, f, &text)
					}
				}
			}
		}
	}
}
