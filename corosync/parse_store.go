package corosync

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// state is the parser's place in the file: enum main_cp_cb_data_state of exec/coroparse.c. A section that Corosync does not
// know keeps the state of the section around it.
type state int

const (
	stateNormal state = iota
	stateTotem
	stateInterface
	stateMember
	stateNodelist
	stateNode
	stateQuorum
	stateDevice
	stateSystem
	stateLogger
	stateDaemonLog
	stateUIDGID
	stateResources
	stateResourcesPart
)

// stateOf gives the state that a section's path leads into.
func stateOf(path string, outer state) state {
	switch path {
	case "totem":
		return stateTotem
	case "totem.interface":
		return stateInterface
	case "totem.interface.member":
		return stateMember
	case "nodelist":
		return stateNodelist
	case "nodelist.node":
		return stateNode
	case "quorum":
		return stateQuorum
	case "quorum.device":
		return stateDevice
	case "system":
		return stateSystem
	case "logging.logger_subsys":
		return stateLogger
	case "logging.logging_daemon":
		return stateDaemonLog
	case "uidgid":
		return stateUIDGID
	case "resources":
		return stateResources
	case "resources.system", "resources.system.memory_used", "resources.process", "resources.process.memory_used":
		return stateResourcesPart
	}
	return outer
}

// writtenKey is one `key: value` line as the file has it.
type writtenKey struct {
	section, key string
	line         int
}

// pending is a key that is stored when its section ends.
type pending struct {
	key, typ, text string
	line           int
}

// parser is main_config_parser_cb of exec/coroparse.c with its struct main_cp_cb_data.
type parser struct {
	file     string
	line     int
	values   Map
	lines    map[string]int
	written  []writtenKey
	warnings []Problem
	nested   []Problem // sections where none belong: a warning, or the cause of an error

	node      int // position of the next node{}
	nodelists int // how many nodelist{} were opened
	link      uint64
	numbered  string             // linknumber, else ringnumber of the open interface{}, as written
	sections  map[string]int     // by that number: the line where its interface{} ends
	iface     map[string]pending // keys of the open interface{}, by cmap name
	members   []pending
	subsys    *string
	daemon    *string
	logKeys   []pending
}

func newParser(file string) *parser {
	return &parser{file: file, values: Map{}, lines: map[string]int{}, iface: map[string]pending{}, sections: map[string]int{}}
}

func (p *parser) fail(key, reason, hint string) *Problem {
	return &Problem{File: p.file, Line: p.line, Key: key, Reason: reason, Hint: hint}
}

func (p *parser) warn(key, reason, hint string) { p.warnAt(p.line, key, reason, hint) }

func (p *parser) warnAt(line int, key, reason, hint string) {
	if len(p.warnings) <= mostWarnings {
		p.warnings = append(p.warnings, Problem{File: p.file, Line: line, Key: key, Reason: reason, Hint: hint})
	}
}

// sectionStart is PARSER_CB_SECTION_START.
func (p *parser) sectionStart(path string, outer state) (state, *Problem) {
	st := stateOf(path, outer)
	switch path {
	case "totem.interface":
		p.link, p.numbered, p.members = 0, "", nil
	case "logging.logger_subsys", "logging.logging_daemon":
		p.subsys, p.daemon, p.logKeys = nil, nil, nil
	case "nodelist":
		p.node = 0
		p.nodelists++
		if p.nodelists > 1 {
			p.warn(path, "a second nodelist{}: Corosync starts counting its nodes at 0 again, so they overwrite those of the first, key by key",
				"keep all nodes in one nodelist{}")
		}
	}
	if st == outer && (st == stateNode || st == stateLogger || st == stateDaemonLog) {
		p.nested = append(p.nested, *p.fail(path, "a section inside of another one: Corosync before 3.1.10 takes its end for the end of the outer one",
			"is a closing brace missing above? Corosync itself reads no sections here"))
	}
	if st == stateUIDGID && path != "uidgid" || st == stateMember && path != "totem.interface.member" {
		return st, p.fail(path, "no sections are allowed here", "")
	}
	return st, nil
}

// item is PARSER_CB_ITEM: it stores one key.
func (p *parser) item(path, value string, st state) *Problem {
	switch st {
	case stateInterface:
		return p.interfaceItem(path, value)
	case stateMember:
		if path != "totem.interface.member.memberaddr" {
			return p.fail(path, "only memberaddr is allowed in a member section", "")
		}
		p.members = append(p.members, pending{path, typeString, value, p.line})
		return nil
	case stateNode:
		rest, _ := strings.CutPrefix(path, "nodelist.node.")
		return p.store(path, fmt.Sprintf("nodelist.node.%d.%s", p.node, rest), typeOf(path), value)
	case stateLogger:
		return p.loggerItem(path, value, "logging.logger_subsys.")
	case stateDaemonLog:
		return p.loggerItem(path, value, "logging.logging_daemon.")
	case stateUIDGID:
		return p.uidgidItem(path, value)
	}
	typ := typeString
	if typedIn(st, path) {
		typ = typeOf(path)
	}
	if reason, hint := badWord(path, value, st); reason != "" {
		return p.fail(path, reason, hint)
	}
	if path == "totem.ip_dscp" && st == stateTotem {
		return p.dscp(path, value)
	}
	return p.store(path, path, typ, value)
}

// typedIn says whether Corosync looks at a key of this state at all: a dotted key written elsewhere is only a string.
func typedIn(st state, path string) bool {
	section, key := splitPath(path)
	switch st {
	case stateTotem:
		return section == "totem"
	case stateQuorum:
		return section == "quorum"
	case stateDevice:
		return section == "quorum.device"
	case stateResources:
		return key == "watchdog_timeout"
	case stateResourcesPart:
		return key == "poll_period"
	}
	return false
}

// store converts a value to its type and sets it, as icmap_set_*_r do.
func (p *parser) store(path, key, typ, value string) *Problem {
	text := value
	if typ != typeString {
		var ok bool
		if text, ok = number(value, typ); !ok {
			return p.fail(path, fmt.Sprintf("%s is not an integer%s", excerpt(value), rangeOf(typ)), numberHint(value))
		}
	}
	return p.set(path, pending{key, typ, text, p.line})
}

func (p *parser) set(path string, v pending) *Problem {
	if len(v.key) > maxKeyName-1 { // snprintf into char[ICMAP_KEYNAME_MAXLEN]
		v.key = v.key[:maxKeyName-1]
	}
	if _, exists := p.values[v.key]; !exists && !validKeyName(v.key) {
		return p.fail(path, "Corosync cannot store a key of the name "+excerpt(v.key), keyNameHint(v.key))
	}
	if other, exists := p.lines[v.key]; exists && (p.nodelists < 2 || !strings.HasPrefix(v.key, "nodelist.")) {
		low, high := min(v.line, other), max(v.line, other)
		p.warnAt(high, path, fmt.Sprintf("set on line %d and on line %d: Corosync takes the one on line %d", low, high, v.line), "remove one of the two")
	}
	p.values[v.key] = Value{Type: v.typ, Text: v.text}
	p.lines[v.key] = v.line
	return nil
}

// dscp stores totem.ip_dscp as Corosync 3.1.10 does; older ones keep any string and ignore it.
func (p *parser) dscp(path, value string) *Problem {
	n, ok := dscpValue(value)
	if !ok {
		p.warn(path, excerpt(value)+" is neither a number from 0 to 63 nor a DSCP name: Corosync 3.1.10 and later refuse it", "use a number, csN, afNN or ef")
		return p.store(path, path, typeString, value)
	}
	return p.store(path, path, typeU8, strconv.Itoa(n))
}

// interfaceItem keeps a key until the link number is known.
func (p *parser) interfaceItem(path, value string) *Problem {
	section, key := splitPath(path)
	if path == "totem.interface.ringnumber" && p.numbered == "" {
		p.numbered = value
	}
	if section != "totem.interface" || !slices.Contains(interfaceKeys(), key) {
		return p.store(path, path, typeString, value) // no link can be read from such a key
	}
	v := pending{key, typeOf(path), value, p.line}
	if v.typ != typeString {
		text, ok := number(value, v.typ)
		if !ok {
			return p.fail(path, fmt.Sprintf("%s is not an integer%s", excerpt(value), rangeOf(v.typ)), numberHint(value))
		}
		v.text = text
	}
	if key == "linknumber" {
		p.link, _ = strconv.ParseUint(v.text, 10, 8)
		p.numbered = v.text
		return nil
	}
	if first, twice := p.iface[key]; twice {
		p.warn(path, fmt.Sprintf("set on line %d and on line %d: Corosync takes the one on line %d", first.line, p.line, p.line), "remove one of the two")
	}
	p.iface[key] = v
	return nil
}

// uidgidItem stores who may talk to Corosync. Names are looked up by Corosync when it starts; here they are taken as they
// are.
func (p *parser) uidgidItem(path, value string) *Problem {
	section, kind := splitPath(path)
	if section != "uidgid" || kind != "uid" && kind != "gid" {
		return p.fail(path, "only uid and gid are allowed in uidgid{}", "")
	}
	id, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return nil
	}
	return p.set(path, pending{fmt.Sprintf("uidgid.config.%s.%d", kind, id), typeU8, "1", p.line})
}

func (p *parser) loggerItem(path, value, prefix string) *Problem {
	switch rest := strings.TrimPrefix(path, prefix); {
	case rest == "subsys":
		p.subsys = &value
	case rest == "name" && prefix == "logging.logging_daemon.":
		p.daemon = &value
	default:
		p.logKeys = append(p.logKeys, pending{rest, typeString, value, p.line})
	}
	return nil
}
