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
	members map[uint32][]uint32 // of each running node
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
	return device{cfg: c, decides: c.decides(), members: map[uint32][]uint32{}, clients: map[uint32]verdict{}, casts: map[uint32]bool{}}
}

func (d device) clone() device {
	d.members, d.clients, d.casts = maps.Clone(d.members), maps.Clone(d.clients), maps.Clone(d.casts)
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
	delete(d.clients, n)
	delete(d.casts, n)
}

// meet makes p one membership. A client out of reach that still cast a vote stops with it
// (qdevice_model_net_votequorum_node_list_notify).
func (d *device) meet(p []uint32) {
	for _, n := range p {
		d.members[n] = p
		if !d.connected(n) {
			d.casts[n] = false
		}
	}
}

func (d *device) connected(n uint32) bool {
	_, ok := d.clients[n]
	return ok
}

// reach lets just these nodes reach the server. Whoever lost it casts no vote, but with lms and wait_for_all in a quorate membership
// (qdevice_net_algo_lms_disconnected), and with 2nodelms in any, it goes on as before until the membership changes.
func (d *device) reach(nodes []uint32, quorate func(uint32) bool) {
	d.near = nodes
	var come []uint32
	for n := range d.members {
		had, has := d.connected(n), slices.Contains(nodes, n)
		switch {
		case has && !had:
			come = append(come, n)
		case had && !has:
			delete(d.clients, n)
			keeps := d.decides == twoNodeLMS || d.decides == lms && d.cfg.WaitForAll && quorate(n)
			d.casts[n] = d.casts[n] && keeps
		}
	}
	slices.Sort(come)
	for _, n := range come { // they come one after the other; which is first is chance
		d.clients[n] = newcomer
		d.vote([][]uint32{{n}})
	}
	d.vote(nil)
}

// vote lets the server decide after the memberships changed have formed. ffsplit decides anew about all; lms and 2nodelms answer those
// who ask, and nobody else hears of it.
func (d *device) vote(changed [][]uint32) {
	switch d.decides {
	case ffsplit:
		d.fiftyFifty()
	case lms:
		d.each(changed, d.lastMan)
	case twoNodeLMS:
		d.each(changed, d.lastOfTwo)
	}
}

func (d *device) each(changed [][]uint32, decide func(uint32) (answer, keep verdict)) {
	for _, p := range changed {
		for _, n := range p {
			if d.connected(n) {
				answer, keep := decide(n)
				d.clients[n], d.casts[n] = keep, answer == yes
			}
		}
	}
}
