package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// load reads one of the Reports that package checker keeps.
func load(t *testing.T, file string) *checker.Report {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r checker.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestText(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no reports", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := report.Text(&got, load(t, file)); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(got.String()) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > report.Width {
					t.Errorf("%d columns: %s", n, line)
				}
			}
			golden := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s differs:\n%s", golden, got.String())
			}
		})
	}
}

// TestJSON: what is written can be read, and is the file that package checker keeps.
func TestJSON(t *testing.T) {
	var got bytes.Buffer
	if err := report.JSON(&got, load(t, "../testdata/cut.json")); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../testdata/cut.json")
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("not the same: %v", err)
	}
}

// TestEmpty: a Report of which nothing is known is written without a panic, and claims nothing.
func TestEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := report.Text(&b, &checker.Report{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"BUDGET    unknown", "QUORUM    unknown", "no findings"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// TestWide: long names and 32 nodes stay in the width.
func TestWide(t *testing.T) {
	r := checker.Report{}
	for i := range 32 {
		ref := checker.NodeRef{ID: uint32(i + 1), Name: strings.Repeat("long-name-", 4) + string(rune('a'+i))}
		r.Cluster.Nodes = append(r.Cluster.Nodes, checker.Node{NodeRef: ref, Addresses: []string{"fd00::1", "fd00::2", "fd00::3"}})
		for l := range 3 {
			r.Paths = append(r.Paths, checker.Path{Peer: ref, Link: l})
			r.Mesh = append(r.Mesh, checker.MeshRow{From: ref, To: checker.NodeRef{ID: 1}, Link: l})
		}
		r.Findings = append(r.Findings, checker.Finding{Code: "x", Title: strings.Repeat("word ", 60), Severity: checker.Critical, Key: ref.Name, Cause: ref.Name})
	}
	r.Cluster.Links = make([]checker.Link, 3)
	var b bytes.Buffer
	if err := report.Text(&b, &r); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > report.Width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteError(t *testing.T) {
	if report.Text(broken{}, &checker.Report{}) == nil || report.JSON(broken{}, &checker.Report{}) == nil {
		t.Error("an error of the writer was lost")
	}
}
