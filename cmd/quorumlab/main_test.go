//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

func TestMain(m *testing.M) {
	lab.Main()
	testscript.Main(m, map[string]func(){
		"quorumlab": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs the command as a user would. Scripts that need a lab have the condition [lab].
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(cond string) (bool, error) {
			if cond != "lab" {
				return false, errors.New("no such condition")
			}
			err := lab.Check()
			if err != nil && os.Getenv("CI") == "true" && os.Geteuid() == 0 {
				return false, err
			}
			return err == nil, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"wait-for": waitFor},
	})
}

// waitFor waits until a file holds a text.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: wait-for file text")
	}
	for range 600 {
		if b, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(b), args[1]) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("%s: no %q in a minute: %s", args[0], args[1], ts.ReadFile(args[0]))
}

func TestTracker(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	cut := checker.Finding{Code: "path_cut", Severity: checker.Warning, Title: "nothing arrives", Since: now.Add(-50 * time.Millisecond), Key: "k"}
	worse := cut
	worse.Severity = checker.Critical
	clearing := worse
	clearing.Clearing = true
	symptom := cut
	symptom.Cause = "c"
	lint := checker.Finding{Code: "lint", Severity: checker.Info, Key: "l"}
	tr := tracker{node: "a1"}
	type said struct {
		At       time.Time
		Severity checker.Severity
		Text     string
	}
	steps := []struct {
		report report
		want   []said
	}{
		{report{At: now, Findings: []checker.Finding{lint}}, []said{{now, checker.OK, "agent answers"}}},
		{report{At: now, Findings: []checker.Finding{cut, lint}}, []said{{now, checker.Warning, "nothing arrives"}}},
		{report{At: now, Findings: []checker.Finding{cut}}, nil},
		{report{At: now, Findings: []checker.Finding{worse}}, []said{{now, checker.Critical, "now critical: nothing arrives"}}},
		{report{At: now, Findings: []checker.Finding{clearing}}, []said{{now, checker.OK, "clearing: nothing arrives"}}},
		{report{At: now}, []said{{now, checker.OK, "cleared: nothing arrives"}}},
		{report{At: now, Findings: []checker.Finding{symptom}}, nil},
		{report{At: now, Findings: []checker.Finding{cut}}, []said{{now, checker.Warning, "nothing arrives"}}},
	}
	for i, s := range steps {
		var got []said
		for _, e := range tr.step(now, s.report) {
			if e.hidden {
				continue
			}
			got = append(got, said{e.At, e.Severity, e.Text})
		}
		if diff := cmp.Diff(s.want, got); diff != "" {
			t.Errorf("report %d: %s", i, diff)
		}
	}
	if got := tr.silent(now, errors.New("refused")); len(got) != 1 || got[0].Text != "agent does not answer: refused" {
		t.Errorf("silence: %+v", got)
	}
	if got := tr.silent(now, errors.New("refused")); got != nil {
		t.Errorf("silence is told twice: %+v", got)
	}
}

func TestTableIsInOrder(t *testing.T) {
	var out bytes.Buffer
	t0 := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	tab := table{w: &out, t0: t0}
	names := map[uint32]string{1: "a1", 4: "b1"}
	split, ok := corosyncEntry(lab.Line{Node: "a1", At: t0.Add(7 * time.Second), Event: lab.EventMembership, Ring: "1.9", Left: []uint32{4}}, names)
	if !ok {
		t.Fatal("a split does not matter")
	}
	tab.add(split)
	tab.add(entry{At: t0.Add(time.Second), Node: "a1", Source: sourceWatch, Severity: checker.Critical, Code: "cut", Text: "site b is cut off"})
	tab.add(entry{At: t0, Source: sourceLab, Text: "a cut"})
	tab.flush(t0.Add(5 * time.Second))
	tab.flush(t0.Add(10 * time.Second))
	want := `   +0.000       ---- a cut ----
   +1.000  a1                                                CRITICAL cut: site b is cut off
   +7.000  a1   membership 1.9: LEFT b1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if got := corosyncDid(tab.done, t0); got != "new ring +7.000 (a1), SPLIT +7.000 (a1)" {
		t.Error(got)
	}
	if got := watchSaid(tab.done, t0); got != "CRITICAL in a report of +1.000 (a1: cut)" {
		t.Error(got)
	}
	if got := watchSaid(nil, t0); got != "said nothing" {
		t.Error(got)
	}
}

func TestExamine(t *testing.T) {
	var out bytes.Buffer
	good := examination{"x", true, func() (string, error) { return "there", nil }}
	bad := func(needed bool) examination {
		return examination{"y", needed, func() (string, error) { return "", errors.Join(errors.New("one"), errors.New("two")) }}
	}
	if err := examine(&out, []examination{good, bad(false)}); err != nil {
		t.Error(err)
	}
	if err := examine(&out, []examination{bad(true)}); err == nil {
		t.Error("a machine without what is needed is fit")
	}
	s := bufio.NewScanner(&out)
	for _, want := range []string{"ok    x: there", "warn  y: one; two", "FAIL  y: one; two"} {
		if !s.Scan() || s.Text() != want {
			t.Errorf("%q, want %q", s.Text(), want)
		}
	}
}
