package corosync

import (
	"fmt"
	"strings"
)

// ParseMap reads what corosync-cmapctl prints for `corosync-cmapctl [-m map] [prefix...]` and `-g key...`. The form has
// been the same since 2.0 (tools/corosync-cmapctl.c print_key):
//
//	runtime.config.totem.token (u32) = 3650
//	nodelist.node.0.name (str) = pve1
//	some.binary.key (bin)
//
// It returns every line that has this form. The error names the first line that has not; the Map is good all the same.
func ParseMap(out []byte) (Map, error) {
	m := Map{}
	var err error
	n := 0
	for line := range strings.Lines(string(out)) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		key, value, ok := parseEntry(line)
		if !ok {
			if err == nil {
				err = fmt.Errorf("corosync-cmapctl: line %d: no cmap entry: %s", n, excerpt(line))
			}
			continue
		}
		m[key] = value
	}
	return m, err
}

// parseEntry splits "key (type) = value".
func parseEntry(line string) (string, Value, bool) {
	key, rest, ok := strings.Cut(line, " (")
	if !ok || key == "" || strings.ContainsAny(key, " \t") {
		return "", Value{}, false
	}
	typ, text, ok := strings.Cut(rest, ")")
	if !ok || typ == "" || strings.ContainsAny(typ, " (") {
		return "", Value{}, false
	}
	if text == "" { // binary values without -b; an empty string prints "= "
		return key, Value{Type: typ}, true
	}
	text, ok = strings.CutPrefix(text, " = ")
	if !ok {
		return "", Value{}, false
	}
	return key, Value{Type: typ, Text: text}, true
}

// Change is one line of `corosync-cmapctl -t` or `-T`: a key that came, went or got another value.
type Change struct {
	Op    ChangeOp
	Key   string
	Value Value // of a deleted key: the value that it had
}

// ChangeOp is what happened to a key.
type ChangeOp string

// The operations, as corosync-cmapctl names them (tools/corosync-cmapctl.c cmap_notify_fn).
const (
	ChangeCreate ChangeOp = "create"
	ChangeModify ChangeOp = "modify"
	ChangeDelete ChangeOp = "delete"
)

// ParseChange reads one line of a tracking corosync-cmapctl:
//
//	modify> runtime.members.3.status (str) = left
//
// Other lines (the greeting `Type "q" to finish`) give false.
func ParseChange(line string) (Change, bool) {
	op, rest, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "> ")
	if !ok {
		return Change{}, false
	}
	switch o := ChangeOp(op); o {
	case ChangeCreate, ChangeModify, ChangeDelete:
		key, value, ok := parseEntry(rest)
		return Change{Op: o, Key: key, Value: value}, ok
	default:
		return Change{}, false
	}
}

// Apply makes the change in m.
func (c Change) Apply(m Map) {
	if c.Op == ChangeDelete {
		delete(m, c.Key)
		return
	}
	m[c.Key] = c.Value
}
