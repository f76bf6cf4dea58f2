package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// log notes what the daemon writes to its log.
func (n *node) log(level, tag string, what corosync.Occurrence) {
	n.c.out = append(n.c.out, NodeEvent{n.id, corosync.Event{
		At: n.c.now, Host: n.name, PID: 1000 + int(n.index), Level: level, Tag: tag, Text: text(what), What: what,
	}})
}

// text is Corosync 3.1's own wording.
func text(what corosync.Occurrence) string {
	switch w := what.(type) {
	case corosync.TokenWarning:
		return fmt.Sprintf("Token has not been received in %d ms", w.Silent.Milliseconds())
	case corosync.TokenLost:
		return fmt.Sprintf("A processor failed, forming new configuration: token timed out (%dms), waiting %dms for consensus.", w.Token.Milliseconds(), w.Consensus.Milliseconds())
	case corosync.NewMembership:
		return fmt.Sprintf("A new membership (%v) was formed. Members%s%s", w.Ring, listed(" joined:", w.Joined), listed(" left:", w.Left))
	case corosync.LeaveMissing:
		return "Failed to receive the leave message." + listed(" failed:", w.Nodes)
	case corosync.FailedToReceive:
		return "FAILED TO RECEIVE"
	case corosync.NotScheduled:
		ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
		return fmt.Sprintf("Corosync main process was not scheduled (@%d) for %0.4f ms (threshold is %0.4f ms). Consider token timeout increase.",
			w.At.UnixMilli(), ms(w.For), ms(w.Threshold))
	case corosync.LinkDown:
		return fmt.Sprintf("link: host: %d link: %d is down", w.Node, w.Link)
	case corosync.LinkUp:
		return fmt.Sprintf("rx: host: %d link: %d is up", w.Node, w.Link)
	case corosync.LinkReset:
		return fmt.Sprintf("link: Resetting MTU for link %d because host %d joined", w.Link, w.Node)
	case corosync.HostNoLinks:
		return fmt.Sprintf("host: host: %d has no active links", w.Node)
	case corosync.PrimaryComponent:
		if w.Quorate {
			return "This node is within the primary component and will provide service."
		}
		return "This node is within the non-primary component and will NOT provide any services."
	case corosync.QuorumMembers:
		return fmt.Sprintf("Members[%d]:%s", len(w.Nodes), listed("", w.Nodes))
	case corosync.SyncDone:
		return "Completed service synchronization, ready to provide service."
	case corosync.DaemonStart:
		return fmt.Sprintf("Corosync Cluster Engine %s starting up", w.Version)
	case corosync.DaemonExit:
		return "Corosync Cluster Engine exiting normally"
	}
	return ""
}

// listed is " joined: 1 2", nothing for an empty list.
func listed(word string, ids []uint32) string {
	if len(ids) == 0 {
		return ""
	}
	return word + " " + strings.Trim(fmt.Sprint(ids), "[]")
}
