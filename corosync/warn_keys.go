package corosync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// unknownKeys finds keys and sections that Corosync stores and never reads: typing errors are silent there.
func (k *checker) unknownKeys(written []writtenKey) {
	told := map[string]bool{}
	for _, w := range written {
		if len(k.problems) > mostWarnings {
			return
		}
		path := join(w.section, w.key)
		w.section, w.key = splitPath(path) // names may have dots
		known, free := knownKeys(w.section)
		switch {
		case free || w.key == "" || isPlace(w.section):
		case known == nil:
			if !told[w.section] {
				told[w.section] = true
				k.unknownSection(w)
			}
		case !slices.Contains(known, w.key):
			k.unknownKey(w, known)
		}
	}
}

// isPlace: a dotted name such as nodelist.node.1 writes directly to where Corosync keeps nodes and links.
func isPlace(section string) bool {
	list, number := splitPath(section)
	_, err := strconv.Atoi(number)
	return err == nil && (list == "nodelist.node" || list == "totem.interface")
}

func (k *checker) unknownSection(w writtenKey) {
	if w.section == "" {
		k.warnAt(w.line, w.key, "a key outside of any section: Corosync ignores it", "move it into its section, for example totem{}")
		return
	}
	reason, hint := "Corosync does not know this section and ignores what is in it", ""
	if slices.Contains([]string{"service", "aisexec", "amf", "event"}, w.section) {
		reason, hint = "a section of Corosync 1: ignored since Corosync 2", "remove it"
	} else if outer, name := splitPath(w.section); outer != "" && slices.Contains([]string{"totem", "nodelist", "node", "quorum", "logging"}, name) {
		hint = "is a closing brace missing above? This section is inside of " + outer + "{}"
	} else if near := nearest(w.section, sectionNames()); near != "" {
		hint = "did you mean " + near + "?"
	}
	k.warnAt(w.line, w.section, reason, hint)
}

func (k *checker) unknownKey(w writtenKey, known []string) {
	reason, hint := "Corosync does not know this key and ignores it", ""
	if why, old := obsolete(w.section, w.key); old {
		reason, hint = why, "remove the line"
	} else if w.section == "nodelist.node" && strings.HasPrefix(w.key, "link") && strings.HasSuffix(w.key, "_addr") {
		reason = "only Proxmox's tools know linkN_addr: to Corosync the node has no such address"
		hint = "did you mean ring" + strings.TrimPrefix(w.key, "link") + "?"
	} else if near := nearest(w.key, known); near != "" {
		hint = "did you mean " + near + "?"
	} else if other := sectionOf(w.key); other != "" {
		hint = "did you mean to write it in " + other + "{}?"
	}
	k.warnAt(w.line, join(w.section, w.key), reason, hint)
}

// obsolete names keys of older Corosyncs that are still found in the field.
func obsolete(section, key string) (string, bool) {
	const since3 = "ignored since Corosync 3"
	switch {
	case section == "totem" && (key == "rrp_mode" || strings.HasPrefix(key, "rrp_")):
		return "redundant rings are gone: " + since3 + ", which has links instead", true
	case section == "totem" && key == "vsftype":
		return since3, true
	case section == "totem.interface" && key == "ringnumber":
		return since3 + ", which reads linknumber: this section is about link 0 unless linknumber says otherwise", true
	}
	return "", false
}

// knownKeys lists what Corosync, its tools or corosync-qdevice read in a section. free sections take any key.
func knownKeys(section string) (keys []string, free bool) {
	switch section {
	case "totem":
		return []string{"version", "nodeid", "threads", "token", "token_coefficient", "token_retransmit", "token_warning", "hold",
			"token_retransmits_before_loss_const", "join", "send_join", "consensus", "merge", "downcheck", "fail_recv_const",
			"seqno_unchanged_const", "heartbeat_failures_allowed", "max_network_delay", "window_size", "max_messages",
			"miss_count_const", "knet_pmtud_interval", "knet_mtu", "knet_compression_threshold", "knet_compression_level",
			"knet_compression_model", "netmtu", "config_version", "ip_version", "ip_dscp", "crypto_model", "crypto_cipher",
			"crypto_hash", "secauth", "transport", "link_mode", "cluster_name", "keyfile", "key", "block_unlisted_ips",
			"cancel_token_hold_on_retransmit", "clear_node_high_bit"}, false
	case "totem.interface":
		return interfaceKeys(), false
	case "totem.interface.member":
		return []string{"memberaddr"}, false
	case "nodelist.node":
		keys = []string{"nodeid", "quorum_votes", "name"}
		for link := range maxLink + 1 {
			keys = append(keys, fmt.Sprintf("ring%d_addr", link))
		}
		return keys, false
	case "nodelist":
		return []string{}, false
	case "quorum":
		return []string{"provider", "expected_votes", "votes", "two_node", "wait_for_all", "auto_tie_breaker", "auto_tie_breaker_node",
			"last_man_standing", "last_man_standing_window", "allow_downscale", "expected_votes_tracking", "leaving_timeout"}, false
	case "quorum.device":
		return []string{"model", "timeout", "sync_timeout", "votes", "master_wins"}, false
	case "quorum.device.net":
		return []string{"host", "port", "tls", "algorithm", "tie_breaker", "keep_active_partition_tie_breaker", "connect_timeout",
			"force_ip_version"}, false
	case "system":
		return []string{"qb_ipc_type", "sched_rr", "priority", "move_to_root_cgroup", "allow_knet_handle_fallback", "state_dir"}, false
	case "logging":
		return loggingKeys("fileline", "function_name", "timestamp", "blackbox", "logger_subsys"), false
	case "logging.logger_subsys":
		return loggingKeys("subsys"), false
	case "logging.logging_daemon":
		return loggingKeys("subsys", "name", "fileline", "function_name", "timestamp", "blackbox"), false
	case "uidgid":
		return []string{"uid", "gid"}, false
	case "resources":
		return []string{"watchdog_device", "watchdog_timeout"}, false
	case "nozzle":
		return []string{"name", "ipaddr", "ipprefix", "macaddr"}, false
	case "pload":
		return []string{"count", "size", "start"}, false
	case "quorum.device.heuristics", "resources.system", "resources.process":
		return nil, true
	}
	return nil, strings.HasPrefix(section, "resources.")
}

func loggingKeys(more ...string) []string {
	return append([]string{"to_stderr", "to_syslog", "to_file", "to_logfile", "logfile", "logfile_priority", "syslog_facility",
		"syslog_level", "syslog_priority", "debug"}, more...)
}

func sectionNames() []string {
	return []string{"totem", "totem.interface", "totem.interface.member", "nodelist", "nodelist.node", "quorum", "quorum.device",
		"quorum.device.net", "quorum.device.heuristics", "system", "logging", "logging.logger_subsys", "uidgid", "resources", "nozzle"}
}

// sectionOf finds the section that knows a key.
func sectionOf(key string) string {
	for _, section := range []string{"totem", "totem.interface", "nodelist.node", "quorum", "quorum.device", "quorum.device.net", "system", "logging"} {
		if known, _ := knownKeys(section); slices.Contains(known, key) {
			return section
		}
	}
	return ""
}

// nearest gives the word that differs from s by at most two typing errors, and by fewer than half of its letters.
func nearest(s string, words []string) string {
	best, least := "", 3
	for _, w := range words {
		if d := distance(strings.ToLower(s), w); d < least && 2*d < len(w) {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap to make a out of b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			differ := 1
			if a[i-1] == b[j-1] {
				differ = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differ)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
