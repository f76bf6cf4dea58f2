package votequorum

import "slices"

// fiftyFifty is qnetd-algo-ffsplit.c: the vote goes to the partition with more than half of the configured nodes; on an exact half
// to the one with more clients, then to where it was (keep_active_partition_tie_breaker), then to the tie-breaker's.
// Heuristics are taken to have the same result everywhere.
func (d *device) fiftyFifty() {
	best := d.bestHalf()
	d.active = best
	for n := range d.clients {
		d.casts[n] = slices.Contains(best, n)
	}
}

// bestHalf is qnetd_algo_ffsplit_select_partition: only partitions with a client are known to the server.
func (d *device) bestHalf() []uint32 {
	var best []uint32
	for _, p := range d.partitions() {
		switch size := 2 * len(p); {
		case size > len(d.cfg.NodeVotes):
			return p
		case size == len(d.cfg.NodeVotes) && (best == nil || d.betterHalf(p, best)):
			best = p
		}
	}
	return best
}

// betterHalf is qnetd_algo_ffsplit_partition_cmp for two halves.
func (d *device) betterHalf(p, q []uint32) bool {
	if a, b := d.count(p), d.count(q); a != b {
		return a > b
	}
	inActive := func(n uint32) bool { return d.connected(n) && slices.Contains(d.active, n) }
	a, b := slices.ContainsFunc(p, inActive), slices.ContainsFunc(q, inActive)
	if !d.cfg.Device.ForgetActive && a != b {
		return a
	}
	choose, _ := d.cfg.Device.tieBreaker()
	return slices.Contains(p, choose(d.cfg.Nodes()))
}

// partitions are the memberships that the server knows of, ordered by their lowest client.
func (d *device) partitions() [][]uint32 {
	var out [][]uint32
	for _, n := range d.reaching() {
		if !slices.ContainsFunc(out, func(p []uint32) bool { return slices.Contains(p, n) }) {
			out = append(out, d.members[n])
		}
	}
	return out
}

// count is how many of p reach the server.
func (d *device) count(p []uint32) int {
	count := 0
	for _, n := range p {
		if d.connected(n) {
			count++
		}
	}
	return count
}
