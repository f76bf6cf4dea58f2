package plan

import (
	"math/bits"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// Impact is what a failure does to the nodes that live, in rising order of harm.
type Impact int

// The impacts.
const (
	Nothing  Impact = iota // no membership changes, no traffic moves
	Failover               // knet moves to another link; the token waits for it
	Freeze                 // the membership changes; everybody who lives keeps quorum
	Partial                // some who live lose quorum, the others keep it
	Loose                  // not everybody hears everybody: the ring forms again and again
	Stopped                // nobody has quorum
	BothGo                 // more than one partition has quorum: only fencing keeps them apart
)

func (i Impact) String() string {
	return [...]string{"nothing", "failover", "freeze", "partial", "loose", "stopped", "both-go"}[i]
}

// MarshalText writes the word.
func (i Impact) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// Case is one failure, or two at once, and what comes of it.
type Case struct {
	Failures   []Failure   `json:"failures"`
	Impact     Impact      `json:"impact"`
	Keep       []string    `json:"keep"`      // living nodes with quorum
	Reset      []string    `json:"reset"`     // living nodes that lose quorum and whose HA watchdog is active
	Blocked    []string    `json:"blocked"`   // living nodes that lose quorum and don't reset
	Unsettled  []string    `json:"unsettled"` // living nodes of a partition in which not everybody hears everybody
	Partitions []Partition `json:"partitions"`
	Later      *Impact     `json:"impact_one_after_the_other,omitempty"` // if that makes a difference: last_man_standing has shrunk expected votes in between
}

// Partition is a set of nodes that hear each other after a failure.
type Partition struct {
	Nodes   []string `json:"nodes"`
	Quorate bool     `json:"quorate"`
	Votes   int      `json:"votes"`
	Needed  int      `json:"needed"`
	Device  bool     `json:"device"` // the quorum device's vote is among Votes
	Loose   bool     `json:"loose"`  // not everybody in it hears everybody
	Reason  string   `json:"reason"`
}

// outcome is a case before it is told: sets of nodes.
type outcome struct {
	failures   [2]int // indices of the failures; the second is -1 for a single one
	impact     Impact
	keep, lose uint64
	loose      uint64
	parts      []part
	later      Impact
}

// lives tells whether any node does.
func (o *outcome) lives() bool { return o.keep|o.lose|o.loose != 0 }

// judge lets failures happen at once.
func (w *world) judge(failures ...Failure) outcome {
	var b broken
	for _, f := range failures {
		w.apply(&b, f)
	}
	o := w.weigh(&b, w.decide(w.partitions(&b)))
	o.later = o.impact
	if len(failures) == 2 && w.quorum.LastManStanding {
		o.later = max(w.oneAfterTheOther(failures[0], failures[1]), w.oneAfterTheOther(failures[1], failures[0]))
	}
	return o
}

// weigh says what the partitions come to.
func (w *world) weigh(b *broken, parts []part) outcome {
	o := outcome{failures: [2]int{-1, -1}, parts: parts}
	quorate := 0
	for _, p := range parts {
		switch {
		case p.result.Quorate && p.loose:
			quorate++
			o.loose |= p.nodes
		case p.result.Quorate:
			quorate++
			o.keep |= p.nodes
		default:
			o.lose |= p.nodes
		}
	}
	switch {
	case quorate > 1:
		o.impact = BothGo
	case quorate == 0:
		o.impact = Stopped
	case o.loose != 0:
		o.impact = Loose
	case o.lose != 0:
		o.impact = Partial
	case b.down != 0:
		o.impact = Freeze
	case w.moves(b):
		o.impact = Failover
	}
	return o
}

// oneAfterTheOther is the impact of two failures when last_man_standing's window passes between them. There is no quorum device
// then: votequorum refuses the two together.
func (w *world) oneAfterTheOther(first, second Failure) Impact {
	var b broken
	w.apply(&b, first)
	before := w.decide(w.partitions(&b))
	w.apply(&b, second)
	after := w.partitions(&b)
	for i, p := range after {
		for _, old := range before {
			if old.nodes&p.nodes != p.nodes || !old.result.Quorate {
				continue
			}
			h := w.quorum.Window(w.quorum.After(votequorum.History{}, w.ids(old.nodes), old.result))
			after[i].result = w.quorum.Outcome(h, w.ids(p.nodes), false)
		}
	}
	return w.weigh(&b, after).impact
}

// spare is how many more nodes the partition with quorum may lose at once: right away, and when last_man_standing's window has passed.
func (w *world) spare(o *outcome) (now, later int) {
	for _, p := range o.parts {
		if p.result.Quorate {
			h, left := votequorum.History{}, w.ids(p.nodes)
			if p.nodes != w.all {
				h = w.quorum.After(h, left, p.result)
			}
			return w.quorum.Spare(h, left, p.result.Device).Nodes, w.quorum.Spare(w.quorum.Window(h), left, p.result.Device).Nodes
		}
	}
	return 0, 0
}

// tell makes a Case of an outcome.
func (w *world) tell(o outcome, failures []Failure) Case {
	c := Case{Failures: failures, Impact: o.impact, Keep: w.names(o.keep), Reset: []string{}, Blocked: []string{}, Unsettled: w.names(o.loose), Partitions: []Partition{}}
	for _, name := range w.names(o.lose) {
		if w.d.armed(name) {
			c.Reset = append(c.Reset, name)
		} else {
			c.Blocked = append(c.Blocked, name)
		}
	}
	for _, p := range o.parts {
		r := p.result
		c.Partitions = append(c.Partitions, Partition{w.names(p.nodes), r.Quorate, r.Votes, r.Needed, r.Device, p.loose, r.Reason})
	}
	if o.later != o.impact {
		c.Later = &o.later
	}
	return c
}

// resets counts the nodes that would reset.
func (w *world) resets(o *outcome) int {
	if w.d.Armed == nil {
		return bits.OnesCount64(o.lose)
	}
	n := 0
	for _, name := range w.names(o.lose) {
		if w.d.armed(name) {
			n++
		}
	}
	return n
}

func (w *world) names(nodes uint64) []string {
	out := make([]string, 0, bits.OnesCount64(nodes))
	for ; nodes != 0; nodes &= nodes - 1 {
		out = append(out, w.d.Cluster.Nodes[bits.TrailingZeros64(nodes)].Name)
	}
	return out
}
