package checker_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/topology"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

const (
	frame    = 25 * time.Millisecond // between two Steps
	interval = 50 * time.Millisecond
	rtt      = 5 * time.Millisecond
	slack    = 10 * time.Millisecond
)

// scene is a cluster seen from its first node, with a crude model of probes, knet and membership. Times are from its start.
type scene struct {
	t       *testing.T
	start   time.Time
	now     time.Duration
	in      checker.Input
	token   time.Duration
	knetOff bool // Corosync cannot be asked
	lines   []*line
	nodes   []*nodeSim
	state   checker.State
	last    checker.Report
	seen    []event
	polled  time.Duration
	edit    func(*checker.Input) // last word on every Input
}

// line is one path from the local node to a peer.
type line struct {
	node          uint32
	link          int
	deadFrom      time.Duration // <0: alive
	deadTo        time.Duration // <0: still dead
	backwardAlive bool
	err           string
	unheard       bool // no agent was ever heard on it
	windows       []stats.Window
	full          stats.Full
	flash         time.Duration // until then it works, although it is dead
	alive         time.Duration // how long it has worked in all
}

type nodeSim struct {
	id         uint32
	agentDead  time.Duration // <0: lives
	leaving    bool
	refused    bool
	left       bool // out of the membership by its own will
	noAgent    bool
	others     map[uint32]mesh.State // what it says of third nodes, if not Up
	knetDown   map[uint32]bool
	frozen     bool // its views stop (as over a dead path)
	lastView   checker.PeerView
	noCorosync bool
	pause      time.Duration
	restarts   time.Duration // when its agent began anew
}

// newScene makes a cluster whose node names tell their site: a1 a2 a3 b1 b2 c1.
func newScene(t *testing.T, token time.Duration, links int, names ...string) *scene {
	s := &scene{t: t, start: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), token: token, polled: -time.Hour}
	params := totem.Params{Token: token}
	c := &s.in.Cluster
	c.Name, c.Local, c.ConfigVersion, c.TimeoutsFrom = "lab", 1, 3, "runtime"
	c.Timeouts = params.Timeouts()
	c.Quorum = votequorum.Config{Provider: "corosync_votequorum", NodeVotes: map[uint32]int{}}
	for l := range links {
		c.Links = append(c.Links, topology.Link{Number: l, Port: uint16(5405 + l), Priority: 1, Timers: totem.LinkParams{}.Timeouts(token)})
	}
	for i, name := range names {
		id := uint32(i + 1)
		n := topology.Node{ID: id, Name: name, Votes: 1, Site: name[:1], Addrs: map[int]netip.Addr{}}
		for l := range links {
			n.Addrs[l] = netip.AddrFrom4([4]byte{10, byte(l), 0, byte(id)})
			if id != 1 {
				s.lines = append(s.lines, &line{node: id, link: l, deadFrom: -1, deadTo: -1})
			}
		}
		c.Nodes = append(c.Nodes, n)
		c.Quorum.NodeVotes[id] = 1
		s.nodes = append(s.nodes, &nodeSim{id: id, agentDead: -1, others: map[uint32]mesh.State{}, knetDown: map[uint32]bool{}})
	}
	s.in.Software = "test"
	return s
}

func (s *scene) node(name string) *nodeSim {
	for i, n := range s.in.Cluster.Nodes {
		if n.Name == name {
			return s.nodes[i]
		}
	}
	s.t.Fatalf("no node %s", name)
	return nil
}

// cut kills the links (all if none given) to the named nodes from now on.
func (s *scene) cut(names string, links ...int) {
	for _, l := range s.linesTo(names, links) {
		if !l.dead(s.now) {
			l.deadFrom, l.deadTo = s.now, -1
		}
	}
}

// cutSite kills all paths to the other site, for everybody on this one.
func (s *scene) cutSite() {
	s.cut("b1 b2")
	for _, near := range []string{"a2", "a3"} {
		s.node(near).others[4], s.node(near).others[5] = mesh.Down, mesh.Down
	}
}

func (s *scene) healSite() {
	s.heal("b1 b2")
	for _, near := range []string{"a2", "a3"} {
		clear(s.node(near).others)
	}
}

func (s *scene) heal(names string, links ...int) {
	for _, l := range s.linesTo(names, links) {
		if l.deadFrom >= 0 && l.deadTo < 0 {
			l.deadTo = s.now
		}
	}
}

func (s *scene) linesTo(names string, links []int) []*line {
	var out []*line
	for name := range strings.FieldsSeq(names) {
		id := s.node(name).id
		for _, l := range s.lines {
			if l.node == id && (len(links) == 0 || slices.Contains(links, l.link)) {
				out = append(out, l)
			}
		}
	}
	return out
}

func (l *line) dead(now time.Duration) bool {
	return l.deadFrom >= 0 && l.deadTo < 0 && now >= l.deadFrom
}

// silentSince is when probes began to be lost, -1 if they are not.
func (l *line) silentSince(now time.Duration) time.Duration {
	if !l.dead(now) || now <= l.flash {
		return -1
	}
	return max(l.deadFrom, l.flash)
}

// run lets d pass.
func (s *scene) run(d time.Duration) {
	for end := s.now + d; s.now < end; {
		s.now += frame
		s.step()
	}
}

func (s *scene) step() {
	in := s.in
	in.Now = s.start.Add(s.now)
	in.Paths = s.observe()
	in.Views = s.views()
	every := 2 * time.Second
	for _, p := range s.last.Paths {
		if p.Gap > 0 {
			every = 250 * time.Millisecond
		}
	}
	if s.now-s.polled >= every && !s.knetOff {
		s.in.Status, s.polled = s.poll(), s.now
	}
	if !s.knetOff {
		in.Status = s.pushed(s.in.Status)
	}
	if s.edit != nil {
		s.edit(&in)
	}
	var r checker.Report
	s.state, r = checker.Step(s.state, in)
	s.note(r)
	s.last = r
}

func (s *scene) observe() []checker.Observation {
	out := make([]checker.Observation, 0, len(s.lines))
	for i, l := range s.lines {
		n := s.nodes[l.node-1]
		phase := time.Duration(i*7%50) * time.Millisecond
		o := checker.Observation{
			Node: l.node, Link: l.link, Interval: interval, Err: l.err, Since: s.start,
			Local: netip.AddrFrom4([4]byte{10, byte(l.link), 0, 1}), Remote: netip.AddrFrom4([4]byte{10, byte(l.link), 0, byte(l.node)}),
		}
		from := l.silentSince(s.now)
		if n.agentDead >= 0 && (from < 0 || n.agentDead < from) {
			from = n.agentDead
			if n.refused && !l.dead(s.now) {
				o.Refused = s.start.Add(s.now)
			}
		}
		sum := &o.Summary
		sum.At, sum.EverHeard, sum.Authenticated = s.start.Add(s.now), !l.unheard && !n.noAgent, true
		sum.RTT = stats.RTT{Known: true, Smoothed: rtt, Latest: rtt, Min: rtt, Var: time.Millisecond}
		sum.Windows, sum.Full = l.windows, l.full
		sum.LastHeard = s.start.Add(s.now)
		if from < 0 {
			l.alive += frame
		}
		sum.Total.Received = uint64(l.alive / interval)
		if from >= 0 {
			first := (from-phase+interval-1)/interval*interval + phase
			if overdue := s.now - rtt - slack - first; overdue >= 0 {
				sum.Unanswered = int(overdue/interval) + 1
				sum.Outage = stats.Outage{Since: s.start.Add(first), For: s.now - first}
				sum.LastHeard = s.start.Add(from)
			}
			sum.Forward = stats.Direction{Gap: s.now - from, Known: l.backwardAlive}
			sum.Backward = stats.Direction{Gap: s.now - from, Known: l.backwardAlive}
			if l.backwardAlive {
				sum.Backward.Gap = interval
			}
		}
		out = append(out, o)
	}
	return out
}

func (s *scene) reachable(id uint32) bool {
	for _, l := range s.lines {
		if l.node == id && !l.dead(s.now) {
			return true
		}
	}
	return false
}

// views gives the newest bulletin of each peer; twice a second, over any live path.
func (s *scene) views() []checker.PeerView {
	var out []checker.PeerView
	for _, n := range s.nodes[1:] {
		if n.noAgent {
			continue
		}
		due := s.now.Truncate(500*time.Millisecond) + time.Duration(n.id)*10*time.Millisecond
		if n.agentDead < 0 && s.reachable(n.id) && !n.frozen && s.now >= due && n.lastView.At.Before(s.start.Add(due)) || n.lastView.At.IsZero() {
			v := checker.PeerView{At: s.start.Add(s.now), View: mesh.View{
				Node: n.id, Sequence: uint32((s.now-n.restarts)/frame) + 1, Interval: interval, Corosync: !n.noCorosync, Quorate: true, Token: s.token,
				ConfigVersion: 3, Leaving: n.leaving, Pause: n.pause,
			}}
			for _, m := range s.nodes {
				if m.id == n.id {
					continue
				}
				for _, l := range s.in.Cluster.Links {
					st, ok := n.others[m.id]
					if !ok {
						st = mesh.Up
					}
					v.Paths = append(v.Paths, mesh.Path{Node: m.id, Link: l.Number, State: st, KnetDown: n.knetDown[m.id], RTT: rtt})
				}
			}
			n.lastView = v
		}
		out = append(out, n.lastView)
	}
	return out
}

// poll asks the simulated daemon for knet's links.
func (s *scene) poll() corosync.Status {
	st := corosync.Status{At: s.start.Add(s.now), LinksAt: s.start.Add(s.now), Daemon: corosync.DaemonRunning, LocalID: 1, RingID: corosync.RingID{Rep: 1, Seq: 9}}
	st.SRP = corosync.SRPStats{Known: true, TimeSinceToken: 100 * time.Millisecond}
	for _, l := range s.lines {
		t := totem.LinkParams{}.Timeouts(s.token)
		up := true
		if l.deadFrom >= 0 {
			end := l.deadTo
			if end < 0 {
				end = s.now
			}
			if end-l.deadFrom >= t.PingTimeout && s.now-l.deadFrom >= t.PingTimeout {
				up = l.deadTo >= 0 && s.now-l.deadTo >= 3*t.EffectiveInterval
			}
		}
		st.Links = append(st.Links, corosync.LinkStatus{Node: l.node, Link: l.link, Enabled: true, Connected: up, MTU: 1397})
	}
	return st
}

// pushed adds membership and quorum, which Corosync tells at once.
func (s *scene) pushed(st corosync.Status) corosync.Status {
	members := []uint32{1}
	votes := 1
	for _, n := range s.nodes[1:] {
		in := !n.left
		var since time.Duration = -1
		all := true
		for _, l := range s.lines {
			if l.node == n.id {
				all = all && l.dead(s.now)
				since = max(since, l.deadFrom)
			}
		}
		if all && s.now-since >= s.token*21/10 {
			in = false
		}
		st.Members = append(slices.Clip(st.Members), corosync.Member{ID: n.id, Joined: in})
		if in {
			members = append(members, n.id)
			votes++
		}
	}
	st.Members = append(st.Members, corosync.Member{ID: 1, Joined: true})
	total := len(s.nodes)
	st.Quorum = corosync.QuorumStatus{
		Known: true, Provider: "corosync_votequorum", Expected: total, HighestExpected: total, Total: votes, Quorum: total/2 + 1, Quorate: votes > total/2,
		Flags: []string{"Quorate"},
	}
	for _, m := range members {
		st.Quorum.Votes = append(st.Quorum.Votes, corosync.MemberVotes{ID: m, Votes: 1})
	}
	if st.At.Before(s.start.Add(s.now)) {
		st.At = s.start.Add(s.now)
	}
	return st
}
