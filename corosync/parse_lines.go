package corosync

import (
	"bytes"
	"strings"
)

const (
	lineBuffer = 512 // char line[512] of exec/coroparse.c parse_section
	maxKeyName = 255 // ICMAP_KEYNAME_MAXLEN
	minKeyName = 3   // ICMAP_KEYNAME_MINLEN
)

// lineReader hands out lines as fgets with a 512 byte buffer does.
type lineReader struct {
	rest []byte
	no   int
}

// next returns a line without its newline. ok is false at the end; tooLong says that the newline did not fit.
func (l *lineReader) next() (line string, tooLong, ok bool) {
	if len(l.rest) == 0 {
		return "", false, false
	}
	l.no++
	chunk := l.rest[:min(len(l.rest), lineBuffer-1)]
	if i := bytes.IndexByte(chunk, '\n'); i >= 0 {
		chunk = chunk[:i+1]
	}
	l.rest = l.rest[len(chunk):]
	newline := chunk[len(chunk)-1] == '\n'
	atEOF := len(l.rest) == 0 && !newline && len(chunk) < lineBuffer-1 // feof only knows after it wanted more
	if i := bytes.IndexByte(chunk, 0); i >= 0 {                        // to C a string ends here
		chunk = chunk[:i]
	}
	if len(chunk) == 0 {
		return "", false, true
	}
	text, complete := bytes.CutSuffix(chunk, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\r"))
	return string(text), !complete && !atEOF, true
}

// openedSection is a section that waits for its closing brace.
type openedSection struct {
	path string
	st   state
	line int
}

// readSections is parse_section of exec/coroparse.c: it feeds every section and key to the parser and returns the first
// error.
func (p *parser) readSections(raw []byte) *Problem {
	stack := []openedSection{{}}
	in := &lineReader{rest: raw}
	for {
		line, tooLong, ok := in.next()
		if !ok {
			break
		}
		p.line = in.no
		if tooLong {
			return p.fail(stack[len(stack)-1].path, "line too long", "Corosync reads lines of at most 510 characters, comments too")
		}
		line = trimRight(line, isBlank)
		if text := trimLeft(line); text == "" || text[0] == '#' {
			continue
		}
		p.noteOddBlanks(line)
		var problem *Problem
		if stack, problem = p.readLine(line, stack); problem != nil {
			return problem
		}
	}
	if len(stack) > 1 {
		top := stack[len(stack)-1]
		p.line = top.line
		return p.fail(top.path, "missing closing brace", "the section that this line opens is never closed")
	}
	return nil
}

// readLine takes one line that is neither empty nor a comment, and returns the sections that are open after it.
func (p *parser) readLine(line string, stack []openedSection) ([]openedSection, *Problem) {
	top := stack[len(stack)-1]
	switch {
	case strings.Contains(line, "{"):
		path, problem := p.openSection(top.path, line)
		if problem != nil {
			return stack, problem
		}
		st, problem := p.sectionStart(path, top.st)
		return append(stack, openedSection{path, st, p.line}), problem
	case strings.Contains(line, ":"):
		return stack, p.keyValue(top.path, top.st, line)
	case strings.Contains(line, "}"):
		if problem := p.closing(line, len(stack)); problem != nil {
			return stack, problem
		}
		return stack[:len(stack)-1], p.sectionEnd(top.path, top.st)
	}
	return stack, p.fail(top.path, excerpt(line)+" is not a section, a key with a value or a closing brace", "write `key: value`, one on a line")
}

// openSection reads `name {`.
func (p *parser) openSection(parent, line string) (path string, problem *Problem) {
	name, after, _ := strings.Cut(line, "{")
	name = trimName(name)
	switch {
	case name == "":
		return "", p.fail(parent, "missing section name before '{'", "Corosync wants the brace on the line of the section's name")
	case trimBlanks(after) != "":
		return "", p.fail(parent, "extra characters after '{'", "sections on one line are not allowed, and no value can hold a '{'")
	case len(parent)+len(name)+1 >= maxKeyName:
		return "", p.fail(parent, "section name makes the path too long", "")
	}
	return join(parent, name), nil
}

// keyValue reads `key: value`.
func (p *parser) keyValue(path string, st state, line string) *Problem {
	key, value, _ := strings.Cut(line, ":")
	if value != "" && isBlank(value[0]) { // the C string of the key ends before the value, not before the colon
		key += ":"
	}
	key, value = trimName(key), trimBlanks(value)
	if len(path)+len(key)+1 >= maxKeyName {
		return p.fail(path, "key makes the path too long", "")
	}
	full := join(path, key)
	if key == "" {
		full = path + "." // what Corosync before 3.1.10 makes of it
		p.warn(path, "empty key: Corosync 3.1.10 and later refuse it", "remove the line or write the key before the colon")
	}
	p.noteOddValue(full, value)
	p.written = append(p.written, writtenKey{section: path, key: key, line: p.line})
	return p.item(full, value, st)
}

// closing reads `}`.
func (p *parser) closing(line string, depth int) *Problem {
	if trimBlanks(line) != "}" {
		return p.fail("", "extra characters before or after '}'", "put the closing brace on a line of its own")
	}
	if depth == 1 {
		return p.fail("", "unexpected closing brace", "no section is open here: a '{' is missing above, or this '}' is too many")
	}
	return nil
}

// isBlank: the byte 0xA0 counts since Corosync 3.1.8. A no-break space in UTF-8 is C2 A0 and does not go away.
func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == 0xA0 }

func trimLeft(s string) string {
	for s != "" && isBlank(s[0]) {
		s = s[1:]
	}
	return s
}

func trimRight(s string, drop func(byte) bool) string {
	for s != "" && drop(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func trimBlanks(s string) string { return trimRight(trimLeft(s), isBlank) }

// trimName is remove_whitespace with remove_colon_and_brace: blanks on both sides, colons and braces at the end. Like it,
// it never takes the first character.
func trimName(s string) string {
	s = trimLeft(s)
	if s == "" {
		return s
	}
	return s[:1] + trimRight(s[1:], func(b byte) bool { return isBlank(b) || b == ':' || b == '{' })
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
