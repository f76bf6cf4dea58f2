package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/viper"
)

// Load reads, merges and checks everything. Its error is one Problem or several, joined.
func Load(s Source) (Config, error) {
	path, named := s.path()
	data, err := readFile(path)
	if !named && errors.Is(err, os.ErrNotExist) {
		path, data, err = "", nil, nil
	}
	if err != nil {
		return Config{}, err
	}
	return s.parse(data, path)
}

// Parse reads a file that is already open, with nothing but defaults besides. Name is for messages.
func Parse(r io.Reader, name string) (Config, error) {
	data, err := readText(r, name)
	if err != nil {
		return Config{}, err
	}
	return Source{}.parse(data, name)
}

func (s Source) parse(data []byte, path string) (Config, error) {
	m := merged{viper: viper.New(), file: path, from: map[string]string{}}
	m.addDefaults()
	m.addFile(data)
	m.addVariables(s.variables())
	m.addFlags(s)
	m.check()
	var raw file
	if err := m.viper.UnmarshalExact(&raw); err != nil && len(m.problems) == 0 {
		m.problems = append(m.problems, &Problem{Place: path, Reason: err.Error()})
	}
	if len(m.problems) > 0 {
		// What does not lean on the values that are wrong is looked at all the same, to tell everything at once.
		m.buildSites(raw.Sites)
		m.buildWebhooks(raw.Alerts.Webhooks)
		return Config{}, several(m.problems)
	}
	c := m.build(raw)
	if len(m.problems) > 0 {
		return Config{}, several(m.problems)
	}
	c.File = path
	c.Settings = m.settings(raw)
	return c, nil
}

// several joins problems, but never floods a terminal with them.
func several(problems []error) error {
	const limit = 20
	if n := len(problems); n > limit {
		problems = append(problems[:limit:limit], fmt.Errorf("and %d more problems", n-limit))
	}
	if len(problems) == 1 {
		return problems[0]
	}
	return errors.Join(problems...)
}

// merged is everything that was said, by precedence, and who said it.
type merged struct {
	viper    *viper.Viper
	file     string
	lines    map[string]int    // of the file
	from     map[string]string // key: the flag or variable that overrides the file
	problems []error
}

func (m *merged) addDefaults() {
	for _, k := range keys() {
		switch {
		case k.isObjects():
			m.viper.SetDefault(k.path, []any{})
		case k.kind.list:
			m.viper.SetDefault(k.path, splitList(k.fallback))
		default:
			m.viper.SetDefault(k.path, k.fallback)
		}
	}
}

func (m *merged) addFile(data []byte) {
	t, problems := parseTree(data, m.file, reflect.TypeFor[file]())
	m.lines = t.lines
	m.problems = append(m.problems, problems...)
	if values, ok := t.root.(map[string]any); ok {
		m.merge(values)
	}
}

func (m *merged) merge(values map[string]any) {
	if err := m.viper.MergeConfigMap(values); err != nil {
		m.problems = append(m.problems, &Problem{Place: m.file, Reason: err.Error()})
	}
}

func (m *merged) addVariables(variables map[string]string) {
	known := []string{fileVariable}
	for _, k := range keys() {
		known = append(known, k.variable())
		text, ok := variables[k.variable()]
		if !ok {
			continue
		}
		m.from[k.path] = k.variable()
		if value := m.fromText(k, text); value != nil {
			m.merge(nest(k.path, value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		if !slices.Contains(known, name) {
			c := complain(didYouMeanVariable(name, known), "unknown variable")
			m.problems = append(m.problems, c.at("environment", clip(name)))
		}
	}
}

// didYouMeanVariable compares what follows the prefix, which all have.
func didYouMeanVariable(name string, known []string) string {
	short := make([]string, len(known))
	for i, k := range known {
		short[i] = strings.ToLower(strings.TrimPrefix(k, prefix))
	}
	hint := didYouMean(clip(strings.TrimPrefix(name, prefix)), short)
	if word, ok := strings.CutPrefix(hint, "did you mean "); ok {
		return "did you mean " + prefix + strings.ToUpper(strings.Trim(word, `"?`)) + "?"
	}
	return "'quorumwatch config example' lists all of them"
}

// fromText makes of a variable or flag what the file would have held.
func (m *merged) fromText(k key, text string) any {
	switch {
	case k.isObjects():
		want, err := typeOf(k.path)
		if err != nil {
			m.problems = append(m.problems, err)
			return nil
		}
		t, problems := parseTree([]byte(text), k.variable(), want)
		m.problems = append(m.problems, problems...)
		return t.root
	case k.kind.list:
		return splitList(text)
	default:
		return text
	}
}

// nest makes {a: {b: value}} of "a.b".
func nest(path string, value any) map[string]any {
	names := strings.Split(path, ".")
	out := map[string]any{names[len(names)-1]: value}
	for _, n := range slices.Backward(names[:len(names)-1]) {
		out = map[string]any{n: out}
	}
	return out
}

func (m *merged) addFlags(s Source) {
	if s.Flags == nil {
		return
	}
	for _, k := range keys() {
		if f := s.Flags.Lookup(k.flag()); f != nil && f.Changed && !k.isObjects() {
			m.from[k.path] = "--" + k.flag()
			m.viper.Set(k.path, m.fromText(k, f.Value.String()))
		}
	}
}

// check looks at every value but the lists of objects, whoever said it.
func (m *merged) check() {
	for _, k := range keys() {
		switch value := m.viper.Get(k.path).(type) {
		case string:
			if value == "" && k.fallback == "" {
				continue // not set
			}
			c := k.kind.check(value)
			if value == "" {
				c = complain("leave the key out for the default: "+k.fallback, "empty")
			}
			m.report(k.path, c)
		case []any:
			for i, e := range value {
				if text, ok := e.(string); ok {
					m.report(fmt.Sprintf("%s[%d]", k.path, i), k.kind.check(text))
				}
			}
		}
	}
}

// report places a complaint about a path, if there is one.
func (m *merged) report(path string, c *complaint) {
	if c != nil {
		place, name := m.placeOf(path)
		m.problems = append(m.problems, c.at(place, name))
	}
}

// placeOf tells who said the value at a path, in the words of an error.
func (m *merged) placeOf(path string) (place, name string) {
	root, rest, _ := strings.Cut(path, "[")
	if rest != "" {
		rest = "[" + rest
	}
	from, overridden := m.from[root]
	switch {
	case overridden && strings.HasPrefix(from, "--"):
		return "command line", from + rest
	case overridden:
		return "environment", from + rest
	}
	return m.placeInFile(path), path
}

// placeInFile is the line of the path, else of what it is in.
func (m *merged) placeInFile(path string) string {
	for at := path; at != ""; {
		if line, ok := m.lines[at]; ok {
			return m.file + ":" + strconv.Itoa(line)
		}
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	return m.file
}
