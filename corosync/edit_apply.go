package corosync

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// apply makes one edit.
func apply(text []byte, e Edit) ([]byte, error) {
	prefix, name := splitPath(e.Key)
	f := scan(text)
	switch {
	case e.Value == "":
		f.remove(prefix, name)
	case f.replace(prefix, name, e.Value):
	default:
		s, err := f.section(prefix)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Key, err)
		}
		f.insert(s, name, e.Value)
	}
	return bytes.Join(f.lines, nil), nil
}

// replace puts a value in place of each old one of a key; false if there is none.
func (f *textFile) replace(prefix, name, value string) (found bool) {
	f.each(prefix, name, func(k textKey) {
		found = true
		old := f.lines[k.line]
		blank := ""
		if old[k.begin-1] == ':' && k.begin == k.end { // the value was empty
			blank = " "
		}
		f.lines[k.line] = slices.Concat(old[:k.begin], []byte(blank+value), old[k.end:])
	})
	return found
}

func (f *textFile) remove(prefix, name string) {
	f.each(prefix, name, func(k textKey) { f.lines[k.line] = nil })
}

func (f *textFile) each(prefix, name string, do func(textKey)) {
	for _, s := range f.sections {
		if s.prefix != prefix || prefix == "" {
			continue
		}
		for _, k := range s.keys {
			if k.name == name {
				do(k)
			}
		}
	}
}

// section finds the last section of a prefix, and makes one if there is none.
func (f *textFile) section(prefix string) (*textSection, error) {
	for _, s := range slices.Backward(f.sections) {
		if s.prefix == prefix {
			return s, nil
		}
	}
	outer, name, inner := "", prefix, ""
	switch link, isLink := strings.CutPrefix(prefix, "totem.interface."); {
	case isLink && slices.Contains([]string{"0", "1", "2", "3", "4", "5", "6", "7"}, link):
		outer, name, inner = "totem", "interface", link
	case prefix == "quorum.device" || prefix == "quorum.device.net":
		outer, name = splitPath(prefix)
	case prefix != "totem" && prefix != "quorum":
		return nil, fmt.Errorf("no section %s", prefix)
	}
	parent := f.sections[0]
	if outer != "" {
		var err error
		if parent, err = f.section(outer); err != nil {
			return nil, err
		}
	}
	f.open(parent, name, inner)
	return f.section(prefix)
}

// open writes a new section at the end of another one, for a link with its number.
func (f *textFile) open(parent *textSection, name, link string) {
	indent, end := f.indentIn(parent), f.lineEnd()
	text := []string{indent + name + " {" + end}
	if link != "" {
		text = append(text, indent+f.unit()+"linknumber: "+link+end)
	}
	text = append(text, indent+"}"+end)
	if n := len(f.lines); parent.open < 0 && n > 0 {
		if last := f.lines[n-1]; !bytes.HasSuffix(last, []byte("\n")) {
			f.lines[n-1] = append(slices.Clone(last), end...)
		}
		text = append([]string{end}, text...)
	}
	f.insertLines(parent.close, text...)
}

// insert writes a key of a section: in its place among sorted keys, else behind the last one.
func (f *textFile) insert(s *textSection, name, value string) {
	at := s.open + 1
	for _, k := range s.keys {
		if k.name < name || !s.sorted() {
			at = k.line + 1
		}
	}
	f.insertLines(at, f.indentIn(s)+name+": "+value+f.lineEnd())
}

func (s *textSection) sorted() bool {
	return slices.IsSortedFunc(s.keys, func(a, b textKey) int { return strings.Compare(a.name, b.name) })
}

// insertLines puts lines in before line at, and finds the sections anew.
func (f *textFile) insertLines(at int, text ...string) {
	var more [][]byte
	for _, t := range text {
		more = append(more, []byte(t))
	}
	*f = *scan(bytes.Join(slices.Insert(f.lines, at, more...), nil))
}

// indentIn is how lines directly inside a section are indented.
func (f *textFile) indentIn(s *textSection) string {
	if len(s.keys) > 0 {
		return indentOf(f.lines[s.keys[0].line])
	}
	if s.open < 0 {
		return ""
	}
	return indentOf(f.lines[s.open]) + f.unit()
}

// unit is what one level of indentation is in this file: as in its first indented key; two blanks if there is none.
func (f *textFile) unit() string {
	for _, s := range f.sections[1:] {
		if s.parent.open < 0 && len(s.keys) > 0 {
			if indent := indentOf(f.lines[s.keys[0].line]); indent != "" {
				return indent
			}
		}
	}
	return "  "
}

func indentOf(line []byte) string {
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// lineEnd is how the file ends its lines.
func (f *textFile) lineEnd() string {
	if len(f.lines) > 0 && bytes.HasSuffix(f.lines[0], []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}
