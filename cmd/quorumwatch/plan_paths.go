package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/plan"
)

// network is what --rtt and --loss assume of the paths.
func (f *planFlags) network(sites []string) (plan.Network, error) {
	n := plan.DefaultNetwork()
	for _, text := range f.rtt {
		for _, part := range words(text) {
			where, value := cutValue(part)
			d, err := time.ParseDuration(value)
			if err != nil {
				return n, usage("--rtt 5ms, --rtt within=1ms, --rtt a-b=8ms or --rtt a-b/1=20ms", "--rtt %q is not a time", part)
			}
			set := func(q *plan.Quality, r *plan.Rule) { q.RTT, r.RTT = d, &d }
			if err := place(&n, sites, "rtt", where, set); err != nil {
				return n, err
			}
		}
	}
	for _, text := range f.loss {
		for _, part := range words(text) {
			where, value := cutValue(part)
			ratio, err := readRatio(value)
			if err != nil {
				return n, usage("--loss 1%, --loss 0.01, --loss within=0.1% or --loss a-b/1=2%", "--loss %q is not a ratio", part)
			}
			set := func(q *plan.Quality, r *plan.Rule) { q.Loss, r.Loss = ratio, &ratio }
			if err := place(&n, sites, "loss", where, set); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// cutValue divides "a-b/1=8ms" into place and value; a value alone is for all paths between sites.
func cutValue(text string) (where, value string) {
	if where, value, ok := strings.Cut(text, "="); ok {
		return where, value
	}
	return "between", text
}

// place puts a figure where it belongs: within sites, between all of them, or into a rule.
func place(n *plan.Network, sites []string, flag, where string, set func(*plan.Quality, *plan.Rule)) error {
	pair, number, hasLink := strings.Cut(where, "/")
	var (
		q plan.Quality
		r = plan.Rule{Link: -1}
	)
	if hasLink {
		link, err := strconv.Atoi(number)
		if err != nil || link < 0 {
			return usage("--"+flag+" /1=... is for link 1", "--%s: %q is not the number of a link", flag, number)
		}
		r.Link = link
	}
	switch {
	case pair == "within" && !hasLink:
		set(&n.Within, &r)
		return nil
	case pair == "between" && !hasLink:
		set(&n.Between, &r)
		return nil
	case pair != "between" && pair != "":
		var ok bool
		if r.A, r.B, ok = cutPair(pair, sites); !ok {
			return usage("the sites are: "+strings.Join(sites, ", "), "--%s: %q is not a pair of sites, as in a-b", flag, pair)
		}
	}
	set(&q, &r)
	n.Rules = append(n.Rules, r)
	return nil
}

// cutPair divides a-b into sites, whose names may have hyphens themselves.
func cutPair(text string, sites []string) (a, b string, ok bool) {
	for _, a := range sites {
		if b, found := strings.CutPrefix(text, a+"-"); found && slices.Contains(sites, b) && a != b {
			return a, b, true
		}
	}
	return "", "", false
}

func readRatio(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	return v, err
}

// armed reads --ha.
func (f *planFlags) armed(d plan.Design) (map[string]bool, error) {
	switch f.ha {
	case "all":
		return nil, nil
	case "none":
		return map[string]bool{}, nil
	}
	known := map[string]bool{}
	for _, n := range d.Cluster.Nodes {
		known[n.Name] = true
	}
	out := map[string]bool{}
	for _, name := range words(f.ha) {
		if !known[name] && !f.adds(name) {
			return nil, usage("all, none, or names of nodes", "--ha: no node is named %q", name)
		}
		out[name] = true
	}
	if len(out) == 0 {
		return nil, usage("all, none, or names of nodes", "--ha %q names no node", f.ha)
	}
	return out, nil
}

func (f *planFlags) adds(name string) bool {
	for _, a := range f.add {
		if n, _, _ := strings.Cut(a, ":"); n == name {
			return true
		}
	}
	return false
}
