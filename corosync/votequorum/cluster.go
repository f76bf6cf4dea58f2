package votequorum

import (
	"maps"
	"slices"
)

// Cluster is all that decides about quorum: the votequorum of every running node, and the quorum device's server with its clients. It
// is a value: each method returns the next one and leaves the old as it was.
type Cluster struct {
	cfg     Config
	daemons map[uint32]daemon
	chance  map[uint32]bool // nodes on which the order of messages decided
	files   map[uint32]int  // ev_tracking of nodes that do not run
	device  device
}

// Cluster is a cluster whose nodes have all started and met, with the device's server in reach of all. c is taken as Effective returns
// it.
func (c Config) Cluster() Cluster {
	cl := Cluster{cfg: c, daemons: map[uint32]daemon{}, chance: map[uint32]bool{}, files: map[uint32]int{}, device: newDevice(c)}
	return cl.Split(c.Nodes()).Reach(c.Nodes()...)
}

// Split is the cluster after its memberships have become partitions. A node in none of them is down; one that was down has started,
// and was alone before it met the others. Partitions that were there before stay untouched.
func (cl Cluster) Split(partitions ...[]uint32) Cluster {
	cl = cl.clone()
	var changed, sorted [][]uint32
	for _, p := range partitions {
		if len(p) > 0 {
			sorted = append(sorted, slices.Sorted(slices.Values(p)))
		}
	}
	started := cl.startAndStop(sorted)
	for _, p := range sorted {
		if slices.Contains(started, p[0]) || !slices.Equal(cl.daemons[p[0]].members, p) {
			changed = append(changed, p)
			cl.device.meet(p)
		}
	}
	chance := cl.device.vote(changed)
	for _, p := range changed {
		cl.form(p)
	}
	cl.pollAll() // the vote may have moved away from a partition that stayed
	for _, n := range chance {
		cl.chance[n] = true
	}
	return cl
}

func (cl *Cluster) startAndStop(partitions [][]uint32) (started []uint32) {
	named := slices.Concat(partitions...)
	for _, n := range cl.Running() {
		if !slices.Contains(named, n) {
			cl.files[n] = cl.daemons[n].tracked
			delete(cl.daemons, n)
			delete(cl.chance, n)
			cl.device.stop(n)
		}
	}
	for _, n := range named {
		if _, runs := cl.daemons[n]; !runs {
			cl.daemons[n] = cl.cfg.start(n, cl.files[n])
			cl.daemons = cl.exchange([]uint32{n}, 0)
			cl.device.start(n)
			started = append(started, n)
		}
	}
	return started
}

// form makes p one ring. The token may start anywhere; what is told is what happens when it starts at the lowest node, and whether
// that matters.
func (cl *Cluster) form(p []uint32) {
	after := cl.exchange(p, 0)
	for _, n := range p {
		cl.chance[n] = false
	}
	for start := 1; start < len(p); start++ {
		other := cl.exchange(p, start)
		for _, n := range p {
			a, b := after[n], other[n]
			cl.chance[n] = cl.chance[n] || !a.alike(&b)
		}
	}
	cl.daemons = after
}

// exchange is one synchronization: all begin, each tells its nodeinfo as the token comes by, hears everybody's, takes the device's vote,
// and counts once more (votequorum_sync_init, _process, _activate).
func (cl *Cluster) exchange(p []uint32, start int) map[uint32]daemon {
	daemons := maps.Clone(cl.daemons)
	for _, n := range p {
		d := daemons[n].clone()
		d.synchronize(p)
		daemons[n] = d
	}
	for i := range p {
		multicast(daemons, p, p[(start+i)%len(p)])
	}
	cl.poll(daemons, p)
	for _, n := range p {
		d := daemons[n]
		d.recalculate(false, false)
		daemons[n] = d
	}
	return daemons
}

func multicast(daemons map[uint32]daemon, members []uint32, from uint32) {
	sender := daemons[from]
	info := sender.info()
	for _, n := range members {
		d := daemons[n]
		d.receive(from, info)
		daemons[n] = d
	}
}

// poll is votequorum_qdevice_poll of every member's corosync-qdevice.
func (cl *Cluster) poll(daemons map[uint32]daemon, members []uint32) {
	for _, n := range members {
		d := daemons[n]
		if vote := cl.device.casts[n]; vote != d.us().flags.vote {
			d.edit(func(us *peer) { us.flags.vote = vote })
			daemons[n] = d
			multicast(daemons, members, n)
		}
	}
}

// Reach is the cluster once just these nodes reach the device's server, memberships unchanged. Without a node, the server is down. The
// nodes lose it, and then find it, one by one in ascending order: where another order matters, call it for one after the other.
func (cl Cluster) Reach(nodes ...uint32) Cluster {
	cl = cl.clone()
	cl.device.reach(nodes, func(n uint32) bool { return cl.daemons[n].quorate })
	cl.pollAll()
	return cl
}

func (cl *Cluster) pollAll() {
	for _, p := range cl.Partitions() {
		cl.poll(cl.daemons, p)
	}
}

// Leave is the cluster after node was stopped in an orderly way and the rest of its membership has become one of its own. Only with
// allow_downscale that differs from a loss: the others then lower their expected votes to the count of nodes that stay
// (votequorum_exec_exit_fn).
func (cl Cluster) Leave(node uint32) Cluster {
	cl = cl.clone()
	leaver := cl.daemons[node]
	if cl.cfg.AllowDownscale {
		leaver.edit(func(us *peer) { us.flags.leaving = true })
		cl.daemons[node] = leaver
		multicast(cl.daemons, leaver.members, node)
	}
	rest := slices.DeleteFunc(slices.Clone(leaver.members), func(n uint32) bool { return n == node })
	var partitions [][]uint32
	for _, p := range cl.Partitions() {
		if slices.Contains(p, node) {
			p = rest
		}
		partitions = append(partitions, p)
	}
	return cl.Split(partitions...)
}

// Window is the cluster after last_man_standing_window has passed everywhere.
func (cl Cluster) Window() Cluster {
	cl = cl.clone()
	for n, d := range cl.daemons {
		d.windowEnds()
		cl.daemons[n] = d
	}
	return cl
}

// Running are the nodes that run, ascending.
func (cl Cluster) Running() []uint32 { return slices.Sorted(maps.Keys(cl.daemons)) }

// Partitions are the present memberships, ordered by their lowest nodes.
func (cl Cluster) Partitions() [][]uint32 {
	var out [][]uint32
	for _, n := range cl.Running() {
		if p := cl.daemons[n].members; p[0] == n {
			out = append(out, slices.Clone(p))
		}
	}
	return out
}

// Result is what node shows; false if it does not run.
func (cl Cluster) Result(node uint32) (Result, bool) {
	d, ok := cl.daemons[node]
	if !ok {
		return Result{}, false
	}
	r := d.result()
	r.Chance = cl.chance[node]
	return r, true
}

// History is what node remembers: what a formula such as Outcome needs to go on from there.
func (cl Cluster) History(node uint32) History {
	d := cl.daemons[node]
	return d.history()
}

func (cl Cluster) clone() Cluster {
	daemons := map[uint32]daemon{}
	for n, d := range cl.daemons {
		daemons[n] = d.clone()
	}
	cl.daemons, cl.chance, cl.files = daemons, maps.Clone(cl.chance), maps.Clone(cl.files)
	cl.device = cl.device.clone()
	return cl
}
