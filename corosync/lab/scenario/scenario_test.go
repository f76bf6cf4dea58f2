//go:build linux

package scenario

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

const head = `name: x
sites:
  - {name: a, nodes: 2}
  - {name: b, nodes: 1}
`

func TestParse(t *testing.T) {
	s, err := Parse("x.yaml", strings.NewReader(head+`
totem: {token: 1000}
network:
  - {name: path, delay: 5ms, kinds: [probe]}
timeline:
  - at: 10s
    what: cut
    for: 500ms
    repeat: 3
    every: 20s
    impair: {from: [a], to: [b], blackout: true}
  - {at: 5s, corosync: {node: b1, do: kill}}
  - {at: 6s, interface: {node: a2, link: 0, do: down}}
  - {at: 7s, run: {node: a1, command: [corosync-cfgtool, -R]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	cut := &impair.Rule{Name: "cut", From: []string{"a"}, To: []string{"b"}, Blackout: true}
	want := &Scenario{
		Name: "x", Duration: 50*time.Second + 500*time.Millisecond,
		Spec: lab.Spec{
			Name: "x", Sites: []lab.Site{{Name: "a", Nodes: 2}, {Name: "b", Nodes: 1}}, Totem: []lab.Option{{Key: "token", Value: "1000"}},
			Rules: []impair.Rule{{Name: "path", Delay: 5 * time.Millisecond, Kinds: []impair.Kind{impair.Probe}}},
		},
		Steps: []Step{
			{Name: "corosync of b1: kill", At: 5 * time.Second, Daemon: &Daemon{"b1", Kill}},
			{Name: "interface of a2, link 0: down", At: 6 * time.Second, Interface: &Interface{"a2", 0, false}},
			{Name: "a1: corosync-cfgtool -R", At: 7 * time.Second, Run: &Run{"a1", []string{"corosync-cfgtool", "-R"}}},
			{Name: "cut #1", At: 10 * time.Second, For: 500 * time.Millisecond, Rule: cut},
			{Name: "cut #2", At: 30 * time.Second, For: 500 * time.Millisecond, Rule: cut},
			{Name: "cut #3", At: 50 * time.Second, For: 500 * time.Millisecond, Rule: cut},
		},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	rules := s.Rules(impair.Instant(time.Hour))
	if len(rules) != 3 || rules[1].Name != "cut #2" || time.Duration(rules[1].Start) != time.Hour+30*time.Second ||
		time.Duration(rules[1].End) != time.Hour+30*time.Second+500*time.Millisecond {
		t.Errorf("rules %+v", rules)
	}
}

func TestRandomPhases(t *testing.T) {
	text := head + "seed: 3\ntimeline: [{at: 10s, what: cut, for: 1s, repeat: 50, every: 10s, random: 4s, impair: {blackout: true}}]\n"
	a, err := Parse("x", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := Parse("x", strings.NewReader(text))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the same seed, another timeline: %s", diff)
	}
	var offsets []time.Duration
	for i, s := range a.Steps {
		offsets = append(offsets, s.At-time.Duration(i+1)*10*time.Second)
	}
	if slices.Min(offsets) < 0 || slices.Max(offsets) >= 4*time.Second || slices.Max(offsets)-slices.Min(offsets) < 2*time.Second {
		t.Errorf("offsets %v", offsets)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "x.yaml: empty"},
		{"not yaml", "a: [", "x.yaml: yaml:"},
		{"unknown key", head + "conut: 5\n", `x.yaml:5: unknown key "conut": known here are name, about, sites`},
		{"unknown key in a rule", head + "network:\n  - {name: p, dleay: 5ms}\n", `x.yaml:6: unknown key "dleay": known here are name, from`},
		{"unknown key in a step", head + "timeline:\n  - {at: 5s, inpair: {}}\n", `x.yaml:6: unknown key "inpair": known here are at, what`},
		{"type", head + "links: two\n", "x.yaml:5: cannot unmarshal"},
		{"no sites", "name: x\n", "x.yaml: spec: sites: want at least one"},
		{"no name", "sites: [{name: a, nodes: 1}]\n", `name: "": want one word`},
		{"name with slash", "name: a/b\nsites: [{name: a, nodes: 1}]\n", "want one word"},
		{"too many", "name: x\nsites: [{name: a, nodes: 17}]\n", "want at most 16"},
		{"site", head + "network:\n  - {name: p, from: [z], loss: 0.1}\n", `rule "p": "z": no such site or node`},
		{"rule without name", head + "network:\n  - {loss: 0.1}\n", "want a name of its own"},
		{"two actions", head + "timeline:\n  - at: 5s\n    impair: {loss: 0.1}\n    run: {node: a1, command: [x]}\n", "x.yaml:6: timeline: want exactly one of"},
		{"no action", head + "timeline:\n  - at: 1s\n    impair: {loss: 0.1}\n  - at: 5s\n", "x.yaml:8: timeline: want exactly one of"},
		{"loss", head + "timeline:\n  - {at: 5s, impair: {loss: 5}}\n", "loss: 5: want a share from 0 to 1"},
		{"node", head + "timeline:\n  - {at: 5s, corosync: {node: c1, do: kill}}\n", `no node "c1": there are a1, a2, b1`},
		{"verb", head + "timeline:\n  - {at: 5s, corosync: {node: a1, do: halt}}\n", `do: "halt": want one of`},
		{"repeat", head + "timeline:\n  - {at: 5s, repeat: 3, impair: {loss: 1}}\n", "needs every"},
		{"for", head + "timeline:\n  - {at: 5s, for: 3s, corosync: {node: a1, do: kill}}\n", "only impair lasts"},
		{"kind", head + "network:\n  - {name: p, kinds: [ping]}\n", "want corosync, probe or other"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("x.yaml", strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestExamples parses all examples and checks that each would make a lab.
func TestExamples(t *testing.T) {
	files, err := filepath.Glob("../../../examples/lab/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(name, f)
		f.Close()
		if err != nil {
			t.Error(err)
			continue
		}
		if want := strings.TrimSuffix(filepath.Base(name), ".yaml"); s.Name != want || s.About == "" {
			t.Errorf("%s: name %q, about %q", name, s.Name, s.About)
		}
		top, err := s.Spec.Topology()
		if err != nil {
			t.Error(err)
		}
		if len(top.Nodes) > 5 {
			t.Errorf("%s: %d nodes: more than two cores carry", name, len(top.Nodes))
		}
		if _, err := impair.Compile(top, 1, slices.Concat(s.Spec.Rules, s.Rules(1)), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head)
	f.Add(head + "timeline: [{at: 10s, what: cut, for: 1s, repeat: 5, every: 10s, random: 4s, impair: {blackout: true}}]\n")
	f.Fuzz(func(_ *testing.T, text string) {
		if s, err := Parse("x", strings.NewReader(text)); err == nil {
			s.Rules(1)
		}
	})
}
