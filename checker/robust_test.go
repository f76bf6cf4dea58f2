package checker_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// TestAnyInput: whatever comes in - clocks that run backwards, peers that come and go, nonsense from the network - a Report comes
// out, with findings that are declared, ordered, unique and explained by findings that exist or once did.
func TestAnyInput(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	declared := map[string]bool{}
	for _, e := range checker.Catalogue() {
		declared[e.Code] = true
	}
	s := newScene(t, time.Second, 2, stretched...)
	s.run(time.Second)
	var state checker.State
	now := s.start
	for range 2000 {
		now = now.Add(time.Duration(rng.Int64N(int64(10*time.Second))) - 2*time.Second)
		in := nonsense(rng, s.input(), now)
		var r checker.Report
		state, r = checker.Step(state, in)
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i, f := range r.Findings {
			if seen[f.Key] || !declared[f.Code] || f.Title == "" || f.Severity == checker.OK {
				t.Fatalf("finding %+v", f)
			}
			seen[f.Key] = true
			if i > 0 && r.Findings[i-1].Severity < f.Severity {
				t.Fatalf("not worst first: %+v", r.Findings)
			}
		}
	}
}

// nonsense makes something else of in.
func nonsense(rng *rand.Rand, in checker.Input, now time.Time) checker.Input {
	in.Now = now
	coin := func() bool { return rng.IntN(2) == 0 }
	when := func() time.Time {
		if rng.IntN(5) == 0 {
			return time.Time{}
		}
		return now.Add(time.Duration(rng.Int64N(int64(time.Minute))) - 30*time.Second)
	}
	in.Status.Daemon = corosync.Daemon(rng.IntN(9) - 1)
	in.Status.Stale, in.Status.At, in.Status.LinksAt = coin(), when(), when()
	in.Status.SRP.OperationalTokenLost = rng.Uint64N(5)
	in.Status.TokenAt = corosync.TokenEvents{Warned: when(), Lost: when()}
	in.Status.Quorum.Quorate, in.Status.Quorum.Total, in.Status.Quorum.Known = coin(), rng.IntN(6), coin()
	members := append([]corosync.Member(nil), in.Status.Members...)
	for i := range members {
		members[i].Joined = coin()
	}
	in.Status.Members = members
	links := make([]corosync.LinkStatus, rng.IntN(10))
	for i := range links {
		links[i] = corosync.LinkStatus{Node: rng.Uint32N(7), Link: rng.IntN(3), Enabled: coin(), Connected: coin(), DownCount: rng.Uint64N(3)}
	}
	in.Status.Links = links
	rng.Shuffle(len(in.Paths), func(i, k int) { in.Paths[i], in.Paths[k] = in.Paths[k], in.Paths[i] })
	in.Paths = in.Paths[:rng.IntN(len(in.Paths)+1)]
	for i := range in.Paths {
		p := &in.Paths[i]
		p.Node, p.Interval = rng.Uint32N(8), time.Duration(rng.IntN(3))*interval
		p.Refused = when()
		p.Summary = stats.Summary{
			EverHeard: coin(), Unanswered: rng.IntN(40) - 5, Outage: stats.Outage{Since: when(), HostPaused: coin()},
			Windows: windows(rng.Uint64N(2000), rng.Uint64N(500)),
		}
		if rng.IntN(8) == 0 {
			p.Err = "no"
		}
	}
	for i := range in.Views {
		v := &in.Views[i]
		v.At, v.Node, v.Leaving, v.Corosync, v.Pause = when(), rng.Uint32N(8), coin(), coin(), time.Duration(rng.Int64N(int64(time.Second)))
		v.Paths = append([]mesh.Path(nil), v.Paths...)
		for k := range v.Paths {
			v.Paths[k].State, v.Paths[k].Node, v.Paths[k].KnetDown = mesh.State(rng.IntN(7)), rng.Uint32N(8), coin()
		}
	}
	switch rng.IntN(12) {
	case 0:
		in.Cluster = topology.Cluster{}
	case 1:
		in.Cluster.Local = 99
	case 2:
		in.Cluster.Quorum.NodeVotes = nil
	}
	return in
}

// TestRepeatedGaps: gaps that come close to the token again and again are a trend, on the best link only.
func TestRepeatedGaps(t *testing.T) {
	s := newScene(t, 3375*time.Millisecond, 2, stretched...)
	for _, l := range s.lines {
		l.windows = windows(1200, 0)
	}
	s.run(20 * time.Second)
	for range 3 {
		s.cut("b1", 0)
		s.run(2 * time.Second)
		s.heal("b1", 0)
		s.run(15 * time.Second)
	}
	if m := s.last.Margin; !m.Known || m.TenMin < 0.9 {
		t.Errorf("margin %+v: link 1 carried all the time", m)
	}
	for range 3 {
		s.cut("b1")
		s.run(700 * time.Millisecond)
		s.heal("b1")
		s.run(15 * time.Second)
	}
	if m := s.last.Margin; m.TenMin > 0.81 || m.TenMin < 0.75 || m.Peer.Name != "b1" {
		t.Errorf("margin %+v, want 1 - 0.7 s / T", m)
	}
	if f, ok := s.finding("low-margin:b1"); !ok || f.Severity != checker.Warning {
		t.Errorf("%+v\n%s", f, s.log())
	}
}
