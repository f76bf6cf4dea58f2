package impair

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Instant is a moment on the hub's monotonic clock (CLOCK_MONOTONIC of the machine). Zero means "not set".
type Instant time.Duration

// Rule says which packets it is for and what happens to them. Empty selectors match everything, zero effects do nothing.
type Rule struct {
	Name string `json:"name" yaml:"name"` // identity: state and records survive Set under the same name and content

	// Which packets.
	From    []string `json:"from,omitempty" yaml:"from"`       // names of sites or nodes
	To      []string `json:"to,omitempty" yaml:"to"`           // names of sites or nodes
	Both    bool     `json:"both,omitempty" yaml:"both"`       // also the opposite directions
	Inside  bool     `json:"inside,omitempty" yaml:"inside"`   // also between nodes of one site, where From or To is empty
	Links   []int    `json:"links,omitempty" yaml:"links"`     // link numbers
	Kinds   []Kind   `json:"kinds,omitempty" yaml:"kinds"`     // corosync, probe, other
	Ports   []uint16 `json:"ports,omitempty" yaml:"ports"`     // UDP source or destination port
	Flow    *Flow    `json:"flow,omitempty" yaml:"flow"`       // one leg of a bond or of ECMP
	MinSize int      `json:"minSize,omitempty" yaml:"minSize"` // bytes of the IP packet, inclusive
	MaxSize int      `json:"maxSize,omitempty" yaml:"maxSize"` // bytes of the IP packet, inclusive; 0: no bound
	Start   Instant  `json:"start,omitempty" yaml:"-"`         // first instant at which the rule applies
	End     Instant  `json:"end,omitempty" yaml:"-"`           // first instant at which it no longer does; 0: never ends

	// What happens, in this order.
	Blackout  bool          `json:"blackout,omitempty" yaml:"blackout"`   // everything is lost
	MTU       int           `json:"mtu,omitempty" yaml:"mtu"`             // larger IP packets are lost
	MTUReply  bool          `json:"mtuReply,omitempty" yaml:"mtuReply"`   // ... and the sender is told by ICMP (if DF is set; else it passes)
	Loss      float64       `json:"loss,omitempty" yaml:"loss"`           // independent, per packet, in [0,1]
	Burst     *Burst        `json:"burst,omitempty" yaml:"burst"`         // Gilbert-Elliott
	Rate      int64         `json:"rate,omitempty" yaml:"rate"`           // bits per second
	Queue     time.Duration `json:"queue,omitempty" yaml:"queue"`         // with Rate: what would wait longer is lost; 0: 100 ms
	Delay     time.Duration `json:"delay,omitempty" yaml:"delay"`         // one way
	Jitter    time.Duration `json:"jitter,omitempty" yaml:"jitter"`       // extra delay in [0, Jitter), drawn each JitterStep and interpolated
	Reorder   float64       `json:"reorder,omitempty" yaml:"reorder"`     // share of packets held back so that later ones overtake
	ReorderBy time.Duration `json:"reorderBy,omitempty" yaml:"reorderBy"` // how long they are held back; 0: 5 ms
	Duplicate float64       `json:"duplicate,omitempty" yaml:"duplicate"` // share of packets that arrive twice
	Corrupt   float64       `json:"corrupt,omitempty" yaml:"corrupt"`     // share of packets with one bit flipped behind the IP header
	Mend      bool          `json:"mend,omitempty" yaml:"mend"`           // with Corrupt: the UDP checksum is made to fit, so that the receiver gets it
}

// Flow selects one of Of equal shares of all flows by a hash of addresses, ports and protocol, as one member of a bond or one leg
// of ECMP carries it. The hash is directed: a flow and its answers may take different legs.
type Flow struct {
	Bucket int `json:"bucket" yaml:"bucket"` // 0 <= Bucket < Of
	Of     int `json:"of" yaml:"of"`
}

// Burst is the Gilbert-Elliott model in time: the line is good and bad in turns, each for an exponentially distributed time,
// whatever the packet rate.
type Burst struct {
	Good     time.Duration `json:"good" yaml:"good"`                   // mean duration of the good state
	Bad      time.Duration `json:"bad" yaml:"bad"`                     // mean duration of the bad state
	LossGood float64       `json:"lossGood,omitempty" yaml:"lossGood"` // loss in the good state, in [0,1]
	LossBad  float64       `json:"lossBad" yaml:"lossBad"`             // loss in the bad state, in [0,1]
}

// JitterStep is the distance of the supporting points of jitter. Drawn per packet it would reorder them; drawn per step and
// interpolated it behaves as queues in a network do.
const JitterStep = 20 * time.Millisecond

const (
	defaultQueue     = 100 * time.Millisecond
	defaultReorderBy = 5 * time.Millisecond
	minMTU           = 68 // RFC 791, 3.2
)

// Topology names what rules may refer to.
type Topology struct {
	Nodes []Node `json:"nodes"`
	Links int    `json:"links"` // number of links, numbered from 0
}

// Node is one node and the site in which it is.
type Node struct {
	Name string `json:"name"`
	Site string `json:"site"`
}

// Validate says all that is wrong with the rule in this topology.
func (r *Rule) Validate(top Topology) error {
	var errs []error
	add := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("rule %q: "+format, append([]any{r.Name}, args...)...))
	}
	for _, name := range slices.Concat(r.From, r.To) {
		if !top.knows(name) {
			add("%q: no such site or node", name)
		}
	}
	for _, l := range r.Links {
		if l < 0 || l >= top.Links {
			add("links: no link %d: there are %d, numbered from 0", l, top.Links)
		}
	}
	for _, k := range r.Kinds {
		if k >= kinds {
			add("kinds: no kind %d", k)
		}
	}
	if f := r.Flow; f != nil && (f.Of < 1 || f.Bucket < 0 || f.Bucket >= f.Of) {
		add("flow: bucket %d of %d: want 0 <= bucket < of", f.Bucket, f.Of)
	}
	if r.End != 0 && r.End <= r.Start {
		add("end: not after start")
	}
	if r.MaxSize != 0 && r.MaxSize < r.MinSize {
		add("maxSize: %d is below minSize %d", r.MaxSize, r.MinSize)
	}
	if r.MTU != 0 && r.MTU < minMTU {
		add("mtu: %d: want at least %d", r.MTU, minMTU)
	}
	r.validateRanges(add)
	return errors.Join(errs...)
}

func (r *Rule) validateRanges(add func(string, ...any)) {
	ratio := func(key string, v float64) {
		if !(v >= 0 && v <= 1) {
			add("%s: %v: want a share from 0 to 1", key, v)
		}
	}
	ratio("loss", r.Loss)
	ratio("reorder", r.Reorder)
	ratio("duplicate", r.Duplicate)
	ratio("corrupt", r.Corrupt)
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"delay", r.Delay}, {"jitter", r.Jitter}, {"queue", r.Queue}, {"reorderBy", r.ReorderBy}} {
		if d.value < 0 || d.value > time.Minute {
			add("%s: %v: want 0 to 1m", d.key, d.value)
		}
	}
	if r.Rate < 0 {
		add("rate: %d: want bits per second, 0 for none", r.Rate)
	}
	if b := r.Burst; b != nil {
		ratio("burst.lossGood", b.LossGood)
		ratio("burst.lossBad", b.LossBad)
		if b.Good <= 0 || b.Bad <= 0 {
			add("burst: good %v, bad %v: want mean durations above 0", b.Good, b.Bad)
		}
	}
}

func (t Topology) knows(name string) bool {
	return slices.ContainsFunc(t.Nodes, func(n Node) bool { return n.Name == name || n.Site == name })
}

// named reports whether the name is that of a node (and not of a site).
func (t Topology) isNode(name string) bool {
	return slices.ContainsFunc(t.Nodes, func(n Node) bool { return n.Name == name })
}
