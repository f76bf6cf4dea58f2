package checker_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scenes are the Reports whose JSON is kept in testdata: views of the Report are tested with them too.
var scenes = map[string]func(*testing.T) checker.Report{
	"healthy": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 2, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		s.run(20 * time.Second)
		return s.last
	},
	"cut": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 1, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		s.run(20 * time.Second)
		s.cutSite()
		s.run(2500 * time.Millisecond)
		return s.last
	},
	"split": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 1, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		s.run(20 * time.Second)
		s.cutSite()
		s.run(9 * time.Second)
		return s.last
	},
	"fence": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 1, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		withHA(s, proxmox.HAArmed, "a2 b1")
		s.in.Lint = []lint.Finding{{
			Code: "bond-lacp-slow", Serious: true, Subject: "bond0", Title: "link 0 runs over bond bond0 with the slow LACP rate", Fix: "set bond-lacp-rate fast",
		}}
		s.run(20 * time.Second)
		s.cutSite()
		s.run(25 * time.Second)
		return s.last
	},
	"link-down": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 2, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		s.run(20 * time.Second)
		s.cut("b1 b2", 0)
		s.run(3 * time.Second)
		return s.last
	},
	"low-margin": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 2, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		m := tell(s, risk.Window{
			Median: 2500 * time.Millisecond, Worst: 3600 * time.Millisecond, LinkDowns: 31, Tight: 0.4, Spells: 3, Losses: 0.25, LossShare: 0.25,
			Hop: risk.Hop{Cause: risk.CauseDown, From: 3, To: 4, Link: 1},
		})
		m.Coverage = 0.95
		m.Trend = risk.Trend{Known: true, Before: 700 * time.Millisecond, Now: 2400 * time.Millisecond}
		s.run(20 * time.Second)
		return s.last
	},
	"forecast": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 1, "a1", "a2", "a3", "b1", "b2")
		dress(s)
		s.in.Forecast = forecastScene(s.start)
		s.run(200 * time.Second)
		return s.last
	},
	"unknown": func(t *testing.T) checker.Report {
		s := newScene(t, 3375*time.Millisecond, 1, "a1", "b1")
		s.knetOff = true
		s.node("b1").noAgent = true
		s.linesTo("b1", nil)[0].unheard = true
		s.run(12 * time.Second)
		return s.last
	},
}

func dress(s *scene) {
	for _, l := range s.lines {
		l.windows = windows(1200, 0)
		l.full.Size, l.full.Sent, l.full.Received = 1472, 20, 20
	}
	s.in.Status.Software = "3.1.10"
}

// TestGolden keeps the JSON form of a Report as it is documented in docs/report-schema.md.
func TestGolden(t *testing.T) {
	for name, make := range scenes {
		t.Run(name, func(t *testing.T) {
			r := make(t)
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(r); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s differs; look at the difference, then run with -update", file)
			}
			var back checker.Report
			if err := json.Unmarshal(got.Bytes(), &back); err != nil {
				t.Fatal(err)
			}
			var again bytes.Buffer
			enc = json.NewEncoder(&again)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(back); err != nil || !bytes.Equal(again.Bytes(), got.Bytes()) {
				t.Errorf("what was read back is not what was written: %v", err)
			}
		})
	}
}

// TestSchemaDocumented: every field of a Report has its line in docs/report-schema.md.
func TestSchemaDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/report-schema.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for text := range strings.SplitSeq(string(doc), "\n## ") {
		title, body, _ := strings.Cut(text, "\n")
		sections[title] = body
	}
	// sectionOf is a type's own section, or that of the type which it is a part of.
	sectionOf := func(ty reflect.Type, of string) string {
		for _, title := range []string{ty.Name(), strings.TrimSuffix(ty.Name(), "Row")} {
			if _, ok := sections[title]; ok {
				return title
			}
		}
		return of
	}
	var walk func(ty reflect.Type, section, prefix string)
	seen := map[reflect.Type]bool{}
	walk = func(ty reflect.Type, section, prefix string) {
		for ty.Kind() == reflect.Pointer || ty.Kind() == reflect.Slice {
			ty = ty.Elem()
		}
		if ty.Kind() != reflect.Struct || ty.PkgPath() == "time" || ty.PkgPath() == "net/netip" || seen[ty] {
			return
		}
		seen[ty] = true
		section = sectionOf(ty, section)
		text := sections[section]
		for i := range ty.NumField() {
			f := ty.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag != "" && !strings.Contains(text, "`"+tag+"`") && !strings.Contains(text, "`"+tag+"[]`") {
				t.Errorf("field %s%s is not in section %s of docs/report-schema.md", prefix, tag, section)
			}
			walk(f.Type, section, prefix+tag+".")
		}
	}
	walk(reflect.TypeFor[checker.Report](), "Report", "")
}

// TestFindingsDocumented: every code of the catalogue has its section in docs/findings.md.
func TestFindingsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/findings.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, e := range checker.Catalogue() {
		declared[e.Code] = true
		if strings.HasPrefix(e.Runbook(), lint.RunbookBase+"#") {
			continue // package lint writes its page itself
		}
		if !strings.Contains(string(doc), "\n## "+e.Code+"\n") {
			t.Errorf("docs/findings.md has no section %q", e.Code)
		}
		if want := checker.RunbookBase + "#" + e.Code; e.Runbook() != want {
			t.Errorf("runbook %s, want %s", e.Runbook(), want)
		}
	}
	for line := range strings.Lines(string(doc)) {
		if code, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok && !declared[code] {
			t.Errorf("docs/findings.md has section %q, which no finding has", code)
		}
	}
}

// TestPure: the same arguments give the same Report, and the State that was given is not changed.
func TestPure(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 1, "a1", "a2", "a3", "b1", "b2")
	dress(s)
	s.run(20 * time.Second)
	s.cutSite()
	s.run(time.Second)
	in, before := s.input(), s.state
	var first []byte
	for range 3 {
		_, r := checker.Step(before, in)
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Fatal("a second Step from the same State gave another Report")
		}
	}
}

func TestSeconds(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{{0, "0"}, {15 * time.Microsecond, "0.000015"}, {3375 * time.Millisecond, "3.375"}, {time.Nanosecond, "0.000000001"}, {-time.Second, "-1"}, {time.Hour, "3600"}} {
		got, err := json.Marshal(checker.Seconds(tt.d))
		if err != nil || string(got) != tt.want {
			t.Errorf("%v: %s, %v", tt.d, got, err)
		}
		var back checker.Seconds
		if err := json.Unmarshal(got, &back); err != nil || back.Duration() != tt.d {
			t.Errorf("%s: %v, %v", got, back, err)
		}
	}
	var s checker.Seconds
	for _, bad := range []string{`"x"`, `1e300`, `true`} {
		if json.Unmarshal([]byte(bad), &s) == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}
