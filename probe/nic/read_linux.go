package nic

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const sysNet = "/sys/class/net"

// Read tells what carries each of the addresses, in their order; those that no interface has are left out.
func Read(addrs []netip.Addr) ([]Interface, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("nic: interfaces: %w", err)
	}
	holders, err := holders()
	if err != nil {
		return nil, err
	}
	t := newTree(links)
	var out []Interface
	for _, a := range addrs {
		h := holders[a]
		if l := t.byIndex[h.index]; l != nil {
			i := t.describe(a, l)
			i.Network, i.Leased = h.network, h.leased
			out = append(out, i)
		}
	}
	return out, nil
}

// holder is who has an address.
type holder struct {
	index   int // of the interface
	network netip.Prefix
	leased  bool
}

// holders maps addresses to who has them.
func holders() (map[netip.Addr]holder, error) {
	all, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("nic: addresses: %w", err)
	}
	out := map[netip.Addr]holder{}
	for _, a := range all {
		addr, ok := netip.AddrFromSlice(a.IP)
		if !ok {
			continue
		}
		addr = addr.Unmap()
		ones, bits := a.Mask.Size()
		h := holder{index: a.LinkIndex, leased: a.Flags&unix.IFA_F_PERMANENT == 0}
		if a.Peer == nil && bits == addr.BitLen() {
			h.network = netip.PrefixFrom(addr, ones).Masked()
		}
		out[addr] = h
	}
	return out, nil
}

// tree is all interfaces with what hangs on what.
type tree struct {
	byIndex map[int]netlink.Link
	slaves  map[int][]netlink.Link // by master
}

func newTree(links []netlink.Link) tree {
	t := tree{map[int]netlink.Link{}, map[int][]netlink.Link{}}
	for _, l := range links {
		a := l.Attrs()
		t.byIndex[a.Index] = l
		if a.MasterIndex != 0 {
			t.slaves[a.MasterIndex] = append(t.slaves[a.MasterIndex], l)
		}
	}
	return t
}

func (t tree) describe(addr netip.Addr, l netlink.Link) Interface {
	i := Interface{Address: addr, Name: l.Attrs().Name, Kind: l.Type(), MTU: l.Attrs().MTU}
	t.descend(l, &i, map[int]bool{})
	slices.SortFunc(i.Ports, func(a, b Port) int { return cmp.Compare(a.Name, b.Name) })
	return i
}

// descend collects what is below l. Interfaces may form no loop, but the kernel's word is not taken for it.
func (t tree) descend(l netlink.Link, into *Interface, seen map[int]bool) {
	a := l.Attrs()
	if seen[a.Index] {
		return
	}
	seen[a.Index] = true
	if a.Name != into.Name {
		into.Below = append(into.Below, a.Name)
	}
	switch v := l.(type) {
	case *netlink.Bridge:
		t.bridge(a.Index, into, seen)
		return
	case *netlink.Bond:
		into.Bonds = append(into.Bonds, describeBond(v, t.slaves[a.Index]))
		for _, s := range t.slaves[a.Index] {
			t.descend(s, into, seen)
		}
		return
	}
	if isTunnel(l) {
		into.Tunnel = cmp.Or(into.Tunnel, l.Type())
	}
	if parent := t.byIndex[a.ParentIndex]; parent != nil && hasParent(l) {
		t.descend(parent, into, seen)
		return
	}
	if p, ok := physical(a.Name, a.MTU); ok {
		into.Ports = append(into.Ports, p)
	}
}

func describeBond(v *netlink.Bond, ports []netlink.Link) Bond {
	b := Bond{Name: v.Name, Mode: v.Mode.String(), SlowLACP: v.LacpRate == netlink.BOND_LACP_RATE_SLOW, Ports: len(ports)}
	lacp := v.Mode == netlink.BOND_MODE_802_3AD && v.AdInfo != nil
	b.Alone = lacp && !slices.ContainsFunc(v.AdInfo.PartnerMac, func(x byte) bool { return x != 0 })
	for _, l := range ports {
		if carries(l, lacp && !b.Alone, v.AdInfo) {
			continue
		}
		b.Down = append(b.Down, l.Attrs().Name)
	}
	slices.Sort(b.Down)
	return b
}

// carries says whether a port of a bond carries anything; what the kernel does not know of counts as carrying. With LACP it has to be in the
// aggregate that is in use.
func carries(port netlink.Link, lacp bool, used *netlink.BondAdInfo) bool {
	a := port.Attrs()
	if a.OperState == netlink.OperDown || a.OperState == netlink.OperLowerLayerDown {
		return false
	}
	s, ok := a.Slave.(*netlink.BondSlave)
	if !ok {
		return true
	}
	return s.MiiStatus != netlink.BondLinkDown && (!lacp || int(s.AggregatorId) == used.AggregatorId)
}

func (t tree) bridge(index int, into *Interface, seen map[int]bool) {
	for _, s := range t.slaves[index] {
		switch s.Type() {
		case "tuntap", "veth":
			into.Guests = true
		default:
			t.descend(s, into, seen)
		}
	}
}

// hasParent says whether the parent of an interface is what it sends through. A veth's parent is its other end.
func hasParent(l netlink.Link) bool {
	return slices.Contains([]string{"vlan", "macvlan", "macvtap", "ipvlan", "vxlan"}, l.Type())
}

func isTunnel(l netlink.Link) bool {
	return slices.Contains([]string{
		"wireguard", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "ip6tnl", "sit", "vti", "vti6", "xfrm", "vxlan", "geneve", "tuntap",
	}, l.Type())
}

// physical describes a port that has a device behind it.
func physical(name string, mtu int) (Port, bool) {
	dir := filepath.Join(sysNet, name)
	if _, err := os.Stat(filepath.Join(dir, "device")); err != nil {
		return Port{}, false
	}
	p := Port{Name: name, MTU: mtu}
	if driver, err := os.Readlink(filepath.Join(dir, "device", "driver")); err == nil {
		p.Driver = filepath.Base(driver)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "speed")); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && n > 0 {
			p.Speed = n
		}
	}
	return p, true
}

// ClockUnsynchronized says whether the kernel holds its clock for unsynchronized (adjtimex(2), STA_UNSYNC); false if it cannot be asked.
func ClockUnsynchronized() bool {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return false
	}
	return t.Status&unix.STA_UNSYNC != 0
}
