package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/plan"
)

func usage(hint, format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...), hint: hint}
}

// readMillis reads a time, or a number of milliseconds as corosync.conf has it.
func readMillis(flag, text string) (*time.Duration, error) {
	d, err := time.ParseDuration(text)
	if n, e := strconv.Atoi(text); e == nil {
		d, err = time.Duration(n)*time.Millisecond, nil
		if n < 0 || n > math.MaxInt32 {
			d = -1
		}
	}
	least := time.Millisecond
	if flag == "coefficient" {
		least = 0
	}
	if err != nil || d < least || d > time.Hour || d%time.Millisecond != 0 {
		return nil, usage("say 3000 or 3s; Corosync counts whole milliseconds", "--%s %q is not a time that makes sense", flag, text)
	}
	return &d, nil
}

// readSites reads --site: a=n1,n2 names nodes, a:3,b:2 counts them. Both together make no sense.
func readSites(texts []string) (sites []plan.Site, counted bool, err error) {
	named := false
	for _, text := range texts {
		if name, nodes, ok := strings.Cut(text, "="); ok && !isCount(nodes) {
			named = true
			sites = append(sites, plan.Site{Name: strings.TrimSpace(name), Nodes: words(nodes)})
			continue
		}
		for _, part := range words(text) {
			name, number, _ := strings.Cut(strings.Replace(part, "=", ":", 1), ":")
			n, err := strconv.Atoi(number)
			if err != nil || name == "" {
				return nil, false, usage("--site a=pve1,pve2 or --site a:3,b:2", "--site %q: neither nodes nor a count", part)
			}
			if n < 1 {
				return nil, false, usage("leave it out", "--site %s: a site without nodes", part)
			}
			if n > plan.MaxNodes {
				return nil, false, usage("the model of the token carries no more", "--site %s: at most %d nodes can be planned", part, plan.MaxNodes)
			}
			counted = true
			sites = append(sites, countedSite(name, n))
		}
	}
	if named && counted {
		return nil, false, usage("--site a=pve1,pve2 with a configuration, --site a:3,b:2 without", "--site with nodes and with counts at once")
	}
	return sites, counted, nil
}

func countedSite(name string, n int) plan.Site {
	s := plan.Site{Name: name}
	for i := range n {
		s.Nodes = append(s.Nodes, fmt.Sprintf("%s%d", name, i+1))
	}
	return s
}

// isCount tells whether what follows a site's name counts nodes, as in a=3,b=2.
func isCount(text string) bool {
	first, _, _ := strings.Cut(text, ",")
	_, err := strconv.Atoi(first)
	return err == nil
}

func words(text string) []string {
	return slices.DeleteFunc(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }), func(s string) bool { return s == "" })
}

// readDevice reads host[:algorithm]. The host may be an IPv6 address.
func readDevice(text string) (*plan.NewDevice, error) {
	d := plan.NewDevice{Host: text}
	if i := strings.LastIndex(text, ":"); i >= 0 {
		if last := text[i+1:]; last == "ffsplit" || last == "lms" || strings.Count(text, ":") == 1 {
			d.Host, d.Algorithm = text[:i], last
		}
	}
	if d.Host == "" || strings.ContainsAny(d.Host, " ,") {
		return nil, usage("--qdevice 192.0.2.9, or --qdevice witness:ffsplit", "--qdevice %q names no host", text)
	}
	return &d, nil
}

func readVotes(texts []string) ([]plan.NodeVotes, error) {
	var out []plan.NodeVotes
	for _, text := range texts {
		for _, part := range words(text) {
			node, number, ok := strings.Cut(part, "=")
			n, err := strconv.Atoi(number)
			if !ok || err != nil || node == "" {
				return nil, usage("--votes pve1=2", "--votes %q is not node=number", part)
			}
			out = append(out, plan.NodeVotes{Node: node, Votes: n})
		}
	}
	return out, nil
}
