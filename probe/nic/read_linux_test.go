package nic

import (
	"net"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

func attrs(index int, name string, master, parent int) netlink.LinkAttrs {
	return netlink.LinkAttrs{Index: index, Name: name, MTU: 1500, MasterIndex: master, ParentIndex: parent}
}

// TestDescribe descends from what carries an address to what is below it. No port shows: none of these exists.
func TestDescribe(t *testing.T) {
	bond := netlink.NewLinkBond(attrs(3, "bond0", 4, 0))
	bond.Mode, bond.LacpRate = netlink.BOND_MODE_802_3AD, netlink.BOND_LACP_RATE_SLOW
	dead := attrs(2, "x1", 3, 0)
	dead.OperState = netlink.OperDown
	tree := newTree([]netlink.Link{
		&netlink.Device{LinkAttrs: attrs(1, "x0", 3, 0)},
		&netlink.Device{LinkAttrs: dead},
		bond,
		&netlink.Bridge{LinkAttrs: attrs(4, "vmbr0", 0, 0)},
		&netlink.Vlan{LinkAttrs: attrs(5, "vmbr0.10", 0, 4)},
		&netlink.Tuntap{LinkAttrs: attrs(6, "tap100i0", 4, 0)},
		&netlink.Wireguard{LinkAttrs: attrs(7, "wg0", 0, 0)},
		&netlink.Bridge{LinkAttrs: attrs(8, "vmbr1", 0, 0)},
		&netlink.Vlan{LinkAttrs: attrs(9, "loop.1", 0, 9)},
		&netlink.Veth{LinkAttrs: attrs(10, "veth9", 0, 1)},
	})
	addr := netip.MustParseAddr("10.0.0.1")
	slow := []Bond{{Name: "bond0", Mode: "802.3ad", SlowLACP: true, Ports: 2, Down: []string{"x1"}}}
	for _, tt := range []struct {
		index int
		want  Interface
	}{
		{5, Interface{Name: "vmbr0.10", Kind: "vlan", Below: []string{"vmbr0", "bond0", "x0", "x1"}, Bonds: slow, Guests: true}},
		{3, Interface{Name: "bond0", Kind: "bond", Below: []string{"x0", "x1"}, Bonds: slow}},
		{7, Interface{Name: "wg0", Kind: "wireguard", Tunnel: "wireguard"}},
		{8, Interface{Name: "vmbr1", Kind: "bridge"}},
		{9, Interface{Name: "loop.1", Kind: "vlan"}},
		{10, Interface{Name: "veth9", Kind: "veth"}},
	} {
		tt.want.Address, tt.want.MTU = addr, 1500
		if got := tree.describe(addr, tree.byIndex[tt.index]); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.want.Name, got, tt.want)
		}
	}
}

// TestDescribeBond: which ports of a bond carry, by carrier, by the bond's own watch and by LACP.
func TestDescribeBond(t *testing.T) {
	port := func(name string, state netlink.LinkOperState, slave *netlink.BondSlave) netlink.Link {
		a := attrs(0, name, 9, 0)
		a.OperState = state
		if slave != nil {
			a.Slave = slave
		}
		return &netlink.Device{LinkAttrs: a}
	}
	in := func(aggregate uint16) *netlink.BondSlave { return &netlink.BondSlave{AggregatorId: aggregate} }
	partner := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	for _, tt := range []struct {
		name  string
		mode  netlink.BondMode
		ad    *netlink.BondAdInfo
		ports []netlink.Link
		alone bool
		down  string
	}{
		{"all carry", netlink.BOND_MODE_802_3AD, &netlink.BondAdInfo{AggregatorId: 1, PartnerMac: partner},
			[]netlink.Link{port("x0", netlink.OperUp, in(1)), port("x1", netlink.OperUp, in(1))}, false, ""},
		{"one is in an aggregate of its own", netlink.BOND_MODE_802_3AD, &netlink.BondAdInfo{AggregatorId: 1, PartnerMac: partner},
			[]netlink.Link{port("x0", netlink.OperUp, in(1)), port("x1", netlink.OperUp, in(2))}, false, "x1"},
		{"the switch speaks no LACP", netlink.BOND_MODE_802_3AD, &netlink.BondAdInfo{AggregatorId: 1, PartnerMac: make(net.HardwareAddr, 6)},
			[]netlink.Link{port("x0", netlink.OperUp, in(1)), port("x1", netlink.OperUp, in(2))}, true, ""},
		{"no aggregate yet", netlink.BOND_MODE_802_3AD, nil, []netlink.Link{port("x0", netlink.OperUp, in(0)), port("x1", netlink.OperUp, in(0))}, false, ""},
		{"given up by ARP", netlink.BOND_MODE_ACTIVE_BACKUP, nil,
			[]netlink.Link{port("x1", netlink.OperUp, &netlink.BondSlave{MiiStatus: netlink.BondLinkDown}), port("x0", netlink.OperLowerLayerDown, nil)}, false, "x0 x1"},
		{"nothing known", netlink.BOND_MODE_ACTIVE_BACKUP, nil, []netlink.Link{port("x0", netlink.OperUnknown, nil)}, false, ""},
	} {
		b := netlink.NewLinkBond(attrs(9, "bond0", 0, 0))
		b.Mode, b.AdInfo = tt.mode, tt.ad
		if got := describeBond(b, tt.ports); got.Alone != tt.alone || strings.Join(got.Down, " ") != tt.down || got.Ports != len(tt.ports) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestRead reads a bridge that a container hangs on, in a network namespace of its own.
func TestRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: needs root to make a network namespace")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	self, err := netns.Get()
	if err != nil {
		t.Skip("SKIPPED: no network namespaces here:", err)
	}
	defer self.Close()
	ns, err := netns.New()
	if err != nil {
		t.Skip("SKIPPED: no network namespaces here:", err)
	}
	defer ns.Close()
	defer func() { must(t, netns.Set(self)) }()

	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "vmbr0", MTU: 1500}}
	must(t, netlink.LinkAdd(bridge))
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "veth101i0"}, PeerName: "guest"}
	must(t, netlink.LinkAdd(veth))
	must(t, netlink.LinkSetMaster(veth, bridge))
	set(t, bridge, "10.0.0.1/24", 0)
	set(t, bridge, "10.0.1.1/20", 3600) // seconds
	set(t, bridge, "2001:db8::1/64", 0)

	addr, leased, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.1.1"), netip.MustParseAddr("2001:db8::1")
	got, err := Read([]netip.Addr{netip.MustParseAddr("192.0.2.1"), addr, leased, six})
	must(t, err)
	want := []Interface{
		{Address: addr, Network: netip.MustParsePrefix("10.0.0.0/24"), Name: "vmbr0", Kind: "bridge", MTU: 1500, Guests: true},
		{Address: leased, Network: netip.MustParsePrefix("10.0.0.0/20"), Leased: true, Name: "vmbr0", Kind: "bridge", MTU: 1500, Guests: true},
		{Address: six, Network: netip.MustParsePrefix("2001:db8::/64"), Name: "vmbr0", Kind: "bridge", MTU: 1500, Guests: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// set gives an interface an address, for so many seconds; 0: for good.
func set(t *testing.T, l netlink.Link, address string, seconds int) {
	t.Helper()
	a, err := netlink.ParseAddr(address)
	must(t, err)
	a.ValidLft, a.PreferedLft = seconds, seconds
	must(t, netlink.AddrAdd(l, a))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
