//go:build linux

package udp

import (
	"net"
	"net/netip"
	"strconv"
)

// zone is the IPv6 zone of a socket's own address, by name (as it was given) and by index. Addresses of the same zone come
// with the same name, so that they compare equal to configured ones.
type zone struct {
	name  string
	index uint32
}

// newZone looks up a's zone.
func newZone(a netip.Addr) (zone, error) {
	name := a.Zone()
	if name == "" {
		return zone{}, nil
	}
	if n, err := strconv.ParseUint(name, 10, 32); err == nil {
		return zone{name, uint32(n)}, nil
	}
	i, err := net.InterfaceByName(name)
	if err != nil {
		return zone{}, err
	}
	return zone{name, uint32(i.Index)}, nil
}

// id returns the interface index for a's zone.
func (z zone) id(a netip.Addr) (uint32, error) {
	switch a.Zone() {
	case "":
		return 0, nil
	case z.name:
		return z.index, nil
	}
	other, err := newZone(a)
	return other.index, err
}

// of returns the name for an interface index.
func (z zone) of(index uint32) string {
	if index == z.index {
		return z.name
	}
	return strconv.FormatUint(uint64(index), 10)
}
