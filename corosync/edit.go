package corosync

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Edit sets one key of a corosync.conf, or takes it out.
type Edit struct {
	Key   string // as in Config.Values: "totem.token", "totem.interface.1.knet_ping_timeout", "nodelist.node.2.quorum_votes"
	Value string // "": the key is removed, so that Corosync's default holds
}

const versionKey = "totem.config_version"

// ErrDamaged is the answer to a file that holds NUL bytes: lines of such a file are not what they seem.
var ErrDamaged = errors.New("the file has NUL bytes: it is damaged or no corosync.conf")

// Rewrite makes the edits in the text of a corosync.conf and raises totem.config_version by one. Comments, order,
// indentation, line ends and unknown keys stay as they are. It returns the new text and what Corosync would make of it; a text that
// already says all that the edits ask for comes back as it is.
//
// The result is read again before it is handed out: Rewrite fails if Corosync would refuse it, or if anything but the keys of the edits
// and config_version had another value. The name is only for messages.
func Rewrite(name string, text []byte, edits []Edit) ([]byte, *Config, error) {
	before, err := Parse(name, bytes.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, nil, fmt.Errorf("%s: %w", name, ErrDamaged)
	}
	if before.has(edits) {
		return text, before, nil
	}
	version, err := before.nextVersion()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	out := slices.Clone(text)
	all := append(slices.Clone(edits), version)
	for _, e := range all {
		if out, err = apply(out, e); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	after, err := Parse(name, bytes.NewReader(out))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: after the edit: %w", name, err)
	}
	if err := onlyEdited(before.Values, after.Values, all); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, after, nil
}

// nextVersion raises config_version: pmxcfs and Corosync take a file for newer only then.
func (c *Config) nextVersion() (Edit, error) {
	if c.Version == math.MaxUint64 {
		return Edit{}, fmt.Errorf("%s: %d cannot be raised", versionKey, c.Version)
	}
	return Edit{versionKey, strconv.FormatUint(c.Version+1, 10)}, nil
}

// has says whether all keys have the values already.
func (c *Config) has(edits []Edit) bool {
	return !slices.ContainsFunc(edits, func(e Edit) bool { return !e.holds(c.Values) })
}

// holds says whether the parsed file says what the edit asks for.
func (e Edit) holds(values Map) bool {
	v, ok := values[e.Key]
	if !ok || e.Value == "" {
		return !ok && e.Value == ""
	}
	if v.Type == typeString {
		return v.Text == e.Value
	}
	text, ok := number(e.Value, v.Type)
	return ok && text == v.Text
}

// onlyEdited returns an error unless after is before with the edits, and nothing else.
func onlyEdited(before, after Map, edits []Edit) error {
	asked := map[string]bool{}
	for _, e := range edits {
		asked[e.Key] = true
		if !e.holds(after) {
			return fmt.Errorf("%s: does not become %s by an edit: is it written twice, or with a dotted name?", e.Key, excerpt(e.Value))
		}
	}
	for _, pair := range [...][2]Map{{before, after}, {after, before}} {
		for key, v := range pair[0] {
			if other, ok := pair[1][key]; !asked[key] && (!ok || other != v) {
				return fmt.Errorf("%s: an edit would change it too", key)
			}
		}
	}
	return nil
}
