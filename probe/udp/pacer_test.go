//go:build linux

package udp

import (
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

func pacer(t testing.TB) *Pacer {
	t.Helper()
	p, err := NewPacer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestPacer(t *testing.T) {
	p := pacer(t)
	start := time.Now()
	for i := range 20 {
		until := start.Add(time.Duration(i) * 2 * time.Millisecond)
		now, err := p.Wait(until)
		if err != nil || now.Before(until) {
			t.Fatal(now.Sub(until), err)
		}
	}
	past := time.Now()
	if now, err := p.Wait(past.Add(-time.Hour)); err != nil || now.Sub(past) > time.Second {
		t.Error("waited for the past", now.Sub(past), err)
	}
	until := time.Now()
	if allocs := testing.AllocsPerRun(50, func() {
		until = until.Add(200 * time.Microsecond)
		if _, err := p.Wait(until); err != nil {
			t.Fatal(err)
		}
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestPacerClose(t *testing.T) {
	p := pacer(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := p.Wait(time.Now().Add(time.Hour)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	time.AfterFunc(20*time.Millisecond, func() { p.Close() })
	wg.Wait()
	if _, err := p.Wait(time.Now().Add(time.Hour)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// BenchmarkPacer reports how late waits of 2 ms end, beside those of time.Sleep.
func BenchmarkPacer(b *testing.B) {
	p := pacer(b)
	for name, wait := range map[string]func(time.Time) time.Time{
		"timerfd": func(until time.Time) time.Time { now, _ := p.Wait(until); return now },
		"sleep":   func(until time.Time) time.Time { time.Sleep(time.Until(until)); return time.Now() },
	} {
		b.Run(name, func(b *testing.B) {
			var late []time.Duration
			until := time.Now()
			for b.Loop() {
				until = until.Add(2 * time.Millisecond)
				late = append(late, wait(until).Sub(until))
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2].Nanoseconds()), "p50-late-ns")
			b.ReportMetric(float64(late[len(late)*99/100].Nanoseconds()), "p99-late-ns")
		})
	}
}
