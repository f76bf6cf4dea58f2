package risk

import (
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Process is what a stretch of network does to packets: measured by Fit, or assumed.
type Process struct {
	Loss   float64       // ratio of packets lost, each on its own
	Bursts []totem.Burst // times in which much or all is lost; each kind comes on its own
	Delay  Delay         // one way
}

// Delay is how long packets are under way. A queue moves slowly: what it takes is drawn once per Step, and interpolated.
type Delay struct {
	Usual time.Duration // the median
	P99   time.Duration // 99 of 100 packets are faster; zero, as with the next two: as Usual
	P999  time.Duration
	Max   time.Duration
	Step  time.Duration // how long an excursion lasts; zero: totem.JitterStep
}

// Line is something that paths have in common, down to a line of one path: the way from one site to another, a node's interface.
type Line struct {
	Name    string
	Paths   []trace.Path // those that run over it
	Process Process      // of several lines of a path, the last one with a Delay tells it
	Seen    Seen
}

// Seen is what the Process of a Line rests on. The zero value: it is assumed, and exact.
type Seen struct {
	Packets float64         // whose fate is known, outside of bursts
	Lost    float64         // of these
	Bursts  []float64       // how many of each kind
	Longest []time.Duration // the longest of each kind: the model's longer ones are an extrapolation
}

// Lines is a network made of lines: a packet of a path is lost if any line that the path runs over loses it. Paths on no line lose
// nothing.
type Lines []Line

// Network makes a network for rings of the cluster. Its bursts and losses are drawn from rng.
func (ls Lines) Network(c Cluster, rng *rand.Rand) totem.Network { return newSimulated(c, ls, rng) }
