package risk

import (
	"math"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// The burst process of a single path is a hidden Markov chain: a good and a bad state, seen once a slot through a packet that is lost
// with probability p in the one and 1-(1-p)(1-q) in the other (Gilbert 1960, Elliott 1963). Its likelihood is computed run by run, with
// powers of one matrix for what arrived in a row, and is maximized over four parameters. Where it is not clearly larger than that of
// independent loss, there are no bursts: the likelihood ratio must exceed what chance makes of three more parameters in fewer than one
// of a thousand cases (chi-square 16.3).
const burstsEvident = 16.3

// gilbert are the parameters: as a process in time.
type gilbert struct {
	p, q        float64 // lost on its own; in a burst
	every, mean float64 // slots
}

// likelihood is the logarithm of the chance to see s.
func (g gilbert) likelihood(s series, table *[3]powers) float64 {
	bad := g.mean / (g.mean + g.every)
	stay := math.Exp(-1/g.mean - 1/g.every)
	toBad, toGood := bad*(1-stay), (1-bad)*(1-stay)
	lostGood, lostBad := g.p, 1-(1-g.p)*(1-g.q)
	for what, e := range [3][2]float64{arrives: {1 - lostGood, 1 - lostBad}, isLost: {lostGood, lostBad}, isUnknown: {1, 1}} {
		powersOf(matrix{(1 - toBad) * e[0], toBad * e[1], toGood * e[0], (1 - toGood) * e[1]}, &table[what])
	}
	a, b, sum := 1-bad, bad, 0.0
	for _, r := range s {
		a, b = table[r.what].apply(a, b, r.n)
		scale := a + b
		if !(scale > 1e-300) {
			return math.Inf(-1)
		}
		sum += math.Log(scale)
		a, b = a/scale, b/scale
	}
	return sum
}

// independent is the logarithm of the chance to see so many lost if each is lost on its own.
func independent(known, lost int) float64 {
	k, n := float64(lost), float64(known)
	if lost == 0 || lost == known {
		return 0
	}
	return k*math.Log(k/n) + (n-k)*math.Log(1-k/n)
}

// vector is a gilbert in coordinates without bounds.
type vector [4]float64

func (g gilbert) vector() vector {
	return vector{logit(g.p), logit(g.q), math.Log(g.every), math.Log(g.mean)}
}

func (v vector) gilbert() gilbert {
	return gilbert{
		p: bounded(1/(1+math.Exp(-v[0])), 1e-7, 0.999), q: bounded(1/(1+math.Exp(-v[1])), 0.05, 0.9999),
		every: bounded(math.Exp(v[2]), 1, 1e8), mean: bounded(math.Exp(v[3]), 0.2, 1e5),
	}
}

func bounded(x, low, high float64) float64 { return max(low, min(high, x)) }

func logit(p float64) float64 {
	p = bounded(p, 1e-6, 1-1e-6)
	return math.Log(p / (1 - p))
}

// fitBursts finds the loss of a path on its own, and its bursts if there are any.
func fitBursts(s series) (g gilbert, found bool) {
	known, lost := s.count()
	if lost == 0 || lost == known || !s.clustered() {
		return gilbert{}, false
	}
	var table [3]powers
	ratio := float64(lost) / float64(known)
	value := func(v vector) float64 { return -v.gilbert().likelihood(s, &table) }
	best, least := vector{}, math.Inf(1)
	for _, mean := range [...]float64{1.5, 8, 60, 600} {
		for _, q := range [...]float64{0.95, 0.3} {
			for _, share := range [...]float64{0.9, 0.3} {
				inBursts := min(ratio*share/q, 0.5)
				v := gilbert{p: max(ratio*(1-share), 1e-6), q: q, mean: mean, every: mean * (1/inBursts - 1)}.vector()
				if x := value(v); x < least {
					best, least = v, x
				}
			}
		}
	}
	best, least = simplex(best, least, value)
	return best.gilbert(), 2*(-least-independent(known, lost)) > burstsEvident
}

// kind is the process in time behind g, as seen over so many slots.
func (g gilbert) kind(known int, slot time.Duration) kind {
	return kind{
		Burst: totem.Burst{Every: time.Duration(g.every * float64(slot)), Mean: time.Duration(g.mean * float64(slot)), Loss: g.q},
		seen:  max(1, float64(known)/(g.every+g.mean)),
	}
}
