package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// steps are what a person does to put a change into force on a Proxmox VE cluster, in order.
func (s *search) steps(t *trial) []string {
	token := s.cluster.Timeouts.Token != t.cluster.Timeouts.Token
	out := []string{
		"see that all nodes are online and quorate: pvecm status",
		"disarm HA, so that no watchdog fires if something goes wrong: ha-manager crm-command disarm-ha freeze (pve-ha-manager 5.1.3 and later; " +
			"before: let no HA resource run), and wait until ha-manager status says disarmed",
		"on one node: cp /etc/pve/corosync.conf /etc/pve/corosync.conf.new, and a copy outside of /etc/pve to go back to " +
			"(the way back needs a config_version above the new one)",
		"make the changes of the diff in the copy; patch(1) takes it as --diff prints it",
		"mv /etc/pve/corosync.conf.new /etc/pve/corosync.conf: pmxcfs hands it to all nodes and makes Corosync reload it " +
			"(without Proxmox VE: change /etc/corosync/corosync.conf on every node, then corosync-cfgtool -R on one)",
		"on every node: " + check(t) + "; and corosync-cfgtool -n: all links connected",
	}
	if token {
		out = append(out, "Corosync before 3.1.10-pve1, and upstream up to 3.1.10, keeps knet timers that follow the token as they were until the next reload: "+
			"if knet_ping_timeout is not as expected, reload once more: corosync-cfgtool -R")
	}
	return append(out,
		"arm HA again: ha-manager crm-command arm-ha",
		"watch the margin for an hour: quorumwatch advise again, on a new record")
}

// writtenTimers reminds of what a written timer no longer does.
func (s *search) writtenTimers(t *trial) {
	if !slices.ContainsFunc(t.Edits, func(e corosync.Edit) bool { return strings.Contains(e.Key, "knet_ping_") && e.Value != "" }) {
		return
	}
	text := "knet timers that are written no longer follow the token: ask again when nodes are added or the token is changed, and give a new link the same"
	if len(s.cluster.Links) == 1 && slices.ContainsFunc(t.Edits, func(e corosync.Edit) bool { return strings.HasSuffix(e.Key, "knet_ping_timeout") }) {
		text = "knet timers that are written no longer follow the token: ask again when nodes are added or the token is changed, and when there is a second link: " +
			"a timeout that is right for a lone link may be too long to fail over in time"
	}
	s.out.Remarks = append(s.out.Remarks, Remark{About: "timers", Text: text})
}

// check is the command that shows whether the new values run, with the values.
func check(t *trial) string {
	var keys, want []string
	add := func(key string, ms int64) {
		keys, want = append(keys, key), append(want, fmt.Sprintf("%s %d", key, ms))
	}
	add("token", t.cluster.Timeouts.Token.Milliseconds())
	for _, l := range t.cluster.Links {
		prefix := fmt.Sprintf("interface.%d.", l.Number)
		add(prefix+"knet_ping_interval", l.Timeouts.PingInterval.Milliseconds())
		add(prefix+"knet_ping_timeout", l.Timeouts.PingTimeout.Milliseconds())
	}
	return "corosync-cmapctl runtime.config.totem shows " + strings.Join(want, ", ")
}

// onlyKeys says whether all edits are of keys that hold a word.
func onlyKeys(edits []corosync.Edit, word string) bool {
	for _, e := range edits {
		if !strings.Contains(e.Key, word) {
			return false
		}
	}
	return len(edits) > 0
}
