package votequorum

import (
	"maps"
	"slices"
	"strconv"
)

// algorithm is a decision of the quorum device's server.
type algorithm int

const (
	neverVotes algorithm = iota // corosync-qdevice or the server refuses
	ffsplit
	lms
	twoNodeLMS
)

// decides is the algorithm that runs for c. corosync-qdevice does not start with an unknown one or a bad tie_breaker
// (qdevice_net_instance_init_from_cmap); ffsplit wants one vote everywhere (qdevice-net-algo-ffsplit.c); 2nodelms two nodes.
func (c Config) decides() algorithm {
	if c.Device == nil || c.Device.Model != "net" {
		return neverVotes
	}
	if _, ok := c.Device.tieBreaker(); !ok {
		return neverVotes
	}
	switch c.Device.Algorithm {
	case "", "ffsplit":
		if c.Device.Votes == 1 && c.allOne() {
			return ffsplit
		}
	case "lms":
		return lms
	case "2nodelms":
		if len(c.NodeVotes) == 2 {
			return twoNodeLMS
		}
	}
	return neverVotes
}

// tieBreaker returns how to choose one of some nodes, as the device's tie_breaker has it; false if Corosync refuses it.
func (d Device) tieBreaker() (func(nodes []uint32) uint32, bool) {
	switch d.TieBreaker {
	case "", "lowest":
		return slices.Min, true
	case "highest":
		return slices.Max, true
	}
	id, err := strconv.ParseUint(d.TieBreaker, 10, 32)
	return func([]uint32) uint32 { return uint32(id) }, err == nil && id > 0
}

// named is the node that tie_breaker names, 0 if it names none.
func (d Device) named() uint32 {
	id, _ := strconv.ParseUint(d.TieBreaker, 10, 32)
	return uint32(id)
}

// device is the quorum device: its server (corosync-qnetd), and on every node a client (corosync-qdevice) that casts the vote.
type device struct {
	cfg     Config
	decides algorithm
	members map[uint32][]uint32 // of each running node, as the server knows it if the node reaches it
	formed  map[uint32][]uint32 // memberships that the server is about to hear of
	clients map[uint32]verdict  // what the server last told the nodes that reach it (last_result)
	near    []uint32            // whoever reaches the server, running or not
	casts   map[uint32]bool     // what corosync-qdevice tells votequorum on each node
	active  []uint32            // ffsplit: quorate_partition_node_list
}

// verdict is last_result of qnetd-algo-lms.c; ffsplit does without.
type verdict int

const (
	newcomer verdict = iota // 0: nothing was said to it yet, or a "no" that is not kept
	yes
	no
)

func newDevice(c Config) device {
	return device{cfg: c, decides: c.decides(), members: map[uint32][]uint32{}, formed: map[uint32][]uint32{}, clients: map[uint32]verdict{}, casts: map[uint32]bool{}}
}

func (d device) clone() device {
	d.members, d.formed, d.clients, d.casts = maps.Clone(d.members), maps.Clone(d.formed), maps.Clone(d.clients), maps.Clone(d.casts)
	return d
}

func (d *device) votesOn(n uint32) bool { return d.casts[n] }

func (d *device) start(n uint32) {
	d.members[n] = []uint32{n}
	if slices.Contains(d.near, n) {
		d.clients[n] = newcomer
	}
}

// stop ends a node. A process that dies closes its connection; the server notices a machine that dies only after its time for dead
// peers, and lms and ffsplit wait for that.
func (d *device) stop(n uint32) {
	delete(d.members, n)
	delete(d.formed, n)
	delete(d.clients, n)
	delete(d.casts, n)
}

// meet makes p one membership. A client out of reach that still cast a vote stops with it
// (qdevice_model_net_votequorum_node_list_notify).
func (d *device) meet(p []uint32) {
	for _, n := range p {
		d.formed[n] = p
		if !d.connected(n) {
			d.casts[n] = false
		}
	}
}

func (d *device) connected(n uint32) bool {
	_, ok := d.clients[n]
	return ok
}

// reach lets just these nodes reach the server: first those that lose it go, then the others come, one by one in ascending order. Whoever
// lost it casts no vote, but with lms and wait_for_all in a quorate membership (qdevice_net_algo_lms_disconnected), and with 2nodelms
// in any, it goes on as before until the membership changes.
func (d *device) reach(nodes []uint32, quorate func(uint32) bool) {
	d.near = nodes
	for _, n := range slices.Sorted(maps.Keys(d.members)) {
		if d.connected(n) && !slices.Contains(nodes, n) {
			delete(d.clients, n)
			keeps := d.decides == twoNodeLMS || d.decides == lms && d.cfg.WaitForAll && quorate(n)
			d.casts[n] = d.casts[n] && keeps
			d.vote(nil)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(d.members)) {
		if !d.connected(n) && slices.Contains(nodes, n) {
			d.clients[n] = newcomer
			d.vote([][]uint32{{n}})
		}
	}
}

// vote lets the server decide after the memberships changed have formed. ffsplit decides anew about all; lms and 2nodelms answer those
// who ask, and nobody else hears of it. It returns the nodes for which it matters who asks first: a newcomer is refused by lms while
// another partition has the vote, and that one may be about to lose it.
func (d *device) vote(changed [][]uint32) (chance []uint32) {
	var decide func(*device, uint32) (answer, keep verdict)
	switch d.decides {
	case ffsplit:
		d.hearAll()
		d.fiftyFifty()
		return nil
	case lms:
		d.hearAll() // before that, it answers "wait" (qnetd_algo_all_ring_ids_match)
		decide = (*device).lastMan
	case twoNodeLMS:
		decide = (*device).lastOfTwo
	default:
		d.hearAll()
		return nil
	}
	asking := slices.DeleteFunc(slices.Concat(changed...), func(n uint32) bool { return !d.connected(n) })
	old := slices.DeleteFunc(slices.Clone(asking), func(n uint32) bool { return d.clients[n] == newcomer })
	come := slices.DeleteFunc(slices.Clone(asking), func(n uint32) bool { return d.clients[n] != newcomer })
	other := d.clone()
	other.ask(slices.Concat(come, old), decide)
	slices.Reverse(come)
	another := d.clone()
	another.ask(slices.Concat(old, come), decide)
	slices.Reverse(come)
	d.ask(slices.Concat(old, come), decide)
	d.hearAll()
	return slices.DeleteFunc(asking, func(n uint32) bool { return d.alike(other, n) && d.alike(another, n) })
}

func (d *device) alike(other device, n uint32) bool {
	return d.casts[n] == other.casts[n] && d.clients[n] == other.clients[n]
}

// hear lets the server know in which membership n is.
func (d *device) hear(n uint32) {
	if p, ok := d.formed[n]; ok {
		d.members[n] = p
		delete(d.formed, n)
	}
}

func (d *device) hearAll() {
	for n := range d.members {
		d.hear(n)
	}
}

func (d *device) ask(nodes []uint32, decide func(*device, uint32) (answer, keep verdict)) {
	for _, n := range nodes {
		d.hear(n)
		answer, keep := decide(d, n)
		d.clients[n], d.casts[n] = keep, answer == yes
	}
}
