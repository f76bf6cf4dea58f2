//go:build linux

package udp

import (
	"context"
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/quorumwatch/quorumwatch/probe"
)

// bufferBytes is the size of the send and the receive buffer: knet's own (8 MiB), a second of packets of a large mesh.
const bufferBytes = 8 << 20

// stampFlags ask for the kernel's software stamps of what is received and sent. A sent datagram's comes without a copy of the
// datagram, by number (stampByID). SOF_TIMESTAMPING_OPT_CMSG is left out: it would add the interface, which is not used, to each.
const (
	stampFlags = unix.SOF_TIMESTAMPING_SOFTWARE | unix.SOF_TIMESTAMPING_RX_SOFTWARE |
		unix.SOF_TIMESTAMPING_TX_SOFTWARE | unix.SOF_TIMESTAMPING_OPT_TSONLY
	stampByID = stampFlags | unix.SOF_TIMESTAMPING_OPT_ID
)

// Network opens real UDP sockets.
type Network struct{}

var _ probe.Network = Network{}

// Listen opens a socket on c.Addr, which must be an address of this host; port 0 takes any. The result is a *Conn. Priorities above 6
// need CAP_NET_ADMIN.
func (Network) Listen(_ context.Context, c probe.ListenConfig) (probe.Conn, error) {
	conn, err := listen(c)
	if err != nil {
		return nil, listenError(c.Addr, err)
	}
	return conn, nil
}

var errWildcard = errors.New("needs one address of this host: replies must leave from the address that was probed")

func listen(c probe.ListenConfig) (*Conn, error) {
	addr := c.Addr.Addr().Unmap()
	if !addr.IsValid() || addr.IsUnspecified() {
		return nil, errWildcard
	}
	z, err := newZone(addr)
	if err != nil {
		return nil, err
	}
	domain := unix.AF_INET
	if addr.Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	stamps, err := setOptions(fd, c, addr)
	if err == nil {
		err = bind(fd, netip.AddrPortFrom(addr, c.Addr.Port()), z)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return newConn(fd, z, stamps, c.Polled && stamps)
}

// bind binds fd to an address that must be there.
func bind(fd int, ap netip.AddrPort, z zone) error {
	if err := unix.Bind(fd, sockaddr(ap, z)); err != nil {
		return os.NewSyscallError("bind", err)
	}
	if a := ap.Addr(); nonlocalBind(a) && !a.IsLoopback() && !listed(a) {
		return unix.EADDRNOTAVAIL
	}
	return nil
}

func sockaddr(ap netip.AddrPort, z zone) unix.Sockaddr {
	if ap.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(ap.Port()), Addr: ap.Addr().As16(), ZoneId: z.index}
}

type option struct {
	level, name, value int
	what               string
}

// setOptions sets everything but the address. It reports whether transmit stamps can be had; all else is an error.
func setOptions(fd int, c probe.ListenConfig, addr netip.Addr) (stamps bool, err error) {
	opts := optionsV4(c)
	if addr.Is6() {
		opts = optionsV6(c)
	}
	// After the traffic class, which sets a priority of its own.
	opts = append(opts, option{unix.SOL_SOCKET, unix.SO_PRIORITY, c.Priority, "priority"})
	for _, o := range opts {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return false, os.NewSyscallError("setsockopt "+o.what, err)
		}
	}
	for _, o := range [][2]int{{unix.SO_RCVBUFFORCE, unix.SO_RCVBUF}, {unix.SO_SNDBUFFORCE, unix.SO_SNDBUF}} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[0], bufferBytes) != nil { // needs CAP_NET_ADMIN
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, o[1], bufferBytes) // cut to net.core.[rw]mem_max
		}
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, stampByID) == nil {
		return true, nil
	}
	return false, nil // some sandboxes have none; times are then those of this process
}

func optionsV4(c probe.ListenConfig) []option {
	pmtu := unix.IP_PMTUDISC_DONT
	if c.DF {
		pmtu = unix.IP_PMTUDISC_PROBE // DF on everything, and no heed of what the kernel thinks the path MTU is
	}
	return []option{
		{unix.IPPROTO_IP, unix.IP_TOS, int(c.TOS), "tos"},
		{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, pmtu, "path MTU discovery"},
		{unix.IPPROTO_IP, unix.IP_RECVTTL, 1, "receive ttl"},
		{unix.IPPROTO_IP, unix.IP_RECVTOS, 1, "receive tos"},
		{unix.IPPROTO_IP, unix.IP_RECVERR, 1, "receive errors"},
	}
}

func optionsV6(c probe.ListenConfig) []option {
	pmtu, df := unix.IPV6_PMTUDISC_DONT, 0
	if c.DF {
		pmtu, df = unix.IPV6_PMTUDISC_PROBE, 1 // and don't fragment in this host either
	}
	return []option{
		{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1, "v6only"},
		{unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(c.TOS), "traffic class"},
		{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, pmtu, "path MTU discovery"},
		{unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, df, "don't fragment"},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVHOPLIMIT, 1, "receive hop limit"},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1, "receive traffic class"},
		{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1, "receive errors"},
	}
}
