package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/quorumwatch/quorumwatch"
	root   = "../../.."
)

// pkg is what "go list -json" says of a package, as far as it matters here.
type pkg struct {
	ImportPath   string
	Dir          string
	Name         string
	Standard     bool
	GoFiles      []string
	CgoFiles     []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
}

// name is the path inside the module.
func (p pkg) name() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

func goList(t *testing.T, args ...string) []pkg {
	t.Helper()
	fields := "-json=ImportPath,Dir,Name,Standard,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Imports"
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-e", fields}, args...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// matches tells whether one of the patterns of the tables means a package.
func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		below, siblings := strings.CutSuffix(p, "/*")
		switch {
		case p == "*", p == name, siblings && path.Dir(name) == below:
			return true
		}
	}
	return false
}

// entry finds what the table says about a package: its own entry, else that of its siblings.
func entry(table map[string][]string, name string) ([]string, bool) {
	if e, ok := table[name]; ok {
		return e, true
	}
	e, ok := table[path.Dir(name)+"/*"]
	return e, ok
}

// directions returns what is wrong with the imports inside the module.
func directions(pkgs []pkg) (faults []string) {
	table, never := allowed(), never()
	for _, p := range pkgs {
		may, ok := entry(table, p.name())
		if !ok {
			faults = append(faults, p.name()+": not in the table of allowed imports: decide what it may know, and add it there")
			continue
		}
		for _, i := range p.Imports {
			to, inside := strings.CutPrefix(i, module+"/")
			if inside && (!matches(may, to) || matches(never[p.name()], to)) {
				faults = append(faults, fmt.Sprintf("%s imports %s; it may import %q", p.name(), to, may))
			}
		}
	}
	return faults
}

// throughDoors returns what is wrong with the imports from outside the module.
func throughDoors(pkgs []pkg) (faults []string) {
	table := doors()
	for _, p := range pkgs {
		for _, i := range p.Imports {
			door, guarded := doorOf(table, i)
			thirdParty := strings.Contains(strings.Split(i, "/")[0], ".") && !strings.HasPrefix(i, module)
			switch {
			case guarded && !matches(table[door], p.name()):
				faults = append(faults, fmt.Sprintf("%s imports %s; only %q may", p.name(), i, table[door]))
			case !guarded && thirdParty:
				faults = append(faults, fmt.Sprintf("%s imports %s, which has no door: decide who may, and add it to doors", p.name(), i))
			}
		}
	}
	return faults
}

func doorOf(table map[string][]string, imported string) (string, bool) {
	for d := range maps.Keys(table) {
		if imported == d || strings.HasPrefix(imported, d+"/") {
			return d, true
		}
	}
	return "", false
}

func TestDirections(t *testing.T) {
	for _, f := range directions(goList(t, "./...")) {
		t.Error(f)
	}
}

func TestDoors(t *testing.T) {
	for _, f := range throughDoors(goList(t, "./...")) {
		t.Error(f)
	}
}

// TestPlanted: the checks above see what they are for.
func TestPlanted(t *testing.T) {
	plant := func(name string, imports ...string) []pkg {
		return []pkg{{ImportPath: module + "/" + name, Imports: imports}}
	}
	for want, pkgs := range map[string][]pkg{
		"probe imports corosync;":                                 plant("probe", module+"/corosync"),
		"corosync/totem imports corosync;":                        plant("corosync/totem", module+"/corosync"),
		"checker imports cmd/internal/config;":                    plant("checker", module+"/cmd/internal/config"),
		"alerts/pager imports alerts/webhook;":                    plant("alerts/pager", module+"/alerts/webhook"),
		"cmd/internal/agent imports corosync/lab;":                plant("cmd/internal/agent", module+"/corosync/lab"),
		"util: not in the table":                                  plant("util"),
		"checker imports github.com/rs/zerolog/log;":              plant("checker", "github.com/rs/zerolog/log"),
		"corosync imports os/exec;":                               plant("corosync", "os/exec"),
		"cmd/quorumwatch imports github.com/spf13/viper;":         plant("cmd/quorumwatch", "github.com/spf13/viper"),
		"corosync/totem imports example.org/x, which has no door": plant("corosync/totem", "example.org/x"),
	} {
		faults := slices.Concat(directions(pkgs), throughDoors(pkgs))
		if len(faults) != 1 || !strings.HasPrefix(faults[0], want) {
			t.Errorf("want one fault %q, got %q", want, faults)
		}
	}
	good := slices.Concat(
		plant("probe/udp", module+"/probe", "golang.org/x/sys/unix", "time"),
		plant("alerts/webhook", module+"/alerts", "github.com/rs/zerolog", "net/http"),
		plant("cmd/internal/agent", module+"/probe/udp", module+"/checker"),
	)
	if faults := slices.Concat(directions(good), throughDoors(good)); len(faults) > 0 {
		t.Errorf("good imports: %q", faults)
	}
}

// TestJudgementStandsAlone: the whole judgement compiles from the standard library and this module.
func TestJudgementStandsAlone(t *testing.T) {
	for _, p := range goList(t, "-deps", "./checker", "./checker/topology") {
		if !p.Standard && !strings.HasPrefix(p.ImportPath, module) {
			t.Errorf("checker depends on %s", p.ImportPath)
		}
	}
}

// TestNoReplace: what go.mod names is what anyone gets who imports this module.
func TestNoReplace(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct{ Replace, Exclude []any }
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace)+len(mod.Exclude) > 0 {
		t.Errorf("go.mod replaces or excludes: %v %v", mod.Replace, mod.Exclude)
	}
}
