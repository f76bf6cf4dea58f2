package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

var updateAdvice = flag.Bool("update-advice", false, "write the golden texts of advise anew")

// adviceExamples are answers of each kind, made up.
func adviceExamples() map[string]advice.Advice {
	bounds := advice.Bounds{Token: 3125 * time.Millisecond, Least: 900 * time.Millisecond, Membership: 8875 * time.Millisecond, Most: 30 * time.Second}
	before := advice.Trial{
		Name: "as it is", Tested: true, Bounds: bounds,
		Figures: advice.Figures{
			TokenLosses: advice.Rate{PerHour: 13.5, Low: 4.9, High: 29.4}, Splits: advice.Rate{High: 9}, LinkDowns: advice.Rate{PerHour: 278, Low: 230, High: 332},
			WorstGap: 4117 * time.Millisecond,
		},
		Drill:    &advice.Drill{Links: 2, Failover: 2420 * time.Millisecond, LostBackedUp: 0.25, DeadNode: 6877 * time.Millisecond, Declared: true},
		Forecast: &risk.Forecast{Enough: true, TokenLoss: risk.Expect{PerHour: 15, Low: 6.5, High: 26, Count: 24}},
	}
	after := before
	after.Name = "knet pings every 200 ms, 8 token retransmits"
	after.Figures = advice.Figures{TokenLosses: advice.Rate{High: 9}, Splits: advice.Rate{High: 9}, LinkDowns: advice.Rate{High: 9}, WorstGap: 1534 * time.Millisecond}
	after.Drill = &advice.Drill{Links: 2, Failover: 2297 * time.Millisecond, DeadNode: 6877 * time.Millisecond, Declared: true}
	after.Forecast = &risk.Forecast{Enough: true, TokenLoss: risk.Expect{High: 9, Rare: true}}
	slow := advice.Trial{Name: "knet pings every 200 ms, timeout 6200 ms", Refused: "the death of link 0 would lose the token: 10.3 s without it in 100 % of the trials"}
	slow.Tested, slow.Bounds, slow.Figures = true, bounds, advice.Figures{WorstGap: time.Second}
	short := advice.Trial{Name: "8 token retransmits", Refused: "the token of 3.12 s must be above 4.00 s"}
	shorter := advice.Trial{Name: "14 token retransmits", Refused: short.Refused}
	evidence := advice.Evidence{
		Length: 20 * time.Minute, Known: 0.97, Loss: []advice.PathLoss{{Path: trace.Path{From: 1, To: 3}, Loss: 0.013}, {Path: trace.Path{From: 1, To: 3, Link: 1}}},
		Stall: advice.Stall{From: 1, To: 3, At: time.Minute, Length: 450 * time.Millisecond},
	}
	text, _, err := corosync.Rewrite("corosync.conf", []byte(threeNodes), []corosync.Edit{{Key: "totem.token_retransmits_before_loss_const", Value: "8"}})
	if err != nil {
		panic(err)
	}
	dead := before
	dead.Refused, dead.Bounds.Least = "too short", 4*time.Second
	return map[string]advice.Advice{
		"change": {
			Verdict: advice.Change, Why: []string{"over what was measured the model loses the token 13 times an hour (4.9 to 29)", "the change helps, but not wholly"}, Partly: true,
			Limit: "knet's ping timeout", Evidence: evidence, Before: before, Tried: []advice.Trial{slow, after}, Proposed: &after, Text: text,
			Steps: []string{"see that all is well", "a step that is so long that it has to be broken, because lines of more than a hundred and twenty columns are hard to read"},
		},
		"no-setting": {
			Verdict: advice.NoSetting, Why: []string{"none of 33 settings tried helps in the model: the path itself must be repaired"}, Limit: "the path",
			Evidence: evidence, Before: dead, Tried: []advice.Trial{slow, short, shorter},
			Remarks: []advice.Remark{{About: "second link", Text: "a second link is what best protects from the death of one"}},
		},
		"not-enough-data": {Verdict: advice.NotEnough, Why: []string{"the record is 60.0 s long; 2 min is the least"}, Evidence: advice.Evidence{Length: time.Minute, Known: 1},
			Before: advice.Trial{Name: "as it is", Bounds: bounds}},
		"nothing": {Verdict: advice.Nothing, Why: []string{"no token lost"}, Evidence: evidence, Before: after},
	}
}

// TestAdviceText holds the answers for people and for machines against their golden files.
func TestAdviceText(t *testing.T) {
	in := advice.Input{Name: "/etc/pve/corosync.conf", Conf: []byte(threeNodes), Trace: lossyTrace(0, 0)}
	for name, a := range adviceExamples() {
		var text, machine bytes.Buffer
		if err := writeAdvice(&text, in, a, 120); err != nil {
			t.Fatal(err)
		}
		if err := writeAdviceJSON(&machine, a, diffOf(in, a)); err != nil {
			t.Fatal(err)
		}
		for ext, got := range map[string]string{".txt": text.String(), ".json": machine.String()} {
			file := filepath.Join("testdata", "advise", name+ext)
			if *updateAdvice {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s (-update-advice writes it anew):\n%s", file, d)
			}
		}
	}
}

// TestAdviceNarrow: on a terminal of 80 columns nothing but the diff is wider.
func TestAdviceNarrow(t *testing.T) {
	in := advice.Input{Name: "corosync.conf", Conf: []byte(threeNodes), Trace: lossyTrace(0, 0)}
	for name, a := range adviceExamples() {
		var text bytes.Buffer
		if err := writeAdvice(&text, in, a, 80); err != nil {
			t.Fatal(err)
		}
		before, diff, _ := strings.Cut(text.String(), "\ndiff\n")
		_, after, _ := strings.Cut(diff, "\nsteps\n")
		for line := range strings.Lines(before + after) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
		}
	}
}

// TestAdviceKeys: whatever the verdict, JSON has the same keys, and a list is a list.
func TestAdviceKeys(t *testing.T) {
	in := advice.Input{Name: "corosync.conf", Conf: []byte(threeNodes), Trace: lossyTrace(0, 0)}
	lists := []string{"why", "tried", "steps", "remarks", "evidence worst_loss", "evidence outages", "before edits"}
	want := map[string][]string{}
	examples := adviceExamples()
	examples["of nothing"] = advice.Advice{Proposed: &advice.Trial{}}
	for name, a := range examples {
		var text bytes.Buffer
		if err := writeAdviceJSON(&text, a, diffOf(in, a)); err != nil {
			t.Fatal(err)
		}
		var top map[string]any
		if err := json.Unmarshal(text.Bytes(), &top); err != nil {
			t.Fatal(err)
		}
		objects := map[string]any{"": top, "evidence": top["evidence"], "trial": top["before"]}
		if top["proposed"] != nil {
			objects["trial, proposed"] = top["proposed"]
		}
		for place, x := range objects {
			place, _, _ = strings.Cut(place, ",")
			keys := slices.Sorted(maps.Keys(x.(map[string]any)))
			if want[place] == nil {
				want[place] = keys
			}
			if d := cmp.Diff(want[place], keys); d != "" {
				t.Errorf("%s: %s: %s", name, place, d)
			}
		}
		for _, path := range lists {
			x := any(top)
			for _, key := range strings.Fields(path) {
				x = x.(map[string]any)[key]
			}
			if _, ok := x.([]any); !ok {
				t.Errorf("%s: %s is %v, no list", name, path, x)
			}
		}
	}
	for _, kind := range []any{adviceJSON{}, evidenceJSON{}, lossJSON{}, stallJSON{}, trialJSON{}, boundsJSON{}, figuresJSON{}, rateJSON{}, drillJSON{}, remarkJSON{},
		replayJSON{}, traceJSON{}, mark{}, setJSON{}, countJSON{}, eventJSON{}} {
		for f := range reflect.TypeOf(kind).Fields() {
			if tag := f.Tag.Get("json"); tag == "" || strings.Contains(tag, ",") {
				t.Errorf("%T.%s has the key %q", kind, f.Name, tag)
			}
		}
	}
}
