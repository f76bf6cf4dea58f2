package simnet

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/quorumwatch/quorumwatch/probe"
)

var (
	addrA = netip.MustParseAddr("10.0.0.1")
	addrB = netip.MustParseAddr("10.0.0.2")
	portA = netip.AddrPortFrom(addrA, 5412)
	portB = netip.AddrPortFrom(addrB, 5412)
)

// bench is two hosts with one socket each.
type bench struct {
	t    *testing.T
	net  *Net
	a, b *Host
	ca   probe.Conn
	cb   probe.Conn
}

func newBench(t *testing.T, seed uint64) *bench {
	n := New(seed)
	x := &bench{t: t, net: n, a: n.Host("a", addrA), b: n.Host("b", addrB)}
	x.ca, x.cb = x.open(x.a, portA), x.open(x.b, portB)
	return x
}

func (x *bench) open(h *Host, at netip.AddrPort) probe.Conn {
	c, err := h.Listen(x.t.Context(), probe.ListenConfig{Addr: at, TOS: 0x10})
	if err != nil {
		x.t.Fatal(err)
	}
	return c
}

// send sends n datagrams of a size from a to b, one each interval.
func (x *bench) send(n, size int, every time.Duration) {
	x.t.Helper()
	for i := range n {
		buf := make([]byte, size)
		buf[0], buf[1] = byte(i>>8), byte(i)
		if _, err := x.ca.WriteBatch([]probe.Message{{Buf: buf, N: size, Addr: portB}}); err != nil {
			x.t.Error(err)
		}
		time.Sleep(every)
	}
}

// got is one event that a socket gave.
type got struct {
	kind probe.Kind
	id   int
	at   time.Time
	read time.Time
	n    int
	err  error
	mtu  int
}

// collect reads all that a socket gives until it is closed.
func collect(c probe.Conn) <-chan []got {
	out := make(chan []got, 1)
	go func() {
		var all []got
		ms := make([]probe.Message, 8)
		for i := range ms {
			ms[i].Buf = make([]byte, 2000)
		}
		for {
			n, err := c.ReadBatch(ms)
			if err != nil {
				out <- all
				return
			}
			for _, m := range ms[:n] {
				g := got{kind: m.Kind, at: m.At, read: time.Now(), n: m.N, err: m.Err, mtu: m.MTU}
				if m.Kind == probe.Datagram {
					g.id = int(m.Buf[0])<<8 | int(m.Buf[1])
				}
				all = append(all, g)
			}
		}
	}()
	return out
}

// run sends in a bubble and returns what b, and a, saw.
func run(t *testing.T, l Link, n, size int) (b, a []got) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		x.net.Set(addrA, addrB, l)
		gotA, gotB := collect(x.ca), collect(x.cb)
		x.send(n, size, 10*time.Millisecond)
		time.Sleep(10 * time.Second)
		x.ca.Close()
		x.cb.Close()
		a, b = <-gotA, <-gotB
	})
	return b, a
}

func TestDelayIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		x.net.Set(addrA, addrB, Link{Delay: 1700 * time.Microsecond})
		gotB := collect(x.cb)
		begin := time.Now()
		x.send(1000, 100, 10*time.Millisecond)
		x.cb.Close()
		x.ca.Close()
		for i, g := range <-gotB {
			want := begin.Add(time.Duration(i)*10*time.Millisecond + 1700*time.Microsecond)
			if !g.at.Equal(want) || !g.read.Equal(want) || g.id != i || g.n != 100 {
				t.Fatalf("datagram %d: %+v, want at %v", i, g, want)
			}
		}
	})
}

func TestTransmitStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		ms := []probe.Message{{Buf: []byte{1}, N: 1, Addr: portB}, {Buf: []byte{2}, N: 1, Addr: portB}}
		if n, err := x.ca.WriteBatch(ms); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		in := make([]probe.Message, 4)
		if n, err := x.ca.ReadBatch(in); n != 2 || err != nil || in[0].Kind != probe.TxStamp || in[0].Key != ms[0].Key ||
			in[1].Key != ms[1].Key || ms[0].Key == ms[1].Key || !in[0].At.Equal(time.Now()) {
			t.Errorf("%d %v %+v, sent %+v", n, err, in[:2], ms)
		}
		x.ca.Close()
		x.cb.Close()
	})
}

func TestRatios(t *testing.T) {
	const n = 5000
	near := func(name string, got int, want float64) {
		t.Helper()
		if math.Abs(float64(got)/n-want) > 0.02 {
			t.Errorf("%s: %d of %d, want %v", name, got, n, want)
		}
	}
	b, _ := run(t, Link{Loss: 0.1}, n, 100)
	near("received", len(b), 0.9)
	b, _ = run(t, Link{Duplicate: 0.1}, n, 100)
	near("received with duplicates", len(b), 1.1)
	b, _ = run(t, Link{Bursts: Bursts{Enter: 0.01, Leave: 0.1, Loss: 1}}, 4*n, 100)
	near("received in bursts", len(b)/4, 1-0.01/0.11)
	runs, last := 0, -1
	for _, g := range b {
		if g.id > last+1 {
			runs++
		}
		last = g.id
	}
	if mean := float64(4*n-len(b)) / float64(runs); mean < 7 || mean > 13 {
		t.Errorf("bursts of %.1f in the mean, want about 10", mean)
	}
	b, _ = run(t, Link{Reorder: 0.1, ReorderBy: 15 * time.Millisecond}, n, 100)
	overtaken := 0
	for i := range b[1:] {
		if b[i+1].id < b[i].id {
			overtaken++
		}
	}
	near("overtaken", overtaken, 0.1*0.9)
	if b, _ = run(t, Link{Down: true}, 10, 100); len(b) != 0 {
		t.Errorf("%d got through a link that is down", len(b))
	}
}

func TestJitterKeepsOrder(t *testing.T) {
	b, _ := run(t, Link{Delay: time.Millisecond, Jitter: 30 * time.Millisecond}, 1000, 100)
	if len(b) != 1000 {
		t.Fatal(len(b))
	}
	for i, g := range b {
		if g.id != i {
			t.Fatalf("%d came as number %d", g.id, i)
		}
	}
}

func TestMTU(t *testing.T) {
	for _, c := range []struct {
		size  int
		hole  bool
		got   int
		error bool
	}{
		{1372, false, 3, false}, {1373, false, 0, true}, {1373, true, 0, false},
	} {
		b, a := run(t, Link{Delay: time.Millisecond, MTU: 1400, BlackHole: c.hole}, 3, c.size)
		errs := 0
		for _, g := range a {
			if g.kind == probe.PathError && g.mtu == 1400 && errors.Is(g.err, ErrTooLong) {
				errs++
			}
		}
		if len(b) != c.got || (errs == 3) != c.error {
			t.Errorf("%d bytes, black hole %v: %d got through, %d errors", c.size, c.hole, len(b), errs)
		}
	}
}

func TestCorruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		x.net.Set(addrA, addrB, Link{Corrupt: 1})
		in := []probe.Message{{Buf: make([]byte, 200)}}
		for range 200 {
			sent := make([]byte, 50)
			if _, err := x.ca.WriteBatch([]probe.Message{{Buf: sent, N: 50, Addr: portB}}); err != nil {
				t.Fatal(err)
			}
			if _, err := x.cb.ReadBatch(in); err != nil {
				t.Fatal(err)
			}
			ones := 0
			for _, b := range in[0].Buf[:in[0].N] {
				for ; b != 0; b &= b - 1 {
					ones++
				}
			}
			if ones != 1 || sent[0] != 0 {
				t.Fatalf("%d bits differ", ones)
			}
		}
		x.ca.Close()
		x.cb.Close()
	})
}

// The rules of the instant of sending count.
func TestScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		x.net.Script(addrA, addrB, func(since time.Duration) Link {
			return Link{Down: since >= time.Second && since < 2*time.Second, Delay: 5 * time.Millisecond}
		})
		gotB := collect(x.cb)
		x.send(300, 100, 10*time.Millisecond)
		time.Sleep(time.Second)
		x.ca.Close()
		x.cb.Close()
		all := <-gotB
		if len(all) != 200 || all[99].id != 99 || all[100].id != 200 {
			t.Errorf("%d came", len(all))
		}
	})
}

func TestSameSeedSameFate(t *testing.T) {
	var all [3][]got
	for i := range all {
		synctest.Test(t, func(t *testing.T) {
			x := newBench(t, uint64(i/2))
			x.net.Set(addrA, addrB, Link{Loss: 0.3, Jitter: time.Millisecond})
			gotB := collect(x.cb)
			x.send(200, 100, 10*time.Millisecond)
			x.ca.Close()
			x.cb.Close()
			all[i] = <-gotB
		})
	}
	same := func(a, b []got) bool {
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if a[i].id != b[i].id {
				return false
			}
		}
		return true
	}
	if !same(all[0], all[1]) || same(all[0], all[2]) {
		t.Errorf("%d, %d and %d came", len(all[0]), len(all[1]), len(all[2]))
	}
}

func TestStopAndSuspend(t *testing.T) {
	for _, suspend := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			x := newBench(t, 1)
			gotB := collect(x.cb)
			pacer, err := x.b.NewPacer()
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			if suspend {
				x.b.Suspend()
			} else {
				x.b.Stop()
			}
			go x.send(100, 100, 10*time.Millisecond)
			time.AfterFunc(505*time.Millisecond, x.b.Cont)
			if now, err := pacer.Wait(begin.Add(20 * time.Millisecond)); err != nil || now.Sub(begin) != 505*time.Millisecond {
				t.Errorf("pacer woke after %v, %v", now.Sub(begin), err)
			}
			time.Sleep(time.Second)
			x.ca.Close()
			x.cb.Close()
			all := <-gotB
			if want := map[bool]int{false: 100, true: 49}[suspend]; len(all) != want {
				t.Errorf("suspend %v: %d came, want %d", suspend, len(all), want)
			}
			// The kernel's stamp is right, the reader late.
			if g := all[0]; !suspend && (!g.at.Equal(begin) || g.read.Sub(begin) != 505*time.Millisecond) {
				t.Errorf("first: at %v, read %v", g.at.Sub(begin), g.read.Sub(begin))
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		ctx := t.Context()
		if _, err := x.a.Listen(ctx, probe.ListenConfig{Addr: portB}); !errors.Is(err, ErrNoAddress) {
			t.Errorf("another's address: %v", err)
		}
		if _, err := x.a.Listen(ctx, probe.ListenConfig{Addr: portA}); !errors.Is(err, ErrInUse) {
			t.Errorf("twice: %v", err)
		}
		x.a.Remove(addrA)
		if _, err := x.ca.WriteBatch([]probe.Message{{Buf: []byte{1}, N: 1, Addr: portB}}); !errors.Is(err, ErrNoRoute) {
			t.Errorf("address gone: %v", err)
		}
		x.a.Add(addrA)
		// Nobody listens there.
		to := netip.AddrPortFrom(addrB, 9)
		if _, err := x.ca.WriteBatch([]probe.Message{{Buf: []byte{1}, N: 1, Addr: to}}); err != nil {
			t.Error(err)
		}
		in := make([]probe.Message, 4)
		if n, err := x.ca.ReadBatch(in); n != 2 || err != nil || in[1].Kind != probe.PathError || !errors.Is(in[1].Err, ErrRefused) || in[1].Addr != to {
			t.Errorf("%d %v %+v", n, err, in)
		}
		x.ca.Close()
		if _, err := x.ca.WriteBatch([]probe.Message{{Buf: []byte{1}, N: 1, Addr: portB}}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := x.ca.ReadBatch(in); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		x.ca = x.open(x.a, portA)
		x.ca.Close()
		x.cb.Close()
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		for range queueLimit + 100 {
			x.net.Inject(portA, portB, []byte{1})
		}
		if n, err := x.cb.(probe.DropCounter).Drops(); n != 100 || err != nil {
			t.Errorf("%d dropped, %v", n, err)
		}
		x.ca.Close()
		x.cb.Close()
	})
}

func TestClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newBench(t, 1)
		x.b.SetClock(-time.Hour)
		x.net.Inject(portA, portB, []byte{1})
		in := []probe.Message{{Buf: make([]byte, 10)}}
		if _, err := x.cb.ReadBatch(in); err != nil {
			t.Fatal(err)
		}
		if !in[0].At.Equal(time.Now()) || !in[0].Wall.Equal(time.Now().Add(-time.Hour)) || !x.b.Wall().Equal(in[0].Wall) {
			t.Errorf("at %v, wall %v", in[0].At, in[0].Wall)
		}
		x.ca.Close()
		x.cb.Close()
	})
}
