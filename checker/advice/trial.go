package advice

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// block is a stretch of the record that a ring runs over without a break.
const block = 3 * time.Minute

// tally is what rings did, added up.
type tally struct {
	losses, splits, downs int
	worst                 time.Duration
	broken                time.Duration // not all in service in one ring
	simulated             time.Duration
}

// figures turns a tally into rates: one pass stands for so much of the record.
func (t tally) figures(passes int, stands time.Duration) Figures {
	rate := func(n int) Rate { return rateOf(float64(n)/float64(max(passes, 1)), stands) }
	return Figures{TokenLosses: rate(t.losses), Splits: rate(t.splits), LinkDowns: rate(t.downs), WorstGap: t.worst,
		Broken: t.broken.Seconds() / float64(max(passes, 1)) / max(stands.Seconds(), 1), Simulated: t.simulated}
}

// rateOf is the rate behind k events in a record of length d, with its interval (Garwood 1936; chi-square by Wilson and
// Hilferty). Phases that differ from pass to pass make k a mean; they add no evidence, so the interval stays that of one record.
func rateOf(k float64, d time.Duration) Rate {
	const z = 1.645 // 5 % at either end
	if d <= 0 {
		return Rate{}
	}
	cube := func(x float64) float64 { return x * x * x }
	low := 0.0
	if k > 0 {
		low = max(0, k*cube(1-1/(9*k)-z/(3*math.Sqrt(k))))
	}
	high := (k + 1) * cube(1-1/(9*(k+1))+z/(3*math.Sqrt(k+1)))
	return Rate{PerHour: k / d.Hours(), Low: low / d.Hours(), High: high / d.Hours()}
}

// stretch is a choice of blocks to run over.
type stretch struct {
	blocks []span
	passes int
	stands time.Duration // how much of the record one pass over the blocks stands for, calm times included
}

// stretchOf chooses from the record's troubled times as much as budget allows: all of them, several times over, or evenly spaced ones.
func (r record) stretchOf(budget time.Duration) stretch {
	var all []span
	length := max(1, int(block/r.trace.Slot))
	troubled := r.trouble
	if len(troubled) == 0 { // any block will do, to see the ring turn
		troubled = []span{{r.slots.first, min(r.slots.end, r.slots.first+length)}}
		budget = min(budget, block)
	}
	for _, s := range troubled {
		for first := s.first; first < s.end; first += length {
			all = append(all, span{first, min(first+length, s.end)})
		}
	}
	record := r.trace.At(r.slots.end - r.slots.first)
	total := r.length(all)
	if total <= budget {
		return stretch{all, min(mostPasses, int(budget/max(total, 1))), record}
	}
	n := max(1, int(float64(len(all))*float64(budget)/float64(total)))
	out := stretch{passes: 1}
	for i := range n {
		out.blocks = append(out.blocks, all[(2*i+1)*len(all)/(2*n)])
	}
	out.stands = time.Duration(float64(record) * float64(r.length(out.blocks)) / float64(total))
	return out
}

func (r record) length(blocks []span) (d time.Duration) {
	for _, b := range blocks {
		d += r.trace.At(b.end - b.first)
	}
	return d
}

// try runs rings of a cluster over a stretch of the record.
func (r record) try(c risk.Cluster, over stretch, seed uint64) (tally, error) {
	return r.tryOn(c, over, seed, func(b span) totem.Network { return r.network(c, b) })
}

// network is what the record says of a block.
func (r record) network(c risk.Cluster, b span) *risk.Recorded {
	n := risk.NewRecorded(c, r.trace)
	n.Begin = r.trace.At(b.first)
	return n
}

func (r record) tryOn(c risk.Cluster, over stretch, seed uint64, network func(span) totem.Network) (tally, error) {
	var sum tally
	for pass := range over.passes {
		for _, b := range over.blocks {
			rng := rand.New(rand.NewPCG(seed, uint64(pass)<<32|uint64(b.first))) // equal phases for all candidates
			ring, err := c.Ring(risk.Run{Network: network(b), Traffic: messages, Rand: rng})
			if err != nil {
				return tally{}, err
			}
			sum.add(c, ring, r.trace.At(b.end-b.first))
		}
	}
	return sum, nil
}

// add runs a ring for d and counts what it does.
func (t *tally) add(c risk.Cluster, ring *totem.Ring, d time.Duration) {
	split := time.Duration(-1)
	for at := time.Duration(0); at < d; {
		begin := at
		at = min(at+time.Second, d)
		for _, e := range ring.Run(at) {
			if e.Kind == totem.Membership && e.Left != 0 && (split < 0 || e.At-split > c.Timeouts.Membership()) {
				t.splits++
				split = e.At
			}
		}
		if !ring.Together() {
			t.broken += at - begin
		}
	}
	s := ring.Stats()
	t.losses += int(s.Disruptions)
	t.downs += int(s.LinkDowns)
	t.simulated += d
	for i := range c.Nodes {
		t.worst = max(t.worst, ring.LongestGap(i).Length)
	}
}
