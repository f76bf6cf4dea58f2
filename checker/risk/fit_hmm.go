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

// series is a path's fate as runs of slots.
type series []hmmRun

type hmmRun struct {
	what fate
	n    int
}

// seriesOf makes runs of stretches in [from, to), at most so many: the newest.
func seriesOf(runs []stretch, from, to, most int) series {
	if len(runs) > most/2 {
		runs = runs[len(runs)-most/2:]
		from = runs[0].from
	}
	var out series
	for _, r := range runs {
		if r.from > from {
			out = append(out, hmmRun{arrives, r.from - from})
		}
		what := isUnknown
		if r.lost {
			what = isLost
		}
		out = append(out, hmmRun{what, r.until - r.from})
		from = r.until
	}
	if from < to {
		out = append(out, hmmRun{arrives, to - from})
	}
	return out
}

// count is how many packets are known and lost.
func (s series) count() (known, lost int) {
	for _, r := range s {
		if r.what != isUnknown {
			known += r.n
		}
		if r.what == isLost {
			lost += r.n
		}
	}
	return known, lost
}

// clustered is a quick look whether losses follow losses within ten packets more often than chance would have it: whether it is worth
// while to look for bursts. It may err on the side of looking.
func (s series) clustered() bool {
	const near = 10
	known, lost := s.count()
	if lost < 2 {
		return false
	}
	pairs, at := 0, 0
	var recent []int
	for _, r := range s {
		if r.what == isLost {
			for i := range min(r.n, 200) {
				slot := at + i
				for len(recent) > 0 && recent[0] < slot-near {
					recent = recent[1:]
				}
				pairs += len(recent)
				recent = append(recent, slot)
			}
		}
		at += r.n
	}
	expected := float64(near) * float64(lost) * float64(lost) / float64(known)
	return float64(pairs) > expected+3*math.Sqrt(expected)+1
}

// gilbert are the parameters: as a process in time.
type gilbert struct {
	p, q        float64 // lost on its own; in a burst
	every, mean float64 // slots
}

// matrix is a 2x2 matrix, row by row; states are good and bad.
type matrix [4]float64

func (a matrix) times(b matrix) matrix {
	return matrix{a[0]*b[0] + a[1]*b[2], a[0]*b[1] + a[1]*b[3], a[2]*b[0] + a[3]*b[2], a[2]*b[1] + a[3]*b[3]}
}

// powers are those of a matrix, by digits of the exponent to the base 64.
type powers [4][64]matrix

func powersOf(m matrix, out *powers) {
	for i := range out {
		out[i][0] = matrix{1, 0, 0, 1}
		for k := 1; k < 64; k++ {
			out[i][k] = out[i][k-1].times(m)
		}
		m = out[i][63].times(m)
	}
}

// apply is the row vector v times the nth power.
func (p *powers) apply(a, b float64, n int) (float64, float64) {
	n = min(n, 1<<24-1)
	for i := 0; n > 0; i, n = i+1, n>>6 {
		if d := n & 63; d > 0 {
			m := &p[i][d]
			a, b = a*m[0]+b*m[2], a*m[1]+b*m[3]
		}
	}
	return a, b
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

// simplex walks downhill from a vector (Nelder and Mead 1965).
func simplex(start vector, value float64, f func(vector) float64) (vector, float64) {
	const steps = 160
	var x [5]vector
	var y [5]float64
	x[0], y[0] = start, value
	for i := range 4 {
		x[i+1] = start
		x[i+1][i] += 0.7
		y[i+1] = f(x[i+1])
	}
	for range steps {
		best, worst, second := rank(&y)
		if y[worst]-y[best] < 1e-3 {
			break
		}
		var mid vector
		for i := range x {
			for k := range mid {
				if i != worst {
					mid[k] += x[i][k] / 4
				}
			}
		}
		at := func(by float64) vector {
			var v vector
			for k := range v {
				v[k] = mid[k] + by*(x[worst][k]-mid[k])
			}
			return v
		}
		v := at(-1)
		value := f(v)
		switch {
		case value < y[best]:
			if w := at(-2); true {
				if further := f(w); further < value {
					v, value = w, further
				}
			}
		case value >= y[second]:
			v = at(0.5)
			value = f(v)
			if value >= y[worst] {
				for i := range x {
					if i == best {
						continue
					}
					for k := range x[i] {
						x[i][k] = (x[i][k] + x[best][k]) / 2
					}
					y[i] = f(x[i])
				}
				continue
			}
		}
		x[worst], y[worst] = v, value
	}
	best, _, _ := rank(&y)
	return x[best], y[best]
}

// rank finds the best, the worst and the second worst.
func rank(y *[5]float64) (best, worst, second int) {
	for i := range y {
		if y[i] < y[best] {
			best = i
		}
		if y[i] > y[worst] {
			worst = i
		}
	}
	second = best
	for i := range y {
		if i != worst && y[i] > y[second] {
			second = i
		}
	}
	return best, worst, second
}
