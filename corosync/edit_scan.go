package corosync

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// textFile is a corosync.conf as lines, each with its end, and the sections in it.
type textFile struct {
	lines    [][]byte
	sections []*textSection // in the order in which they open; the first is the file itself
}

// textSection is one `name { ... }`.
type textSection struct {
	path        string
	open, close int    // lines; -1 and len(lines) for the file itself
	prefix      string // of its keys in cmap, without the last dot; "" if they get no place of their own there
	parent      *textSection
	keys        []textKey
}

// textKey is one `key: value`.
type textKey struct {
	line       int
	name       string
	value      string
	begin, end int // of the value in its line
}

// scan finds the sections and keys of a text that Parse accepts.
func scan(text []byte) *textFile {
	f := &textFile{lines: slices.Collect(bytes.Lines(text))}
	top := &textSection{open: -1, close: len(f.lines)}
	f.sections = []*textSection{top}
	nodes := 0
	for i, raw := range f.lines {
		line := trimRight(string(bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))), isBlank)
		switch text := trimLeft(line); {
		case text == "" || text[0] == '#':
		case strings.Contains(line, "{"):
			name, _, _ := strings.Cut(line, "{")
			top = &textSection{path: join(top.path, trimName(name)), open: i, close: -1, parent: top}
			f.sections = append(f.sections, top)
			if top.path == "nodelist" {
				nodes = 0
			}
		case strings.Contains(line, ":"):
			top.keys = append(top.keys, keyAt(i, line))
		default:
			top.close = i
			top.number(&nodes)
			top = top.parent
		}
	}
	return f
}

// keyAt takes a line apart as parser.keyValue does.
func keyAt(i int, line string) textKey {
	key, rest, _ := strings.Cut(line, ":")
	begin := len(key) + 1
	if rest != "" && isBlank(rest[0]) {
		key += ":"
	}
	value := trimLeft(rest)
	return textKey{line: i, name: trimName(key), value: value, begin: begin + len(rest) - len(value), end: begin + len(rest)}
}

// number gives a section that was closed its place in cmap.
func (s *textSection) number(nodes *int) {
	switch s.path {
	case "totem.interface":
		s.prefix = fmt.Sprintf("totem.interface.%d", s.link())
	case "nodelist.node":
		s.prefix = fmt.Sprintf("nodelist.node.%d", *nodes)
		*nodes++
	case "totem", "quorum", "quorum.device", "quorum.device.net", "system":
		s.prefix = s.path
	}
}

// link is the number of an interface{}: its last linknumber, else 0.
func (s *textSection) link() uint64 {
	n := uint64(0)
	for _, k := range s.keys {
		if k.name == "linknumber" {
			n, _ = strconv.ParseUint(strings.TrimLeft(k.value, "+"), 10, 8)
		}
	}
	return n
}
