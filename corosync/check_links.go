package corosync

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// links checks that the links of all nodes fit together (totem_config_validate, totem_volatile_config_validate). Corosync
// only counts: what it lets pass is a warning.
func (k *checker) links() {
	if len(k.Nodes) == 0 {
		k.add("nodelist", "there are no nodes", "add a nodelist{} with a node{} for each node: name, nodeid and ring0_addr")
		return
	}
	if len(k.Links) == 0 {
		k.add("nodelist", "no node has an address", "add a nodelist{} with a node{} for each node: name, nodeid and ring0_addr")
		return
	}
	if len(k.Links) == 1 {
		return
	}
	if k.Transport != "knet" {
		k.add("totem.transport", fmt.Sprintf("%d links: the transport %s can have one", len(k.Links), k.Transport), "use `transport: knet`")
	}
	members := membersOf(k.Config)
	want := members[k.Links[0].Number]
	for position := range want {
		if _, ok := k.Values.str(fmt.Sprintf("nodelist.node.%d.name", position)); !ok {
			k.add(k.anyKey(fmt.Sprintf("nodelist.node.%d.", position)), "with several links every node needs a name", "add `name: ` with the node's host name")
		}
	}
	for _, l := range k.Links {
		if l.Number <= maxLink && members[l.Number] != want {
			k.linkCount(l.Number, members[l.Number], k.Links[0].Number, want)
		}
	}
}

// linkCount blames the node or the interface{} that is alone.
func (k *checker) linkCount(link, have, first, want int) {
	reason := fmt.Sprintf("link %d has %d nodes, link %d has %d: every node must have the same links", link, have, first, want)
	if have == 0 {
		k.add(k.anyKey(fmt.Sprintf("totem.interface.%d.", link)), fmt.Sprintf("interface{} for link %d, where no node has a ring%d_addr", link, link),
			"remove the section or add the addresses")
		return
	}
	ring := func(n Node, l int) string {
		return fmt.Sprintf("nodelist.node.%d.ring%d_addr", n.Position, l)
	}
	for _, n := range k.Nodes {
		_, a := n.Addrs[link]
		_, b := n.Addrs[first]
		if a != b {
			missing, at := link, ring(n, first)
			if a {
				missing, at = first, ring(n, link)
			}
			k.add(at, reason, fmt.Sprintf("node %s has no ring%d_addr", nodeName(n), missing))
			return
		}
	}
	k.add("nodelist", reason, "")
}

func nodeName(n Node) string {
	if n.Name != "" {
		return n.Name
	}
	if n.ID != 0 {
		return strconv.FormatUint(uint64(n.ID), 10)
	}
	return "at position " + strconv.Itoa(n.Position)
}

// families refuses a link whose literal addresses are of both families. Names are compared by Resolve.
func (k *checker) families() {
	for _, l := range k.Links {
		var first netip.Addr
		for _, n := range k.Nodes {
			a, ok := literalOf(n.Addrs[l.Number], k.IPVersion)
			switch {
			case !ok:
			case !first.IsValid():
				first = a
			case first.Is4() != a.Is4():
				k.add(fmt.Sprintf("nodelist.node.%d.ring%d_addr", n.Position, l.Number),
					fmt.Sprintf("%s and %s on link %d are of different IP families", a, first, l.Number), "use one family on a link")
				return
			}
		}
	}
}

// limitText puts a totem.LimitError into words for a file: which key was written, what to change.
func limitText(err error, c *Config) (key, reason, hint string) {
	limit, ok := errors.AsType[*totem.LimitError](err)
	if !ok {
		return "", err.Error(), ""
	}
	key = "totem." + limit.Key
	if _, written := c.Values[key]; !written { // a derived value: its source is to blame
		reason = limit.Key + ": " + limit.Reason
		for _, source := range []string{"totem.token", "totem.token_retransmits_before_loss_const", "totem.token_retransmit", "totem.join"} {
			if _, written := c.Values[source]; written {
				return source, reason, "remove the line to have the default, or use a larger value"
			}
		}
		return key, reason, ""
	}
	return key, limit.Reason, "remove the line to have the default, or change the value"
}

// logging is corosync_main_config_read_logging of exec/logconfig.c: it refuses words that it does not know.
func (k *checker) logging() {
	k.logWord("logging.fileline", "on", "off")
	k.logWord("logging.function_name", "on", "off")
	k.logWord("logging.timestamp", "on", "off", "hires")
	k.logWord("logging.blackbox", "on", "off")
	k.logSection("logging")
	for key, v := range k.Values {
		section, name := splitPath(key)
		outer, subsys := splitPath(section)
		if name == "subsys" && outer == "logging.logger_subsys" && subsys != "" && v.Type == typeString {
			k.logSection(section)
		}
	}
}

func (k *checker) logSection(path string) {
	for _, key := range []string{"to_stderr", "to_syslog", "to_file", "to_logfile"} {
		k.logWord(path+"."+key, "yes", "on", "no", "off")
	}
	k.logWord(path+".debug", "on", "off", "trace")
	k.logWord(path+".syslog_facility", "auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7")
	for _, key := range []string{"syslog_level", "syslog_priority", "logfile_priority"} {
		k.logPriority(path + "." + key)
	}
}

func (k *checker) logWord(key string, words ...string) {
	if s, ok := k.Values.str(key); ok && !slices.Contains(words, s) {
		k.add(key, excerpt(s)+" is not a value that Corosync knows", "use one of "+listOf(words))
	}
}

// logPriority is logsys_priority_id_get of exec/logsys.c, which ignores case.
func (k *checker) logPriority(key string) {
	words := []string{"alert", "crit", "debug", "emerg", "err", "error", "info", "notice", "warning"}
	s, ok := k.Values.str(key)
	if ok && !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, s) }) {
		k.add(key, excerpt(s)+" is not a log level", "use one of "+listOf(words))
	}
}
