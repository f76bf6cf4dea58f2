//go:build linux

package lab_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// quick is the shortest token that two busy cores keep, with links that are as quick as knet allows.
var (
	quickTotem = []lab.Option{{Key: "token", Value: "500"}, {Key: "token_coefficient", Value: "0"}}
	quickLink  = []lab.Option{{Key: "knet_ping_interval", Value: "200"}, {Key: "knet_ping_timeout", Value: "400"}}
)

// lmsWindow is last_man_standing_window: what is shown before it ends has to be read within it.
const lmsWindow = 2 * time.Second

// act is one thing that happens to the cluster. Nodes bear their numbers.
type act struct {
	kind  string // split, reach, window, kill, start, leave
	parts partitions
	nodes []uint32
}

func (a act) String() string {
	if a.kind == "split" {
		return fmt.Sprint(a.parts)
	}
	return fmt.Sprint(a.kind, a.nodes)
}

func split(parts ...[]uint32) act { return act{kind: "split", parts: parts} }
func reach(nodes ...uint32) act   { return act{kind: "reach", nodes: nodes} }
func kill(node uint32) act        { return act{kind: "kill", nodes: []uint32{node}} }
func start(node uint32) act       { return act{kind: "start", nodes: []uint32{node}} }
func leave(node uint32) act       { return act{kind: "leave", nodes: []uint32{node}} }
func window() act                 { return act{kind: "window"} }
func upTo(n int) (nodes []uint32) { // 1 to n
	for i := range n {
		nodes = append(nodes, uint32(i+1))
	}
	return nodes
}

// each splits a whole cluster in each of these ways, and heals it in between.
func each(nodes int, ways []partitions) []act {
	var acts []act
	for _, p := range ways {
		acts = append(acts, split(p...), split(upTo(nodes)))
	}
	return acts
}

// play is one cluster with a list of acts.
type play struct {
	name   string
	nodes  int
	quorum []lab.Option
	votes  []int
	device *lab.Qdevice
	acts   []act
	long   bool // left out of the selection
	rest   bool // the rest of the partitions is to be played too, if every one is
}

// others are the plays of the rest, which are long.
func (p play) others() []play {
	var out []play
	for i, ways := range rest(p.nodes) {
		q := p
		q.name, q.acts, q.long, q.rest = fmt.Sprintf("%s-rest-%d", p.name, i+1), each(p.nodes, ways), true, false
		out = append(out, q)
	}
	return out
}

// score counts answers of nodes.
type score struct{ cases, equal, chance, detours int }

func (s *score) add(o score) {
	s.cases, s.equal, s.chance, s.detours = s.cases+o.cases, s.equal+o.equal, s.chance+o.chance, s.detours+o.detours
}

// stage is a running play: the lab, and the package's account of it.
type stage struct {
	t       *testing.T
	l       *lab.Lab
	cfg     votequorum.Config
	cluster votequorum.Cluster
	device  bool
	score   score
	began   time.Time // of the present act
	parted  bool      // chance made another history than the package's
}

func (p play) run(ctx context.Context, t *testing.T) score {
	spec := lab.Spec{
		Sites: []lab.Site{{Name: "n", Nodes: p.nodes}}, Totem: quickTotem, Link: quickLink, Quorum: p.quorum, Votes: p.votes, Device: p.device,
	}
	l, err := lab.New(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	parsed, err := corosync.Parse("corosync.conf", strings.NewReader(l.Conf()))
	if err != nil {
		t.Fatal(err)
	}
	cfg, notes, err := parsed.Quorum.Effective()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notes {
		t.Log(n)
	}
	s := &stage{t: t, l: l, cfg: cfg, cluster: cfg.Cluster(), device: p.device != nil}
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if s.device {
		s.await(ctx, "start", func(_ uint32, q shown) bool { return len(q.members()) == p.nodes })
		if err := l.StartDevice(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.compare(ctx, "start")
	for _, a := range p.acts {
		s.began = time.Now()
		s.do(ctx, a)
		s.compare(ctx, a.String())
		t.Logf("%v: %.1f s", a, time.Since(s.began).Seconds())
		if t.Failed() || ctx.Err() != nil || s.parted {
			break
		}
	}
	if t.Failed() {
		s.confess()
	}
	return s.score
}

// confess prints the logs of all daemons.
func (s *stage) confess() {
	for _, n := range s.l.Nodes() {
		for _, line := range n.Log().Lines(0) {
			s.t.Log(n.Name(), line)
		}
	}
	if q := s.l.Qnetd(); q != nil {
		s.t.Log(q.Output())
	}
}

func (s *stage) node(n uint32) *lab.Node { return s.l.Nodes()[n-1] }

func (s *stage) do(ctx context.Context, a act) {
	switch a.kind {
	case "split":
		s.cut(a.parts)
	case "reach":
		s.reach(a.nodes)
	case "window":
		time.Sleep(lmsWindow + 300*time.Millisecond)
	case "kill":
		s.must(s.node(a.nodes[0]).Corosync().Kill())
	case "leave":
		s.must(s.node(a.nodes[0]).Corosync().Stop())
	case "start":
		s.must(s.node(a.nodes[0]).Corosync().Start(ctx))
	}
	s.cluster = a.follow(s.cluster)
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func without(parts [][]uint32, node uint32) partitions {
	var out partitions
	for _, p := range parts {
		if p = slices.DeleteFunc(slices.Clone(p), func(n uint32) bool { return n == node }); len(p) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// cut lets the hub lose all packets between nodes of different parts.
func (s *stage) cut(parts partitions) {
	var rules []impair.Rule
	for i, p := range parts {
		for j, q := range parts[:i] {
			rules = append(rules, impair.Rule{Name: fmt.Sprintf("cut%d-%d", i, j), From: s.names(p), To: s.names(q), Both: true, Blackout: true})
		}
	}
	s.must(s.l.Hub().Set(rules...))
}

func (s *stage) names(nodes []uint32) (names []string) {
	for _, n := range nodes {
		names = append(names, s.node(n).Name())
	}
	return names
}

// reach opens and shuts the ways to the server one after the other, in the order that Cluster.Reach has.
func (s *stage) reach(nodes []uint32) {
	was := s.l.Qnetd().Reaching()
	now := slices.Clone(was)
	for _, n := range s.names(upTo(len(s.l.Nodes()))) {
		if i := slices.Index(now, n); i >= 0 && !slices.Contains(s.names(nodes), n) {
			now = slices.Delete(now, i, i+1)
			s.l.Qnetd().Reach(now...)
			time.Sleep(50 * time.Millisecond)
		}
	}
	for _, n := range s.names(nodes) {
		if !slices.Contains(now, n) {
			now = append(now, n)
			s.l.Qnetd().Reach(now...)
			time.Sleep(1500 * time.Millisecond) // it tries again within half of the device's timeout
		}
	}
}
