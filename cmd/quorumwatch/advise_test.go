package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// recordTrace is a script command: "record FILE CONF LENGTH LOSS" writes the trace of a cluster of two nodes at site a and one at
// site b, whose line loses so much, with the configuration CONF in it ("-": none).
func recordTrace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: record file conf length loss")
	}
	length, err := time.ParseDuration(args[2])
	ts.Check(err)
	loss, err := strconv.ParseFloat(args[3], 64)
	ts.Check(err)
	t := lossyTrace(length, loss)
	if args[1] != "-" {
		t.Config = []byte(ts.ReadFile(args[1]))
	}
	var b bytes.Buffer
	ts.Check(trace.Encode(&b, t))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

func lossyTrace(length time.Duration, loss float64) *trace.Trace {
	rng := rand.New(rand.NewPCG(7, 7))
	t := &trace.Trace{
		Start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Slot: 50 * time.Millisecond, Libknet: "1.25", Author: 1,
		Paths: map[trace.Path]*trace.Series{},
	}
	for id := uint32(1); id <= 3; id++ {
		t.Nodes = append(t.Nodes, trace.Node{ID: id, Name: fmt.Sprintf("n%d", id), Site: map[bool]string{true: "a", false: "b"}[id < 3]})
	}
	for from := uint32(1); from <= 3; from++ {
		for to := uint32(1); to <= 3; to++ {
			if from == to {
				continue
			}
			s := &trace.Series{}
			for range int(length / t.Slot) {
				v := trace.Sample{State: trace.Arrived, Delay: 5 * time.Millisecond}
				if (from == 3 || to == 3) && rng.Float64() < loss {
					v = trace.Sample{State: trace.Lost}
				}
				s.Append(1, v)
			}
			t.Paths[trace.Path{From: from, To: to}] = s
		}
	}
	return t
}

const threeNodes = `totem {
  config_version: 3
  secauth: on
  token_coefficient: 125
  version: 2
}
nodelist {
  node {
    name: n1
    nodeid: 1
    ring0_addr: 10.50.0.1
  }
  node {
    name: n2
    nodeid: 2
    ring0_addr: 10.50.0.2
  }
  node {
    name: n3
    nodeid: 3
    ring0_addr: 10.51.0.3
  }
}
quorum {
  provider: corosync_votequorum
}
`

// TestAdviseAgent: without a file, the agent is asked.
func TestAdviseAgent(t *testing.T) {
	tr := lossyTrace(10*time.Minute, 0.05)
	tr.Config = []byte(threeNodes)
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/trace" {
			http.NotFound(w, r)
			return
		}
		_ = trace.Encode(w, tr)
	}))
	defer agent.Close()
	for _, c := range []struct {
		url            string
		status         int
		stdout, stderr string
	}{
		{agent.URL + "/", exitChange, "+    knet_ping_interval: 200", ""},
		{agent.URL + "/elsewhere", exitError, "", "404 Not Found"},
		{"http://127.0.0.1:1", exitError, "", "hint: is the agent running?"},
		{"http://a b", exitUsage, "", "hint: write it as http://HOST:PORT"},
	} {
		var out, errs bytes.Buffer
		status := run(t.Context(), []string{"advise", "--diff", "--agent", c.url}, &process{out: &out, err: &errs})
		if status != c.status || !strings.Contains(out.String(), c.stdout) || !strings.Contains(errs.String(), c.stderr) {
			t.Errorf("%s: status %d\n%s%s", c.url, status, &out, &errs)
		}
	}
}
