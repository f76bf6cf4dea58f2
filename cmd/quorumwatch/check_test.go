package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

const checkConf = `totem {
  version: 2
  cluster_name: c
  config_version: 3
  transport: knet
  secauth: on
  token_coefficient: 125
  interface {
    linknumber: 0
  }
  interface {
    linknumber: 1
  }
}
nodelist {
  node {
    name: a
    nodeid: 1
    ring0_addr: 203.0.113.1
    ring1_addr: 198.51.100.1
  }
  node {
    name: b
    nodeid: 2
    ring0_addr: 203.0.113.2
    ring1_addr: 198.51.100.2
  }
  node {
    name: c
    nodeid: 3
    ring0_addr: 203.0.113.3
    ring1_addr: 198.51.100.3
  }
}
quorum {
  provider: corosync_votequorum
}
`

// anAgent serves what an agent of node a would, after an hour of health.
func anAgent(t *testing.T, change func(*checker.Report)) string {
	t.Helper()
	r := checker.Report{Schema: 1, At: time.Now(), Node: checker.NodeRef{ID: 1, Name: "a"}, Quorum: checker.Quorum{Known: true, Quorate: true, SpareKnown: true, SpareVotes: 1}}
	x := trace.Trace{Start: time.Now().Add(-time.Hour), Slot: 50 * time.Millisecond, Author: 1, Config: []byte(checkConf), Paths: map[trace.Path]*trace.Series{}}
	for id := uint32(1); id <= 3; id++ {
		x.Nodes = append(x.Nodes, trace.Node{ID: id, Name: string(rune('a' + id - 1))})
		for to := uint32(1); to <= 3; to++ {
			for link := range 2 {
				if id == to {
					continue
				}
				s := &trace.Series{}
				s.Append(72_000, trace.Sample{State: trace.Arrived, Delay: 100 * time.Microsecond})
				x.Paths[trace.Path{From: id, To: to, Link: link}] = s
			}
		}
	}
	for id := uint32(2); id <= 3; id++ {
		for link := range 2 {
			w := checker.Window{Length: checker.Seconds(time.Hour), Covered: checker.Seconds(time.Hour)}
			w.Sent, w.Received, w.RTT.P50, w.RTT.P999 = 72_000, 72_000, checker.Seconds(200*time.Microsecond), checker.Seconds(300*time.Microsecond)
			r.Paths = append(r.Paths, checker.Path{
				Peer: checker.NodeRef{ID: id, Name: string(rune('a' + id - 1))}, Link: link, Windows: []checker.Window{w},
				Local: netip.MustParseAddr("203.0.113.1"), Remote: netip.MustParseAddr("203.0.113.2"), Full: checker.FullSize{Bytes: 1472, Sent: 20, Received: 20},
			})
		}
	}
	change(&r)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(r); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /api/v1/trace", func(w http.ResponseWriter, _ *http.Request) {
		if err := trace.Encode(w, &x); err != nil {
			t.Error(err)
		}
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// runCommand runs one command line.
func runCommand(t *testing.T, args ...string) (status int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	status = run(t.Context(), args, &process{in: strings.NewReader(""), out: &o, err: &e})
	return status, o.String(), e.String()
}

// TestCheckAgent: an hour of an agent's record is judged without any probe.
func TestCheckAgent(t *testing.T) {
	url := anAgent(t, func(*checker.Report) {})
	status, out, errs := runCommand(t, "check", "--agent", url, "--json")
	var v verdict.Verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	if status != 0 || v.Answer != verdict.Go || v.Confidence != "medium" || v.Basis.Length != checker.Seconds(time.Hour) || v.Basis.Paths != 4 || v.Basis.Assumed != 0 {
		t.Errorf("status %d: %s %s: %+v\n%s", status, v.Answer, v.Confidence, v.Basis, v.Text)
	}
	url = anAgent(t, func(r *checker.Report) {
		for i := range r.Paths {
			w := &r.Paths[i].Windows[0]
			w.Received, w.Lost, w.LostForward = 60_000, 12_000, 12_000
		}
		r.Findings = []checker.Finding{{Code: "links-single", Severity: checker.Warning, Subject: "x", Title: "y"}}
	})
	if status, out, _ = runCommand(t, "check", "--agent", url); status != 2 || !strings.Contains(out, "VERDICT   NO-GO") || !strings.Contains(out, "INSTEAD") {
		t.Errorf("status %d\n%s", status, out)
	}
}

// TestCheckAgentNagios: the answer is that of the report.
func TestCheckAgentNagios(t *testing.T) {
	for _, c := range []struct {
		severity checker.Severity
		status   int
		word     string
	}{{checker.OK, 0, "OK - "}, {checker.Info, 0, "OK - "}, {checker.Warning, 1, "WARNING - two links down"}, {checker.Critical, 2, "CRITICAL - two links down"}} {
		url := anAgent(t, func(r *checker.Report) {
			r.Severity = c.severity
			if c.severity > checker.Info {
				r.Findings = []checker.Finding{{Code: "x", Severity: c.severity, Title: "two links down"}}
			}
		})
		status, out, errs := runCommand(t, "check", "--nagios", "--agent", url)
		if status != c.status || !strings.HasPrefix(out, c.word) || errs != "" {
			t.Errorf("%s: status %d\n%s%s", c.severity, status, out, errs)
		}
	}
}
