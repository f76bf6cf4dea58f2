package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

type cluster = risk.Cluster

// setting is a set of settings to replay under: what differs from the recorded ones, in the order of the command line.
type setting struct{ changes []change }

// change is one of them.
type change struct{ key, value string }

// settingKeys are all keys, as options and in --compare, and what they mean.
func settingKeys() []change {
	return []change{
		{"config", "corosync.conf to run under instead of the trace's own: a `file`"},
		{"token", "totem.token: a `time` (3s), or milliseconds"},
		{"coefficient", "totem.token_coefficient: a `time`, or milliseconds"},
		{"retransmits", "totem.token_retransmits_before_loss_const: a `number`"},
		{"ping-interval", "knet_ping_interval of all links: a `time`, or milliseconds"},
		{"ping-timeout", "knet_ping_timeout of all links: a `time`, or milliseconds"},
		{"pong-count", "knet_pong_count of all links: a `number`"},
		{"link-mode", "totem.link_mode: `passive`, active or rr"},
		{"priority", "knet_link_priority of a link: `link=n`; repeat for more"},
		{"without-link", "as if this link, a `number`, did not exist; repeat for more"},
		{"libknet", "as this `version` of libknet does; the record may know it"},
	}
}

// settingFlags are the options that make a set.
type settingFlags struct{ values map[string]*[]string }

func (f *settingFlags) register(cmd *cobra.Command) {
	f.values = map[string]*[]string{}
	for _, k := range settingKeys() {
		f.values[k.key] = cmd.Flags().StringArray(k.key, nil, k.value)
	}
}

// sets are the recorded settings, the options', and those to compare with.
func (f *settingFlags) sets(compare []string) ([]setting, error) {
	sets := []setting{{}}
	var asked setting
	for _, k := range settingKeys() {
		for _, v := range *f.values[k.key] {
			asked.changes = append(asked.changes, change{k.key, v})
		}
	}
	if err := asked.once("--"); err != nil {
		return nil, err
	}
	if len(asked.changes) > 0 {
		sets = append(sets, asked)
	}
	for _, text := range compare {
		s, err := parseSetting(text)
		if err == nil {
			err = s.once("--compare " + text + ": ")
		}
		if err != nil {
			return nil, err
		}
		sets = append(sets, s)
	}
	return sets, nil
}

// parseSetting reads "token=1000,retransmits=8".
func parseSetting(text string) (setting, error) {
	var s setting
	var known []string
	for _, k := range settingKeys() {
		known = append(known, k.key)
	}
	for _, word := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(word), "=")
		if !ok || value == "" {
			return s, usage("write KEY=VALUE,KEY=VALUE, as token=3000,retransmits=8", "--compare: %q is not KEY=VALUE", word)
		}
		if !slices.Contains(known, key) {
			return s, usage("there are "+strings.Join(known, ", "), "--compare: unknown setting %q", key)
		}
		s.changes = append(s.changes, change{key, value})
	}
	return s, nil
}

// name is what a set is called in the answer.
func (s setting) name() string {
	var out []string
	for _, c := range s.changes {
		out = append(out, c.key+" "+c.value)
	}
	if len(out) == 0 {
		return "as recorded"
	}
	return strings.Join(out, ", ")
}

// last is the value of a key that may be given once.
func (s setting) last(key, otherwise string) string {
	for _, c := range s.changes {
		if c.key == key {
			otherwise = c.value
		}
	}
	return otherwise
}

// cluster is the trace's cluster under the settings: its corosync.conf is edited and read as Corosync reads it.
func (s setting) cluster(t *trace.Trace) (risk.Cluster, error) {
	name, text, err := s.configuration(t)
	if err != nil {
		return risk.Cluster{}, err
	}
	conf, err := corosync.Parse(name, bytes.NewReader(text))
	if err != nil {
		return risk.Cluster{}, noAnswer(err)
	}
	edits, err := s.edits(conf)
	if err != nil {
		return risk.Cluster{}, err
	}
	if len(edits) > 0 {
		if _, conf, err = corosync.Rewrite(name, text, edits); err != nil {
			return risk.Cluster{}, noAnswer(err)
		}
	}
	sites := map[string]string{}
	for _, n := range t.Nodes {
		sites[n.Name] = n.Site
	}
	libknet := s.last("libknet", "")
	if err := checkLibknet(libknet); err != nil {
		return risk.Cluster{}, err
	}
	c, err := risk.FromConfig(conf, sites, cmp.Or(libknet, t.Libknet))
	if err != nil {
		return c, noKnet(name, conf)
	}
	return s.withoutLinks(c)
}

// configuration is the text of corosync.conf that the settings change.
func (s setting) configuration(t *trace.Trace) (name string, text []byte, err error) {
	if file := s.last("config", ""); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return file, nil, &usageError{err: unwrapped(file, err)}
		}
		return file, text, nil
	}
	if len(t.Config) == 0 {
		return "", nil, usage("give the corosync.conf that was in force with --config", "the trace holds no corosync.conf")
	}
	return "corosync.conf of the trace", t.Config, nil
}

// edits are what the settings change in a corosync.conf.
func (s setting) edits(conf *corosync.Config) (out []corosync.Edit, err error) {
	for _, c := range s.changes {
		edits, err := c.edits(conf)
		if err != nil {
			return nil, err
		}
		out = append(out, edits...)
	}
	return out, nil
}

// edits are what a change is in a corosync.conf; none if it is about something else.
func (c change) edits(conf *corosync.Config) ([]corosync.Edit, error) {
	all := func(key, value string) (out []corosync.Edit) {
		for _, l := range conf.Links {
			out = append(out, corosync.Edit{Key: fmt.Sprintf("totem.interface.%d.%s", l.Number, key), Value: value})
		}
		return out
	}
	totem := func(key, value string) []corosync.Edit { return []corosync.Edit{{Key: "totem." + key, Value: value}} }
	switch c.key {
	case "token", "coefficient", "ping-interval", "ping-timeout":
		d, err := readMillis(c.key, c.value)
		if err != nil {
			return nil, err
		}
		ms := strconv.FormatInt(d.Milliseconds(), 10)
		switch c.key {
		case "token":
			return totem("token", ms), nil
		case "coefficient":
			return totem("token_coefficient", ms), nil
		}
		return all("knet_"+strings.ReplaceAll(c.key, "-", "_"), ms), nil
	case "retransmits":
		return totem("token_retransmits_before_loss_const", c.value), nil
	case "pong-count":
		return all("knet_pong_count", c.value), nil
	case "link-mode":
		return totem("link_mode", c.value), nil
	case "priority":
		const hint = "write it as 1=20: link 1 gets priority 20"
		link, value, _ := strings.Cut(strings.ReplaceAll(c.value, ":", "="), "=")
		if _, err := linkOf(conf, link); err != nil {
			return nil, usage(hint, "--priority %s: %w", c.value, err)
		}
		if n, err := strconv.Atoi(value); err != nil || n < 0 || n > 255 {
			return nil, usage(hint, "--priority %s: a priority is a number from 0 to 255", c.value)
		}
		return []corosync.Edit{{Key: "totem.interface." + link + ".knet_link_priority", Value: value}}, nil
	case "config", "without-link", "libknet": // see cluster
		return nil, nil
	}
	return nil, usage("", "unknown setting %q", c.key)
}

// linkOf reads the number of a link that the configuration has.
func linkOf(conf *corosync.Config, text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no number of a link", text)
	}
	for _, l := range conf.Links {
		if l.Number == n {
			return n, nil
		}
	}
	return 0, fmt.Errorf("there is no link %d", n)
}

// withoutLinks takes links out of the model.
func (s setting) withoutLinks(c risk.Cluster) (risk.Cluster, error) {
	for _, x := range s.changes {
		if x.key != "without-link" {
			continue
		}
		var left []risk.Link
		for _, l := range c.Links {
			if strconv.Itoa(l.Number) != x.value {
				left = append(left, l)
			}
		}
		if len(left) == len(c.Links) {
			return c, usage("", "--without-link: there is no link %s", x.value)
		}
		if len(left) == 0 {
			return c, usage("", "--without-link: %w", errors.New("no link would be left"))
		}
		c.Links = left
	}
	return c, nil
}
