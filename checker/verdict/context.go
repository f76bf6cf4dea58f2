package verdict

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/units"
)

// whatIf tells what other settings and failures would do: arithmetic and votes, no measurement.
func (j *judge) whatIf() {
	add := func(format string, args ...any) { j.out.WhatIf = append(j.out.WhatIf, fmt.Sprintf(format, args...)) }
	more := j.cluster.Totem
	more.Nodes = len(j.cluster.Nodes) + 1
	add("a node more: token %s, token + consensus %s", units.Round(more.Timeouts().Token), units.Round(more.Timeouts().Membership()))
	other := 125 * time.Millisecond
	if j.out.Cluster.Coefficient.Duration() == other {
		other = 650 * time.Millisecond
	}
	if len(j.cluster.Nodes) > 2 {
		with := j.cluster.Totem
		with.Nodes, with.TokenCoefficient = len(j.cluster.Nodes), &other
		add("token_coefficient %d: token %s, token + consensus %s", other.Milliseconds(), units.Round(with.Timeouts().Token), units.Round(with.Timeouts().Membership()))
	}
	for _, g := range j.state().Singles {
		if k := g.Kinds[0]; k == plan.PathLink || k == plan.NodeCut {
			continue
		}
		add("%s: %s", lostText(g), casesText(&g.Worst, len(j.cluster.Nodes), g.Count > 1))
	}
	for _, s := range j.state().Switches {
		add("only the spare link, after %s dies: the token is held up for %s (%s of it), lost in %d of %d trials", s.Failure, units.Round(s.WorstGap.Duration()),
			units.Percent(s.Share), s.Lost, s.Trials)
	}
}

// lostText names the failures of a group.
func lostText(g plan.Group) string {
	if g.Kinds[0] == plan.Node && g.Count > 1 {
		return fmt.Sprintf("any of %d nodes lost", g.Count)
	}
	var names []string
	for _, p := range g.Patterns {
		for _, f := range p.One {
			names = append(names, f.String())
		}
	}
	text := strings.Join(names[:min(len(names), 3)], ", ")
	if len(names) > 3 {
		text += fmt.Sprintf(" and %d more", len(names)-3)
	}
	if strings.HasSuffix(text, "cut off") {
		return text
	}
	return text + " lost"
}

// casesText says who keeps quorum; nobody is named if the case is any of several.
func casesText(c *plan.Case, nodes int, several bool) string {
	switch {
	case c.Impact == plan.Nothing:
		return "nothing happens"
	case c.Impact == plan.Failover:
		return "knet moves to another link"
	case c.Impact == plan.BothGo:
		return "both sides go on with quorum: only fencing keeps them apart"
	case c.Impact == plan.Loose:
		return "the ring does not settle: some nodes hear both sides"
	case len(c.Keep) == 0:
		return "NOBODY keeps quorum" + resets(c)
	}
	who := strings.Join(c.Keep, " ")
	if len(c.Keep) > 6 || several && len(c.Keep) > 1 {
		who = fmt.Sprintf("%d of %d nodes", len(c.Keep), nodes)
	}
	return who + " keep quorum" + resets(c)
}

func resets(c *plan.Case) string {
	if len(c.Reset) == 0 {
		return ""
	}
	if len(c.Reset) > 6 {
		return fmt.Sprintf("; %d nodes reset if HA is active there", len(c.Reset))
	}
	return "; " + strings.Join(c.Reset, " ") + " reset if HA is active there"
}

// Ports that Proxmox VE documents for Corosync, and its nftables firewall admits.
const firstPort, lastPort = 5405, 5412

// proof says which way the probes took, link by link.
func (j *judge) proof() {
	seen := map[string]bool{}
	for i := range j.out.Paths {
		p := &j.out.Paths[i]
		key := fmt.Sprint(p.Link, p.Local)
		if seen[key] {
			continue
		}
		seen[key] = true
		out := Proof{Link: p.Link, Address: p.Local.String(), Port: j.in.Port, Marking: j.in.DSCP}
		k := slices.IndexFunc(j.in.Ports, func(f lint.Interface) bool { return f.Address == p.Local })
		out.Same = p.answered() && k >= 0 && j.in.Local != 0
		var why []string
		switch {
		case k < 0:
			why = append(why, "it is not known which interface has this address")
		default:
			f := j.in.Ports[k]
			out.Interface, out.Kind, out.MTU = f.Name, f.Kind, f.MTU
			if len(f.Bonds) > 0 {
				why = append(why, fmt.Sprintf("a bond hashes ports: probes and Corosync may use different members of %s", f.Bonds[0].Name))
			}
		}
		if j.in.Local == 0 {
			why = append(why, "this host is no node of the cluster: its way to the peers may be another one than theirs")
		}
		if j.in.Port < firstPort || j.in.Port > lastPort {
			out.Same = false
			why = append(why, fmt.Sprintf("UDP %d is outside of the ports %d-%d that Proxmox's firewall admits for Corosync", j.in.Port, firstPort, lastPort))
		}
		if !p.answered() {
			why = append(why, "nothing came back")
		}
		out.Text = strings.Join(why, "; ")
		if out.Text == "" {
			out.Text = "from Corosync's own address to Corosync's own addresses, marked as its packets"
		}
		j.out.SamePath = append(j.out.SamePath, out)
	}
}

// published are the ranges that people will hold a measurement against (round trips; most where the source gives two).
func published(nodes int) []struct {
	who, says, about string
	most             time.Duration
} {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	edge := "10 ms; above it three nodes at most"
	most := ms(10)
	if nodes <= proxmoxNodes {
		edge, most = "above 10 ms three nodes may still do", ms(300)
	}
	return []struct {
		who, says, about string
		most             time.Duration
	}{
		{"Proxmox VE (pvecm)", "below 5 ms between all nodes", "supported range", ms(5)},
		{"Proxmox VE (pvecm)", edge, "unlikely to be stable beyond", most},
		{"Red Hat HA (2823721)", "up to 2 ms", "optimal", ms(2)},
		{"Red Hat HA (2823721)", "up to 300 ms", "may be unstable beyond", ms(300)},
		{"Red Hat Resilient Storage (3163171)", "peak up to 2 ms", "consistent peak, not mean", ms(2)},
		{"VMware vSAN stretched", "up to 5 ms between data sites", "another product, same question", ms(5)},
		{"Keycloak multi-AZ", "below 10 ms", "another product, same question", ms(10)},
	}
}

// ranges says where the measured round trip lies.
func (j *judge) ranges() {
	r := &j.out.Ring
	for _, p := range published(r.Nodes) {
		out := Range{Who: p.who, Says: p.says, About: p.about, Lies: "unknown"}
		value := r.Pair.Duration()
		if strings.HasPrefix(p.says, "peak") {
			value = r.PairTail.Duration()
		}
		switch {
		case j.out.Basis.Paths == 0:
		case value < p.most:
			out.Lies = "within"
		default:
			out.Lies = "outside"
		}
		j.out.Ranges = append(j.out.Ranges, out)
	}
}
