package totem

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has used: other work on the machine does not count.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchRun measures eight hours of a ring that spans two sites, 10 ms apart.
func benchRun(b *testing.B, sizes []int, loss float64, hideCalm bool) {
	n := sizes[0] + sizes[1]
	b.ReportAllocs()
	start := cpuTime()
	defer func() { b.ReportMetric((cpuTime()-start).Seconds()/float64(b.N), "cpu-s/op") }()
	for b.Loop() {
		cfg := proxmoxConfig(n, 1, 3*time.Second, 125*time.Millisecond)
		cfg.FastDataUp = true
		rng := rand.New(rand.NewPCG(1, 1))
		cfg.Rand = rng
		cfg.Traffic.Every = time.Second
		lines := NewSites(sizes, 1, Line{Delay: 100 * time.Microsecond}, Line{Delay: 5 * time.Millisecond, Loss: loss}, rng)
		cfg.Network = lines
		if hideCalm {
			cfg.Network = NetworkFunc(lines.Deliver)
		}
		r, err := New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		for t := time.Duration(0); t < 8*time.Hour; t += time.Minute {
			r.Run(t)
		}
	}
}

func BenchmarkEightHours5Calm(b *testing.B)    { benchRun(b, []int{3, 2}, 0, false) }
func BenchmarkEightHours5Events(b *testing.B)  { benchRun(b, []int{3, 2}, 0, true) }
func BenchmarkEightHours5Loss01(b *testing.B)  { benchRun(b, []int{3, 2}, 0.001, false) }
func BenchmarkEightHours5Loss1(b *testing.B)   { benchRun(b, []int{3, 2}, 0.01, false) }
func BenchmarkEightHours5Loss10(b *testing.B)  { benchRun(b, []int{3, 2}, 0.10, false) }
func BenchmarkEightHours32Calm(b *testing.B)   { benchRun(b, []int{16, 16}, 0, false) }
func BenchmarkEightHours32Events(b *testing.B) { benchRun(b, []int{16, 16}, 0, true) }
func BenchmarkEightHours32Loss01(b *testing.B) { benchRun(b, []int{16, 16}, 0.001, false) }
func BenchmarkEightHours32Loss1(b *testing.B)  { benchRun(b, []int{16, 16}, 0.01, false) }
