package demo

import (
	"bytes"
	"context"
	"flag"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

var update = flag.Bool("update", false, "write the example trace anew")

const example = "../../../examples/demo.trace"

// TestExampleTrace: the example in examples/ is what the demo's first lap looks like to its agents, and with -update is made of it.
func TestExampleTrace(t *testing.T) {
	if *update {
		data := record(t)
		if err := os.WriteFile(example, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	x, err := trace.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	first, next := x.Span()
	if len(x.Nodes) != 5 || len(x.Paths) != 40 || x.At(next-first) < 160*time.Second || len(data) > 64<<10 {
		t.Errorf("%d nodes, %d paths, %v, %d bytes", len(x.Nodes), len(x.Paths), x.At(next-first), len(data))
	}
	lost := map[string]int{}
	for _, m := range x.Marks {
		lost[m.Kind]++
	}
	if lost[trace.KindTokenLost] == 0 || lost[trace.KindMembership] == 0 || lost[trace.KindLinkDown] == 0 {
		t.Errorf("marks: %v", lost)
	}
}

// record lets the demo play its first lap in a bubble's time, and downloads what node a1 recorded.
func record(t *testing.T) (data []byte) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)))
		ctx, cancel := context.WithCancel(t.Context())
		d, err := New(Config{Software: "example"})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		time.Sleep(lap - 10*time.Second)
		w := httptest.NewRecorder()
		d.handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/api/v1/trace", nil))
		data = w.Body.Bytes()
		cancel()
		if err := <-ended; err != nil || w.Code != 200 {
			t.Fatal(err, w.Code)
		}
	})
	return data
}
