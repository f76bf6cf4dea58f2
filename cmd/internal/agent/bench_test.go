//go:build linux

package agent_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// Shape of the mesh that the figures are about, and how long it is measured. QUORUMWATCH_BENCH_SECONDS overrules the time,
// QUORUMWATCH_BENCH_PROFILE names a folder for the agent's profiles.
const (
	meshNodes    = 32
	meshLinks    = 3
	meshPaths    = (meshNodes - 1) * meshLinks
	meshInterval = 50 * time.Millisecond
	meshRate     = meshPaths * int(time.Second/meshInterval)
	settleFor    = 6 * time.Second
	measureFor   = 20 * time.Second
	scrapeEvery  = 10 * time.Second // Prometheus' own default is a minute
)

// TestMain lets the test binary be one of the processes of a benchmark.
func TestMain(m *testing.M) {
	if name := os.Getenv(roleVariable); name != "" {
		os.Exit(playRole(name))
	}
	os.Exit(m.Run())
}

// BenchmarkAgentMesh measures what an agent costs in a cluster of 32 nodes with three links: one whole agent in a process of its own on
// real sockets, 31 peers with three links each in another, which probe it, answer it and send bulletins; all on loopback addresses. Beside
// it, other tools probe as many targets at the same rate, those that are installed. The unit is a run.
//
// Every tool's processor time is what the kernel charged to its processes. On loopback that includes the other end's receive path.
func BenchmarkAgentMesh(b *testing.B) {
	b.Run("agent", benchAgent)
	b.Run("fping", benchFping)
	b.Run("irtt", benchIrtt)
	b.Run("smokeping_prober", benchSmokepingProber)
}

// measured is how long a run is measured.
func measured(b *testing.B) time.Duration {
	text := os.Getenv("QUORUMWATCH_BENCH_SECONDS")
	if text == "" {
		return measureFor
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

func benchAgent(b *testing.B) {
	for b.Loop() {
		dir := b.TempDir()
		peers := startRole(b, rolePeers, dir)
		self := startRole(b, roleAgent, dir)
		scraped := scrape(b, self.say("where"))
		time.Sleep(settleFor)
		before := peers.counters()
		u := observe(measured(b), self.pid())
		after := peers.counters()
		var rep checker.Report
		fetch(b, self.say("where")+"/api/v1/report", &rep)
		scraped()
		u.report(b, 2*after.since(before).Sent) // as many probes come as go
		seconds := u.elapsed.Seconds()
		b.ReportMetric(float64(after.Requests-before.Requests)/seconds, "sent/s")
		b.ReportMetric(float64(after.Sent-before.Sent)/seconds, "received/s")
		b.ReportMetric(float64(after.Replies-before.Replies)/seconds, "reflected/s")
		reportPaths(b, &rep)
		self.end()
		peers.end()
	}
}

// reportPaths reports what the agent saw of its paths in the last ten seconds: the median path.
func reportPaths(b *testing.B, rep *checker.Report) {
	var p50, p99 []checker.Seconds
	var lost, sent uint64
	for _, p := range rep.Paths {
		w := p.Windows[1]
		p50, p99 = append(p50, w.RTT.P50), append(p99, w.RTT.P99)
		lost, sent = lost+w.Lost, sent+w.Sent
	}
	if len(rep.Paths) != meshPaths || sent == 0 {
		b.Fatalf("%d paths in the report, %d probes, want %d paths", len(rep.Paths), sent, meshPaths)
	}
	b.ReportMetric(float64(median(p50).Duration().Nanoseconds())/1e3, "rtt-p50-us")
	b.ReportMetric(float64(median(p99).Duration().Nanoseconds())/1e3, "rtt-p99-us")
	b.ReportMetric(100*float64(lost)/float64(sent), "lost-%")
	b.ReportMetric(float64(rep.Host.WorstPause.Duration().Milliseconds()), "host-pause-ms")
	for _, f := range rep.Findings {
		if f.Severity > checker.Info {
			b.Logf("finding: %s %s: %s", f.Severity, f.Key, f.Title)
		}
	}
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// meshAddr is the loopback address of a node on a link. The agent under test is node 1.
func meshAddr(link, node int) string { return fmt.Sprintf("127.61.%d.%d", link, node) }
