package corosync

import (
	"strconv"
	"strings"
)

// Map is a cmap: keys and typed values, as corosync-cmapctl prints them.
type Map map[string]Value

// Value is one cmap value with its type.
type Value struct {
	Type string // u8, u16, u32, u64, i8..i64, flt, dbl, str, any (binary)
	Text string // as corosync-cmapctl prints it
}

// The cmap types that corosync.conf can produce.
const (
	typeU8     = "u8"
	typeU16    = "u16"
	typeU32    = "u32"
	typeU64    = "u64"
	typeI32    = "i32"
	typeString = "str"
)

// str returns the text of a string key. Like icmap_get_string it does not see values of another type.
func (m Map) str(key string) (string, bool) {
	v, ok := m[key]
	if !ok || v.Type != typeString {
		return "", false
	}
	return v.Text, true
}

// unsigned returns the number of a key that has exactly the given type, as icmap_get_uint32 and its siblings do.
func (m Map) unsigned(key, typ string) (uint64, bool) {
	v, ok := m[key]
	if !ok || v.Type != typ {
		return 0, false
	}
	n, err := strconv.ParseUint(v.Text, 10, 64)
	return n, err == nil
}

func (m Map) u32(key string) (uint32, bool) {
	n, ok := m.unsigned(key, typeU32)
	return uint32(n), ok
}

// u32Or is u32 with the value of an absent key.
func (m Map) u32Or(key string, def uint32) uint32 {
	if n, ok := m.u32(key); ok {
		return n
	}
	return def
}

// flag reads a u8 that Corosync takes as a truth value.
func (m Map) flag(key string) bool {
	n, ok := m.unsigned(key, typeU8)
	return ok && n != 0
}

// nodeKey splits "nodelist.node.3.ring0_addr" into 3 and "ring0_addr", as Corosync's sscanf does.
func nodeKey(key string) (position int, name string, ok bool) {
	rest, ok := strings.CutPrefix(key, "nodelist.node.")
	if !ok {
		return 0, "", false
	}
	digits, name, ok := strings.Cut(rest, ".")
	if !ok || name == "" {
		return 0, "", false
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	return int(n), name, err == nil
}

// ringNumber reads the link number out of "ring0_addr".
func ringNumber(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, "ring")
	if !ok {
		return 0, false
	}
	digits, ok := strings.CutSuffix(rest, "_addr")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	return int(n), err == nil
}
