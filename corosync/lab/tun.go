//go:build linux

package lab

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// device is the name of a link's TUN device inside a node.
func device(link int) string { return fmt.Sprintf("link%d", link) }

// openTUN makes a TUN device in the network namespace of process pid. The device lives as long as the descriptor.
func openTUN(pid int, name string) (fd int, err error) {
	err = inNet(pid, func() error {
		fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("/dev/net/tun: %w", err)
		}
		req, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
			unix.Close(fd)
			return fmt.Errorf("/dev/net/tun: make %s: %w", name, err)
		}
		return nil
	})
	return fd, err
}

// upTUN gives the device its addresses and sets it and the loopback up.
func upTUN(pid int, name string, mtu int, addrs ...netip.Prefix) error {
	return inNet(pid, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		if err := upLoopback(h); err != nil {
			return err
		}
		dev, err := h.LinkByName(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := h.LinkSetMTU(dev, mtu); err != nil {
			return fmt.Errorf("%s: mtu %d: %w", name, mtu, err)
		}
		if err := h.LinkSetUp(dev); err != nil {
			return fmt.Errorf("%s: up: %w", name, err)
		}
		for _, a := range addrs {
			if err := h.AddrAdd(dev, address(a)); err != nil {
				return fmt.Errorf("%s: address %v: %w", name, a, err)
			}
		}
		return nil
	})
}

func upLoopback(h *netlink.Handle) error {
	lo, err := h.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	if err := h.LinkSetUp(lo); err != nil {
		return fmt.Errorf("lo: up: %w", err)
	}
	return nil
}

func address(p netip.Prefix) *netlink.Addr {
	a, err := netlink.ParseAddr(p.String())
	if err != nil {
		return &netlink.Addr{} // cannot be: a Prefix prints as one
	}
	if p.Addr().Is6() {
		a.Flags = unix.IFA_F_NODAD
	}
	return a
}

// withDevice runs f with one device of a node.
func withDevice(pid int, name string, f func(*netlink.Handle, netlink.Link) error) error {
	return inNet(pid, func() error {
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer h.Close()
		dev, err := h.LinkByName(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return f(h, dev)
	})
}
