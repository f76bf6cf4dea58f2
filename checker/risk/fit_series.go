package risk

import "math"

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
