package votequorum_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// daemon is a slow, literal account of exec/votequorum.c: one per node, state kept in variables that bear its names,
// changed by messages. The package under test is compared with it.
type daemon struct {
	cfg       votequorum.Config
	us        *clusterNode
	nodes     map[uint32]*clusterNode
	quorum    uint8
	quorate   bool
	wfaStatus bool
	lowest    int64
	highest   int64
	members   []uint32 // quorum_members
	previous  []uint32 // previous_quorum_members
	qdevVotes uint     // qdevice->votes
	lms       bool
	lmsTimer  bool
	tracking  bool
	evBarrier uint
	file      uint // ev_tracking_barrier
}

type nodestate int

const (
	unknown nodestate = iota
	member
	dead
	leaving
)

type clusterNode struct {
	id              uint32
	state           nodestate
	votes, expected uint
	flags           flags
}

type flags struct{ quorate, leaving, wfa, first, castVote, masterWins bool }

type nodeinfo struct {
	from            uint32
	votes, expected uint
	flags           flags
}

// newDaemon is votequorum_exec_init_fn.
func newDaemon(us uint32, cfg votequorum.Config, file uint) *daemon {
	d := &daemon{cfg: cfg, nodes: map[uint32]*clusterNode{}, lowest: -1, highest: -1, lms: cfg.LastManStanding, file: file}
	d.tracking = cfg.ExpectedVotesTracking || cfg.AllowDownscale
	d.us = &clusterNode{id: us, state: member, votes: uint(cfg.NodeVotes[us]), flags: flags{first: true}}
	d.nodes[us] = d.us
	var nodeExpected uint
	for _, v := range cfg.NodeVotes {
		nodeExpected += uint(v)
	}
	expected := uint(cfg.ExpectedVotes)
	if cfg.Device != nil {
		d.qdevVotes = uint(cfg.Device.Votes)
		d.us.flags.masterWins = cfg.Device.MasterWins
		if cfg.Device.Votes == 0 && expected == 0 {
			d.qdevVotes = nodeExpected - 1
			nodeExpected += d.qdevVotes
		}
	}
	if d.tracking {
		expected = d.file
	}
	d.us.expected = nodeExpected
	if expected != 0 {
		d.us.expected = expected
	}
	d.evBarrier = d.us.expected
	if cfg.WaitForAll {
		d.setWFA(true)
	}
	d.recalculate(false, false)
	return d
}

func (d *daemon) setWFA(on bool) { d.wfaStatus, d.us.flags.wfa = on, on }

func (d *daemon) info() nodeinfo { return nodeinfo{d.us.id, d.us.votes, d.us.expected, d.us.flags} }

// syncInit is votequorum_sync_init.
func (d *daemon) syncInit(members []uint32) {
	if len(members) > 1 {
		d.us.flags.first = false
	}
	left := false
	for _, m := range d.members {
		if !slices.Contains(members, m) {
			left = true
			if n := d.nodes[m]; n != nil {
				n.state = dead
			}
		}
	}
	if d.lms {
		if len(members) >= int(d.quorum) && left || len(members) <= int(d.quorum) && d.cfg.AutoTieBreaker && d.has(d.lowest) {
			d.lmsTimer = true
		}
	}
	d.previous, d.members = d.members, members
}

func (d *daemon) has(id int64) bool {
	for _, n := range d.nodes {
		if n.state == member && int64(n.id) == id {
			return true
		}
	}
	return false
}

// receive is message_handler_req_exec_votequorum_nodeinfo.
func (d *daemon) receive(m nodeinfo) {
	n, isNew := d.nodes[m.from], false
	if n == nil {
		n, isNew = &clusterNode{id: m.from, state: dead}, true
		d.nodes[m.from] = n
	}
	old := *n
	if isNew {
		old = clusterNode{id: m.from, state: dead}
	}
	n.flags, n.votes, n.state = m.flags, m.votes, member
	allow, byNode := false, false
	if n.flags.leaving {
		n.state, allow, byNode = leaving, true, true
	}
	if !d.quorate && n.flags.quorate {
		allow = true
		d.us.expected = m.expected
	}
	if n.flags.quorate || d.tracking {
		n.expected = m.expected
	} else {
		n.expected = d.us.expected
	}
	if d.lms && n.votes > 1 {
		d.lms, d.lmsTimer = false, false
	}
	if isNew || n == d.us || n.flags.first || old != *n {
		d.recalculate(allow, byNode)
	}
	if d.cfg.WaitForAll && !n.flags.wfa && n.flags.quorate {
		d.setWFA(false)
	}
}

// recalculate is recalculate_quorum.
func (d *daemon) recalculate(allow, byNodes bool) {
	total, nodes := d.total()
	total += d.qdevVotes
	if d.qdevVotes > 0 {
		nodes++
	}
	if !byNodes {
		nodes = 0
	}
	if total > d.us.expected {
		d.us.expected = total
	}
	if d.tracking && d.us.expected > d.file {
		d.file = d.us.expected
	}
	total = d.calculate(allow, nodes)
	if nodes > 0 {
		for _, n := range d.nodes {
			if n.state == member {
				n.expected = nodes
			}
		}
	}
	d.areWeQuorate(total)
}

// total counts the votes and the nodes that are present.
func (d *daemon) total() (votes, nodes uint) {
	for _, n := range d.nodes {
		if n.state == member {
			votes += n.votes
			nodes++
		}
	}
	return votes, nodes
}

// calculate is calculate_quorum.
func (d *daemon) calculate(allow bool, maxExpected uint) uint {
	if d.cfg.AllowDownscale && allow && maxExpected > 0 {
		maxExpected = max(d.evBarrier, maxExpected)
	}
	var highest uint
	for _, n := range d.nodes {
		if n.state == member {
			highest = max(highest, n.expected)
		}
	}
	total, nodes := d.total()
	if d.us.flags.castVote {
		total += d.qdevVotes
		nodes++
	}
	if maxExpected > 0 {
		highest = maxExpected
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

// areWeQuorate is are_we_quorate.
func (d *daemon) areWeQuorate(total uint) {
	if d.cfg.WaitForAll && d.wfaStatus {
		if total != d.us.expected {
			if d.quorate {
				panic("assert(!cluster_is_quorate)")
			}
			return
		}
		d.setWFA(false)
	}
	quorate := uint(d.quorum) <= total
	if quorate {
		d.lowest, d.highest = int64(d.us.id), int64(d.us.id)
		for _, n := range d.nodes {
			if n.state == member {
				d.lowest, d.highest = min(d.lowest, int64(n.id)), max(d.highest, int64(n.id))
			}
		}
	}
	if d.cfg.AutoTieBreaker && total == d.us.expected/2 &&
		len(d.previous)-len(d.members) < int(d.quorum) && d.tieBreaker() {
		quorate = true
	}
	if !quorate && d.cfg.Device != nil && d.cfg.Device.MasterWins && d.master() {
		quorate = true
	}
	d.quorate, d.us.flags.quorate = quorate, quorate
	if d.cfg.WaitForAll {
		d.setWFA(!quorate)
	}
}

// master is check_qdevice_master.
func (d *daemon) master() bool {
	for _, n := range d.nodes {
		if n.state == member && n.flags.masterWins && n.flags.castVote {
			return true
		}
	}
	return false
}

// tieBreaker is check_auto_tie_breaker.
func (d *daemon) tieBreaker() bool {
	switch d.cfg.AutoTieBreakerNode {
	case "", "lowest":
		return d.has(d.lowest)
	case "highest":
		return d.has(d.highest)
	}
	list := []uint32{2, 3} // the only list the test uses
	for i, id := range list {
		if slices.Contains(d.members, id) {
			return !slices.ContainsFunc(list[:i], func(e uint32) bool { return slices.Contains(d.previous, e) })
		}
	}
	return false
}

// window is votequorum_last_man_standing_timer_fn.
func (d *daemon) window() {
	fires := d.lmsTimer
	d.lmsTimer = false
	if fires && d.quorate {
		d.recalculate(true, true)
	}
}

// shown is what corosync-quorumtool would print.
func (d *daemon) shown() string {
	total, _ := d.total()
	if d.us.flags.castVote {
		total += d.qdevVotes
	}
	return fmt.Sprintf("quorate %v, votes %d of %d, quorum %d", d.quorate, total, d.us.expected, d.quorum)
}

// rig is a cluster of daemons with a device's server.
type rig struct {
	begin   func(members int) int // where the token starts
	cfg     votequorum.Config
	daemons map[uint32]*daemon
	files   map[uint32]uint
	qnetd   *qnetd
}

func newRig(cfg votequorum.Config, rng *rand.Rand) *rig {
	begin := func(int) int { return 0 }
	if rng != nil {
		begin = rng.IntN
	}
	r := &rig{begin: begin, cfg: cfg, daemons: map[uint32]*daemon{}, files: map[uint32]uint{}, qnetd: newQnetd(cfg, rng)}
	r.split([][]uint32{cfg.Nodes()})
	r.reach(cfg.Nodes())
	return r
}

func (r *rig) split(partitions [][]uint32) {
	for n, d := range r.daemons {
		if !slices.ContainsFunc(partitions, func(p []uint32) bool { return slices.Contains(p, n) }) {
			r.files[n] = d.file
			delete(r.daemons, n)
			r.qnetd.disconnect(n)
			delete(r.qnetd.clients, n)
		}
	}
	var changed [][]uint32
	for _, p := range partitions {
		started := false
		for _, n := range p {
			if r.daemons[n] == nil {
				started = true
				r.daemons[n] = newDaemon(n, r.cfg, r.files[n])
				r.form([]uint32{n})
				r.qnetd.start(n)
			}
		}
		if started || !slices.Equal(r.daemons[p[0]].members, p) {
			changed = append(changed, p)
		}
	}
	r.qnetd.memberships(changed)
	for _, p := range changed {
		r.form(p)
	}
	for _, p := range r.partitions() {
		r.poll(p)
	}
}

// form makes members one ring: every daemon synchronises, multicasts its nodeinfo as the token comes by, hears everybody's, takes the
// device's vote, and activates.
func (r *rig) form(members []uint32) {
	for _, m := range members {
		r.daemons[m].syncInit(members)
	}
	start := r.begin(len(members))
	for i := range members {
		r.multicast(members, members[(start+i)%len(members)])
	}
	r.poll(members)
	for _, m := range members {
		r.daemons[m].recalculate(false, false)
	}
}

func (r *rig) multicast(members []uint32, from uint32) {
	info := r.daemons[from].info()
	for _, m := range members {
		r.daemons[m].receive(info)
	}
}

// poll is votequorum_qdevice_poll on every member.
func (r *rig) poll(members []uint32) {
	for _, m := range members {
		if cast := r.qnetd.casts(m); cast != r.daemons[m].us.flags.castVote {
			r.daemons[m].us.flags.castVote = cast
			r.multicast(members, m)
		}
	}
}

func (r *rig) reach(nodes []uint32) {
	quorate := map[uint32]bool{}
	for n, d := range r.daemons {
		quorate[n] = d.quorate
	}
	r.qnetd.reach(nodes, quorate)
	for _, p := range r.partitions() {
		r.poll(p)
	}
}

func (r *rig) leave(n uint32) {
	d := r.daemons[n]
	if r.cfg.AllowDownscale { // votequorum_exec_exit_fn
		d.us.flags.leaving = true
		r.multicast(d.members, n)
	}
	rest := slices.DeleteFunc(slices.Clone(d.members), func(m uint32) bool { return m == n })
	partitions := r.partitions()
	partitions = slices.DeleteFunc(partitions, func(p []uint32) bool { return slices.Contains(p, n) })
	if len(rest) > 0 {
		partitions = append(partitions, rest)
	}
	r.split(partitions)
}

func (r *rig) window() {
	for _, d := range r.daemons {
		d.window()
	}
}

func (r *rig) partitions() [][]uint32 {
	var out [][]uint32
	for _, n := range slices.Sorted(maps.Keys(r.daemons)) {
		if d := r.daemons[n]; d.members[0] == n {
			out = append(out, d.members)
		}
	}
	return out
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
	switch rng.IntN(9) {
	case 0:
		c.TwoNode = true
		c.WaitForAll = rng.IntN(2) == 0
	case 1:
		c.AutoTieBreaker = true
		c.AutoTieBreakerNode = []string{"", "lowest", "highest", "2 3"}[rng.IntN(4)]
		c.WaitForAll = rng.IntN(2) == 0
		c.LastManStanding = rng.IntN(2) == 0
	case 2:
		c.WaitForAll = true
		c.LastManStanding = rng.IntN(2) == 0
	case 3, 4:
		c.Device = randomDevice(rng, n)
		c.WaitForAll = rng.IntN(3) == 0
	case 5:
		c.ExpectedVotes = sum(c) + rng.IntN(4) // lower, a node that starts has quorum alone, and takes part in a war of expected votes
		c.ExpectedVotesTracking = rng.IntN(3) == 0
	case 6:
		c.LastManStanding = true
	case 7:
		c.AllowDownscale = true
		c.LastManStanding = rng.IntN(3) == 0
	}
	e, _, err := c.Effective()
	if err != nil {
		c.Device, c.AutoTieBreaker = nil, false
		e, _, _ = c.Effective()
	}
	return e
}

func sum(c votequorum.Config) int {
	all := 0
	for _, v := range c.NodeVotes {
		all += v
	}
	return all
}

func randomDevice(rng *rand.Rand, n int) *votequorum.Device {
	d := &votequorum.Device{
		Model: "net", Algorithm: []string{"ffsplit", "lms", "2nodelms"}[rng.IntN(3)], MasterWins: rng.IntN(8) == 0, ForgetActive: rng.IntN(3) == 0,
		TieBreaker: []string{"", "lowest", "highest", fmt.Sprint(1 + rng.IntN(n))}[rng.IntN(4)],
	}
	switch {
	case d.Algorithm == "ffsplit":
		d.Votes = 1
	case rng.IntN(2) == 0:
		d.Votes = 1 + rng.IntN(3)
	}
	return d
}

// randomPartitions throws the nodes into a few memberships; some are in none.
func randomPartitions(rng *rand.Rand, nodes []uint32) [][]uint32 {
	parts := make([][]uint32, 1+rng.IntN(3))
	for _, n := range nodes {
		if rng.IntN(8) > 0 {
			k := rng.IntN(len(parts))
			parts[k] = append(parts[k], n)
		}
	}
	return slices.DeleteFunc(parts, func(p []uint32) bool { return len(p) == 0 })
}

// step is one thing that happens to a cluster.
type step struct {
	kind  string
	nodes []uint32
	parts [][]uint32
}

func (s step) String() string {
	if s.kind == "split" {
		return fmt.Sprint("split ", s.parts)
	}
	return fmt.Sprint(s.kind, " ", s.nodes)
}

func randomStep(rng *rand.Rand, cfg votequorum.Config, cluster votequorum.Cluster) step {
	nodes := cfg.Nodes()
	var running []uint32
	for _, p := range cluster.Partitions() {
		running = append(running, p...)
	}
	switch k := rng.IntN(8); {
	case k == 0:
		return step{kind: "window"}
	case k == 1 && cfg.Device != nil:
		return step{kind: "reach", nodes: slices.DeleteFunc(slices.Clone(nodes), func(uint32) bool { return rng.IntN(3) == 0 })}
	case k == 2 && len(running) > 1:
		return step{kind: "leave", nodes: []uint32{running[rng.IntN(len(running))]}}
	}
	return step{kind: "split", parts: randomPartitions(rng, nodes)}
}

func (r *rig) do(s step) {
	switch s.kind {
	case "window":
		r.window()
	case "reach":
		r.reach(s.nodes)
	case "leave":
		r.leave(s.nodes[0])
	case "split":
		r.split(s.parts)
	}
}

func follow(c votequorum.Cluster, s step) votequorum.Cluster {
	switch s.kind {
	case "window":
		return c.Window()
	case "reach":
		return c.Reach(s.nodes...)
	case "leave":
		return c.Leave(s.nodes[0])
	}
	return c.Split(s.parts...)
}

// told is what corosync-quorumtool would print on every node, by the daemons and by the package.
func (r *rig) told() map[uint32]string {
	out := map[uint32]string{}
	for n, d := range r.daemons {
		out[n] = d.shown()
	}
	return out
}

func told(c votequorum.Cluster) map[uint32]string {
	out := map[uint32]string{}
	for _, p := range c.Partitions() {
		for _, n := range p {
			r, _ := c.Result(n)
			out[n] = fmt.Sprintf("quorate %v, votes %d of %d, quorum %d", r.Quorate, r.Votes, r.Expected, r.Needed)
		}
	}
	return out
}

// TestAgainstTwin leads random clusters through random lives, and compares every node after every step with the literal daemons: with
// those that hear each other from the lowest on, always; with those that begin anywhere, unless the package says that chance decides.
func TestAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	same, chance, unforeseen, decided := 0, 0, 0, map[string]int{}
	for range 4000 {
		cfg := randomConfig(rng)
		cluster := cfg.Cluster()
		lowest, other := newRig(cfg, nil), newRig(cfg, rng)
		var life []step
		lucky, missed := false, false
		for range 1 + rng.IntN(8) {
			got := told(cluster)
			lucky = lucky || byChance(cluster)
			if want := lowest.told(); !maps.Equal(got, want) {
				t.Fatalf("%s%v\n%s", cfg.Describe(), life, diff(got, want))
			}
			if !lucky && !missed && !maps.Equal(got, other.told()) {
				missed = true
				unforeseen++
			}
			for _, text := range got {
				same++
				decided[text[:len("quorate tru")]]++
			}
			s := randomStep(rng, cfg, cluster)
			life = append(life, s)
			cluster = follow(cluster, s)
			lowest.do(s)
			other.do(s)
		}
		if lucky {
			chance++
		}
	}
	t.Logf("%d answers equal, %v; chance decided in %d lives, in %d of them unforeseen", same, decided, chance+unforeseen, unforeseen)
	if same < 50000 || chance > 300 || unforeseen > 3 {
		t.Error("too few, too many")
	}
}

func byChance(c votequorum.Cluster) bool {
	return slices.ContainsFunc(c.Running(), func(n uint32) bool { r, _ := c.Result(n); return r.Chance })
}

func diff(got, want map[uint32]string) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(want)) {
		if got[n] != want[n] {
			fmt.Fprintf(&b, "node %d: %s\n daemon: %s\n", n, got[n], want[n])
		}
	}
	return b.String()
}
