package plan

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// world is a Design ready to let things fail.
type world struct {
	d      *Design
	quorum votequorum.Config // as it runs
	sites  []string
	siteOf []int    // by node
	nodes  []uint64 // by site: its nodes
	all    uint64   // nodes
	links  uint16   // by index in Cluster.Links
	device int      // index of the server's site; -1: elsewhere
	known  map[string][]part
}

// part is a set of nodes that hear each other, and votequorum's answer for it.
type part struct {
	nodes  uint64
	reach  uint64 // of these, the ones that reach the quorum device's server
	loose  bool   // not everybody in it hears everybody: no ring lasts
	result votequorum.Result
}

// broken is what does not work.
type broken struct {
	down, cut uint64 // nodes without power; nodes without network
	siteDown  uint32
	siteCut   uint32
	links     uint16                     // everywhere
	paths     [MaxSites][MaxSites]uint16 // links between two sites; only [low][high]
	noRoute   [MaxSites]uint32           // site pairs without any way: the quorum device's neither; only [low] bit high
	device    bool
}

func newWorld(d *Design) (*world, error) {
	q, _, err := d.Cluster.Quorum.Effective()
	if err != nil {
		return nil, err
	}
	w := &world{d: d, quorum: q, sites: d.sites(), device: -1, known: map[string][]part{}}
	w.nodes = make([]uint64, len(w.sites))
	for i, n := range d.Cluster.Nodes {
		s := slices.Index(w.sites, n.Site)
		w.siteOf = append(w.siteOf, s)
		w.nodes[s] |= 1 << i
		w.all |= 1 << i
	}
	w.links = 1<<len(d.Cluster.Links) - 1
	if d.DeviceSite != "" {
		w.device = slices.Index(w.sites, d.DeviceSite)
	}
	return w, nil
}

// apply lets f fail in b.
func (w *world) apply(b *broken, f Failure) {
	s, o := slices.Index(w.sites, f.Site), slices.Index(w.sites, f.Other)
	switch f.Kind {
	case Node:
		b.down |= 1 << w.d.node(f.Node)
	case NodeCut:
		b.cut |= 1 << w.d.node(f.Node)
	case SiteDown:
		b.down |= w.nodes[s]
		b.siteDown |= 1 << s
	case SiteCut:
		b.siteCut |= 1 << s
	case Link:
		b.links |= w.linkBit(f.Link)
	case Path:
		b.paths[min(s, o)][max(s, o)] |= w.links
		b.noRoute[min(s, o)] |= 1 << max(s, o)
	case PathLink:
		b.paths[min(s, o)][max(s, o)] |= w.linkBit(f.Link)
	case QDevice:
		b.device = true
	}
}

func (w *world) linkBit(number int) uint16 {
	for i, l := range w.d.Cluster.Links {
		if l.Number == number {
			return 1 << i
		}
	}
	return 0
}

// usable are the links between two sites, or within one, on which nodes still hear each other.
func (w *world) usable(b *broken, s, t int) uint16 {
	left := w.links &^ b.links
	if s == t {
		return left
	}
	if (b.siteCut>>s|b.siteCut>>t)&1 != 0 {
		return 0
	}
	return left &^ b.paths[min(s, t)][max(s, t)]
}

// reaches tells whether site s reaches the quorum device's server.
func (w *world) reaches(b *broken, s int) bool {
	switch d := w.device; {
	case w.quorum.Device == nil || b.device:
		return false
	case d < 0:
		return b.siteCut>>s&1 == 0
	case b.siteDown>>d&1 != 0:
		return false
	case d == s:
		return true
	default:
		return (b.siteCut>>s|b.siteCut>>d)&1 == 0 && b.noRoute[min(s, d)]>>max(s, d)&1 == 0
	}
}

// partitions are the sets of living nodes that hear each other, the one with the lowest node first.
func (w *world) partitions(b *broken) []part {
	alive := w.all &^ b.down
	var out []part
	if w.links&^b.links == 0 {
		for left := alive; left != 0; left &= left - 1 {
			i := bits.TrailingZeros64(left)
			p := part{nodes: 1 << i}
			if b.cut>>i&1 == 0 && w.reaches(b, w.siteOf[i]) {
				p.reach = p.nodes
			}
			out = append(out, p)
		}
		return out
	}
	for left := alive & b.cut; left != 0; left &= left - 1 {
		out = append(out, part{nodes: left & -left})
	}
	seen := uint32(0)
	for s := range w.sites {
		if w.nodes[s]&alive&^b.cut != 0 && seen>>s&1 == 0 {
			p, members := w.around(b, s, alive&^b.cut)
			seen |= members
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(x, y part) int { return bits.TrailingZeros64(x.nodes) - bits.TrailingZeros64(y.nodes) })
	return out
}

// around is the partition that site s is in.
func (w *world) around(b *broken, s int, alive uint64) (p part, members uint32) {
	queue := []int{s}
	members = 1 << s
	for i := 0; i < len(queue); i++ {
		for t := range w.sites {
			if members>>t&1 == 0 && w.nodes[t]&alive != 0 && w.usable(b, queue[i], t) != 0 {
				members |= 1 << t
				queue = append(queue, t)
			}
		}
	}
	for i, x := range queue {
		p.nodes |= w.nodes[x] & alive
		if w.reaches(b, x) {
			p.reach |= w.nodes[x] & alive
		}
		for _, y := range queue[i+1:] {
			p.loose = p.loose || w.usable(b, x, y) == 0
		}
	}
	return p, members
}

// decide asks votequorum about the partitions, which come into being at once.
func (w *world) decide(parts []part) []part {
	key := make([]byte, 0, 17*len(parts))
	for _, p := range parts {
		key = binary.LittleEndian.AppendUint64(key, p.nodes)
		key = binary.LittleEndian.AppendUint64(key, p.reach)
		if p.loose {
			key = append(key, 1)
		}
	}
	if old, ok := w.known[string(key)]; ok {
		return old
	}
	w.ask(parts)
	w.known[string(key)] = parts
	return parts
}

// ask fills in the answers.
func (w *world) ask(parts []part) {
	if w.quorum.Device == nil {
		for i, p := range parts {
			parts[i].result = w.quorum.Outcome(votequorum.History{}, w.ids(p.nodes), false)
		}
		return
	}
	reach, sets := uint64(0), make([][]uint32, len(parts))
	for i, p := range parts {
		sets[i] = w.ids(p.nodes)
		reach |= p.reach
	}
	near := w.ids(reach)
	results := w.quorum.SplitReach(votequorum.History{}, sets, func(id uint32) bool { return slices.Contains(near, id) })
	for i := range parts {
		parts[i].result = results[i]
	}
}

func (w *world) ids(nodes uint64) []uint32 {
	out := make([]uint32, 0, bits.OnesCount64(nodes))
	for ; nodes != 0; nodes &= nodes - 1 {
		out = append(out, w.d.Cluster.Nodes[bits.TrailingZeros64(nodes)].ID)
	}
	return out
}

// moves says whether the failure of links makes some pair of living nodes send on another link than before.
func (w *world) moves(b *broken) bool {
	for s := range w.sites {
		for t := s; t < len(w.sites); t++ {
			left := w.usable(b, s, t)
			if w.nodes[s]&^b.down == 0 || w.nodes[t]&^b.down == 0 || left == w.links || left == 0 {
				continue
			}
			if s == t && bits.OnesCount64(w.nodes[s]&^b.down) < 2 {
				continue
			}
			if w.d.Cluster.Mode != 0 || w.best(left) != w.best(w.links) {
				return true
			}
		}
	}
	return false
}

// best is the link that knet uses of some in passive mode: the highest priority, of equals the lowest number (libknet/host.c,
// _host_dstcache_update_sync).
func (w *world) best(links uint16) int {
	best := -1
	for i, l := range w.d.Cluster.Links {
		if links>>i&1 != 0 && (best < 0 || l.Priority > w.d.Cluster.Links[best].Priority) {
			best = i
		}
	}
	return best
}
