package votequorum_test

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

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
