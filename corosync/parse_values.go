package corosync

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// splitPath cuts "totem.interface.ttl" into its section and its key.
func splitPath(path string) (section, key string) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// typeOf is the cmap type of a key in its own section (main_config_parser_cb of exec/coroparse.c).
func typeOf(path string) string {
	switch section, key := splitPath(path); section {
	case "totem":
		return totemType(key)
	case "totem.interface":
		switch key {
		case "linknumber", "ttl", "knet_link_priority":
			return typeU8
		case "mcastport":
			return typeU16
		case "knet_ping_interval", "knet_ping_timeout", "knet_ping_precision", "knet_pong_count":
			return typeU32
		}
	case "nodelist.node":
		switch key {
		case "nodeid", "quorum_votes":
			return typeU32
		}
	case "quorum":
		switch key {
		case "expected_votes", "votes", "last_man_standing_window", "leaving_timeout":
			return typeU32
		case "two_node", "expected_votes_tracking", "allow_downscale", "wait_for_all", "auto_tie_breaker", "last_man_standing":
			return typeU8
		}
	case "quorum.device":
		switch key {
		case "timeout", "sync_timeout", "votes":
			return typeU32
		case "master_wins":
			return typeU8
		}
	default:
		switch key {
		case "watchdog_timeout":
			return typeU32
		case "poll_period":
			return typeU64
		}
	}
	return typeString
}

func totemType(key string) string {
	switch key {
	case "version", "nodeid", "threads", "token", "token_coefficient", "token_retransmit", "token_warning", "hold",
		"token_retransmits_before_loss_const", "join", "send_join", "consensus", "merge", "downcheck", "fail_recv_const",
		"seqno_unchanged_const", "heartbeat_failures_allowed", "max_network_delay", "window_size", "max_messages",
		"miss_count_const", "knet_pmtud_interval", "knet_mtu", "knet_compression_threshold", "netmtu":
		return typeU32
	case "knet_compression_level":
		return typeI32
	case "config_version":
		return typeU64
	}
	return typeString
}

// interfaceKeys are the keys of interface{} that Corosync moves to the link's own place, in the order in which it does.
func interfaceKeys() []string {
	return []string{"linknumber", "bindnetaddr", "mcastaddr", "broadcast", "mcastport", "ttl", "knet_link_priority",
		"knet_ping_interval", "knet_ping_timeout", "knet_ping_precision", "knet_pong_count", "knet_transport"}
}

// number reads a whole decimal as safe_atoq and str_to_ull of exec/coroparse.c do, and gives it back normalised.
func number(s, typ string) (string, bool) {
	digits := strings.TrimLeft(s, " \t\n\v\f\r") // strtoll skips isspace
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "-"), "+")
	if strings.HasPrefix(digits, "+") || strings.HasPrefix(digits, "-") {
		return "", false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return "", false
	}
	if typ == typeU64 {
		if negative {
			n = -n // strtoull negates
		}
		return strconv.FormatUint(n, 10), true
	}
	if n > math.MaxInt64 {
		return "", false
	}
	v := int64(n)
	if negative {
		v = -v
	}
	low, high := limits(typ)
	return strconv.FormatInt(v, 10), v >= low && v <= high
}

// limits is safe_atoq_range.
func limits(typ string) (low, high int64) {
	switch typ {
	case typeU8:
		return 0, math.MaxUint8
	case typeU16:
		return 0, math.MaxUint16
	case typeI32:
		return math.MinInt32, math.MaxInt32
	}
	return 0, math.MaxUint32
}

func rangeOf(typ string) string {
	if typ == typeU64 {
		return ""
	}
	low, high := limits(typ)
	return fmt.Sprintf(" from %d to %d", low, high)
}

func numberHint(value string) string {
	switch {
	case strings.Contains(value, "#"):
		return "a comment needs a line of its own"
	case value == "":
		return "remove the line to have the default"
	case strings.ContainsAny(value, `"'`):
		return "write the number without quotes"
	case slices.Contains([]string{"yes", "no", "on", "off", "true", "false"}, strings.ToLower(value)):
		return "use 0 or 1"
	}
	return "whole decimal numbers only; times are milliseconds without a unit"
}

func validKeyName(key string) bool {
	if len(key) < minKeyName || len(key) > maxKeyName {
		return false
	}
	for i := range len(key) {
		c := key[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-/:", c) >= 0
		if !ok {
			return false
		}
	}
	return true
}

func keyNameHint(key string) string {
	switch {
	case strings.HasPrefix(key, "\xef\xbb\xbf"):
		return "the file begins with a byte order mark: save it as UTF-8 without BOM"
	case strings.Contains(key, "\xc2\xa0"):
		return "there is a no-break space in the line: type it again"
	}
	return "names have 3 to 255 characters out of a-z, A-Z, 0-9 and ._-/:"
}

// dscpValue is get_dscp_value of exec/coroparse.c: a number in any C notation, or a name.
func dscpValue(s string) (int, bool) {
	if i := slices.Index([]string{"af11", "af12", "af13", "af21", "af22", "af23", "af31", "af32", "af33", "af41", "af42", "af43"}, s); i >= 0 {
		return (i/3+1)*8 + (i%3+1)*2, true
	}
	if s == "ef" {
		return 46, true
	}
	if len(s) == 3 && strings.HasPrefix(s, "cs") && s[2] >= '0' && s[2] <= '7' {
		return int(s[2]-'0') * 8, true
	}
	if strings.ContainsAny(s, "_bBoO") && !strings.HasPrefix(strings.ToLower(s), "0x") { // Go's own notations
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), 0, 8)
	return int(n), err == nil && n <= 63
}

// badWord says why Corosync refuses a string value while it still parses.
func badWord(path, value string, st state) (reason, hint string) {
	words := wordsOf(path)
	if words == nil || slices.Contains(words, value) || st != stateTotem && st != stateSystem {
		return "", ""
	}
	hint = "use one of " + listOf(words)
	if strings.Contains(value, "#") {
		hint = "a comment needs a line of its own"
	}
	return excerpt(value) + " is not a value that Corosync knows", hint
}

// wordsOf gives the values that a key may have, nil for anything. What libknet was built with is not known here: all that
// any libknet offers is taken.
func wordsOf(path string) []string {
	switch path {
	case "totem.ip_version":
		return []string{"ipv4", "ipv6", "ipv4-6", "ipv6-4"}
	case "totem.crypto_model":
		return []string{"nss", "openssl", "gcrypt"}
	case "totem.crypto_cipher":
		return []string{"none", "aes256", "aes192", "aes128"}
	case "totem.crypto_hash":
		return []string{"none", "md5", "sha1", "sha256", "sha384", "sha512"}
	case "totem.knet_compression_model":
		return []string{"zlib", "lz4", "lz4hc", "lzo2", "lzma", "bzip2", "zstd"}
	case "system.qb_ipc_type":
		return []string{"native", "shm", "socket"}
	case "system.sched_rr", "system.allow_knet_handle_fallback":
		return []string{"yes", "no"}
	case "system.move_to_root_cgroup":
		return []string{"yes", "no", "auto"}
	}
	return nil
}
