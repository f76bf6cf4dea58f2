package corosync

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// QuorumReport is one answer of corosync-quorumtool -s.
type QuorumReport struct {
	Local  uint32 // this node's id
	Ring   RingID // Rep is 0 where no votequorum runs: the tool then prints the sequence alone
	Quorum QuorumStatus
}

// ParseQuorumTool reads `corosync-quorumtool -s` (with -i, -H or a qdevice too). Corosync 3.0 to 3.1.10:
//
//	Quorum information
//	------------------
//	Date:             Sat Nov 21 04:44:25 2026
//	Quorum provider:  corosync_votequorum
//	Nodes:            3
//	Node ID:          1                     (-H: 0x00000001)
//	Ring ID:          1.9                   (both parts hexadecimal; without votequorum: 9)
//	Quorate:          Yes
//
//	Votequorum information                  (absent without votequorum)
//	----------------------
//	Expected votes:   3
//	Highest expected: 3
//	Total votes:      3
//	Quorum:           2                     (not quorate: 2 Activity blocked)
//	Flags:            Quorate
//
//	Membership information
//	----------------------
//	    Nodeid      Votes Name              (qdevice: Nodeid Votes Qdevice Name; no votequorum: Nodeid Name)
//	         1          1 pve1 (local)
//	         2          1    A,V,NMW pve2   (after 3.1.10 extra information may follow the name in brackets)
//	         0          1            Qdevice
//
// The tool's exit status is 0 when quorate, 2 when not, 1 on errors. The report is of the last membership that
// finished: during gather and recovery it is still the old one. An output without the line "Quorate:" is an error.
func ParseQuorumTool(out []byte) (QuorumReport, error) {
	var r QuorumReport
	quorate := false
	rest := string(out)
	for rest != "" {
		line, tail, _ := strings.Cut(rest, "\n")
		rest = tail
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			if strings.TrimSpace(line) == "Membership information" {
				break
			}
			continue
		}
		if name == "Quorate" {
			quorate = true
		}
		if err := r.set(name, strings.TrimSpace(value)); err != nil {
			return QuorumReport{}, err
		}
	}
	if !quorate {
		return QuorumReport{}, errors.New("corosync-quorumtool: no quorum information in its output")
	}
	r.rows(rest)
	r.Quorum.Known = true
	return r, nil
}

// set takes one "name: value" line.
func (r *QuorumReport) set(name, value string) (err error) {
	q := &r.Quorum
	switch name {
	case "Quorum provider":
		if value != "Not configured" {
			q.Provider = value
		}
	case "Node ID":
		r.Local, err = parseNodeID(value)
	case "Ring ID":
		r.Ring, err = ParseRingID(value)
	case "Quorate":
		q.Quorate = value == "Yes"
	case "Expected votes":
		q.Expected, err = strconv.Atoi(value)
	case "Highest expected":
		q.HighestExpected, err = strconv.Atoi(value)
	case "Total votes":
		q.Total, err = strconv.Atoi(value)
	case "Quorum":
		number, _, _ := strings.Cut(value, " ")
		q.Quorum, err = strconv.Atoi(number)
	case "Flags":
		q.Flags = strings.Fields(value)
	}
	if err != nil {
		return fmt.Errorf("corosync-quorumtool: %s: %s: %w", name, excerpt(value), err)
	}
	return nil
}

// rows reads the membership table. Lines that are no row ("Unable to get node 3 info") are skipped.
func (r *QuorumReport) rows(text string) {
	votes, qdevice := false, false
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if f[0] == "Nodeid" {
			votes = len(f) > 2
			qdevice = len(f) > 3
			continue
		}
		id, err := parseNodeID(f[0])
		if err != nil {
			continue
		}
		row, ok := memberVotes(id, f[1:], votes, qdevice)
		if ok {
			r.Quorum.Votes = append(r.Quorum.Votes, row)
		}
	}
}

// memberVotes reads the columns after the node id.
func memberVotes(id uint32, f []string, votes, qdevice bool) (MemberVotes, bool) {
	row := MemberVotes{ID: id}
	if votes {
		if len(f) == 0 {
			return row, false
		}
		n, err := strconv.Atoi(f[0])
		if err != nil {
			return row, false
		}
		row.Votes, f = n, f[1:]
	}
	if qdevice && id != 0 && len(f) > 0 { // the qdevice's own row leaves the column blank
		row.Qdevice, f = f[0], f[1:]
	}
	if len(f) > 0 && f[0] != "(local)" && f[0] != "(votes" {
		row.Name = f[0]
	}
	return row, true
}

// ParseRingID reads a ring id as Corosync prints it: "1.9", both parts hexadecimal (CS_PRI_RING_ID in
// include/corosync/corotypes.h), or "9", the sequence alone (CS_PRI_RING_ID_SEQ).
func ParseRingID(s string) (RingID, error) {
	rep, seq, ok := strings.Cut(s, ".")
	if !ok {
		rep, seq = "0", s
	}
	r, err := strconv.ParseUint(rep, 16, 32)
	if err != nil {
		return RingID{}, fmt.Errorf("no ring id: %w", err)
	}
	n, err := strconv.ParseUint(seq, 16, 64)
	if err != nil {
		return RingID{}, fmt.Errorf("no ring id: %w", err)
	}
	return RingID{Rep: uint32(r), Seq: n}, nil
}

// String is the ring id as Corosync prints it, both parts hexadecimal.
func (r RingID) String() string { return fmt.Sprintf("%x.%x", r.Rep, r.Seq) }

// parseNodeID reads a node id, decimal or, as quorumtool -H prints it, 0x and hexadecimal digits.
func parseNodeID(s string) (uint32, error) {
	base := 10
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = rest, 16
	}
	n, err := strconv.ParseUint(s, base, 32)
	return uint32(n), err
}
