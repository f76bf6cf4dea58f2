package votequorum

import (
	"maps"
	"slices"
)

// Cluster is all that decides about quorum: what the votequorum of every running node remembers, and the state of the quorum device's
// server and of its clients. It is a value: each method returns the next one and leaves the old as it was.
type Cluster struct {
	cfg     Config
	nodes   map[uint32]History // of the running nodes
	results map[uint32]Result
	files   map[uint32]int // ev_tracking of nodes that do not run
	device  device
}

// Cluster is a cluster whose nodes have all long since been together, with the device's server in reach of all.
func (c Config) Cluster() Cluster {
	cl := Cluster{cfg: c, nodes: map[uint32]History{}, results: map[uint32]Result{}, files: map[uint32]int{}, device: newDevice(c)}
	return cl.Split(c.Nodes()).Reach(c.Nodes()...)
}

// Split is the cluster after its memberships have become partitions. A node in none of them is down; one that was down has started,
// and was alone before it met the others. Partitions that were there before stay untouched.
func (cl Cluster) Split(partitions ...[]uint32) Cluster {
	cl = cl.clone()
	started := cl.startAndStop(partitions)
	var changed [][]uint32
	for _, p := range partitions {
		p = slices.Sorted(slices.Values(p))
		if len(p) > 0 && (slices.Contains(started, p[0]) || !cl.is(p)) {
			changed = append(changed, p)
		}
	}
	for _, p := range changed {
		cl.device.meet(p)
	}
	cl.device.vote(changed)
	for _, p := range changed {
		results := cl.cfg.form(cl.nodes, p, cl.device.votesOn)
		for n, r := range results {
			cl.nodes[n] = cl.cfg.After(cl.nodes[n], p, r)
		}
		maps.Copy(cl.results, results)
	}
	return cl
}

// is tells whether p is a membership already.
func (cl Cluster) is(p []uint32) bool {
	return !slices.ContainsFunc(p, func(n uint32) bool { return !slices.Equal(cl.nodes[n].Members, p) })
}

func (cl *Cluster) startAndStop(partitions [][]uint32) (started []uint32) {
	var named []uint32
	for _, p := range partitions {
		named = append(named, p...)
	}
	for n := range cl.nodes {
		if !slices.Contains(named, n) {
			cl.down(n)
		}
	}
	for _, n := range named {
		if _, runs := cl.nodes[n]; runs {
			continue
		}
		h := cl.cfg.boot(n, cl.files[n])
		r := cl.cfg.decide(moment{h: h, members: []uint32{n}})
		cl.nodes[n] = cl.cfg.After(h, []uint32{n}, r)
		cl.results[n] = r
		cl.device.start(n)
		started = append(started, n)
	}
	return started
}

func (cl *Cluster) down(n uint32) {
	cl.files[n] = cl.nodes[n].Barrier
	delete(cl.nodes, n)
	delete(cl.results, n)
	cl.device.stop(n)
}

// Reach is the cluster once just these nodes reach the device's server, memberships unchanged. Without a node, the server is down.
func (cl Cluster) Reach(nodes ...uint32) Cluster {
	cl = cl.clone()
	cl.device.reach(nodes, func(n uint32) bool { return !cl.nodes[n].Lost })
	cl.recount()
	return cl
}

// recount counts again after votes of the device came or went.
func (cl *Cluster) recount() {
	for n, h := range cl.nodes {
		master := slices.ContainsFunc(h.Members, cl.device.votesOn)
		r := cl.cfg.answer(moment{h: h, members: h.Members, device: cl.device.votesOn(n), master: master})
		cl.nodes[n], cl.results[n] = cl.cfg.settle(h, h.Members, r), r
	}
}

// Leave is the cluster after node was stopped in an orderly way and the rest of its membership has become one of its own. Only with
// allow_downscale that differs from a loss: the others then lower their expected votes to the count of nodes that stay.
func (cl Cluster) Leave(node uint32) Cluster {
	rest := slices.DeleteFunc(slices.Clone(cl.nodes[node].Members), func(n uint32) bool { return n == node })
	if cl.cfg.AllowDownscale {
		cl = cl.clone()
		for _, n := range rest {
			h := cl.nodes[n]
			r := cl.cfg.fall(h, rest)
			cl.nodes[n], cl.results[n] = cl.cfg.settle(h, rest, r), r
		}
	}
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
	for n, h := range cl.nodes {
		next := cl.cfg.Window(h)
		if h.Window && !h.Lost {
			cl.results[n] = cl.cfg.fall(h, h.Members)
		}
		cl.nodes[n] = next
	}
	return cl
}

// Partitions are the present memberships, ordered by their lowest nodes.
func (cl Cluster) Partitions() [][]uint32 {
	var out [][]uint32
	for _, n := range slices.Sorted(maps.Keys(cl.nodes)) {
		if p := cl.nodes[n].Members; p[0] == n {
			out = append(out, slices.Clone(p))
		}
	}
	return out
}

// Result is what node has counted last; false if it does not run.
func (cl Cluster) Result(node uint32) (Result, bool) {
	r, ok := cl.results[node]
	return r, ok
}

// History is what node remembers.
func (cl Cluster) History(node uint32) History { return cl.nodes[node] }

func (cl Cluster) clone() Cluster {
	cl.nodes, cl.results, cl.files = maps.Clone(cl.nodes), maps.Clone(cl.results), maps.Clone(cl.files)
	cl.device = cl.device.clone()
	return cl
}
