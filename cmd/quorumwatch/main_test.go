package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"quorumwatch": main})
}

// TestScripts runs the command as a person would: each script says what is typed, and what has to come out.
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "record": recordTrace},
	})
}

// exits is a script command: "exits 2 quorumwatch ..." runs a command that has to end with that status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits status command [args]")
	}
	status := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[interface {
			error
			ExitCode() int
		}](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		status = exit.ExitCode()
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exits with status %d, not %s", status, args[0])
	}
}

func TestVersionOf(t *testing.T) {
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-03-01T00:00:00Z"},
		{Key: "vcs.modified", Value: "true"},
	}}
	info.Main.Version = "v0.0.0-20260301000000-0123456789ab+dirty"
	v := versionOf("", info)
	if v.Version != info.Main.Version || !strings.Contains(v.String(), "(commit 0123456789ab, modified, 2026-03-01T00:00:00Z, go1.") {
		t.Errorf("%v", v)
	}
	if v := versionOf("v1.2.3", info); v.Version != "v1.2.3" {
		t.Errorf("the linker's version does not win: %v", v)
	}
	if v := versionOf("", &debug.BuildInfo{}); v.Version != "(devel)" || strings.Contains(v.String(), "commit") {
		t.Errorf("%v", v)
	}
}

// TestJoinedErrors: each of several errors is told with its own hints.
func TestJoinedErrors(t *testing.T) {
	var out bytes.Buffer
	printError(&out, errors.Join(&usageError{err: errors.New("a"), hint: "do b"}, errors.New("c")))
	if want := "quorumwatch: a\nhint: do b\nquorumwatch: c\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
