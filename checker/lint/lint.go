package lint

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// RunbookBase is where Finding.Runbook points to, followed by # and the code.
const RunbookBase = "https://github.com/quorumwatch/quorumwatch/blob/main/docs/lint.md"

// Input is everything that rules look at. Everything but Config is optional: a rule that misses its facts says nothing.
type Input struct {
	Config     *corosync.Config
	Sites      map[string]string // site by node name or nodeid, configured or found
	Addresses  []corosync.Address
	Status     corosync.Status
	Local      uint32       // nodeid of this node; 0: not on a node
	Interfaces []Interface  // of this node, one for each ring address
	Unsynced   bool         // the kernel says that this host's clock is not synchronized
	Proxmox    bool         // the cluster is Proxmox VE's: its fence budget counts
	Armed      bool         // Proxmox VE's HA is armed: nodes that lose quorum reset themselves
	Migration  netip.Prefix // where guests migrate: a network, or the one address of this node that they arrive at; invalid: not known
}

// Interface is what carries one ring address of this node.
type Interface struct {
	Link    int
	Address netip.Addr
	Network netip.Prefix // that the address was set with; invalid: not known
	Leased  bool         // the address ends unless DHCP or a router's advertisement renews it
	Name    string
	Kind    string // device, bond, bridge, vlan, tun, wireguard, gre, vxlan, ... as the kernel calls it
	MTU     int
	Below   []string // names of all interfaces on the way to the ports
	Bonds   []Bond   // on the way to the ports
	Ports   []Port   // physical ones at the bottom, ascending by name
	Guests  bool     // virtual machines or containers are attached to the same bridge
	Tunnel  string   // kind of the tunnel, if there is one on the way
}

// Bond is a bonding device.
type Bond struct {
	Name     string
	Mode     string // as the kernel names it: 802.3ad, active-backup, balance-rr, ...
	SlowLACP bool   // 802.3ad with LACP frames every 30 s
	Alone    bool   // 802.3ad, and the switch does not speak LACP: one port is used
	Ports    int
	Down     []string // ports without a carrier, or that are in no aggregate with the others
}

// Port is a physical network port.
type Port struct {
	Name   string
	MTU    int
	Speed  int    // Mbit/s; 0: not known
	Driver string // "": not known
}

// Finding is one weak point.
type Finding struct {
	Code     string
	Serious  bool   // for working hours; else it is good to know
	Subject  string // link, node, interface or key
	Title    string // one line: what was found, with its figures
	Why      string // why it matters
	Fix      string
	Evidence map[string]string
}

// Runbook is where the way out is described.
func (f Finding) Runbook() string { return RunbookBase + "#" + f.Code }

// Rule is one kind of weak point.
type Rule struct {
	Code  string
	Says  string // what it finds, in general
	Why   string
	Fix   string
	check func(*Input) []found
}

// found is what a rule found: its finding without what is the same for all of them.
type found struct {
	serious  bool
	subject  string
	title    string
	evidence map[string]string
}

// Rules returns all rules.
func Rules() []Rule {
	return slices.Concat(linkRules(), timerRules(), quorumRules(), deviceRules(), networkRules(), mtuRules(), bondRules(), hostRules())
}

// Check runs all rules. Serious findings come first, then they are ordered by code and subject.
func Check(in Input) []Finding {
	if in.Config == nil {
		return nil
	}
	var out []Finding
	for _, r := range Rules() {
		for _, f := range r.check(&in) {
			out = append(out, Finding{r.Code, f.serious, f.subject, f.title, r.Why, r.Fix, f.evidence})
		}
	}
	slices.SortStableFunc(out, func(a, b Finding) int {
		switch {
		case a.Serious && !b.Serious:
			return -1
		case b.Serious && !a.Serious:
			return 1
		}
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Subject, b.Subject))
	})
	return out
}

// one makes a list of a single finding.
func one(serious bool, subject, title string, evidence map[string]string) []found {
	return []found{{serious, subject, title, evidence}}
}
