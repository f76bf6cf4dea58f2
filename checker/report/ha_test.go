package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/report"
)

// TestTollUnknown: what is not known of watchdogs and guests is not shown as none.
func TestTollUnknown(t *testing.T) {
	b1, b2 := checker.NodeRef{ID: 4, Name: "b1"}, checker.NodeRef{ID: 5, Name: "b2"}
	for _, tt := range []struct {
		name   string
		armed  checker.Tri
		toll   checker.Toll
		want   string
		absent string
	}{
		{"nobody is armed", checker.No, checker.Toll{Complete: true}, "none is armed", "unknown"},
		{"nobody knows", checker.Unknown, checker.Toll{}, "whether they are armed, and would reset: b1", "none is armed"},
		{"guests not known", checker.Yes, checker.Toll{Resets: []checker.NodeRef{b1}}, "(not all guests and services are known)", "none is armed"},
		{"guests known", checker.Yes, checker.Toll{Resets: []checker.NodeRef{b1}, Guests: 2, Complete: true}, "guests on them: 2", "not all guests"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := checker.Report{
				Outcome: &checker.Outcome{Loses: []checker.NodeRef{b1, b2}, Toll: &tt.toll},
				HA:      &checker.HA{Known: true, Nodes: []checker.HANode{{Name: "b1", Armed: tt.armed}, {Name: "b2", Armed: checker.No}}},
			}
			var out bytes.Buffer
			if err := report.Text(&out, &r); err != nil {
				t.Fatal(err)
			}
			_, outcome, _ := strings.Cut(strings.Join(strings.Fields(out.String()), " "), "OUTCOME") // without line breaks
			outcome, _, _ = strings.Cut(outcome, "FENCE")
			if !strings.Contains(outcome, tt.want) || strings.Contains(outcome, tt.absent) {
				t.Errorf("want %q and not %q in\n%s", tt.want, tt.absent, outcome)
			}
		})
	}
}
