package verdict

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/advice"
	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/plan"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// passes is how many times the model runs over the record, each time in other phases of Corosync's timers.
const passes = 8

// mostRing is the ring time of all passes together, if they are more than two: a day need not be run eight times.
const mostRing = 16 * time.Hour

// seed decides these phases.
const seed = 1

// judge is one judgement that is being made.
type judge struct {
	in      Input
	conf    *corosync.Config // as it is
	then    *corosync.Config // as planned; conf if nothing is
	text    []byte           // of then
	now     risk.Cluster
	cluster risk.Cluster // as planned
	sites   map[string]string
	plan    *plan.Report
	length  time.Duration  // of the record that the model ran over
	advice  *advice.Advice // nil: not asked
	shorter string         // how the fence budget is kept; "" if it is, or nothing helps
	out     Verdict
}

// ErrNoConf is the answer to an Input without a configuration.
var ErrNoConf = errors.New("verdict: no corosync.conf to judge")

// Judge makes the verdict. An error means that there is nothing to judge: a configuration that Corosync would not take.
func Judge(in Input) (Verdict, error) {
	j := &judge{in: in}
	if err := j.read(); err != nil {
		return Verdict{}, err
	}
	j.out = Verdict{
		Schema: Schema, At: in.At, Software: in.Software, Limits: []Limit{}, Paths: []Path{}, WhatIf: []string{}, SamePath: []Proof{},
		Load: []Task{}, Ranges: []Range{}, Findings: []Finding{}, Changes: []string{}, Next: []string{}, Rests: []string{},
	}
	j.describe()
	j.measure()
	if err := j.model(); err != nil {
		return Verdict{}, err
	}
	j.ring()
	j.limits()
	j.whatIf()
	j.proof()
	j.ranges()
	j.findings()
	j.soak()
	j.answer()
	return j.out, nil
}

// read parses the configurations.
func (j *judge) read() error {
	if len(j.in.Conf) == 0 && len(j.in.Planned) == 0 {
		return ErrNoConf
	}
	name := cmp.Or(j.in.Name, "corosync.conf")
	if len(j.in.Conf) == 0 {
		j.in.Conf = j.in.Planned
	}
	var err error
	if j.conf, err = corosync.Parse(name, bytes.NewReader(j.in.Conf)); err != nil {
		return err
	}
	j.then, j.text = j.conf, j.in.Conf
	if len(j.in.Planned) > 0 {
		j.text = j.in.Planned
		if j.then, err = corosync.Parse("the planned corosync.conf", bytes.NewReader(j.text)); err != nil {
			return err
		}
	}
	j.sites = j.sitesOf()
	if j.now, err = risk.FromConfig(j.conf, j.sites, j.in.Libknet); err != nil {
		return err
	}
	j.cluster, err = risk.FromConfig(j.then, j.sites, j.in.Libknet)
	return err
}

// farApart is the round trip from which two nodes are in different places: no switch takes that long, 50 km of fibre do.
const farApart = time.Millisecond

// sitesOf are the sites that were told; else those that round trips show, as an agent finds them; else all within a millisecond of here are
// here, and the others away: what may be stretched is judged as such.
func (j *judge) sitesOf() map[string]string {
	if told := j.toldSites(); len(told) > 0 {
		return told
	}
	if found := j.foundSites(); len(found) == len(j.then.Nodes) {
		return found
	}
	out, far := map[string]string{}, false
	for _, n := range j.then.Nodes {
		out[n.Name] = "here"
	}
	for _, p := range j.in.Paths {
		if p.answered() && p.P50.Duration() >= farApart {
			out[p.Peer], far = "away", true
		}
	}
	if !far {
		return nil
	}
	return out
}

// toldSites are the sites of the configuration, by node name. Those that name no node of this cluster are none.
func (j *judge) toldSites() map[string]string {
	out := map[string]string{}
	for _, n := range j.then.Nodes {
		if s := cmp.Or(j.in.Sites[n.Name], j.in.Sites[fmt.Sprint(n.ID)]); s != "" {
			out[n.Name] = s
		}
	}
	return out
}

// foundSites are the sites of those nodes that the round trips from here tell apart.
func (j *judge) foundSites() map[string]string {
	nodes, names := []topology.Node{{ID: j.in.Local, Name: "here"}}, map[uint32]string{}
	for _, n := range j.then.Nodes {
		names[n.ID] = n.Name
		if n.ID == j.in.Local {
			nodes[0].Name = n.Name
		} else {
			nodes = append(nodes, topology.Node{ID: n.ID, Name: n.Name})
		}
	}
	var trips []topology.RoundTrip
	for _, p := range j.in.Paths {
		if p.answered() && p.Node != 0 {
			trips = append(trips, topology.RoundTrip{A: j.in.Local, B: p.Node, RTT: p.P50.Duration()})
		}
	}
	out := map[string]string{}
	for _, s := range topology.FindSites(nodes, trips) {
		for _, id := range s.Nodes {
			if name := names[id]; name != "" {
				out[name] = s.Name
			}
		}
	}
	return out
}

// describe tells what is judged.
func (j *judge) describe() {
	c := &j.out.Cluster
	c.Name, c.HA = j.then.ClusterName, cmp.Or(j.in.HA, HAUnknown)
	old := map[uint32]bool{}
	for _, n := range j.now.Nodes {
		old[n.ID] = true
	}
	places := map[string]bool{}
	for _, n := range j.cluster.Nodes {
		c.Nodes = append(c.Nodes, Member{n.Name, n.ID, n.Site, !old[n.ID]})
		places[n.Site] = true
	}
	for _, l := range j.cluster.Links {
		c.Links = append(c.Links, l.Number)
	}
	c.Token, c.TokenThen = Seconds(j.now.Timeouts.Token), Seconds(j.cluster.Timeouts.Token)
	c.Membership = Seconds(j.cluster.Timeouts.Membership())
	c.Coefficient = Seconds(650 * time.Millisecond)
	if k := j.cluster.Totem.TokenCoefficient; k != nil {
		c.Coefficient = Seconds(*k)
	}
	switch {
	case len(places) < 2:
	case len(j.toldSites()) > 0:
		c.Stretched, c.StretchedWhy = true, fmt.Sprintf("%d sites", len(places))
	default:
		c.Stretched, c.StretchedWhy = true, "found by round trips of a millisecond and more"
	}
}

// measure tells what was measured, path by path.
func (j *judge) measure() {
	b := &j.out.Basis
	b.Source, b.Length, b.Busy, b.Stopped, b.Missing = j.in.Source, Seconds(j.in.Length), j.in.Busy, j.in.Stopped, j.in.Missing
	j.out.Load = append(j.out.Load, j.in.Load...)
	h := &j.out.Headroom
	h.Token = Seconds(j.cluster.Timeouts.Token)
	for _, p := range j.in.Paths {
		j.ratios(&p)
		switch {
		case p.Error != "":
			p.Note = p.Error
		case !p.answered():
			p.Note = "no answer: is an agent or 'quorumwatch reflect' running there, and the port open?"
		}
		if p.answered() {
			b.Paths++
			for _, s := range p.samples() {
				b.Probes += s.decided()
				if s.WorstGap > h.Delivery {
					h.Delivery, h.Where = s.WorstGap, p.where()
				}
			}
		} else {
			b.Silent++
		}
		j.out.Paths = append(j.out.Paths, p)
	}
	slices.SortStableFunc(j.out.Paths, func(a, b Path) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Node, b.Node), a.Remote.Compare(b.Remote))
	})
	h.Gap, h.Known = h.Delivery, b.Paths > 0
	h.Share = min(float64(h.Gap)/float64(h.Token), 1)
}

// ratios fills in what follows from the measured figures.
func (j *judge) ratios(p *Path) {
	if p.Full != nil {
		full := *p.Full
		p.Full, p.FullSent, p.FullReceived = &full, full.decided(), full.Received
	}
	for _, f := range []*Figures{&p.Figures, p.Full} {
		if f != nil {
			f.LossRatio, f.GapShare = f.loss(), float64(f.WorstGap)/float64(j.cluster.Timeouts.Token)
		}
	}
	if p.Full != nil && !p.hole() && p.Full.Lost >= muchLost && p.Full.loss() >= sizeTimes*p.loss() {
		p.Note = join(p.Note, "full-size packets are lost far more often than small ones: a rate limit, a full queue or a damaged line")
	}
}

// findings takes over what lint found.
func (j *judge) findings() {
	for _, f := range j.in.Lint {
		j.out.Findings = append(j.out.Findings, Finding{f.Code, f.Serious, f.Subject, f.Title, f.Fix})
	}
}

// serious are the findings that are for working hours.
func serious(all []lint.Finding) int {
	n := 0
	for _, f := range all {
		if f.Serious {
			n++
		}
	}
	return n
}
