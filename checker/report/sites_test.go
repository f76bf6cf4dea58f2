package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/report"
)

// TestTextSites: sites that were found are shown as such, with what they rest on; configured ones need no words.
func TestTextSites(t *testing.T) {
	ms := func(n float64) checker.Seconds { return checker.Seconds(n * float64(time.Millisecond)) }
	r := load(t, "../testdata/healthy.json")
	r.Cluster.Sites = []checker.Site{
		{Name: "near a1", Nodes: []uint32{1, 2}, Found: true, Within: ms(0.2), Between: ms(5)},
		{Name: "near c1", Nodes: []uint32{3}, Found: true, Between: ms(5)},
	}
	const want = "near a1: 200 µs within, 5.0 ms to the next; near c1: 5.0 ms to the next"
	for _, found := range []bool{true, false} {
		for i := range r.Cluster.Sites {
			r.Cluster.Sites[i].Found = found
		}
		var b strings.Builder
		if err := report.Text(&b, r); err != nil {
			t.Fatal(err)
		}
		_, text, shown := strings.Cut(b.String(), "\nSITES ")
		if shown != found || found && !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("found %v:\n%s", found, b.String())
		}
	}
}
