//go:build linux

package lab_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// wire is a UDP socket in each of two nodes, over one link.
type wire struct {
	a, b *net.UDPConn
	to   netip.AddrPort
}

// arrival is a packet that came: the first byte of its payload and when.
type arrival struct {
	mark byte
	at   time.Time
	size int
}

func openWire(t *testing.T, l *lab.Lab, a, b string, port uint16) *wire {
	t.Helper()
	w := &wire{to: netip.MustParseAddrPort(b)}
	w.to = netip.AddrPortFrom(w.to.Addr(), port)
	listen := func(node, addr string) *net.UDPConn {
		var c *net.UDPConn
		at := netip.AddrPortFrom(netip.MustParseAddrPort(addr).Addr(), port)
		err := l.Node(node).Do(func() (err error) {
			c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	w.a, w.b = listen("a1", a), listen("b1", b)
	return w
}

// send sends n packets, one every gap, and returns when each left and what came until 150 ms after the last.
func (w *wire) send(t *testing.T, n, size int, gap time.Duration) (sent []time.Time, came []arrival) {
	t.Helper()
	done := make(chan []arrival)
	stop := time.Now().Add(time.Duration(n)*gap + 150*time.Millisecond)
	go func() {
		var list []arrival
		buf := make([]byte, 2000)
		w.b.SetReadDeadline(stop)
		for {
			k, err := w.b.Read(buf)
			if err != nil {
				done <- list
				return
			}
			list = append(list, arrival{buf[0], time.Now(), k})
		}
	}()
	payload := make([]byte, size)
	for i := range n {
		payload[0] = byte(i)
		sent = append(sent, time.Now())
		if _, err := w.a.WriteToUDPAddrPort(payload, w.to); err != nil && !errors.Is(err, unix.EMSGSIZE) {
			t.Fatal(err)
		}
		time.Sleep(gap)
	}
	return sent, <-done
}

// TestHub tries the rules on real packets between two nodes without Corosync.
func TestHub(t *testing.T) {
	lab.Require(t)
	l, err := lab.New(t.Context(), lab.Spec{Sites: []lab.Site{{Name: "a", Nodes: 1}, {Name: "b", Nodes: 1}}, Links: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.MarkQuality()
	set := func(t *testing.T, r impair.Rule) {
		t.Helper()
		r.Name = t.Name()
		if err := l.Hub().Set(r); err != nil {
			t.Fatal(err)
		}
	}
	w4 := openWire(t, l, "10.50.1.1:0", "10.50.2.1:0", 5412)
	w6 := openWire(t, l, "[fd00:51::1:1]:0", "[fd00:51::2:1]:0", 7000)

	t.Run("delay", func(t *testing.T) {
		set(t, impair.Rule{Delay: 20 * time.Millisecond})
		for _, w := range []*wire{w4, w6} {
			sent, came := w.send(t, 20, 100, 2*time.Millisecond)
			if len(came) != 20 {
				t.Fatalf("%d of 20 came", len(came))
			}
			var delays []time.Duration
			for _, c := range came {
				delays = append(delays, c.at.Sub(sent[c.mark]))
			}
			slices.Sort(delays)
			if delays[0] < 20*time.Millisecond || delays[10] > 22*time.Millisecond {
				t.Errorf("delay from %v, median %v, want 20ms", delays[0], delays[10])
			}
		}
	})
	t.Run("blackout", func(t *testing.T) {
		start := l.Hub().Now() + impair.Instant(50*time.Millisecond)
		set(t, impair.Rule{Blackout: true, Start: start, End: start + impair.Instant(50*time.Millisecond)})
		sent, came := w4.send(t, 75, 100, 2*time.Millisecond)
		var lost []time.Time
		for i := range sent {
			if !slices.ContainsFunc(came, func(a arrival) bool { return int(a.mark) == i }) {
				lost = append(lost, sent[i])
			}
		}
		if len(lost) < 10 {
			t.Fatalf("%d lost", len(lost))
		}
		begin := l.Hub().Time(start)
		if early, late := lost[0].Sub(begin), lost[len(lost)-1].Sub(begin); early < -time.Millisecond || late > 50*time.Millisecond {
			t.Errorf("lost from %v to %v, want 0 to 50ms", early, late)
		}
		first, ok, err := l.Hub().FirstDrop(t.Name(), impair.Probe)
		if err != nil || !ok || first.From != "a1" || first.To != "b1" || first.Count != int64(len(lost)) {
			t.Fatalf("record %+v, %v, %v", first, ok, err)
		}
		if d := l.Hub().Time(first.First).Sub(lost[0]); d < 0 || d > 2*time.Millisecond {
			t.Errorf("first lost packet recorded %v after it was sent", d)
		}
	})
	t.Run("one direction and link", func(t *testing.T) {
		set(t, impair.Rule{From: []string{"b"}, To: []string{"a"}, Links: []int{0}, Blackout: true})
		if _, came := w4.send(t, 3, 100, time.Millisecond); len(came) != 3 {
			t.Errorf("%d of 3 came", len(came))
		}
	})
	t.Run("corrupt", func(t *testing.T) {
		set(t, impair.Rule{Corrupt: 1})
		if _, came := w4.send(t, 10, 100, time.Millisecond); len(came) != 0 {
			t.Errorf("%d came with a wrong checksum", len(came))
		}
		set(t, impair.Rule{Corrupt: 1, Mend: true})
		for _, w := range []*wire{w4, w6} {
			if _, came := w.send(t, 10, 100, time.Millisecond); len(came) != 10 {
				t.Errorf("%d of 10 came with mended checksums", len(came))
			}
		}
	})
	t.Run("duplicate and reorder", func(t *testing.T) {
		set(t, impair.Rule{Duplicate: 1})
		if _, came := w4.send(t, 10, 100, time.Millisecond); len(came) != 20 {
			t.Errorf("%d came of 10 doubled", len(came))
		}
		set(t, impair.Rule{Reorder: 0.3, ReorderBy: 10 * time.Millisecond})
		_, came := w4.send(t, 50, 100, 2*time.Millisecond)
		if len(came) != 50 || slices.IsSortedFunc(came, func(a, b arrival) int { return int(a.mark) - int(b.mark) }) {
			t.Errorf("%d of 50 came, in order", len(came))
		}
	})
	t.Run("mtu", func(t *testing.T) { testMTU(t, w4, w6, set) })
	t.Log(l.Quality())
}

// testMTU sends packets that must not be fragmented: silence first, then word from the network.
func testMTU(t *testing.T, w4, w6 *wire, set func(*testing.T, impair.Rule)) {
	dontFragment(t, w4.a, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	dontFragment(t, w6.a, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO)
	for _, w := range []*wire{w4, w6} {
		set(t, impair.Rule{MTU: 1300})
		if _, came := w.send(t, 3, 1400, time.Millisecond); len(came) != 0 {
			t.Errorf("%d came through a hole", len(came))
		}
		if _, err := w.a.WriteToUDPAddrPort(make([]byte, 1400), w.to); err != nil {
			t.Errorf("a silent hole speaks: %v", err)
		}
		set(t, impair.Rule{MTU: 1300, MTUReply: true})
		w.send(t, 3, 1400, time.Millisecond)
		if _, err := w.a.WriteToUDPAddrPort(make([]byte, 1400), w.to); !errors.Is(err, unix.EMSGSIZE) {
			t.Errorf("after ICMP the kernel says %v, want EMSGSIZE", err)
		}
		if _, came := w.send(t, 3, 1200, time.Millisecond); len(came) != 3 {
			t.Errorf("%d of 3 small ones came", len(came))
		}
	}
}

func dontFragment(t *testing.T, c *net.UDPConn, level, option, value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var set error
	if err := raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), level, option, value) }); err != nil || set != nil {
		t.Fatal(err, set)
	}
}
