package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
)

const unitFile = "../../examples/quorumwatch.service"

// TestUnit: the systemd unit starts a command that exists, with flags that exist, and systemd takes it.
func TestUnit(t *testing.T) {
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	options, err := unit.DeserializeOptions(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, o := range options {
		values[o.Section+"."+o.Name] = o.Value
	}
	line := strings.Fields(values["Service.ExecStart"])
	if len(line) < 2 || line[0] != "/usr/bin/quorumwatch" {
		t.Fatalf("ExecStart=%q: 'make install' replaces /usr/bin/", values["Service.ExecStart"])
	}
	cmd, args, err := newRootCommand(&process{}).Find(line[1:])
	if err != nil || cmd.Name() != line[1] {
		t.Fatalf("ExecStart=%q: no such command: %v", line, err)
	}
	if err := cmd.ParseFlags(args); err != nil {
		t.Errorf("ExecStart=%q: %v", line, err)
	}
	verify(t, strings.ReplaceAll(string(text), "/usr/bin/quorumwatch", "/bin/true"))
}

// verify asks systemd, where it is installed. The program has to exist for that.
func verify(t *testing.T, text string) {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("no systemd-analyze here: only the syntax was checked")
		return
	}
	file := filepath.Join(t.TempDir(), "quorumwatch.service")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), path, "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
