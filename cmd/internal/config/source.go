package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// Source is where a configuration comes from, besides the file. Loading from the same Source again is a reload.
type Source struct {
	Flags   *pflag.FlagSet // as RegisterFlags made it, parsed; nil: none
	Environ []string       // as os.Environ gives it
}

// The flag and the variable that name the file.
const (
	fileFlag     = "config"
	fileVariable = prefix + "CONFIG"
	prefix       = "QUORUMWATCH_"
)

// maxBytes bounds the file: a thousand times what a large one has.
const maxBytes = 1 << 20

// path returns the file to read, and whether somebody named it.
func (s Source) path() (path string, named bool) {
	if s.Flags != nil {
		if f := s.Flags.Lookup(fileFlag); f != nil && f.Changed {
			return f.Value.String(), true
		}
	}
	if p := s.variables()[fileVariable]; p != "" {
		return p, true
	}
	return DefaultPath, false
}

// variables are this program's own environment variables that say something.
func (s Source) variables() map[string]string {
	out := map[string]string{}
	for _, e := range s.Environ {
		if name, value, ok := strings.Cut(e, "="); ok && strings.HasPrefix(name, prefix) && value != "" {
			out[name] = value
		}
	}
	return out
}

// readFile returns the text of a configuration file, or a Problem that says why it cannot be one.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fileProblem(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, &Problem{Place: path, Reason: "not a regular file"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileProblem(path, err)
	}
	defer f.Close()
	data, err := readText(f, path)
	if err != nil {
		return nil, err
	}
	return data, nil
}

// readText reads at most maxBytes of UTF-8 text.
func readText(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fileProblem(name, err)
	}
	if len(data) > maxBytes {
		return nil, &Problem{Place: name, Reason: fmt.Sprintf("larger than %d KiB: this is no configuration", maxBytes>>10)}
	}
	if bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data) {
		return nil, &Problem{Place: name, Reason: "not text: this is no configuration"}
	}
	return data, nil
}

func fileProblem(path string, err error) *Problem {
	p := &Problem{Place: path, Reason: err.Error(), Err: err}
	if e, ok := err.(*os.PathError); ok {
		p.Reason = e.Err.Error()
	}
	switch {
	case os.IsNotExist(err):
		p.Hint = "without --config and " + fileVariable + " the defaults do; 'quorumwatch config example' prints a file to start from"
	case os.IsPermission(err):
		p.Hint = "run as root, or let this user read it"
	}
	return p
}

// RegisterFlags adds --config and a flag for every key but the lists of objects.
func RegisterFlags(fs *pflag.FlagSet) {
	fs.Var(&flagValue{kind: path()}, fileFlag, "configuration `file`; "+DefaultPath+" if it is there")
	for _, k := range keys() {
		if !k.isObjects() {
			fs.Var(&flagValue{text: k.fallback, kind: k.kind}, k.flag(), lowerFirst(k.doc[0]))
		}
	}
}

// flagValue holds a flag as text that passed the check of its kind.
type flagValue struct {
	text string
	kind kind
}

// String is the text, for pflag.
func (v *flagValue) String() string { return v.text }

// Type names the kind of value in the help, for pflag.
func (v *flagValue) Type() string { return v.kind.name }

// Set checks and keeps the text, for pflag.
func (v *flagValue) Set(s string) error {
	if c := v.kind.checkText(s); c != nil {
		return c
	}
	v.text = s
	return nil
}

// checkText checks one line of text: one value, or a list with commas.
func (k kind) checkText(s string) *complaint {
	if !k.list {
		return k.check(s)
	}
	for _, e := range splitList(s) {
		if c := k.check(e.(string)); c != nil {
			return c
		}
	}
	return nil
}

func (k key) isObjects() bool { return k.sample != nil }

func (k key) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(k.path) }

func (k key) variable() string { return prefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_")) }

func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s // an abbreviation
	}
	return strings.ToLower(s[:1]) + s[1:]
}
