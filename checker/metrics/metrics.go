// Package metrics shows a checker.Report to Prometheus: a Collector that reads the newest Report at every scrape, so that
// metrics are never another truth than the Report. What is unknown has no series, rather than a zero that looks like an
// answer.
//
// Besides its own names it emits the five families of ha_cluster_exporter for Corosync, so that boards made for that one carry
// over.
package metrics

import (
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/quorumwatch/quorumwatch/checker"
)

// New returns a Collector over the Report that the given function returns; nil means that there is none yet. It is
// unchecked: which series exist depends on the Report.
func New(report func() *checker.Report) prometheus.Collector {
	return &collector{report: report, names: newNames()}
}

type collector struct {
	report func() *checker.Report
	names  *names
}

// Describe sends nothing: an unchecked collector.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends what the newest Report says.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	r := c.report()
	if r == nil {
		return
	}
	s := &sender{names: c.names, r: r, ch: ch}
	s.general()
	s.timeouts()
	s.quorum()
	s.corosync()
	s.nodes()
	s.cut()
	s.ha()
	s.paths()
	s.probes()
	s.compatible()
}

// sender sends one Report.
type sender struct {
	*names
	r  *checker.Report
	ch chan<- prometheus.Metric
}

func (s *sender) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.send(d, prometheus.GaugeValue, v, labels)
}

func (s *sender) counter(d *prometheus.Desc, v uint64, labels ...string) {
	s.send(d, prometheus.CounterValue, float64(v), labels)
}

// send sends one sample. Names come from files that other programs wrote: what is not UTF-8 in them would fail the scrape.
func (s *sender) send(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels []string) {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "\uFFFD")
	}
	m, err := prometheus.NewConstMetric(d, kind, v, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(d, err)
	}
	s.ch <- m
}

// name is a node's name, made unique where two nodes have the same.
func (s *sender) name(n checker.NodeRef) string {
	id := strconv.FormatUint(uint64(n.ID), 10)
	if n.Name == "" {
		return id
	}
	for _, other := range s.r.Cluster.Nodes {
		if other.Name == n.Name && other.ID != n.ID {
			return n.Name + "#" + id
		}
	}
	return n.Name
}

func (s *sender) seconds(d *prometheus.Desc, v checker.Seconds, labels ...string) {
	s.gauge(d, v.Duration().Seconds(), labels...)
}

func (s *sender) bool(d *prometheus.Desc, v bool, labels ...string) {
	n := 0.0
	if v {
		n = 1
	}
	s.gauge(d, n, labels...)
}

func (s *sender) general() {
	r := s.r
	s.gauge(s.buildInfo, 1, r.Software)
	s.gauge(s.reportTime, float64(r.At.UnixMilli())/1000)
	s.gauge(s.severity, float64(r.Severity))
	type kind struct{ code, severity string }
	counts := map[kind]int{}
	for _, f := range r.Findings {
		counts[kind{f.Code, f.Severity.String()}]++
	}
	for k, n := range counts {
		s.gauge(s.findings, float64(n), k.code, k.severity)
	}
	s.marginOf(&r.Margin)
	s.forecastOf(r.Forecast)
	s.seconds(s.hostPause, r.Host.Pause)
	s.seconds(s.hostWorstPause, r.Host.WorstPause)
}

func (s *sender) timeouts() {
	t := s.r.Timeouts
	if t.Token > 0 {
		s.seconds(s.token, t.Token)
		s.seconds(s.consensus, t.Consensus)
		s.seconds(s.membership, t.Membership)
		s.seconds(s.safeOutage, t.SafeOutage)
		s.seconds(s.fatalOutage, t.FatalOutage)
	}
	if t.TokenWarning > 0 {
		s.seconds(s.tokenWarning, t.TokenWarning)
	}
	for _, l := range s.r.Cluster.Links {
		s.seconds(s.linkPingTimeout, l.PingTimeout, strconv.Itoa(l.Number))
		s.seconds(s.linkPingPeriod, l.PingInterval, strconv.Itoa(l.Number))
	}
}

func (s *sender) quorum() {
	q := s.r.Quorum
	if !q.Known {
		return
	}
	s.bool(s.quorate, q.Quorate)
	s.gauge(s.votes, float64(q.Expected), "expected")
	s.gauge(s.votes, float64(q.Highest), "highest_expected")
	s.gauge(s.votes, float64(q.Total), "total")
	s.gauge(s.votes, float64(q.Needed), "needed")
	if q.SpareKnown {
		s.gauge(s.votes, float64(q.SpareVotes), "spare")
		s.gauge(s.spareNodes, float64(q.SpareNodes))
	}
}

func (s *sender) corosync() {
	c := s.r.Corosync
	if c.State == "" || c.State == "unknown" {
		return
	}
	s.bool(s.corosyncUp, c.Fresh)
	s.gauge(s.corosyncInfo, 1, c.Version, c.State)
	if !c.Fresh || c.TokenAge == nil {
		return
	}
	s.counter(s.tokenLosses, c.TokenLost)
	s.counter(s.retransmits, c.Retransmits)
	s.seconds(s.age, *c.TokenAge)
}

func (s *sender) nodes() {
	for _, n := range s.r.Cluster.Nodes {
		id := strconv.FormatUint(uint64(n.ID), 10)
		if n.Member != checker.Unknown {
			s.bool(s.nodeMember, n.Member == checker.Yes, n.Name, id)
		}
		if n.Site != "" {
			s.gauge(s.nodeSite, 1, n.Name, id, n.Site, s.siteSource(n.Site))
		}
		if !n.Local {
			s.gauge(s.nodeAgent, 1, n.Name, id, n.Agent.String())
		}
		switch n.Reach {
		case checker.ReachUp, checker.ReachDegraded:
			s.gauge(s.nodeReachable, 1, n.Name, id)
		case checker.ReachDown:
			s.gauge(s.nodeReachable, 0, n.Name, id)
		}
	}
}

// siteSource is who says that there is a site.
func (s *sender) siteSource(name string) string {
	for _, site := range s.r.Cluster.Sites {
		if site.Name == name && site.Found {
			return "round-trips"
		}
	}
	return "configuration"
}

// isCut: the finding says that peers are out of reach.
func isCut(f checker.Finding) bool {
	switch f.Code {
	case checker.CodePeerCut, checker.CodeGroupCut, checker.CodeSiteCut, checker.CodeIsolated:
		return !f.Clearing
	}
	return false
}

func (s *sender) cut() {
	o := s.r.Outcome
	s.bool(s.cutPresent, slices.ContainsFunc(s.r.Findings, isCut))
	if o == nil {
		return
	}
	s.bool(s.cutHappened, o.Happened)
	s.gauge(s.cutLosing, float64(len(o.Loses)))
	s.seconds(s.cutTokenLoss, o.TokenLossIn)
	s.seconds(s.cutMembership, o.MembershipIn)
}

func (s *sender) probes() {
	s.bool(s.probesAuthenticated, s.r.Probes.Authenticated)
	for _, d := range s.r.Probes.Drops {
		s.counter(s.probeDrops, d.Count, d.Reason)
	}
}
