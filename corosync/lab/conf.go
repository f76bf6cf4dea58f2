//go:build linux

package lab

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
)

// keyBytes is the size of an authkey as corosync-keygen makes it (tools/corosync-keygen.c DEFAULT_KEYFILE_LEN).
const keyBytes = 256

// logFile is where a node's Corosync logs to, inside the node.
const logFile = "/var/log/corosync/corosync.log"

// conf writes corosync.conf as pvecm does: sections and keys in alphabetical order, two blanks of indentation
// (PVE/Corosync.pm write_conf, create_conf). The lab adds a log file, and system{} so that no daemon runs under SCHED_RR: several of
// those on few cores starve each other and invent faults.
func (l *layout) conf() string {
	var b strings.Builder
	section(&b, "", "logging", []Option{
		{"debug", "off"}, {"logfile", logFile}, {"timestamp", "hires"}, {"to_logfile", "yes"}, {"to_syslog", "no"},
	}, nil)
	section(&b, "", "nodelist", nil, func() {
		for i, p := range l.nodes {
			node := []Option{{"name", p.name}, {"nodeid", fmt.Sprint(p.id)}, {"quorum_votes", l.votes(i)}}
			for link := range l.Links {
				node = append(node, Option{fmt.Sprintf("ring%d_addr", link), p.addr(link, l.IPv6).String()})
			}
			section(&b, "  ", "node", node, nil)
		}
	})
	section(&b, "", "quorum", merge([]Option{{"provider", "corosync_votequorum"}}, l.Quorum), func() { l.Device.write(&b) })
	section(&b, "", "system", []Option{{"priority", "max"}, {"sched_rr", "no"}}, nil)
	l.totem(&b)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (l *layout) votes(node int) string {
	if node < len(l.Votes) {
		return fmt.Sprint(l.Votes[node])
	}
	return "1"
}

func (l *layout) totem(b *strings.Builder) {
	totem := merge([]Option{
		{"cluster_name", "lab"}, {"config_version", "1"}, {"ip_version", "ipv4-6"}, {"link_mode", "passive"},
		{"secauth", "on"}, {"token_coefficient", "125"}, {"version", "2"},
	}, l.Totem)
	before := slices.IndexFunc(totem, func(o Option) bool { return o.Key > "interface" })
	if before < 0 {
		before = len(totem)
	}
	b.WriteString("totem {\n")
	options(b, "  ", totem[:before])
	for link := range l.Links {
		section(b, "  ", "interface", merge([]Option{{"linknumber", fmt.Sprint(link)}}, l.Link), nil)
	}
	options(b, "  ", totem[before:])
	b.WriteString("}\n")
}

// merge sets options in a sorted list; an empty value takes one away.
func merge(base, more []Option) []Option {
	for _, o := range more {
		base = slices.DeleteFunc(base, func(b Option) bool { return b.Key == o.Key })
		if o.Value != "" {
			base = append(base, o)
		}
	}
	slices.SortStableFunc(base, func(a, b Option) int { return strings.Compare(a.Key, b.Key) })
	return base
}

func section(b *strings.Builder, indent, name string, opts []Option, inner func()) {
	fmt.Fprintf(b, "%s%s {\n", indent, name)
	options(b, indent+"  ", opts)
	if inner != nil {
		inner()
	}
	fmt.Fprintf(b, "%s}\n", indent)
	if indent == "" {
		b.WriteString("\n")
	}
}

func options(b *strings.Builder, indent string, opts []Option) {
	for _, o := range opts {
		fmt.Fprintf(b, "%s%s: %s\n", indent, o.Key, o.Value)
	}
}

// hosts is /etc/hosts of every node: the names stand for the addresses of link 0, as on Proxmox.
func (l *layout) hosts() string {
	var b strings.Builder
	b.WriteString("127.0.0.1 localhost\n::1 localhost ip6-localhost\n")
	for _, p := range l.nodes {
		fmt.Fprintf(&b, "%s %s\n", p.addr(0, l.IPv6), p.name)
	}
	return b.String()
}

func newKey() []byte {
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails (crypto/rand)
	return key
}
