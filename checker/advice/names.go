package advice

import (
	"errors"
	"fmt"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// ErrOtherNodes is the answer to a configuration with nodes that the record does not know.
var ErrOtherNodes = errors.New("advice: the record is not of the nodes in the configuration")

// OtherNames is the subject of the remark that the record is of nodes of other names: perhaps of another cluster.
const OtherNames = "other names"

// Strangers are the nodes of a cluster that a record does not have, and those that it has under another name, each in words.
func Strangers(c risk.Cluster, t *trace.Trace) (absent, renamed []string) {
	names := map[uint32]string{}
	for _, n := range t.Nodes {
		names[n.ID] = n.Name
	}
	for _, n := range c.Nodes {
		name, ok := names[n.ID]
		switch {
		case !ok && n.Name == "":
			absent = append(absent, fmt.Sprintf("nodeid %d", n.ID))
		case !ok:
			absent = append(absent, fmt.Sprintf("%s (nodeid %d)", n.Name, n.ID))
		case name != n.Name && name != "" && n.Name != "":
			renamed = append(renamed, fmt.Sprintf("%s is %s there", n.Name, name))
		}
	}
	return absent, renamed
}

// strangers refuses a configuration with nodes that the record does not know, and remarks on those that it knows by another name. A record that names
// no nodes at all is taken as it is.
func (s *search) strangers() error {
	if len(s.in.Trace.Nodes) == 0 {
		return nil
	}
	absent, renamed := Strangers(s.cluster, s.in.Trace)
	if len(absent) > 0 {
		return fmt.Errorf("%w: not in it: %s", ErrOtherNodes, strings.Join(absent, ", "))
	}
	if len(renamed) > 0 {
		s.out.Remarks = append(s.out.Remarks, Remark{About: OtherNames, Text: "nodes have other names in the record: " + strings.Join(renamed, ", ") +
			"; assumed that they are the same ones, and that this is the corosync.conf of their cluster"})
	}
	return nil
}

// recorded is what the record calls a node.
func (s *search) recorded(id uint32) string {
	for _, n := range s.in.Trace.Nodes {
		if n.ID == id && n.Name != "" {
			return n.Name
		}
	}
	return s.node(id)
}
