package risk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// BenchmarkLiveHour is what an hour beside a cluster costs: ns/op are nanoseconds of a core an hour, on a quiet machine.
func BenchmarkLiveHour(b *testing.B) {
	for _, c := range []struct {
		nodes int
		what  string
		loss  float64
	}{{5, "clean", 0}, {5, "3 % on one link", 0.03}, {32, "clean", 0}, {32, "3 % on one link", 0.03}} {
		b.Run(fmt.Sprintf("%d nodes, 2 links, %s", c.nodes, c.what), func(b *testing.B) {
			live, tr, status := benchCluster(b, c.nodes, c.loss)
			known := 0
			for b.Loop() {
				for range 5 * 3600 { // five times a second
					known += 4
					live.Step(tr, known, Reality{Status: status})
				}
			}
			if live.Skipped() > 0 {
				b.Errorf("left out %d times", live.Skipped())
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N)/1000, "s/hour")
		})
	}
}

// benchCluster is a Live of n nodes at two sites, with a trace of ten hours.
func benchCluster(b *testing.B, n int, loss float64) (*Live, *trace.Trace, corosync.Status) {
	text := "totem {\n version: 2\n cluster_name: bench\n transport: knet\n interface {\n linknumber: 0\n }\n interface {\n linknumber: 1\n }\n}\nnodelist {\n"
	for i := range n {
		text += fmt.Sprintf(" node {\n name: n%d\n nodeid: %d\n ring0_addr: 10.0.0.%d\n ring1_addr: 10.0.1.%d\n }\n", i+1, i+1, i+1, i+1)
	}
	conf, err := corosync.Parse("bench", strings.NewReader(text+"}\nquorum {\n provider: corosync_votequorum\n}\n"))
	if err != nil {
		b.Fatal(err)
	}
	c, err := FromConfig(conf, nil, "1.32")
	if err != nil {
		b.Fatal(err)
	}
	live := NewLive(1)
	live.Configure(c)
	random := rand.New(rand.NewPCG(1, 1))
	t := &trace.Trace{Start: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Slot: slot, Paths: map[trace.Path]*trace.Series{}}
	status := corosync.Status{Daemon: corosync.DaemonRunning, RingID: corosync.RingID{Rep: 1, Seq: 4}}
	for from := range uint32(n) {
		status.Members = append(status.Members, corosync.Member{ID: from + 1, Joined: true})
		for to := range uint32(n) {
			for link := range 2 {
				if from != to {
					t.Paths[trace.Path{From: from + 1, To: to + 1, Link: link}] = benchSeries(random, link == 0 && from%2 != to%2, loss)
				}
			}
		}
	}
	return live, t, status
}

// benchSeries is ten hours of a path.
func benchSeries(random *rand.Rand, lossy bool, loss float64) *trace.Series {
	const slots = 10 * 72000
	s := &trace.Series{}
	well := trace.Sample{State: trace.Arrived, Delay: 2 * time.Millisecond}
	for lossy && loss > 0 && s.Next() < slots {
		s.Append(1+int(random.ExpFloat64()/loss), well)
		s.Append(1, trace.Sample{State: trace.Lost})
	}
	s.AppendTo(slots, well)
	return s
}
