package votequorum_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// qnetd is a slow, literal account of corosync-qnetd with its algorithms, and of the corosync-qdevice on every node.
type qnetd struct {
	rng     *rand.Rand // nil: newcomers ask last
	cfg     votequorum.Config
	near    []uint32
	clients map[uint32]*qdevice
	list    []*qdevice // cluster->client_list, in order of connection
	quorate map[uint32]bool
	active  []uint32 // quorate_partition_node_list
	rings   int
}

// qdevice is the client on one node, and what the server knows of it.
type qdevice struct {
	id        uint32
	connected bool
	vote      string // cast_vote_timer_vote: ACK, NACK or none
	members   []uint32
	ring      int // of the node

	lastRing    int // last_ring_id at the server
	lastMembers []uint32
	lastResult  string
}

func newQnetd(cfg votequorum.Config, rng *rand.Rand) *qnetd {
	return &qnetd{rng: rng, cfg: cfg, clients: map[uint32]*qdevice{}, quorate: map[uint32]bool{}}
}

func (q *qnetd) casts(n uint32) bool { return q.clients[n] != nil && q.clients[n].vote == "ACK" }

func (q *qnetd) runs() bool {
	d := q.cfg.Device
	switch {
	case d == nil:
		return false
	case d.Algorithm == "ffsplit":
		for _, v := range q.cfg.NodeVotes {
			if v != 1 {
				return false
			}
		}
	case d.Algorithm == "2nodelms":
		return len(q.cfg.NodeVotes) == 2
	}
	return true
}

func (q *qnetd) start(n uint32) {
	if !q.runs() {
		return
	}
	q.rings++
	q.clients[n] = &qdevice{id: n, members: []uint32{n}, ring: q.rings}
	if slices.Contains(q.near, n) {
		q.connect(n)
	}
}

// connect makes a client known; its first lists are sent with the next membership, as the node is just about to form one.
func (q *qnetd) connect(n uint32) {
	c := q.clients[n]
	c.connected, c.lastResult = true, ""
	c.lastRing, c.lastMembers = c.ring, c.members
	q.list = append(q.list, c)
}

// disconnect is qnetd_instance_client_disconnect.
func (q *qnetd) disconnect(n uint32) {
	c := q.clients[n]
	if c == nil || !c.connected {
		return
	}
	c.connected = false
	q.list = slices.DeleteFunc(q.list, func(o *qdevice) bool { return o == c })
	if q.cfg.Device.Algorithm == "ffsplit" {
		q.ffsplit()
	}
}

func (q *qnetd) reach(nodes []uint32, quorate map[uint32]bool) {
	q.near = nodes
	for _, n := range q.cfg.Nodes() {
		if c := q.clients[n]; c != nil && c.connected && !slices.Contains(nodes, n) {
			q.disconnect(n)
			switch { // qdevice-net-algo-*.c, ..._disconnected
			case q.cfg.Device.Algorithm == "2nodelms":
			case q.cfg.Device.Algorithm == "lms" && quorate[n] && q.cfg.WaitForAll:
			default:
				c.vote = "NACK"
			}
		}
	}
	for _, n := range q.cfg.Nodes() {
		if c := q.clients[n]; c != nil && !c.connected && slices.Contains(nodes, n) {
			q.connect(n)
			q.received([]*qdevice{c})
		}
	}
}

// memberships tells the clients of new memberships (votequorum_node_list_notify), which tell the server, in any order.
func (q *qnetd) memberships(partitions [][]uint32) {
	var told []*qdevice
	for _, p := range partitions {
		q.rings++
		for _, n := range p {
			c := q.clients[n]
			if c == nil {
				continue
			}
			c.ring, c.members = q.rings, p
			if c.connected {
				told = append(told, c)
			} else if c.vote == "ACK" {
				c.vote = "NACK"
			}
		}
	}
	if q.rng != nil {
		q.rng.Shuffle(len(told), func(i, j int) { told[i], told[j] = told[j], told[i] })
	} else {
		slices.SortStableFunc(told, func(a, b *qdevice) int { return strings.Compare(b.lastResult, a.lastResult) })
	}
	q.received(told)
}

// received is the membership lists and then the quorum lists of some clients. With lms an answer to the first is only ever final if the
// server knows all; the second comes when it does.
func (q *qnetd) received(told []*qdevice) {
	for _, c := range told {
		c.lastRing, c.lastMembers = c.ring, c.members
		switch q.cfg.Device.Algorithm {
		case "ffsplit":
			q.ffsplit()
		case "2nodelms":
			q.twoNode(c)
		}
	}
	if q.cfg.Device != nil && q.cfg.Device.Algorithm == "lms" {
		for _, c := range told {
			q.lms(c)
		}
	}
}

// ffsplit is qnetd_algo_ffsplit_do.
func (q *qnetd) ffsplit() {
	for _, a := range q.list { // qnetd_algo_ffsplit_is_membership_stable
		for _, b := range q.list {
			if slices.Contains(a.lastMembers, b.id) && (a.lastRing != b.lastRing || !slices.Equal(a.lastMembers, b.lastMembers)) {
				return
			}
		}
	}
	var best *qdevice
	for _, c := range q.list {
		if q.better(c, best) {
			best = c
		}
	}
	q.active = nil
	if best != nil {
		q.active = best.lastMembers
	}
	for _, c := range q.list {
		c.vote = "NACK"
		if slices.Contains(q.active, c.id) {
			c.vote = "ACK"
		}
	}
}

// better is qnetd_algo_ffsplit_partition_cmp.
func (q *qnetd) better(a, b *qdevice) bool {
	size, config := len(a.lastMembers), len(q.cfg.NodeVotes)
	if config%2 != 0 {
		return size > config/2
	}
	if size != config/2 {
		return size > config/2
	}
	clients := func(c *qdevice) int {
		count := 0
		if c != nil {
			for _, o := range q.list {
				if slices.Contains(c.lastMembers, o.id) {
					count++
				}
			}
		}
		return count
	}
	if x, y := clients(a), clients(b); x != y {
		return x > y
	}
	if b != nil && !q.cfg.Device.ForgetActive {
		if x, y := slices.Contains(q.active, a.id), slices.Contains(q.active, b.id); x != y {
			return x
		}
	}
	var preferred uint32
	switch q.cfg.Device.TieBreaker {
	case "", "lowest":
		preferred = slices.Min(q.cfg.Nodes())
	case "highest":
		preferred = slices.Max(q.cfg.Nodes())
	default:
		id, _ := strconv.Atoi(q.cfg.Device.TieBreaker)
		preferred = uint32(id)
	}
	return slices.Contains(a.lastMembers, preferred)
}

// lms is do_lms_algorithm.
func (q *qnetd) lms(client *qdevice) {
	type partition struct{ ring, nodes int }
	var list []*partition
	for _, o := range q.list {
		i := slices.IndexFunc(list, func(p *partition) bool { return p.ring == o.lastRing })
		if i < 0 {
			i = len(list)
			list = append(list, &partition{ring: o.lastRing})
		}
		list[i].nodes++
	}
	if len(list) == 1 {
		client.vote, client.lastResult = "ACK", "ACK"
		return
	}
	if client.lastResult == "" {
		for _, o := range q.list {
			if o.lastRing != client.lastRing && o.lastResult == "ACK" {
				client.vote = "NACK"
				return
			}
		}
	}
	var largest *partition
	for _, p := range list {
		if largest == nil || largest.nodes < p.nodes {
			largest = p
		}
	}
	joint := false
	for _, p := range list {
		if p != largest && p.nodes == largest.nodes {
			joint = true
		}
	}
	client.vote = "NACK"
	if !joint && largest.ring == client.lastRing || joint && q.tie(client) {
		client.vote = "ACK"
	}
	client.lastResult = client.vote
}

// tie is the end of do_lms_algorithm.
func (q *qnetd) tie(client *qdevice) bool {
	tb, ring := uint32(0), 0
	switch q.cfg.Device.TieBreaker {
	case "", "lowest":
		tb = 1<<31 - 1
		for _, o := range q.list {
			if o.id < tb {
				tb, ring = o.id, o.lastRing
			}
		}
	case "highest":
		for _, o := range q.list {
			if o.id > tb {
				tb, ring = o.id, o.lastRing
			}
		}
	default:
		id, _ := strconv.Atoi(q.cfg.Device.TieBreaker)
		tb = uint32(id)
		for _, o := range q.list {
			if tb == client.id { // as it stands there: client, not the other
				ring = o.lastRing
			}
		}
	}
	return client.id == tb || ring == client.lastRing
}

// twoNode is qnetd_algo_2nodelms_membership_node_list_received.
func (q *qnetd) twoNode(client *qdevice) {
	if client.lastResult == "" {
		for _, o := range q.list {
			if o.lastRing != client.lastRing && o.lastResult == "ACK" {
				client.vote = "NACK"
				return
			}
		}
	}
	low, high := slices.MinFunc(q.list, byID), slices.MaxFunc(q.list, byID)
	won := false
	switch {
	case len(client.lastMembers) == 2 || len(q.list) == 1:
		won = true
	case q.cfg.Device.TieBreaker == "" || q.cfg.Device.TieBreaker == "lowest":
		won = client == low
	case q.cfg.Device.TieBreaker == "highest":
		won = client == high
	default:
		won = strconv.Itoa(int(client.id)) == q.cfg.Device.TieBreaker
	}
	client.vote = "NACK"
	if won {
		client.vote = "ACK"
	}
	client.lastResult = client.vote
}

func byID(a, b *qdevice) int { return int(a.id) - int(b.id) }
