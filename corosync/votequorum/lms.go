package votequorum

import (
	"maps"
	"slices"
)

// reaching are the nodes that reach the server, ascending.
func (d *device) reaching() []uint32 { return slices.Sorted(maps.Keys(d.clients)) }

// lastMan is do_lms_algorithm of qnetd-algo-lms.c for one client: a lone partition gets the vote, whatever its size; a newcomer gets none while
// another partition has it; else the partition with most clients, on a draw that of the tie-breaker. Heuristics are
// taken to have the same result everywhere.
func (d *device) lastMan(n uint32) (answer, keep verdict) {
	partitions := d.partitions()
	if len(partitions) == 1 {
		return yes, yes
	}
	if d.clients[n] == newcomer && d.activeElsewhere(n) {
		return no, newcomer
	}
	largest, draw := d.largest(partitions)
	answer = no
	if !draw && slices.Contains(largest, n) || draw && d.drawGoesTo(n) {
		answer = yes
	}
	return answer, answer
}

// activeElsewhere tells whether a client of another membership has the vote.
func (d *device) activeElsewhere(n uint32) bool {
	for other, v := range d.clients {
		if v == yes && !slices.Equal(d.members[n], d.members[other]) {
			return true
		}
	}
	return false
}

// largest is a partition with the most clients; draw tells that there are more of that size.
func (d *device) largest(partitions [][]uint32) (largest []uint32, draw bool) {
	for _, p := range partitions {
		switch a, b := d.count(p), d.count(largest); {
		case a > b:
			largest, draw = p, false
		case a == b:
			draw = true
		}
	}
	return largest, draw
}

// drawGoesTo tells whether n gets the vote on a draw. The lowest or highest client is sought among all clients, also those of partitions
// that are smaller than the largest: then only their side gets it. A tie-breaker named by its id gets the vote alone: the ring id of the
// named node is never looked up, so the nodes beside it are refused.
func (d *device) drawGoesTo(n uint32) bool {
	if id := d.cfg.Device.named(); id != 0 {
		return n == id
	}
	choose, _ := d.cfg.Device.tieBreaker()
	return slices.Contains(d.members[n], choose(d.reaching()))
}

// lastOfTwo is qnetd_algo_2nodelms_membership_node_list_received for one client.
func (d *device) lastOfTwo(n uint32) (answer, keep verdict) {
	if d.clients[n] == newcomer && d.activeElsewhere(n) {
		return no, newcomer
	}
	if len(d.members[n]) == 2 || len(d.clients) == 1 {
		return yes, yes
	}
	choose, _ := d.cfg.Device.tieBreaker()
	if choose(d.reaching()) == n {
		return yes, yes
	}
	return no, no
}
