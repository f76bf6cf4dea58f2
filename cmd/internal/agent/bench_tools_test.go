//go:build linux

package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startUp is how long a tool runs before it is measured.
const startUp = 3 * time.Second

// tool finds a program, or skips aloud.
func tool(b *testing.B, name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		b.Skipf("%s is not installed: nothing to compare with", name)
	}
	return path
}

// toolTargets are as many loopback addresses as the agent has paths.
func toolTargets() []string {
	var out []string
	for link := range meshLinks {
		for node := 2; node <= meshNodes; node++ {
			out = append(out, meshAddr(link, node))
		}
	}
	return out
}

// spawn starts a tool, to be ended with the benchmark.
func spawn(b *testing.B, out io.Writer, name string, args ...string) *exec.Cmd {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Second
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

func finish(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGINT)
	_ = cmd.Wait()
}

// benchFping pings by ICMP: the kernel answers, and fping judges nothing.
func benchFping(b *testing.B) {
	fping := tool(b, "fping")
	for b.Loop() {
		var out bytes.Buffer
		d := measured(b)
		period := strconv.Itoa(int(meshInterval.Milliseconds()))
		spread := fmt.Sprintf("%.1f", 1e3*meshInterval.Seconds()/meshPaths)
		cmd := spawn(b, &out, fping, append([]string{"-q", "-l", "-p", period, "-i", spread, "-t", "400"}, toolTargets()...)...)
		time.Sleep(startUp)
		u := observe(d, cmd.Process.Pid)
		finish(cmd)
		sent, mean := fpingSummary(b, out.String())
		rate := float64(sent) / (startUp + u.elapsed).Seconds()
		u.report(b, uint64(rate*u.elapsed.Seconds()))
		b.ReportMetric(rate, "sent/s")
		b.ReportMetric(mean, "rtt-mean-us")
	}
}

// fpingSummary sums lines as "127.61.0.2 : xmt/rcv/%loss = 60/60/0%, min/avg/max = 0.018/0.046/0.112".
func fpingSummary(b *testing.B, out string) (sent int, meanUS float64) {
	var means []float64
	for line := range strings.Lines(out) {
		_, figures, ok := strings.Cut(line, "%loss = ")
		if !ok {
			continue
		}
		n, _, _ := strings.Cut(figures, "/")
		count, err := strconv.Atoi(n)
		if err != nil {
			b.Fatalf("fping: %q", line)
		}
		sent += count
		if _, times, ok := strings.Cut(figures, "max = "); ok {
			if ms, err := strconv.ParseFloat(strings.Split(times, "/")[1], 64); err == nil {
				means = append(means, 1e3*ms)
			}
		}
	}
	if len(means) == 0 {
		b.Fatalf("fping said: %.500s", out)
	}
	return sent, median(means)
}

// benchIrtt runs a client a target, which is how irtt does it, and one server.
func benchIrtt(b *testing.B) {
	irtt := tool(b, "irtt")
	const address = "127.61.0.1:2112"
	for b.Loop() {
		d := measured(b)
		server := spawn(b, io.Discard, irtt, "server", "-i", "0", "-b", address)
		time.Sleep(startUp / 6)
		var clients []*exec.Cmd
		var pids []int
		for range meshPaths {
			c := spawn(b, io.Discard, irtt, "client", "-i", meshInterval.String(), "-d", (d + 30*time.Second).String(), "-q", address)
			clients, pids = append(clients, c), append(pids, c.Process.Pid)
		}
		time.Sleep(startUp)
		both := make(chan usage, 1)
		go func() { both <- observe(d, server.Process.Pid) }()
		u := observe(d, pids...)
		s := <-both
		b.ReportMetric(100*(s.user+s.system).Seconds()/s.elapsed.Seconds(), "server-cpu-%")
		b.ReportMetric(float64(s.rss)/1024, "server-rss-MiB")
		u.user, u.system, u.rss, u.peak = u.user+s.user, u.system+s.system, u.rss+s.rss, u.peak+s.peak
		u.report(b, 2*uint64(float64(meshRate)*u.elapsed.Seconds()))
		for _, c := range append(clients, server) {
			_ = c.Process.Signal(syscall.SIGINT)
		}
		for _, c := range append(clients, server) {
			_ = c.Wait()
		}
	}
}

// benchSmokepingProber pings by ICMP, and serves histograms.
func benchSmokepingProber(b *testing.B) {
	prober := tool(b, "smokeping_prober")
	const address = "127.0.0.1:19374"
	for b.Loop() {
		args := []string{"--log.level=warn", "--web.listen-address=" + address, "-i", meshInterval.String()}
		cmd := spawn(b, io.Discard, prober, append(args, toolTargets()...)...)
		time.Sleep(startUp)
		before := requests(b, address)
		u := observe(measured(b), cmd.Process.Pid)
		sent := requests(b, address) - before
		finish(cmd)
		u.report(b, uint64(sent))
		b.ReportMetric(sent/u.elapsed.Seconds(), "sent/s")
	}
}

// requests is how many probes smokeping_prober says it sent.
func requests(b *testing.B, address string) (sum float64) {
	r, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "smokeping_requests_total{") {
			n, _ := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, '}')+1:]), 64)
			sum += n
		}
	}
	return sum
}
