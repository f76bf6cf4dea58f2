//go:build linux

package udp

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
)

// BenchmarkBatch sends a batch over loopback and reads it, with all stamps. The unit is one datagram.
func BenchmarkBatch(b *testing.B) {
	for _, size := range []int{1, 16, 64} {
		b.Run(map[int]string{1: "1", 16: "16", 64: "64"}[size], func(b *testing.B) {
			from, to := open(b, "127.0.0.1", probe.ListenConfig{}), open(b, "127.0.0.1", probe.ListenConfig{})
			out, in := messages(size, 156), messages(64, 2048)
			b.ReportAllocs()
			done := 0
			for b.Loop() {
				for i := range out {
					out[i].N, out[i].Addr = 156, to.LocalAddr()
				}
				if _, err := from.WriteBatch(out); err != nil {
					b.Fatal(err)
				}
				drain(b, to, in, size)
				drain(b, from, in, size)
				done += size
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/datagram")
		})
	}
}

func drain(b *testing.B, c *Conn, in []probe.Message, want int) {
	for got := 0; got < want; {
		n, err := c.ReadBatch(in)
		if err != nil {
			b.Fatal(err)
		}
		got += n
	}
}

// BenchmarkRTT measures round trips over loopback every 2 ms: as this process sees them, by kernel stamps, and by kernel stamps without the
// time that the reflector took.
func BenchmarkRTT(b *testing.B) {
	from, to := open(b, "127.0.0.1", probe.ListenConfig{}), open(b, "127.0.0.1", probe.ListenConfig{})
	p := pacer(b)
	resident := make(chan time.Duration, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer to.Close()
	wg.Go(func() { reflect(to, resident) })
	var user, kernel, net []time.Duration
	out, in := messages(1, 156), messages(8, 2048)
	until := time.Now()
	for b.Loop() {
		until = until.Add(2 * time.Millisecond)
		if _, err := p.Wait(until); err != nil {
			b.Fatal(err)
		}
		out[0].N, out[0].Addr = 156, to.LocalAddr()
		if _, err := from.WriteBatch(out); err != nil {
			b.Fatal(err)
		}
		var sent, back, seen time.Time
		for sent.IsZero() || back.IsZero() {
			n, err := from.ReadBatch(in)
			if err != nil {
				b.Fatal(err)
			}
			for _, m := range in[:n] {
				if m.Kind == probe.TxStamp {
					sent = m.At
				} else {
					back, seen = m.At, time.Now()
				}
			}
		}
		user = append(user, seen.Sub(out[0].At))
		kernel = append(kernel, back.Sub(sent))
		net = append(net, back.Sub(sent)-<-resident)
	}
	for name, d := range map[string][]time.Duration{"user": user, "kernel": kernel, "net": net} {
		slices.Sort(d)
		b.ReportMetric(float64(d[len(d)/2].Nanoseconds())/1e3, name+"-p50-us")
		b.ReportMetric(float64(d[len(d)*99/100].Nanoseconds())/1e3, name+"-p99-us")
	}
}

// reflect sends datagrams back and says how long each stayed, by the kernel's stamps at both ends.
func reflect(c *Conn, resident chan<- time.Duration) {
	in := messages(8, 2048)
	var came time.Time
	for {
		n, err := c.ReadBatch(in)
		if err != nil {
			return
		}
		for i := range in[:n] {
			if in[i].Kind == probe.TxStamp {
				resident <- in[i].At.Sub(came)
				continue
			}
			came = in[i].At
			if _, err := c.WriteBatch(in[i : i+1]); err != nil {
				return
			}
		}
	}
}
