//go:build linux

package udp

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/probe"
)

// host is a network namespace that a test made.
type host struct {
	ns netns.NsHandle
	nl *netlink.Handle
}

// hosts makes n namespaces, or skips where that takes rights that are not there.
func hosts(t *testing.T, n int) []host {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root to make network namespaces")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := netns.Get()
	if err != nil {
		t.Skip("SKIPPED: no network namespaces here:", err)
	}
	defer self.Close()
	defer func() { must(t, netns.Set(self)) }()
	var hs []host
	for range n {
		ns, err := netns.New()
		if err != nil {
			t.Skip("SKIPPED: no network namespaces here:", err)
		}
		nl, err := netlink.NewHandleAt(ns)
		must(t, err)
		t.Cleanup(func() { nl.Close(); ns.Close() })
		h := host{ns, nl}
		h.up(t, "lo")
		hs = append(hs, h)
	}
	return hs
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// in runs f in h.
func (h host) in(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := netns.Get()
	must(t, err)
	defer self.Close()
	must(t, netns.Set(h.ns))
	defer func() { must(t, netns.Set(self)) }()
	f()
}

func (h host) link(t *testing.T, name string) netlink.Link {
	t.Helper()
	l, err := h.nl.LinkByName(name)
	must(t, err)
	return l
}

func (h host) up(t *testing.T, name string) { t.Helper(); must(t, h.nl.LinkSetUp(h.link(t, name))) }

// wire joins a and b by a veth pair.
func wire(t *testing.T, a, b host, name string, mtu int) {
	t.Helper()
	must(t, a.nl.LinkAdd(&netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MTU: mtu}, PeerName: name, PeerMTU: uint32(mtu), PeerNamespace: netlink.NsFd(b.ns),
	}))
	a.up(t, name)
	b.up(t, name)
}

func (h host) addr(t *testing.T, name, prefix string) {
	t.Helper()
	a, err := netlink.ParseAddr(prefix)
	must(t, err)
	a.Flags = unix.IFA_F_NODAD
	must(t, h.nl.AddrAdd(h.link(t, name), a))
}

func (h host) route(t *testing.T, to, via string) {
	t.Helper()
	dst, err := netlink.ParseIPNet(to)
	must(t, err)
	gw := netip.MustParseAddr(via)
	must(t, h.nl.RouteAdd(&netlink.Route{Dst: dst, Gw: gw.AsSlice()}))
}

func (h host) sysctl(t *testing.T, path, value string) {
	t.Helper()
	h.in(t, func() { must(t, os.WriteFile("/proc/sys/"+path, []byte(value), 0)) })
}

func (h host) listen(t *testing.T, addr string, c probe.ListenConfig) *Conn {
	t.Helper()
	var conn *Conn
	h.in(t, func() {
		c.Addr = netip.MustParseAddrPort(addr)
		p, err := Network{}.Listen(t.Context(), c)
		must(t, err)
		conn = p.(*Conn)
	})
	t.Cleanup(func() { conn.Close() })
	return conn
}

// routed is a host, a router and another host behind a link with MTU 1400.
func routed(t *testing.T) (a, b host) {
	t.Helper()
	hs := hosts(t, 3)
	a, r, b := hs[0], hs[1], hs[2]
	wire(t, a, r, "west", 1500)
	wire(t, r, b, "east", 1400)
	r.sysctl(t, "net/ipv4/ip_forward", "1")
	r.sysctl(t, "net/ipv6/conf/all/forwarding", "1")
	a.addr(t, "west", "10.9.1.1/24")
	r.addr(t, "west", "10.9.1.2/24")
	r.addr(t, "east", "10.9.2.2/24")
	b.addr(t, "east", "10.9.2.1/24")
	a.route(t, "10.9.2.0/24", "10.9.1.2")
	b.route(t, "10.9.1.0/24", "10.9.2.2")
	a.addr(t, "west", "fd09:1::1/64")
	r.addr(t, "west", "fd09:1::2/64")
	r.addr(t, "east", "fd09:2::2/64")
	b.addr(t, "east", "fd09:2::1/64")
	a.route(t, "fd09:2::/64", "fd09:1::2")
	b.route(t, "fd09:1::/64", "fd09:2::2")
	return a, b
}

func TestRoutedPath(t *testing.T) {
	a, b := routed(t)
	for _, tt := range []struct {
		name, from, to, nowhere string
		size                    int // at MTU 1500
		unreachable             unix.Errno
	}{
		{"IPv4", "10.9.1.1:5412", "10.9.2.1:5412", "10.9.77.1:5412", 1472, unix.ENETUNREACH},
		{"IPv6", "[fd09:1::1]:5412", "[fd09:2::1]:5412", "[fd09:77::1]:5412", 1452, unix.ENETUNREACH},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := a.listen(t, tt.from, probe.ListenConfig{DF: true, TOS: 0x10, Priority: 6})
			to := b.listen(t, tt.to, probe.ListenConfig{DF: true})
			dst := netip.MustParseAddrPort(tt.to)
			out := messages(2, 1500)
			out[0].N, out[0].Addr, out[0].Buf[0] = tt.size, dst, 1
			out[1].N, out[1].Addr, out[1].Buf[0] = tt.size-100, dst, 2
			// Twice: the kernel's idea of the path MTU must not keep the second full-size probe back.
			for range 2 {
				if n, err := from.WriteBatch(out); n != 2 || err != nil {
					t.Fatal(n, err)
				}
				in := read(t, from, func(all []probe.Message) bool {
					return count(all, probe.PathError) == 1 && count(all, probe.TxStamp) == 2
				})
				for _, m := range in {
					if m.Kind == probe.PathError && (!errors.Is(m.Err, unix.EMSGSIZE) || m.MTU != 1400 || m.Addr != dst || m.N == 0 || m.Buf[0] != 1) {
						t.Errorf("%+v", m)
					}
				}
				got := read(t, to, func(all []probe.Message) bool { return len(all) == 1 })
				if got[0].TTL != 63 || got[0].TOS != 0x10 || got[0].Buf[0] != 2 {
					t.Errorf("ttl %d, tos %#x, first byte %d", got[0].TTL, got[0].TOS, got[0].Buf[0])
				}
			}
			out[0].N, out[0].Addr = 100, netip.MustParseAddrPort(tt.nowhere)
			if _, err := from.WriteBatch(out[:1]); !errors.Is(err, tt.unreachable) {
				t.Error(err)
			}
		})
	}
}

func TestOwnAddressGoes(t *testing.T) {
	hs := hosts(t, 2)
	a, b := hs[0], hs[1]
	wire(t, a, b, "wire", 1500)
	b.addr(t, "wire", "10.9.1.2/24")
	b.addr(t, "wire", "fd09:1::2/64")
	for _, tt := range []struct{ prefix, addr, to string }{
		{"10.9.1.1/24", "10.9.1.1:5412", "10.9.1.2:5412"},
		{"fd09:1::1/64", "[fd09:1::1]:5412", "[fd09:1::2]:5412"},
	} {
		a.addr(t, "wire", tt.prefix)
		c := a.listen(t, tt.addr, probe.ListenConfig{DF: true})
		b.listen(t, tt.to, probe.ListenConfig{})
		out := messages(1, 100)
		out[0].N, out[0].Addr = 100, netip.MustParseAddrPort(tt.to)
		if _, err := c.WriteBatch(out); err != nil {
			t.Error(err)
		}
		// The interface goes down and up.
		must(t, a.nl.LinkSetDown(a.link(t, "wire")))
		if _, err := c.WriteBatch(out); err == nil {
			t.Error("sent through an interface that is down")
		}
		a.up(t, "wire")
		if tt.prefix[0] == 'f' {
			a.addr(t, "wire", tt.prefix) // the kernel drops IPv6 addresses of an interface that goes down
		}
		if _, err := c.WriteBatch(out); err != nil {
			t.Error(err)
		}
		// The address goes.
		gone, err := netlink.ParseAddr(tt.prefix)
		must(t, err)
		must(t, a.nl.AddrDel(a.link(t, "wire"), gone))
		_, err = c.WriteBatch(out)
		if err == nil || !strings.Contains(err.Error(), "is on no interface of this host") {
			t.Errorf("%s: %v", tt.addr, err)
		}
		a.addr(t, "wire", tt.prefix)
		_, err = c.WriteBatch(out)
		if err != nil {
			t.Errorf("the address is back: %v", err)
		}
	}
}

// A host with net.ipv4.ip_nonlocal_bind lets any address be bound; ours must still say that it is absent.
func TestNonlocalBind(t *testing.T) {
	h := hosts(t, 1)[0]
	h.sysctl(t, "net/ipv4/ip_nonlocal_bind", "1")
	h.in(t, func() {
		_, err := Network{}.Listen(t.Context(), probe.ListenConfig{Addr: netip.MustParseAddrPort("10.9.1.1:5412")})
		if err == nil || !strings.Contains(err.Error(), "10.9.1.1 is on no interface of this host") {
			t.Error(err)
		}
	})
}
