package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/topology"
)

// sitesEvery is how often round trips are noted.
const sitesEvery = time.Second

// sites finds sites by round trips, where the configuration names none.
type sites struct {
	places topology.Places
	at     time.Time
	found  []topology.Site
}

// step notes the round trips of a Report: this node's own, and what its peers say of theirs.
func (s *sites) step(now time.Time, j *judge, rep *checker.Report) {
	if now.Sub(s.at) < sitesEvery {
		return
	}
	s.at = now
	if len(j.agent.settings.Load().Sites) > 0 {
		*s = sites{at: now}
		return
	}
	before := s.names(rep)
	s.found = s.places.Step(now, j.cluster.Nodes, roundTrips(now, rep))
	if after := s.names(rep); before != after {
		j.agent.log.Info().Str("sites", after).Str("before", before).Msg("sites found by round trips; name them under 'sites' to be sure")
	}
}

// roundTrips are those of paths that carry.
func roundTrips(now time.Time, rep *checker.Report) []topology.RoundTrip {
	out := make([]topology.RoundTrip, 0, len(rep.Paths)+len(rep.Mesh))
	for i := range rep.Paths {
		p := &rep.Paths[i]
		if p.RTT.Known && carries(p.State) {
			out = append(out, topology.RoundTrip{A: rep.Node.ID, B: p.Peer.ID, RTT: p.RTT.Smoothed.Duration()})
		}
	}
	for i := range rep.Mesh {
		r := &rep.Mesh[i]
		if carries(r.State) && now.Sub(r.At) < freshView {
			out = append(out, topology.RoundTrip{A: r.From.ID, B: r.To.ID, RTT: r.RTT.Duration()})
		}
	}
	return out
}

func carries(s checker.PathState) bool { return s == checker.PathUp || s == checker.PathDegraded }

// names lists the sites that were found with their nodes, for the log.
func (s *sites) names(rep *checker.Report) string {
	var all []string
	for _, site := range s.found {
		var nodes []string
		for _, n := range rep.Cluster.Nodes {
			if slices.Contains(site.Nodes, n.ID) {
				nodes = append(nodes, n.Name)
			}
		}
		all = append(all, fmt.Sprintf("%s (%s)", site.Name, strings.Join(nodes, " ")))
	}
	return strings.Join(all, ", ")
}
