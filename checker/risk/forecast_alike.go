package risk

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// How much two fits of the same network differ: by less than alikeBy, or by what chance may make of the counts behind them.
const (
	alikeBy   = 1.25
	alikeMost = 2 // of how often bursts come and how long they last, however few were seen; and of the longest delay
	byChance  = 3 // standard deviations of what was lost packet by packet: there may be very little
	inBursts  = 2 // of bursts
)

// usualNetwork is what usually happens to packets: all lines that do anything, without the rare bursts.
type usualNetwork map[lineKey]usualLine

// lineKey tells lines apart: several of one name are one for several paths, and others for what is left of these.
type lineKey struct {
	name        string
	first, last trace.Path
	paths       int
}

type usualLine struct {
	loss, packets, lost float64
	bursts              []seenBurst
	delay               Delay
}

type seenBurst struct {
	totem.Burst
	seen float64 // zero: as assumed
}

// usualNetwork puts together what the lines of one name say of the same paths: one has the losses, another the bursts or the delay.
func (e *ensemble) usualNetwork() usualNetwork {
	out := usualNetwork{}
	for i, l := range e.lines {
		if len(l.Paths) == 0 {
			continue
		}
		key := lineKey{l.Name, l.Paths[0], l.Paths[len(l.Paths)-1], len(l.Paths)}
		u := out[key]
		u.loss = 1 - (1-u.loss)*(1-l.Process.Loss)
		u.packets, u.lost = max(u.packets, l.Seen.Packets), max(u.lost, l.Seen.Lost)
		if l.Process.Delay.Usual > 0 {
			u.delay = l.Process.Delay
		}
		for k, b := range l.Process.Bursts {
			if b.Every > 0 && b.Mean > 0 && !slices.Contains(e.rare, rareBurst{i, k}) {
				s := seenBurst{Burst: b}
				if k < len(l.Seen.Bursts) {
					s.seen = l.Seen.Bursts[k]
				}
				u.bursts = append(u.bursts, s)
			}
		}
		out[key] = u
	}
	return out
}

// like: both do the same to every path, as far as fits can tell. Delays may differ by what is too short to matter.
func (n usualNetwork) like(o usualNetwork, short time.Duration) bool {
	for key, u := range n {
		if !u.like(o[key], short) {
			return false
		}
	}
	for key, u := range o {
		if _, both := n[key]; !both && !u.like(usualLine{}, short) {
			return false
		}
	}
	return true
}

func (u usualLine) like(o usualLine, short time.Duration) bool {
	return u.losesLike(o) && slices.EqualFunc(u.bursts, o.bursts, seenBurst.like) && u.delay.like(o.delay, short)
}

// losesLike compares what is lost packet by packet: counts of a few packets differ much by chance. A line that is missing loses nothing,
// and was seen as long.
func (u usualLine) losesLike(o usualLine) bool {
	if likely(u.loss, o.loss, alikeBy) {
		return true
	}
	m, n := cmp.Or(u.packets, o.packets), cmp.Or(o.packets, u.packets)
	if m == 0 || n == 0 {
		return false
	}
	return math.Abs(u.loss-o.loss) <= byChance*math.Sqrt((u.lost+0.5)/(m*m)+(o.lost+0.5)/(n*n))
}

// like: bursts come as often, last as long and lose as much.
func (b seenBurst) like(o seenBurst) bool {
	by := alikeBy
	if b.seen > 0 && o.seen > 0 {
		by = bounded(math.Exp(inBursts*math.Sqrt(1/b.seen+1/o.seen)), alikeBy, alikeMost)
	}
	return likely(float64(b.Every), float64(o.Every), by) && likely(float64(b.Mean), float64(o.Mean), by) && likely(lossIn(b.Burst), lossIn(o.Burst), alikeBy)
}

// like compares quantiles. The longest delay is that of a single packet.
func (d Delay) like(o Delay, short time.Duration) bool {
	for _, q := range [...]struct{ q, by float64 }{{0.5, alikeBy}, {0.99, alikeBy}, {0.999, alikeBy}, {1, alikeMost}} {
		a, b := d.Quantile(q.q), o.Quantile(q.q)
		if (a-b).Abs() > short && !likely(float64(a), float64(b), q.by) {
			return false
		}
	}
	return true
}

// likely: two figures are the same within a factor.
func likely(a, b, by float64) bool { return a <= by*b && b <= by*a }

// lossIn is the ratio of packets that a burst loses.
func lossIn(b totem.Burst) float64 { return cmp.Or(b.Loss, 1) }
