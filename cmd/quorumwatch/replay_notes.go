package main

import (
	"fmt"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// notes are what has to be known of a set of settings besides what became of the token.
func (r *replayedSet) notes(t *trace.Trace) (out []string) {
	absent, others := advice.Strangers(r.cluster, t)
	if len(absent) > 0 {
		out = append(out, "not in the trace, so that all they send and get is taken for arrived: "+strings.Join(absent, ", "))
	}
	if len(others) > 0 {
		out = append(out, "nodes have other names in the trace: "+strings.Join(others, ", "))
	}
	switch m := r.cluster.Timeouts.Membership(); {
	case m > advice.FenceBudget:
		out = append(out, fmt.Sprintf("when a node or path dies, all wait for token + consensus = %s, longer than the %s that an HA watchdog gives: nodes that keep quorum may reset too",
			units.Time(m), units.Time(advice.FenceBudget)))
	case m > advice.MembershipBudget:
		out = append(out, fmt.Sprintf("when a node or path dies, all wait for token + consensus = %s: more than half of the %s that an HA watchdog gives",
			units.Time(m), units.Time(advice.FenceBudget)))
	}
	return out
}

// once refuses a set that says twice what it can say once: a setting, the priority of a link, a link that is left out.
func (s setting) once(where string) error {
	said := map[string]string{}
	for _, c := range s.changes {
		about := c.key
		switch c.key {
		case "priority":
			link, _, _ := strings.Cut(strings.ReplaceAll(c.value, ":", "="), "=")
			about += " of link " + link
		case "without-link":
			about += " " + c.value
		}
		if before, twice := said[about]; twice {
			return usage("say it once; --compare puts another set of settings beside", "%s%s is given twice: %s and %s", where, about, before, c.value)
		}
		said[about] = c.value
	}
	return nil
}

// checkLibknet refuses what is no version of libknet; "" is none.
func checkLibknet(text string) error {
	var major, minor int
	if n, _ := fmt.Sscanf(text, "%d.%d", &major, &minor); text != "" && n != 2 {
		return usage("say it as dpkg does: 1.28, or 1.28-pve1", "--libknet %q is no version", text)
	}
	return nil
}

// noKnet is the answer to a configuration that the model cannot run.
func noKnet(name string, conf *corosync.Config) error {
	if conf.Transport != "knet" {
		return usage("the model knows knet's rules only; `transport: knet` is what Corosync 3 uses by default", "%s: totem.transport is %s", name, conf.Transport)
	}
	return usage("the model knows Corosync 3 with knet only", "%s: no node has a knet link", name)
}
