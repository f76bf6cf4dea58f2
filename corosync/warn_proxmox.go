package corosync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// proxmoxWarnings says where Proxmox VE's own reader of corosync.conf (pve-cluster, PVE/Corosync.pm parse_conf and
// verify_conf) disagrees with Corosync about a file that Corosync takes: pvecm and the API then work on other values than
// the daemon, or not at all.
// sections are the interface{} sections by their number.
func proxmoxWarnings(c *Config, raw string, sections map[string]int) []Problem {
	w := &checker{Config: c}
	seen, reason := proxmoxRead(raw)
	if reason != "" {
		w.warnAt(0, "", "Proxmox VE's tools cannot read this file: "+reason, "pvecm and the cluster API fail until it is corrected")
		return w.problems
	}
	for _, key := range []string{"totem.cluster_name", "totem.config_version", "totem.ip_version", "totem.token_coefficient", "totem.link_mode", "totem.secauth"} {
		ours, written := c.Values[key]
		theirs := seen[key]
		if n, ok := number(theirs, ours.Type); ok && ours.Type != typeString {
			theirs = n
		}
		if written && theirs != ours.Text {
			w.add(key, fmt.Sprintf("Corosync reads %s, Proxmox VE's tools read %s", excerpt(ours.Text), excerpt(theirs)), "write one plain word, without a comment behind it")
		}
	}
	w.proxmoxLinks(sections)
	return w.problems
}

// proxmoxRead is a token reader like parse_conf: comments end lines anywhere, blanks separate, lines do not matter. It gives
// the keys of sections that are no lists.
func proxmoxRead(raw string) (seen map[string]string, reason string) {
	var tokens []string
	for line := range strings.Lines(raw) {
		line, _, _ = strings.Cut(line, "#")
		tokens = append(tokens, strings.Fields(line)...)
	}
	seen = map[string]string{}
	path, lists := []string{}, []string{"node", "interface"}
	opened := map[string]bool{}
	for i := 0; i < len(tokens); i++ {
		token := tokens[i]
		switch {
		case i+1 < len(tokens) && tokens[i+1] == "{":
			i++
			path = append(path, token)
			full := strings.Join(path, ".")
			if opened[full] && !slices.Contains(lists, token) && !slices.ContainsFunc(path, func(p string) bool { return slices.Contains(lists, p) }) {
				return nil, fmt.Sprintf("section %s appears twice", token)
			}
			opened[full] = true
		case token == "}":
			if len(path) == 0 {
				return nil, "unexpected '}'"
			}
			path = path[:len(path)-1]
		case !strings.HasSuffix(token, ":"):
			return nil, fmt.Sprintf("%s is not followed by ':' (a value with blanks, a key without a blank behind the colon, or a section without one before its brace)", excerpt(token))
		case i+1 == len(tokens):
			return nil, "no value for " + excerpt(token)
		default:
			i++
			seen[join(strings.Join(path, "."), strings.TrimSuffix(token, ":"))] = tokens[i]
		}
	}
	return seen, ""
}

// proxmoxLinks: once there is an interface{} section, pvecm wants one for every link of every node, and no other.
func (k *checker) proxmoxLinks(sections map[string]int) {
	if len(sections) == 0 {
		return
	}
	for _, l := range k.Links {
		if _, ok := sections[strconv.Itoa(l.Number)]; !ok {
			k.add("", fmt.Sprintf("link %d has no interface{} section with its linknumber, while there are others: Proxmox VE's tools refuse to change such a cluster", l.Number),
				fmt.Sprintf("add interface{} with `linknumber: %d` to totem{}", l.Number))
		}
	}
	for number, line := range sections {
		n, err := strconv.Atoi(number)
		if _, ok := k.Link(n); err == nil && !ok {
			k.warnAt(line, "totem.interface", fmt.Sprintf("interface{} for link %d, where no node has a ring%d_addr: Proxmox VE's tools refuse to change such a cluster", n, n),
				"remove the section or add the addresses")
		}
	}
}
