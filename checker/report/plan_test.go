package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/report"
)

// planned is a cluster of the golden files.
type planned struct {
	sizes   []int
	links   int
	changes plan.Changes
}

func plans() map[string]planned {
	device, links, old, on := &plan.NewDevice{Host: "192.0.2.9"}, 2, 650*time.Millisecond, true
	return map[string]planned{
		"plan-1+1-qdevice":       {[]int{1, 1}, 2, plan.Changes{Device: device}},
		"plan-3+2":               {[]int{3, 2}, 1, plan.Changes{}},
		"plan-3+2-links-qdevice": {[]int{3, 2}, 1, plan.Changes{Device: device, Links: &links}},
		"plan-2+2+1":             {[]int{2, 2, 1}, 2, plan.Changes{}},
		"plan-4+4":               {[]int{4, 4}, 2, plan.Changes{}},
		"plan-16+16":             {[]int{16, 16}, 2, plan.Changes{Coefficient: &old}},
		"plan-12+12+8":           {[]int{12, 12, 8}, 2, plan.Changes{}},
		"plan-5":                 {[]int{5}, 2, plan.Changes{}},
		"plan-2+2+1-one-link":    {[]int{2, 2, 1}, 1, plan.Changes{}},
		"plan-2+2-last-man":      {[]int{2, 2}, 2, plan.Changes{LastManStands: &on, WaitForAll: &on}},
	}
}

func (p planned) make(t *testing.T, o plan.Options) *plan.Report {
	t.Helper()
	var sites []plan.Site
	for i, n := range p.sizes {
		s := plan.Site{Name: string(rune('a' + i))}
		for k := range n {
			s.Nodes = append(s.Nodes, fmt.Sprint(s.Name, k+1))
		}
		sites = append(sites, s)
	}
	d, err := plan.New(sites, p.links)
	if err != nil {
		t.Fatal(err)
	}
	r, err := plan.Make(d, p.changes, o)
	if err != nil {
		t.Fatal(err)
	}
	steady(&r.Now)
	if r.Then != nil {
		steady(r.Then)
	}
	return r
}

// steady puts round figures in the place of those of the model, which are the business of others' tests.
func steady(s *plan.State) {
	for i := range s.Switches {
		w := &s.Switches[i]
		w.Trials, w.Lost, w.LostLeast, w.LostMost, w.Share, w.WorstGap = 12, 0, 0, 0.265, 0.75, s.Timers.Token*3/4
	}
	for i := range s.Losses {
		l := &s.Losses[i]
		l.Model, l.Count = plan.Seconds(90*time.Minute), 0
		l.PerHour, l.Least, l.Most, l.Broken = 0, 0, 2.46, 0
		if l.Without != nil || len(s.Links) == 1 {
			l.Count, l.PerHour, l.Least, l.Most = 12, 8, 4.13, 13.97
		}
	}
	for i := range s.Livelocks {
		s.Livelocks[i].Frozen, s.Livelocks[i].Worst, s.Livelocks[i].Model = 0.9, 1, plan.Seconds(90*time.Second)
	}
}

func TestPlan(t *testing.T) {
	for name, p := range plans() {
		t.Run(name, func(t *testing.T) {
			r := p.make(t, plan.Options{})
			for _, columns := range []int{80, 120} {
				var got bytes.Buffer
				if err := report.Plan(&got, r, columns); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(got.String()) {
					if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
						t.Errorf("%d columns of %d: %s", n, columns, line)
					}
				}
				compareGolden(t, fmt.Sprintf("%s-%d.txt", name, columns), got.Bytes())
			}
		})
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not as before; -update writes it anew\n%s", golden, got)
	}
}

// TestPlanJSON: the schema, and that every case is there when all are asked for.
func TestPlanJSON(t *testing.T) {
	p := planned{[]int{1, 1}, 1, plan.Changes{Device: &plan.NewDevice{Host: "192.0.2.9"}}}
	var got bytes.Buffer
	if err := report.PlanJSON(&got, p.make(t, plan.Options{})); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "plan-1+1-qdevice.json", got.Bytes())
	got.Reset()
	if err := report.PlanJSON(&got, p.make(t, plan.Options{All: true})); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Schema int  `json:"schema"`
		OK     bool `json:"ok"`
		Then   struct {
			Singles []struct {
				Count int `json:"cases"`
			} `json:"single_failures"`
			Cases []struct {
				Failures []any  `json:"failures"`
				Impact   string `json:"impact"`
			} `json:"cases"`
		} `json:"then"`
	}
	if err := json.Unmarshal(got.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	singles, grouped := 0, 0
	for _, c := range back.Then.Cases {
		if len(c.Failures) == 1 {
			singles++
		}
	}
	for _, g := range back.Then.Singles {
		grouped += g.Count
	}
	if back.Schema != plan.Schema || back.OK || singles == 0 || singles != grouped {
		t.Errorf("%d singles, %d in groups, ok %v", singles, grouped, back.OK)
	}
}

// TestPlanAll: every case has its line.
func TestPlanAll(t *testing.T) {
	r := planned{[]int{3, 2}, 2, plan.Changes{}}.make(t, plan.Options{All: true})
	var got bytes.Buffer
	if err := report.Plan(&got, r, 120); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"node a1 + node b2", "site b + link 1", "path a-b + node a3"} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("no line for %q", want)
		}
	}
	if n := strings.Count(got.String(), "\n"); n < len(r.Now.Cases) {
		t.Errorf("%d lines for %d cases", n, len(r.Now.Cases))
	}
}

// TestPlanSingular: one node resets, two reset; who is counted is counted exactly.
func TestPlanSingular(t *testing.T) {
	var sites []plan.Site
	for _, s := range []string{"a", "b"} {
		sites = append(sites, plan.Site{Name: s, Nodes: []string{s + "1", s + "2"}})
	}
	d, err := plan.New(sites, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		armed []string
		want  string
	}{
		{[]string{"a1", "a2"}, "2 nodes reset, 2 stop"}, {[]string{"a1"}, "1 node resets, 3 stop"}, {[]string{"a1", "a2", "b1"}, "3 nodes reset, 1 stops"},
		{[]string{}, "a1 a2 b1 b2 stop"}, {[]string{"a1", "a2", "b1", "b2"}, "a1 a2 b1 b2 reset"},
	} {
		d.Armed = map[string]bool{}
		for _, n := range test.armed {
			d.Armed[n] = true
		}
		r, err := plan.Make(d, plan.Changes{}, plan.Options{NoAdvice: true})
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := report.Plan(&got, r, 140); err != nil {
			t.Fatal(err)
		}
		if want := "NOBODY has quorum (2 votes, 3 needed); " + test.want + "\n"; !strings.Contains(got.String(), want) {
			t.Errorf("%v: no %q in\n%s", test.armed, want, got.String())
		}
	}
}

// TestPlanShort: a large cluster is still read at a glance.
func TestPlanShort(t *testing.T) {
	for _, p := range []planned{{[]int{12, 12, 8}, 2, plan.Changes{}}, {[]int{16, 16}, 2, plan.Changes{}}} {
		var got bytes.Buffer
		if err := report.Plan(&got, p.make(t, plan.Options{}), 100); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(got.String(), "\n"); n > 60 {
			t.Errorf("%v: %d lines", p.sizes, n)
		}
	}
}
