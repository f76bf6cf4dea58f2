package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines bounds a source file. Whoever reaches it has found two subjects.
const maxLines = 450

// TestPure: where things are pure there is no clock, goroutine, logger, I/O or borrowed randomness.
func TestPure(t *testing.T) {
	for _, name := range pure() {
		files := []string{filepath.Join(root, name)}
		if !strings.HasSuffix(name, ".go") {
			files = productFiles(t, filepath.Join(root, name))
		}
		for _, f := range files {
			src, err := os.ReadFile(f)
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range impurities(t, f, src) {
				t.Error(fault)
			}
		}
	}
}

// productFiles are the Go files of a folder without its tests; none if the folder does not exist.
func productFiles(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(f string) bool { return strings.HasSuffix(f, "_test.go") })
}

// impurities returns what in a source file needs more than its arguments.
func impurities(t *testing.T, name string, src []byte) (faults []string) {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	fault := func(at token.Pos, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: %s in a pure package", set.Position(at), fmt.Sprintf(format, args...)))
	}
	imported := map[string]string{} // name in this file: path
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(impureImports(), path) {
			fault(i.Pos(), "import of %s", path)
		}
		if i.Name != nil && i.Name.Name == "." {
			fault(i.Pos(), "dot import of %s", path)
		}
		imported[importName(i, path)] = path
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			fault(n.Pos(), "goroutine")
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if ok && slices.Contains(impureNames()[imported[x.Name]], n.Sel.Name) {
				fault(n.Pos(), "%s.%s", x.Name, n.Sel.Name)
			}
		}
		return true
	})
	return faults
}

// importName is how a file calls a package.
func importName(i *ast.ImportSpec, path string) string {
	if i.Name != nil {
		return i.Name.Name
	}
	parts := strings.Split(path, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && regexp.MustCompile(`^v\d+$`).MatchString(last) {
		last = parts[len(parts)-2]
	}
	return last
}

// TestPlantedImpurity: the check above sees what it is for.
func TestPlantedImpurity(t *testing.T) {
	for body, want := range map[string]int{
		"import \"time\"\nfunc f() { _ = time.Now() }":                         1,
		"import clock \"time\"\nfunc f() { clock.Sleep(1); <-clock.After(1) }": 2,
		"import . \"time\"":   1,
		"import \"os\"":       1,
		"func f() { go f() }": 1,
		"import \"math/rand/v2\"\nvar _ = rand.IntN(3)":                                                                          1,
		"import \"math/rand/v2\"\nvar _ = rand.New(rand.NewPCG(1, 2)).IntN(3)":                                                   0,
		"import (\"time\"; \"net/netip\"; \"fmt\")\nfunc f(t time.Time, a netip.Addr) string { return fmt.Sprint(t.Add(1), a) }": 0,
	} {
		if got := impurities(t, "planted.go", []byte("package p\n"+body)); len(got) != want {
			t.Errorf("%s: %q, want %d", body, got, want)
		}
	}
}

// TestPackageDocs: every package has one package comment, in one file.
func TestPackageDocs(t *testing.T) {
	for _, p := range goList(t, "./...") {
		var with []string
		for _, name := range slices.Concat(p.GoFiles, p.CgoFiles) {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Error(err)
				continue
			}
			if f.Doc == nil || f.Doc.Text() == "" {
				continue
			}
			with = append(with, name)
			begin := "Package " + p.Name + " "
			if p.Name == "main" {
				begin = "Command " + filepath.Base(p.Dir) + " "
			}
			if !strings.HasPrefix(f.Doc.Text(), begin) {
				t.Errorf("%s: %s: the package comment begins with %q", p.name(), name, begin)
			}
		}
		if len(with) != 1 && len(p.GoFiles) > 0 {
			t.Errorf("%s: package comments in %q, want one", p.name(), with)
		}
	}
}

// TestFileSize: no product file is longer than a person reads at once.
func TestFileSize(t *testing.T) {
	for _, p := range goList(t, "./...") {
		for _, f := range productFiles(t, p.Dir) {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Error(err)
				continue
			}
			if n := bytes.Count(src, []byte("\n")); n > maxLines {
				t.Errorf("%s/%s: %d lines, more than %d: split it by subject", p.name(), filepath.Base(f), n, maxLines)
			}
		}
	}
}

// machinePath matches places that exist on one machine only. Written in parts, so as not to match itself.
var machinePath = regexp.MustCompile(`(^|[^\w.])/(` + "wo" + `rk/|` + "tm" + `p/qw|` + "ro" + `ot/go/|ho` + `me/\w)`)

// TestNoMachinePaths: nothing that is published names a place on the machine that it was written on.
func TestNoMachinePaths(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "dist") {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if m := machinePath.Find(line); m != nil {
				t.Errorf("%s:%d: %q", path, i+1, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestMentioned: ARCHITECTURE.md says of every package what it is.
func TestMentioned(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range goList(t, "./...") {
		if len(p.GoFiles) > 0 && !bytes.Contains(text, []byte("`"+p.name()+"`")) {
			t.Errorf("ARCHITECTURE.md does not mention %s", p.name())
		}
	}
}
