package totem

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the transcripts of testdata/*.txt anew")

// TestScenarios runs the scripts of testdata: prose behind #, commands, and below ---- what they must answer. The commands
// are in scenario_commands_test.go; `go test -run Scenarios -update` writes the answers.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := playScript(t, string(script))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(script) {
				t.Errorf("%s differs (go test -run Scenarios -update writes it):\n%s", file, firstDifference(string(script), got))
			}
		})
	}
}

// playScript runs a script and returns it with the answers it really got.
func playScript(t *testing.T, script string) string {
	t.Helper()
	var out strings.Builder
	s := &scene{}
	lines := strings.Split(strings.TrimRight(script, "\n"), "\n")
	for i := 0; i < len(lines); {
		line := lines[i]
		i++
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			out.WriteString(line + "\n")
			continue
		}
		commands := []string{line}
		for i < len(lines) && lines[i] != "" && lines[i] != "----" {
			commands = append(commands, lines[i])
			i++
		}
		for i < len(lines) && lines[i] != "" { // the old answer
			i++
		}
		out.WriteString(strings.Join(commands, "\n") + "\n----\n")
		for _, c := range commands {
			answer, err := s.do(c)
			if err != nil {
				t.Fatalf("%q: %v", c, err)
			}
			out.WriteString(answer)
		}
	}
	return out.String()
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, a, b)
		}
	}
	return ""
}
