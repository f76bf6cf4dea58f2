package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// tree is what a YAML text holds, as viper wants it, with the line of each key. Scalars stay text.
type tree struct {
	root  any            // map[string]any or []any, after the type it had to fit; nil: nothing said
	lines map[string]int // by path: "probe.interval", "sites[0].name"
}

// parseTree reads YAML that has to fit a type of the raw structs. Every misfit is a Problem; the tree then lacks it.
func parseTree(data []byte, name string, want reflect.Type) (tree, []error) {
	t := tree{lines: map[string]int{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return t, []error{yamlProblem(name, err)}
	}
	if len(doc.Content) == 0 {
		return t, nil // empty, or comments only
	}
	w := walker{name: name, lines: t.lines}
	t.root = w.walk(doc.Content[0], want, "")
	return t, w.problems
}

// yamlLine takes yaml.v3's "yaml: line 3: reason" apart.
var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func yamlProblem(name string, err error) *Problem {
	p := &Problem{Place: name, Reason: "not YAML: " + err.Error(), Hint: "'quorumwatch config example' prints a file to start from"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if m[1] != "" {
			p.Place += ":" + m[1]
		}
		p.Reason = "not YAML: " + m[2]
	}
	return p
}

// walker fits nodes to types and collects what does not fit.
type walker struct {
	name     string
	lines    map[string]int
	problems []error
}

func (w *walker) complain(n *yaml.Node, path string, c *complaint) any {
	w.problems = append(w.problems, c.at(w.name+":"+strconv.Itoa(n.Line), path))
	return nil
}

// walk returns what the node holds: nil (nothing, or a problem), string, []any or map[string]any.
func (w *walker) walk(n *yaml.Node, want reflect.Type, path string) any {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return w.complain(n, path, complain("write the value out", "anchors and aliases are not supported"))
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // "probe:" with nothing below it says nothing
	}
	switch want.Kind() {
	case reflect.Struct:
		return w.mapping(n, want, path)
	case reflect.Slice:
		return w.sequence(n, want, path)
	default:
		return w.scalar(n, path)
	}
}

func (w *walker) mapping(n *yaml.Node, want reflect.Type, path string) any {
	if n.Kind != yaml.MappingNode {
		return w.complain(n, path, complain("", "a mapping of keys is expected here, not %s", describe(n)))
	}
	fields := fieldsOf(want)
	out := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		at := join(path, k.Value)
		field, ok := fields[k.Value]
		if !ok {
			w.complain(k, clip(at), complain(hintFor(path, k.Value, fields), "unknown key"))
			continue
		}
		if first, ok := w.lines[at]; ok {
			w.complain(k, at, complain("", "given twice, first in line %d", first))
			continue
		}
		w.lines[at] = k.Line
		if value := w.walk(v, field, at); value != nil {
			out[k.Value] = value
		}
	}
	return out
}

func (w *walker) sequence(n *yaml.Node, want reflect.Type, path string) any {
	if n.Kind == yaml.ScalarNode && want.Elem().Kind() == reflect.String {
		return splitList(n.Value) // one value where a list may be: what a person means is plain
	}
	if n.Kind != yaml.SequenceNode {
		return w.complain(n, path, complain("write [a, b], or each on a line with a dash", "a list is expected here, not %s", describe(n)))
	}
	out := []any{}
	for i, e := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		w.lines[at] = e.Line
		switch value := w.walk(e, want.Elem(), at); {
		case value != nil:
			out = append(out, value)
		case e.Tag == "!!null":
			w.complain(e, at, complain("", "empty element"))
		}
	}
	return out
}

func (w *walker) scalar(n *yaml.Node, path string) any {
	if n.Kind != yaml.ScalarNode {
		return w.complain(n, path, complain("", "one value is expected here, not %s", describe(n)))
	}
	return n.Value
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(clip(n.Value))
	}
}

// clip keeps what a broken file throws at us from flooding a terminal.
func clip(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// hintFor looks for the key that was meant: among its siblings, else anywhere.
func hintFor(path, word string, siblings map[string]reflect.Type) string {
	word = clip(word)
	if group, name, dotted := strings.Cut(word, "."); dotted {
		return fmt.Sprintf("keys are nested: write %s: below %s:", name, group)
	}
	var elsewhere []string
	for _, k := range keys() {
		if strings.HasSuffix("."+k.path, "."+word) {
			elsewhere = append(elsewhere, k.path)
		}
	}
	if len(elsewhere) > 0 && path == "" {
		return "did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	return didYouMean(word, slices.Collect(maps.Keys(siblings)))
}

// fieldsOf are the keys of a raw struct with their types.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		out[t.Field(i).Tag.Get("mapstructure")] = t.Field(i).Type
	}
	return out
}

// typeOf finds the type of a key in the raw structs.
func typeOf(path string) (reflect.Type, error) {
	t := reflect.TypeFor[file]()
	for name := range strings.SplitSeq(path, ".") {
		f, ok := fieldsOf(t)[name]
		if !ok {
			return nil, errors.New(path + ": no such key")
		}
		t = f
	}
	return t, nil
}

// splitList takes "a, b" apart.
func splitList(s string) []any {
	out := []any{}
	for e := range strings.SplitSeq(s, ",") {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}
