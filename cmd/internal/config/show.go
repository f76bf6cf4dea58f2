package config

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"strings"

	"gopkg.in/yaml.v3"
)

// settings lists every key with its value and who said it.
func (m *merged) settings(raw file) []Setting {
	var out []Setting
	for _, k := range keys() {
		s := Setting{Key: k.path, Origin: m.originOf(k.path)}
		switch k.path {
		case "sites":
			s.Value = flow(raw.Sites)
		case "alerts.webhooks":
			s.Value = flow(masked(raw.Alerts.Webhooks))
		default:
			s.Value = plain(m.viper.Get(k.path))
		}
		out = append(out, s)
	}
	return out
}

func (m *merged) originOf(path string) string {
	if from, ok := m.from[path]; ok {
		return from
	}
	if value, ok := m.lines[path]; ok && m.viper.InConfig(path) {
		return fmt.Sprintf("%s:%d", m.file, value)
	}
	return "default"
}

func plain(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	var words []string
	for _, e := range list {
		words = append(words, fmt.Sprint(e))
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// flow writes a list of objects as YAML on one line.
func flow[T any](list []T) string {
	if len(list) == 0 {
		return "[]"
	}
	var n yaml.Node
	if err := n.Encode(list); err != nil {
		return err.Error()
	}
	n.Style = yaml.FlowStyle
	text, err := yaml.Marshal(&n)
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

const mask = "***"

// masked hides what may be secret: the values of headers, and of URLs all but scheme and host.
func masked(hooks []rawWebhook) []rawWebhook {
	var out []rawWebhook
	for _, h := range hooks {
		if u, err := url.Parse(h.URL); h.URL != "" {
			h.URL = mask
			if err == nil {
				h.URL = u.Scheme + "://" + u.Host + "/" + mask
			}
		}
		var headers []rawHeader
		for _, header := range h.Headers {
			if header.Value != "" {
				header.Value = mask
			}
			headers = append(headers, header)
		}
		h.Headers = headers
		out = append(out, h)
	}
	return out
}

// WriteExample writes the annotated configuration: every key with its default, commented out, so that the file as it is changes
// nothing.
func WriteExample(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, exampleHead)
	sections := sections()
	for _, k := range keys() {
		group, name, nested := strings.Cut(k.path, ".")
		indent := "  "
		if !nested {
			name, indent = group, ""
		}
		if len(sections) > 0 && group == sections[0].path {
			fmt.Fprintln(out)
			comment(out, "", sections[0].doc)
			fmt.Fprintln(out, group+":")
			sections = sections[1:]
		} else {
			fmt.Fprintln(out)
		}
		k.example(out, indent, name)
	}
	return out.Flush()
}

const exampleHead = `# quorumwatch configuration: /etc/quorumwatch/quorumwatch.yaml
#
# On a node with Corosync, no file is needed. Each key is shown with its default; take away its # to change it. Flags (as
# --probe-interval) go before environment variables (QUORUMWATCH_PROBE_INTERVAL), these before this file. Unknown keys are errors.
# 'quorumwatch config check' tells what is wrong, 'quorumwatch config show' what is in effect and why; a running agent reads the
# file again on SIGHUP.
`

func comment(w io.Writer, indent string, lines []string) {
	for _, l := range lines {
		fmt.Fprintf(w, "%s# %s\n", indent, l)
	}
}

// example writes one key. Text is "# ...", what may be uncommented "#...".
func (k key) example(w io.Writer, indent, name string) {
	doc := k.doc
	if !strings.HasSuffix(doc[0], ".") {
		doc = append([]string{doc[0] + "."}, doc[1:]...)
	}
	comment(w, indent, doc)
	if v := k.kind.values; v != "" && !strings.Contains(doc[0], v) {
		comment(w, indent, []string{"Values: " + v + "."})
	}
	switch {
	case k.isObjects():
		fmt.Fprintf(w, "%s#%s:\n", indent, name)
		for _, l := range k.sample {
			fmt.Fprintf(w, "%s#  %s\n", indent, l)
		}
	case k.kind.list:
		fmt.Fprintf(w, "%s#%s: %s\n", indent, name, quoteList(k.fallback))
	default:
		fmt.Fprintf(w, "%s#%s: %s\n", indent, name, quoteEmpty(k.fallback))
	}
}

func quoteList(s string) string {
	if s == "" {
		return "[]"
	}
	return fmt.Sprintf("[%q]", s)
}

func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}
