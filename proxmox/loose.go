package proxmox

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Perl has no types, so Proxmox's JSON has few: a number that came from a text file is a string, a false comparison is "", and
// which it is differs from call to call. The types here take all of that; what makes no sense is unknown, and never costs the rest of
// an answer.

// Int is an integer of Proxmox's JSON: 3, "3" or 3.0.
type Int struct {
	N     int64
	Known bool
}

// UnmarshalJSON never fails.
func (i *Int) UnmarshalJSON(data []byte) error {
	*i = Int{}
	text := unquoted(data)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*i = Int{n, true}
	} else if f, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(f) < 1<<53 {
		*i = Int{int64(f), true}
	}
	return nil
}

// Time reads the number as seconds since 1970; zero if unknown.
func (i Int) Time() time.Time {
	const latest = 1 << 40 // beyond it, time.Time's own arithmetic gets strange
	if !i.Known || i.N <= 0 || i.N > latest {
		return time.Time{}
	}
	return time.Unix(i.N, 0)
}

// Uint is the number, 0 if it is unknown or negative.
func (i Int) Uint() uint64 { return uint64(max(i.N, 0)) }

// Bool is a truth value of Proxmox's JSON: 1, "1", true; 0, "0", "", false. Absent or null is Unknown.
type Bool struct{ Tri }

// UnmarshalJSON never fails.
func (b *Bool) UnmarshalJSON(data []byte) error {
	b.Tri = Unknown
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	switch unquoted(data) {
	case "1", "true":
		b.Tri = Yes
	case "0", "false", "":
		b.Tri = No
	}
	return nil
}

// Text is a string of Proxmox's JSON, which may be written as a number.
type Text string

// UnmarshalJSON never fails.
func (t *Text) UnmarshalJSON(data []byte) error {
	*t = Text(unquoted(data))
	return nil
}

// unquoted is what a JSON scalar says, without quotes; "" for null. For objects and lists it is no text at all that the types
// above take.
func unquoted(data []byte) string {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return ""
	}
	switch data[0] {
	case '"':
		if inner := bytes.Trim(data, `"`); len(inner) == len(data)-2 && bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
			return string(inner)
		}
		var s string
		if json.Unmarshal(data, &s) != nil {
			return "\x00"
		}
		return s
	case '{', '[':
		return "\x00"
	}
	return string(data)
}
