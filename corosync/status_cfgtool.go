package corosync

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// CfgReport is one answer of corosync-cfgtool -s or -n.
type CfgReport struct {
	Local     uint32
	Transport string    // knet, udpu or udp; "" before 3.1.1, which did not print it
	Links     []CfgLink // of -n: one per peer and link, unreachable peers are left out; of -s: likewise, the local node too
}

// CfgLink is one link to one node as corosync-cfgtool shows it.
type CfgLink struct {
	Node      uint32
	Link      int
	Transport string // udp or sctp
	From, To  string // addresses; -s knows only From
	Local     bool   // the entry of the local node itself (-s)
	Enabled   bool   // always true in -s, which leaves links out that are not enabled
	Connected bool
	MTU       int // 0: not shown (-s)
}

// ParseCfgTool reads `corosync-cfgtool -s` (link by link) and `corosync-cfgtool -n` (node by node, since 3.1.1).
//
// -s, 3.1.1 and later:                        -s, 3.0.0 to 3.1.0:
//
//	Local node ID 1, transport knet            Printing link status.
//	LINK ID 0 udp                              Local node ID 1
//		addr	= 10.77.0.1                        LINK ID 0
//		status:                                    	addr	= 10.77.0.1
//			nodeid:          1:	localhost          	status:
//			nodeid:          2:	connected          		nodeid  1:	localhost
//			nodeid:          3:	disconnected       		nodeid  2:	connected (not enabled)
//
// -n:
//
//	Local node ID 1, transport knet
//	nodeid: 2 reachable                        (newer: reachable   onwire (min/max/cur): 0, 1, 1)
//	   LINK: 0 udp (10.77.0.1->10.77.0.2) enabled connected mtu: 1397
//
// What is not understood is skipped; an output without "Local node ID" is an error.
func ParseCfgTool(out []byte) (CfgReport, error) {
	var r CfgReport
	known := false
	var at CfgLink // the section that the line stands in
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		var err error
		switch {
		case strings.HasPrefix(line, "Local node ID "):
			known = true
			err = r.local(strings.TrimPrefix(line, "Local node ID "))
		case strings.HasPrefix(line, "LINK ID "):
			at = linkSection(strings.TrimPrefix(line, "LINK ID "))
		case strings.HasPrefix(line, "addr"):
			_, addr, _ := strings.Cut(line, "=")
			at.From = strings.TrimSpace(addr)
		case strings.HasPrefix(line, "LINK: "):
			r.nodeLink(at.Node, strings.TrimPrefix(line, "LINK: "))
		case strings.HasPrefix(line, "nodeid"):
			at = r.nodeLine(at, line)
		}
		if err != nil {
			return CfgReport{}, err
		}
	}
	if !known {
		return CfgReport{}, errors.New("corosync-cfgtool: no local node id in its output")
	}
	return r, nil
}

// local reads "1, transport knet".
func (r *CfgReport) local(s string) error {
	id, transport, _ := strings.Cut(s, ", transport ")
	n, err := parseNodeID(id)
	if err != nil {
		return fmt.Errorf("corosync-cfgtool: local node id: %w", err)
	}
	r.Local, r.Transport = n, transport
	return nil
}

// linkSection reads "0 udp".
func linkSection(s string) CfgLink {
	number, transport, _ := strings.Cut(s, " ")
	n, err := strconv.ParseUint(number, 10, 8)
	if err != nil {
		n = 0
	}
	return CfgLink{Link: int(n), Transport: transport, Enabled: true}
}

// nodeLine reads "nodeid:          2:	connected" (a row of -s) or "nodeid: 2 reachable" (a section of -n), and returns the
// section that the next line stands in.
func (r *CfgReport) nodeLine(at CfgLink, line string) CfgLink {
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "nodeid"), ":"))
	id, state, row := strings.Cut(rest, ":")
	if !row || strings.Contains(id, " ") {
		id, _, _ = strings.Cut(rest, " ")
		n, err := parseNodeID(id)
		if err != nil {
			return CfgLink{}
		}
		return CfgLink{Node: n}
	}
	n, err := parseNodeID(id)
	if err != nil {
		return at
	}
	state = strings.TrimSpace(state)
	l := at
	l.Node = n
	l.Local = state == "localhost"
	l.Connected = l.Local || strings.HasPrefix(state, "connected")
	l.Enabled = !strings.HasSuffix(state, "(not enabled)")
	r.Links = append(r.Links, l)
	return at
}

// nodeLink reads "0 udp (10.77.0.1->10.77.0.2) enabled connected mtu: 1397".
func (r *CfgReport) nodeLink(node uint32, s string) {
	head, rest, ok := strings.Cut(s, "(")
	if !ok {
		return
	}
	addrs, flags, ok := strings.Cut(rest, ")")
	if !ok {
		return
	}
	l := linkSection(strings.TrimSpace(head))
	l.Node = node
	l.From, l.To, _ = strings.Cut(addrs, "->")
	l.Enabled = false
	f := strings.Fields(flags)
	for i, word := range f {
		switch word {
		case "enabled":
			l.Enabled = true
		case "connected":
			l.Connected = true
		case "mtu:":
			if i+1 < len(f) {
				mtu, _ := strconv.ParseUint(f[i+1], 10, 32)
				l.MTU = int(mtu)
			}
		}
	}
	r.Links = append(r.Links, l)
}

// Fault tells from the words with which one of Corosync's tools gave up what state the daemon is in. DaemonUnknown: the
// words don't say; corosync-quorumtool's "Cannot initialize CMAP service" stands for every reason, so ask
// corosync-cfgtool -s, which prints the number of the error and does not wait:
//
//	Could not initialize corosync configuration API error 2     (cfgtool; 2 CS_ERR_LIBRARY, 6 CS_ERR_TRY_AGAIN, 11 CS_ERR_ACCESS)
//	Failed to initialize the cmap API. Error CS_ERR_LIBRARY     (cmapctl)
//	Dispatch error CS_ERR_LIBRARY                               (cmapctl -T when the daemon goes away)
//
// Numbers: include/corosync/corotypes.h cs_error_t.
func Fault(stderr string) Daemon {
	switch {
	case strings.Contains(stderr, "CS_ERR_TRY_AGAIN"), hasErrorNumber(stderr, "6"):
		return DaemonStarting
	case strings.Contains(stderr, "CS_ERR_ACCESS"), strings.Contains(stderr, "CS_ERR_SECURITY"),
		hasErrorNumber(stderr, "11"), hasErrorNumber(stderr, "29"):
		return DaemonDenied
	case strings.Contains(stderr, "CS_ERR_LIBRARY"), hasErrorNumber(stderr, "2"):
		return DaemonStopped
	default:
		return DaemonUnknown
	}
}

// hasErrorNumber looks for "error N" at the end of a line.
func hasErrorNumber(stderr, number string) bool {
	for line := range strings.Lines(stderr) {
		if strings.HasSuffix(strings.TrimSpace(line), "API error "+number) {
			return true
		}
	}
	return false
}

// ParseLibknet reads the version of libknet out of what dpkg-query printed of its packages, one a line.
func ParseLibknet(out []byte) string {
	for line := range strings.Lines(string(out)) {
		v := strings.TrimSpace(line)
		if v != "" && v[0] >= '0' && v[0] <= '9' && len(v) < 64 && !strings.ContainsAny(v, " \t") {
			return v
		}
	}
	return ""
}

// ParseVersion reads the version out of `corosync -v`: "Corosync Cluster Engine, version '3.1.7'".
func ParseVersion(out []byte) string {
	_, rest, ok := strings.Cut(string(out), "version '")
	if !ok {
		return ""
	}
	v, _, ok := strings.Cut(rest, "'")
	if !ok || strings.Contains(v, "\n") {
		return ""
	}
	return v
}
