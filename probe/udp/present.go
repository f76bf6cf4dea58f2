//go:build linux

package udp

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nonlocalBind reports whether the kernel is told to bind absent addresses (some high-availability software does that).
func nonlocalBind(a netip.Addr) bool {
	file := "/proc/sys/net/ipv4/ip_nonlocal_bind"
	if a.Is6() {
		file = "/proc/sys/net/ipv6/ip_nonlocal_bind"
	}
	b, err := os.ReadFile(file)
	return err == nil && strings.TrimSpace(string(b)) == "1"
}

// listed reports whether an interface has the address. If that cannot be found out, it is taken to be there.
func listed(a netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, n := range addrs {
		if p, err := netip.ParsePrefix(n.String()); err == nil && p.Addr() == a.WithZone("") {
			return true
		}
	}
	return false
}

// hasIPv4 reports whether an interface has the address, asking by a socket: thus in that socket's network namespace,
// whatever thread asks. If that cannot be found out, it is taken to be there.
func hasIPv4(fd uintptr, a netip.Addr) bool {
	const room = 512 // addresses
	var reqs [room][unsafe.Sizeof(ifreq{})]byte
	conf := ifconf{bytes: int32(unsafe.Sizeof(reqs)), reqs: unsafe.Pointer(&reqs)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, unix.SIOCGIFCONF, uintptr(unsafe.Pointer(&conf)))
	n := int(conf.bytes) / len(reqs[0])
	if errno != 0 || !a.Is4() || n >= room {
		return true
	}
	for i := range n {
		if parseName(reqs[i][unix.IFNAMSIZ:], zone{}).Addr() == a {
			return true
		}
	}
	return false
}

// ifreq and ifconf are struct ifreq and struct ifconf of netdevice(7).
type ifreq struct {
	_ [unix.IFNAMSIZ]byte
	_ struct { // a union; struct ifmap is its longest
		_, _ uintptr
		_    [8]byte
	}
}

type ifconf struct {
	bytes int32
	reqs  unsafe.Pointer
}

// sourceControl is the control message that names an IPv6 source address. The kernel goes on sending from an address that a
// socket is bound to and that is gone, and replies would then look like loss; an address named so is checked at each send.
func sourceControl(a netip.Addr, z zone) []byte {
	const size = unix.SizeofInet6Pktinfo
	b := make([]byte, unix.CmsgSpace(size))
	h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(b)))
	h.Level, h.Type = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO
	h.SetLen(unix.CmsgLen(size))
	info := (*unix.Inet6Pktinfo)(unsafe.Pointer(&b[unix.CmsgLen(0)]))
	info.Addr, info.Ifindex = a.As16(), z.index
	return b
}
