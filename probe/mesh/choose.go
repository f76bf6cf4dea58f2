package mesh

// choose returns the paths that fit into room bytes: troubled ones first, the others in turn.
func choose(paths []Path, f Fates, sequence uint32, room int) []Path {
	c := chooser{room: room, fates: f, nodes: make(map[uint32]int, len(paths))}
	for _, p := range paths {
		if !c.add(p) {
			break
		}
	}
	if len(c.chosen) == len(paths) {
		return c.chosen
	}
	var troubled, healthy []Path
	for _, p := range paths {
		if p.State != Up || p.KnetDown || f.Slot > 0 && !p.calm() {
			troubled = append(troubled, p)
		} else {
			healthy = append(healthy, p)
		}
	}
	c = chooser{room: room, fates: f, nodes: map[uint32]int{}}
	c.turn(troubled, sequence)
	c.turn(healthy, sequence)
	return c.chosen
}

// chooser fills a room.
type chooser struct {
	room   int // what is left of it
	fates  Fates
	nodes  map[uint32]int // links chosen, by peer
	chosen []Path
}

// cost is what a path takes; first: it is the first of its peer, or of another group of maxLinks.
func (c *chooser) cost(p Path, first bool) int {
	n := pathBytes + toldSize(p, c.fates)
	if first {
		n += uvarintLen(p.Node) + 1
	}
	return n
}

// add takes a path if it fits.
func (c *chooser) add(p Path) bool {
	n := c.cost(p, c.nodes[p.Node]%maxLinks == 0)
	if n > c.room {
		return false
	}
	c.room -= n
	c.nodes[p.Node]++
	c.chosen = append(c.chosen, p)
	return true
}

// turn takes as many of the paths as fit: another part of the circle for each sequence number, without holes, because the circle turns by
// no more than what fits in any case.
func (c *chooser) turn(paths []Path, sequence uint32) {
	if len(paths) == 0 {
		return
	}
	most := 0
	for _, p := range paths {
		most = max(most, c.cost(p, true))
	}
	step := max(c.room/most, 1)
	start := int(uint64(sequence) * uint64(step) % uint64(len(paths)))
	for i := range paths {
		if !c.add(paths[(start+i)%len(paths)]) {
			return
		}
	}
}
