//go:build linux

package udp

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ErrNoRoom is the error of WriteBatch when the kernel's send queue is full: the interface does not take packets.
var ErrNoRoom = errors.New("udp: send queue is full; the interface is not sending")

// listenError says in words what a person can do about it.
func listenError(addr netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, unix.EADDRNOTAVAIL):
		err = absent(addr.Addr(), err)
	case errors.Is(err, unix.EADDRINUSE):
		err = fmt.Errorf("the port is in use; see who has it: ss -ulnp 'sport = :%d': %w", addr.Port(), err)
	case errors.Is(err, unix.EACCES):
		err = fmt.Errorf("ports below 1024 need root or CAP_NET_BIND_SERVICE: %w", err)
	case errors.Is(err, unix.EAFNOSUPPORT):
		err = fmt.Errorf("this kernel has no support for its address family: %w", err)
	}
	return fmt.Errorf("udp: listen %s: %w", addr, err)
}

// absent is the text for an own address that is not there.
func absent(addr netip.Addr, err error) error {
	return fmt.Errorf("%s is on no interface of this host: %w", addr, err)
}

// sendError does the same for sending.
func (c *Conn) sendError(to netip.AddrPort, err error) error {
	switch err {
	case unix.EAGAIN, unix.ENOBUFS:
		return ErrNoRoom
	case unix.EINVAL, unix.EADDRNOTAVAIL, unix.ENETUNREACH:
		if err != unix.ENETUNREACH && c.local.Addr().Is6() || c.gone() {
			err = absent(c.local.Addr(), unix.EADDRNOTAVAIL)
		}
	case unix.EPERM:
		err = fmt.Errorf("this host's own firewall refuses it: %w", err)
	}
	return fmt.Errorf("udp: send %s -> %s: %w", c.local, to, err)
}

// gone reports whether an IPv4 socket's own address has left this host; the kernel's answer to a send then depends on the routes.
func (c *Conn) gone() bool {
	there := true
	if c.local.Addr().Is4() {
		_ = c.rc.Control(func(fd uintptr) { there = hasIPv4(fd, c.local.Addr()) })
	}
	return !there && !c.local.Addr().IsLoopback()
}
