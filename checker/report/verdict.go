package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
)

// VerdictJSON writes v as indented JSON with a final newline. docs/check.md describes it.
func VerdictJSON(w io.Writer, v *verdict.Verdict) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// VerdictYAML writes the fields of the JSON form as YAML.
func VerdictYAML(w io.Writer, v *verdict.Verdict) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var tree yaml.Node // JSON is YAML: so the order of the fields stays
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return err
	}
	block(&tree)
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(&tree); err != nil {
		return err
	}
	return enc.Close()
}

// block takes the style of JSON off.
func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, c := range n.Content {
		block(c)
	}
}

// ReadVerdict reads what VerdictJSON wrote.
func ReadVerdict(r io.Reader) (*verdict.Verdict, error) {
	v := &verdict.Verdict{}
	if err := json.NewDecoder(r).Decode(v); err != nil {
		return nil, fmt.Errorf("no verdict of 'quorumwatch check --json': %w", err)
	}
	if v.Schema != verdict.Schema || v.Answer == "" {
		return nil, fmt.Errorf("no verdict of 'quorumwatch check --json', or one of another version (schema %d)", v.Schema)
	}
	return v, nil
}

// Verdict writes v for people, at most columns wide where words allow.
func Verdict(w io.Writer, v *verdict.Verdict, columns int) error {
	p := &planPrinter{columns: columns}
	verdictHead(p, v)
	verdictPaths(p, v)
	verdictSoak(p, v.Soak)
	verdictLimits(p, v)
	verdictContext(p, v)
	verdictChanges(p, v)
	_, err := io.WriteString(w, p.b.String())
	return err
}

// labels is how wide the first column is.
const labels = 10

func verdictHead(p *planPrinter, v *verdict.Verdict) {
	p.wrap("VERDICT", labels, fmt.Sprintf("%s, confidence: %s", v.Answer, v.Confidence))
	p.wrap("", labels, v.Text)
	p.wrap("rests on", labels, strings.Join(v.Rests, "; "))
	p.wrap("cluster", labels, verdictCluster(&v.Cluster))
	h := &v.Headroom
	if !h.Known {
		p.wrap("headroom", labels, fmt.Sprintf("unknown; the effective token is %s", units.Time(h.Token.Duration())))
		return
	}
	text := fmt.Sprintf("worst gap %s = %s of the effective token (%s)", units.Time(h.Gap.Duration()), units.Percent(h.Share), units.Time(h.Token.Duration()))
	if h.Where != "" {
		text += ", " + h.Where
	}
	p.wrap("headroom", labels, text)
}

// verdictCluster names nodes by site, and the token.
func verdictCluster(c *verdict.Cluster) string {
	var order []string
	names := map[string][]string{}
	for _, n := range c.Nodes {
		name := n.Name
		if n.Planned {
			name += " (planned)"
		}
		if names[n.Site] == nil {
			order = append(order, n.Site)
		}
		names[n.Site] = append(names[n.Site], name)
	}
	var parts []string
	for _, site := range order {
		text := strings.Join(names[site], " ")
		if len(names[site]) > 8 {
			text = fmt.Sprintf("%d nodes", len(names[site]))
		}
		if site != "" {
			text = "site " + site + ": " + text
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, " + ") + "; token " + units.Time(c.Token.Duration())
	if c.TokenThen != c.Token {
		text += fmt.Sprintf(" -> %s with %d nodes", units.Time(c.TokenThen.Duration()), len(c.Nodes))
	}
	return text + fmt.Sprintf(" (coefficient %d), token + consensus %s; HA %s", c.Coefficient.Duration().Milliseconds(), units.Time(c.Membership.Duration()), c.HA)
}

func verdictLimits(p *planPrinter, v *verdict.Verdict) {
	p.line("")
	for _, l := range v.Limits {
		label := "[" + strings.ToUpper(string(l.Status)) + "]"
		if l.Status == verdict.Unknown {
			label = "[ ?? ]"
		}
		text := l.Name + ": " + l.Text
		if l.Name == v.First {
			text = l.Name + " (FIRST LIMIT): " + l.Text
		}
		p.wrap(label, labels, text)
		if l.Cure != "" {
			p.wrap("", labels, "cure: "+l.Cure)
		}
	}
	for _, f := range v.Findings {
		label := "info"
		if f.Serious {
			label = "WEAK"
		}
		p.wrap(label, labels, f.Subject+": "+f.Title)
	}
}

func verdictContext(p *planPrinter, v *verdict.Verdict) {
	list := func(title string, lines []string) {
		for i, l := range lines {
			if i == 0 {
				p.line("")
				p.wrap(title, labels, l)
				continue
			}
			p.wrap("", labels, l)
		}
	}
	var proofs, load, ranges []string
	for _, x := range v.SamePath {
		same := "not proven"
		if x.Same {
			same = "yes"
		}
		text := fmt.Sprintf("link%d %s: %s", x.Link, x.Address, same)
		if x.Interface != "" {
			text += fmt.Sprintf(", %s (%s, MTU %d)", x.Interface, x.Kind, x.MTU)
		}
		proofs = append(proofs, fmt.Sprintf("%s, UDP %d, %s; %s", text, x.Port, x.Marking, x.Text))
	}
	for _, t := range v.Load {
		load = append(load, strings.TrimSpace(fmt.Sprintf("%s %s on %s", t.Load, t.Object, t.Node)))
	}
	if len(load) == 0 {
		load = []string{"no migration, backup or replication was seen to run: an idle path says little of a busy one"}
	}
	for _, r := range v.Ranges {
		ranges = append(ranges, fmt.Sprintf("%s: %s (%s): %s", r.Who, r.Says, r.About, r.Lies))
	}
	list("what if", v.WhatIf)
	list("same path", proofs)
	list("load", load)
	list("ranges", ranges)
}

func verdictChanges(p *planPrinter, v *verdict.Verdict) {
	for i, c := range v.Changes {
		label := ""
		if i == 0 {
			p.line("")
			label = "CHANGE"
		}
		p.wrap(label, labels, c)
	}
	if v.Diff != "" {
		p.line("")
		for l := range strings.Lines(v.Diff) {
			p.line("  %s", strings.TrimRight(l, "\n"))
		}
	}
	for i, s := range v.Steps {
		p.wrap("", labels, fmt.Sprintf("%d. %s", i+1, s))
	}
	for _, s := range v.Instead {
		p.wrap("INSTEAD", labels, s)
	}
	for i, s := range v.Next {
		label := ""
		if i == 0 {
			p.line("")
			label = "NEXT"
		}
		p.wrap(label, labels, s)
	}
}
