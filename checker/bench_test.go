package checker_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// big is a cluster of 32 nodes with three links, all peers with agents: 93 paths here, 2883 in the mesh.
func big(tb testing.TB) *scene {
	names := make([]string, 32)
	for i := range names {
		names[i] = fmt.Sprintf("%c%d", "ab"[i/16], i+1)
	}
	s := newScene(nil, 6750*time.Millisecond, 3, names...)
	_ = tb
	for _, l := range s.lines {
		l.windows = windows(1200, 0)
	}
	return s
}

// windows are those of a path that sends 20 probes a second and lost lost of sent in a minute, one by one.
func windows(sent, lost uint64) []stats.Window {
	var ws []stats.Window
	for _, length := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		scale := float64(length) / float64(time.Minute)
		n, k := uint64(float64(sent)*scale), uint64(float64(lost)*scale)
		w := stats.Window{Length: length, Covered: length, WorstGap: 2 * interval, Jitter: 100 * time.Microsecond, Bursts: make([]uint64, 8)}
		w.Counters = stats.Counters{Sent: n, Received: n - k, Lost: k, LostForward: k}
		w.Bursts[0] = k
		w.RTT = stats.Quantiles{Count: n - k, Min: 4 * time.Millisecond, P50: rtt, P90: rtt, P99: 6 * time.Millisecond, P999: 7 * time.Millisecond, Max: 8 * time.Millisecond, Mean: rtt}
		ws = append(ws, w)
	}
	return ws
}

func (s *scene) input() checker.Input {
	in := s.in
	in.Now = s.start.Add(s.now)
	in.Paths = s.observe()
	in.Views = s.views()
	in.Status = s.pushed(s.in.Status)
	return in
}

func BenchmarkStep(b *testing.B) {
	for _, tt := range []struct {
		name string
		cut  string
	}{{"healthy", ""}, {"site cut", "b17 b18 b19 b20 b21 b22 b23 b24 b25 b26 b27 b28 b29 b30 b31 b32"}} {
		b.Run(tt.name, func(b *testing.B) {
			s := big(b)
			s.run(12 * time.Second)
			if tt.cut != "" {
				s.cut(tt.cut)
				s.run(5 * time.Second)
			}
			in := s.input()
			state := s.state
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				in.Now = in.Now.Add(frame)
				state, _ = checker.Step(state, in)
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op") // what it costs however busy the machine is
		})
	}
}

// cpu is the processor time that this process has used, garbage collection included.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
