package risk

import "math"

// outright is what a scope loses that fails, partly what else it may lose: that takes more than a slot to tell.
const outright = 0.98

var partly = [...]float64{0.6, 0.3}

// toll is what some packets met.
type toll struct {
	known, lost int
	odds        float64 // of the lost ones to be lost by chance: sum of their logarithms
	passing     float64 // of all to arrive
}

// chance is how likely it is that a path loses a packet by itself, and that it does not: logarithms.
type chance struct{ lost, passed float64 }

func chanceOf(loss float64) chance {
	loss = bounded(loss, 1e-4, 0.999)
	return chance{math.Log(loss), math.Log(1 - loss)}
}

// add counts packets of a path; negative numbers take them back.
func (t *toll) add(c chance, known, lost int) {
	t.known += known
	t.lost += lost
	t.odds += float64(lost) * c.lost
	t.passing += float64(known-lost) * c.passed
}

// evidence is the logarithm of how much likelier what the packets met is if their scope failed, and then lost a share q.
func (t *toll) evidence(q float64) float64 {
	return float64(t.lost)*math.Log(q) - t.odds + float64(t.known-t.lost)*math.Log(1-q) - t.passing
}
