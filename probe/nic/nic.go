package nic

import "net/netip"

// Interface is what carries an address.
type Interface struct {
	Address netip.Addr
	Network netip.Prefix // that the address was set with; invalid: not known
	Leased  bool         // by DHCP or a router's advertisement: the address ends unless it is renewed
	Name    string
	Kind    string // device, bond, bridge, vlan, tuntap, wireguard, ... as the kernel calls it
	MTU     int
	Below   []string // names of all interfaces on the way down, without this one
	Bonds   []Bond   // on the way down
	Ports   []Port   // physical ones, ascending by name
	Guests  bool     // virtual machines or containers hang on a bridge on the way
	Tunnel  string   // kind of the tunnel on the way, "" if there is none
}

// Bond is a bonding device.
type Bond struct {
	Name     string
	Mode     string // 802.3ad, active-backup, balance-rr, ...
	SlowLACP bool   // LACP frames every 30 s
	Alone    bool   // 802.3ad, and the switch does not speak LACP: one port is used
	Ports    int
	Down     []string // ports without a carrier, or that are in no aggregate with the others
}

// Port is a physical port.
type Port struct {
	Name   string
	MTU    int
	Speed  int    // Mbit/s; 0: not known
	Driver string // kernel module; "": not known
}
