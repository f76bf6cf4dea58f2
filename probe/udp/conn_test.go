//go:build linux

package udp

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/probe"
)

// open opens a socket on a loopback address, any port.
func open(t testing.TB, addr string, c probe.ListenConfig) *Conn {
	t.Helper()
	c.Addr = netip.AddrPortFrom(netip.MustParseAddr(addr), 0)
	conn, err := Network{}.Listen(t.Context(), c)
	if addr == "::1" && errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Skip("SKIPPED: this host has no IPv6 loopback")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*Conn)
}

func messages(n, size int) []probe.Message {
	ms := make([]probe.Message, n)
	for i := range ms {
		ms[i].Buf = make([]byte, size)
	}
	return ms
}

// read collects messages until enough says so. A deadline for the whole test run guards it, not a timer here.
func read(t *testing.T, c *Conn, enough func(all []probe.Message) bool) []probe.Message {
	t.Helper()
	var all []probe.Message
	stop := time.AfterFunc(10*time.Second, func() { c.Close() })
	defer stop.Stop()
	for !enough(all) {
		ms := messages(8, 2048)
		n, err := c.ReadBatch(ms)
		if err != nil {
			t.Fatalf("after %+v: %v", all, err)
		}
		all = append(all, ms[:n]...)
	}
	return all
}

func count(ms []probe.Message, k probe.Kind) (n int) {
	for _, m := range ms {
		if m.Kind == k {
			n++
		}
	}
	return n
}

// warm sends datagrams from c to itself until the kernel stamps them: it begins to, from a work queue, when the first socket wants stamps.
func warm(t *testing.T, c *Conn) {
	t.Helper()
	out := messages(1, 10)
	out[0].N, out[0].Addr = 10, c.LocalAddr()
	for range 1000 {
		if _, err := c.WriteBatch(out); err != nil {
			t.Fatal(err)
		}
		in := read(t, c, func(all []probe.Message) bool { return len(all) == 2 })
		if !in[0].Wall.IsZero() && !in[1].Wall.IsZero() {
			return
		}
	}
	t.Fatal("no kernel stamps")
}

func TestDatagramsAndStamps(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		t.Run(addr, func(t *testing.T) {
			a := open(t, addr, probe.ListenConfig{TOS: 0x10, Priority: 6, DF: true})
			b := open(t, addr, probe.ListenConfig{})
			warm(t, a)
			start := time.Now()
			const n = 5
			out := messages(n, 156)
			for i := range out {
				out[i].N, out[i].Addr, out[i].Buf[0] = 100+i, b.LocalAddr(), byte(i)
			}
			if sent, err := a.WriteBatch(out); sent != n || err != nil {
				t.Fatal(sent, err)
			}
			in := read(t, b, func(all []probe.Message) bool { return len(all) == n })
			end := time.Now()
			for i, m := range in {
				if m.Kind != probe.Datagram || m.N != 100+i || m.Buf[0] != byte(i) || m.Addr != a.LocalAddr() {
					t.Errorf("message %d: %+v", i, m)
				}
				if m.TTL != 64 || m.TOS != 0x10 {
					t.Errorf("ttl %d, tos %#x", m.TTL, m.TOS)
				}
				if m.At.Before(start.Add(-early)) || m.At.After(end) || m.Wall.IsZero() {
					t.Errorf("at %v, not in %v .. %v", m.At, start, end)
				}
			}
			stamps := read(t, a, func(all []probe.Message) bool { return len(all) == n })
			for i, m := range stamps {
				if m.Kind != probe.TxStamp || m.Key != out[i].Key {
					t.Errorf("stamp %d: %+v, sent as %d", i, m, out[i].Key)
				}
				if m.At.Before(out[i].At.Add(-early)) || m.At.After(in[i].At.Add(early)) {
					t.Errorf("sent %v, stamped %v, received %v", out[i].At, m.At, in[i].At)
				}
			}
		})
	}
}

func TestListenErrors(t *testing.T) {
	taken := open(t, "127.0.0.1", probe.ListenConfig{}).LocalAddr()
	for addr, want := range map[string]string{
		"192.0.2.77:5412":    "192.0.2.77 is on no interface of this host",
		"[2001:db8::1]:5499": "2001:db8::1 is on no interface of this host",
		"0.0.0.0:5412":       "needs one address of this host",
		taken.String():       "the port is in use",
	} {
		c, err := Network{}.Listen(t.Context(), probe.ListenConfig{Addr: netip.MustParseAddrPort(addr)})
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", addr, err, want)
		}
	}
}

func TestPathErrors(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "::1"} {
		t.Run(addr, func(t *testing.T) {
			a := open(t, addr, probe.ListenConfig{DF: true})
			gone := open(t, addr, probe.ListenConfig{})
			to := gone.LocalAddr()
			gone.Close()
			out := messages(1, 60)
			out[0].N, out[0].Addr, out[0].Buf[0] = 60, to, 0xaa
			if _, err := a.WriteBatch(out); err != nil {
				t.Fatal(err)
			}
			in := read(t, a, func(all []probe.Message) bool { return count(all, probe.PathError) > 0 })
			m := in[len(in)-1]
			if !errors.Is(m.Err, unix.ECONNREFUSED) || m.Addr != to || m.N == 0 || m.Buf[0] != 0xaa {
				t.Errorf("%+v", m)
			}
		})
	}
}

// An ICMP error about one peer must not fail the next send to another, nor shift the numbers of the stamps.
func TestErrorOfAnotherPeer(t *testing.T) {
	a := open(t, "127.0.0.1", probe.ListenConfig{DF: true})
	good := open(t, "127.0.0.1", probe.ListenConfig{})
	gone := open(t, "127.0.0.1", probe.ListenConfig{})
	dead := gone.LocalAddr()
	gone.Close()
	keys := map[uint32]int{}
	var in []probe.Message
	for round := range 50 {
		out := messages(4, 100)
		for i := range out {
			out[i].N, out[i].Addr = 100, good.LocalAddr()
		}
		out[round%4].Addr = dead
		if n, err := a.WriteBatch(out); n != 4 || err != nil {
			t.Fatal(round, n, err)
		}
		for i, m := range out {
			if i != round%4 {
				keys[m.Key] = round
			}
		}
		want := 3 * (round + 1)
		in = append(in, read(t, a, func(all []probe.Message) bool {
			live := 0
			for _, m := range append(in, all...) {
				if _, ok := keys[m.Key]; ok && m.Kind == probe.TxStamp {
					live++
				}
			}
			return live >= want
		})...)
	}
}

func TestMessageTooLong(t *testing.T) {
	a := open(t, "127.0.0.1", probe.ListenConfig{DF: true})
	b := open(t, "127.0.0.1", probe.ListenConfig{})
	out := messages(3, 70000)
	for i := range out {
		out[i].N, out[i].Addr = 100, b.LocalAddr()
	}
	out[1].N = 65507 // fits UDP, but not MTU 65536 with its headers by a hair: loopback takes it
	if n, err := a.WriteBatch(out); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	out[1].N = 65520
	n, err := a.WriteBatch(out)
	if n != 1 || !errors.Is(err, unix.EMSGSIZE) {
		t.Fatal(n, err)
	}
	if n, err := a.WriteBatch(out[2:]); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	last := out[2].Key
	in := read(t, a, func(all []probe.Message) bool {
		return len(all) > 0 && all[len(all)-1].Kind == probe.TxStamp && all[len(all)-1].Key == last
	})
	if got := count(in, probe.TxStamp); got != 5 {
		t.Errorf("%d stamps, want 5", got)
	}
}

func TestOneMessageAtATime(t *testing.T) {
	a := open(t, "127.0.0.1", probe.ListenConfig{})
	out := messages(1, 10)
	out[0].N, out[0].Addr = 10, a.LocalAddr() // to itself
	stamps, data := 0, 0
	for range 20 {
		if _, err := a.WriteBatch(out); err != nil {
			t.Fatal(err)
		}
	}
	in := messages(1, 10)
	for stamps < 20 || data < 20 {
		n, err := a.ReadBatch(in)
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if in[0].Kind == probe.TxStamp {
			stamps++
		} else {
			data++
		}
	}
}

func TestClose(t *testing.T) {
	a := open(t, "127.0.0.1", probe.ListenConfig{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := a.ReadBatch(messages(4, 100)); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	time.AfterFunc(20*time.Millisecond, func() { a.Close() })
	wg.Wait()
	if _, err := a.ReadBatch(messages(4, 100)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := a.WriteBatch(messages(4, 100)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, err := a.Drops(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestDrops(t *testing.T) {
	a, b := open(t, "127.0.0.1", probe.ListenConfig{}), open(t, "127.0.0.1", probe.ListenConfig{})
	if err := control(b, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048) }); err != nil {
		t.Fatal(err)
	}
	out := messages(64, 1000)
	for i := range out {
		out[i].N, out[i].Addr = 1000, b.LocalAddr()
	}
	if _, err := a.WriteBatch(out); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Drops(); n < 32 || n > 64 || err != nil {
		t.Error(n, err)
	}
}

func control(c *Conn, f func(fd int) error) (err error) {
	if cerr := c.rc.Control(func(fd uintptr) { err = f(int(fd)) }); cerr != nil {
		return cerr
	}
	return err
}

func TestNoAllocations(t *testing.T) {
	a, b := open(t, "127.0.0.1", probe.ListenConfig{}), open(t, "127.0.0.1", probe.ListenConfig{})
	out, in := messages(16, 156), messages(64, 2048)
	allocs := testing.AllocsPerRun(100, func() {
		for i := range out {
			out[i].N, out[i].Addr = 156, b.LocalAddr()
		}
		if _, err := a.WriteBatch(out); err != nil {
			t.Fatal(err)
		}
		for got := 0; got < len(out); {
			n, err := b.ReadBatch(in)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
		for got := 0; got < len(out); {
			n, err := a.ReadBatch(in)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations for 16 datagrams and their stamps", allocs)
	}
}

func TestPoll(t *testing.T) {
	a, b := open(t, "127.0.0.1", probe.ListenConfig{Polled: true}), open(t, "127.0.0.1", probe.ListenConfig{})
	if !a.w.stamps {
		t.Skip("no kernel stamps here: nothing is polled")
	}
	if !a.Polled() || b.Polled() {
		t.Fatalf("polled: %v %v, want the first only", a.Polled(), b.Polled())
	}
	in := messages(64, 100)
	if n, err := a.Poll(in); n != 0 || err != nil {
		t.Fatal("nothing is there:", n, err)
	}
	out := messages(3, 10)
	for i := range out {
		out[i].N, out[i].Addr = 10, a.LocalAddr()
	}
	before := time.Now()
	if _, err := b.WriteBatch(out); err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	time.Sleep(20 * time.Millisecond) // what lies there has the time at which it came
	n, err := a.Poll(in)
	if n != 3 || err != nil {
		t.Fatal(n, err)
	}
	for _, m := range in[:n] {
		if m.At.Before(before.Add(-time.Millisecond)) || m.At.After(after.Add(time.Millisecond)) {
			t.Errorf("came %v after it was sent", m.At.Sub(before))
		}
	}
	time.AfterFunc(10*time.Millisecond, func() { _, _ = b.WriteBatch(out[:1]) })
	if n, err := a.ReadBatch(in); n != 1 || err != nil {
		t.Error("ReadBatch:", n, err)
	}
	a.Close()
	if _, err := a.Poll(in); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
