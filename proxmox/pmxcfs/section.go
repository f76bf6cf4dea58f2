package pmxcfs

import "strings"

// section is one block of Proxmox's section files (PVE::SectionConfig): resources.cfg, rules.cfg, groups.cfg.
//
//	vm: 100
//		state started
//		max_restart 2
type section struct {
	Kind string
	ID   string
	Keys map[string]string // a key without a value is "1"
}

// parseSections reads such a file. As in Proxmox, a line that begins with a blank belongs to the section before, "#" begins a
// comment line, and what makes no sense is left out.
func parseSections(text string) []section {
	var all []section
	open := false
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			open = false
		case strings.HasPrefix(line, "#"):
		case !indented:
			kind, id, ok := strings.Cut(line, ":")
			open = ok && kind != "" && !strings.ContainsAny(kind, " \t")
			if open {
				all = append(all, section{Kind: strings.ToLower(kind), ID: strings.TrimSpace(id), Keys: map[string]string{}})
			}
		case open:
			key, value, given := strings.Cut(line, " ")
			if tab := strings.IndexByte(key, '\t'); tab >= 0 {
				key, value, given = key[:tab], line[tab+1:], true
			}
			value = strings.TrimSpace(value)
			if !given {
				value = "1"
			}
			all[len(all)-1].Keys[key] = value
		}
	}
	return all
}
