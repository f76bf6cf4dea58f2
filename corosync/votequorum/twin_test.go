package votequorum_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// daemon is a slow, literal account of exec/votequorum.c: one per node, state kept in variables that bear its names,
// changed by messages. The package under test is compared with it.
type daemon struct {
	us        uint32
	cfg       votequorum.Config
	nodes     map[uint32]*clusterNode
	quorum    uint8
	quorate   bool
	wfaStatus bool
	lowest    uint32
	highest   uint32
	members   []uint32
	previous  []uint32
	castVote  bool // NODE_FLAGS_QDEVICE_CAST_VOTE of us
	qdevVotes uint
}

type clusterNode struct {
	member          bool
	votes, expected uint
	quorate, wfa    bool
}

type nodeinfo struct {
	from            uint32
	votes, expected uint
	quorate, wfa    bool
}

func newDaemon(us uint32, cfg votequorum.Config) *daemon {
	d := &daemon{us: us, cfg: cfg, nodes: map[uint32]*clusterNode{}, qdevVotes: uint(cfg.DeviceVotes())}
	expected := uint(cfg.ExpectedVotes)
	if expected == 0 {
		for _, v := range cfg.NodeVotes {
			expected += uint(v)
		}
	}
	d.nodes[us] = &clusterNode{member: true, votes: uint(cfg.NodeVotes[us]), expected: expected}
	d.setWFA(cfg.WaitForAll)
	return d
}

func (d *daemon) self() *clusterNode { return d.nodes[d.us] }
func (d *daemon) setWFA(on bool)     { d.wfaStatus, d.self().wfa = on, on }

func (d *daemon) info() nodeinfo {
	n := d.self()
	return nodeinfo{d.us, n.votes, n.expected, n.quorate, n.wfa}
}

func (d *daemon) syncInit(members []uint32) {
	for _, m := range d.members {
		if !slices.Contains(members, m) {
			if n := d.nodes[m]; n != nil {
				n.member = false
			}
		}
	}
	d.previous, d.members = d.members, members
}

func (d *daemon) receive(m nodeinfo) {
	n := d.nodes[m.from]
	if n == nil {
		n = &clusterNode{}
		d.nodes[m.from] = n
	}
	n.quorate, n.wfa, n.votes, n.member = m.quorate, m.wfa, m.votes, true
	allow := false
	if !d.quorate && n.quorate {
		allow = true
		d.self().expected = m.expected
	}
	if n.quorate {
		n.expected = m.expected
	} else {
		n.expected = d.self().expected
	}
	d.recalculate(allow)
	if d.cfg.WaitForAll && !n.wfa && n.quorate {
		d.setWFA(false)
	}
}

func (d *daemon) recalculate(allow bool) {
	var total uint
	for _, n := range d.nodes {
		if n.member {
			total += n.votes
		}
	}
	total += d.qdevVotes
	if total > d.self().expected {
		d.self().expected = total
	}
	d.areWeQuorate(d.calculate(allow))
}

func (d *daemon) calculate(allow bool) uint {
	var total, highest, nodes uint
	for _, n := range d.nodes {
		if n.member {
			highest = max(highest, n.expected)
			total += n.votes
			nodes++
		}
	}
	if d.castVote {
		total += d.qdevVotes
		nodes++
	}
	q := max((highest+2)/2, (total+2)/2)
	if !allow {
		q = max(q, uint(d.quorum))
	}
	if d.cfg.TwoNode && nodes <= 2 {
		q = 1
	}
	d.quorum = uint8(q)
	return total
}

func (d *daemon) areWeQuorate(total uint) {
	if d.cfg.WaitForAll && d.wfaStatus {
		if total != d.self().expected {
			return
		}
		d.setWFA(false)
	}
	quorate := uint(d.quorum) <= total
	if quorate {
		d.lowest, d.highest = d.us, d.us
		for id, n := range d.nodes {
			if n.member {
				d.lowest, d.highest = min(d.lowest, id), max(d.highest, id)
			}
		}
	}
	if d.cfg.AutoTieBreaker && total == d.self().expected/2 &&
		len(d.previous)-len(d.members) < int(d.quorum) && d.tieBreaker() {
		quorate = true
	}
	d.quorate, d.self().quorate = quorate, quorate
	if d.cfg.WaitForAll {
		d.setWFA(!quorate)
	}
}

func (d *daemon) tieBreaker() bool {
	here := func(id uint32) bool { n := d.nodes[id]; return n != nil && n.member }
	switch d.cfg.AutoTieBreakerNode {
	case "", "lowest":
		return here(d.lowest)
	case "highest":
		return here(d.highest)
	}
	list := []uint32{2, 3} // the only list the test uses
	for i, id := range list {
		if slices.Contains(d.members, id) {
			return !slices.ContainsFunc(list[:i], func(e uint32) bool { return slices.Contains(d.previous, e) })
		}
	}
	return false
}

// form makes members one ring: every daemon synchronises, multicasts its nodeinfo, hears everybody's, and activates.
func form(daemons map[uint32]*daemon, members []uint32) {
	var infos []nodeinfo
	for _, m := range members {
		daemons[m].syncInit(members)
		infos = append(infos, daemons[m].info())
	}
	for _, m := range members {
		for _, i := range infos {
			daemons[m].receive(i)
		}
		daemons[m].recalculate(false)
	}
}

func randomConfig(rng *rand.Rand) votequorum.Config {
	c := votequorum.Config{Provider: "corosync_votequorum", NodeVotes: map[uint32]int{}}
	n := 1 + rng.IntN(7)
	plain := rng.IntN(3) > 0
	for i := range n {
		c.NodeVotes[uint32(i+1)] = 1
		if !plain {
			c.NodeVotes[uint32(i+1)] = rng.IntN(4)
		}
	}
	switch rng.IntN(6) {
	case 0:
		c.TwoNode = true
		c.WaitForAll = rng.IntN(2) == 0
	case 1:
		c.AutoTieBreaker = true
		c.AutoTieBreakerNode = []string{"", "lowest", "highest", "2 3"}[rng.IntN(4)]
		c.WaitForAll = rng.IntN(2) == 0
	case 2:
		c.WaitForAll = true
	case 3:
		c.Device = &votequorum.Device{Model: "net", Votes: 1 + rng.IntN(3), Algorithm: "ffsplit"}
	case 4:
		c.ExpectedVotes = 1 + rng.IntN(9)
	}
	e, _, err := c.Effective()
	if err != nil {
		c.Device = nil
		e, _, _ = c.Effective()
	}
	return e
}

func randomPart(rng *rand.Rand, of []uint32) []uint32 {
	var p []uint32
	for _, n := range of {
		if rng.IntN(3) > 0 {
			p = append(p, n)
		}
	}
	return p
}

// TestOutcomeAgainstTwin lets random clusters shrink step by step and compares each step with the literal daemons.
func TestOutcomeAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	compared, decided := 0, map[bool]int{}
	for range 30000 {
		cfg := randomConfig(rng)
		daemons := map[uint32]*daemon{}
		for _, n := range cfg.Nodes() {
			daemons[n] = newDaemon(n, cfg)
			daemons[n].castVote = cfg.Device != nil
		}
		members := cfg.Nodes()
		form(daemons, members)
		first := daemons[members[0]]
		h := votequorum.History{Quorum: int(first.quorum), Expected: int(first.self().expected), Members: members, Waiting: first.wfaStatus}
		if !first.quorate {
			continue // all of it present and no quorum: expected_votes is too high
		}
		for {
			part := randomPart(rng, members)
			if len(part) == 0 || len(part) == len(members) {
				break
			}
			device := cfg.Device != nil && rng.IntN(2) == 0
			for _, m := range part {
				daemons[m].castVote = device
			}
			form(daemons, part)
			want := daemons[part[0]].quorate
			got := cfg.Outcome(h, part, device)
			if got.Quorate != want {
				t.Fatalf("%sof %v with %+v: partition %v device %v: quorate %v (%s), daemon says %v", cfg.Describe(), members, h, part, device, got.Quorate, got.Reason, want)
			}
			if d := daemons[part[0]]; want && got.Needed != int(d.quorum) {
				t.Fatalf("%spartition %v of %v: needed %d, daemon says %d", cfg.Describe(), part, members, got.Needed, d.quorum)
			}
			compared, decided[want] = compared+1, decided[want]+1
			if !want {
				break // what an inquorate rest remembers is not modelled further
			}
			h, members = cfg.After(h, part, got), part
		}
	}
	if decided[true] < 2000 || decided[false] < 2000 {
		t.Fatalf("too few cases of one kind: %v of %d", decided, compared)
	}
}

// TestSpareAgainstTwin compares Spare.Nodes with trying every set of lost nodes.
func TestSpareAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		cfg := randomConfig(rng)
		members := cfg.Nodes()
		device := cfg.Device != nil
		all := cfg.Outcome(votequorum.History{}, members, device)
		if !all.Quorate {
			continue
		}
		h := cfg.After(votequorum.History{}, members, all)
		want := len(members) - 1
		for lost := range 1 << len(members) {
			var left []uint32
			for i, m := range members {
				if lost&(1<<i) == 0 {
					left = append(left, m)
				}
			}
			if gone := len(members) - len(left); gone > 0 && len(left) > 0 && !cfg.Outcome(h, left, device).Quorate {
				want = min(want, gone-1)
			}
		}
		if got := cfg.Spare(votequorum.History{}, members, device); got.Nodes != want {
			t.Fatalf("%sspare nodes %d, want %d", cfg.Describe(), got.Nodes, want)
		}
	}
}
