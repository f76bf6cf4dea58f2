package risk

import "math"

// expect puts the strata together for one kind of event.
func (e *ensemble) expect(event int) Expect {
	count := e.usual.count[event]
	var out Expect
	u := &e.usual
	mean := u.sum[event] / u.n
	per := u.n / u.time // trials in an hour
	spread := max(0, u.sum2[event]/u.n-mean*mean)
	parameters := max(0, 4*u.both[event]/u.n-mean*mean) // what trials of one draw have in common
	variance := (parameters + spread/u.n) * per * per
	unseen := 0.0
	if u.count[event] < 0.5 {
		unseen = 3 / u.time
	}
	rate := mean * per
	for i := range e.strata {
		s := &e.strata[i]
		if s.n == 0 {
			unseen += s.rate
			continue
		}
		count += s.count[event]
		own := max(0, s.sum[event]/s.n-mean*per*s.time/s.n)           // what the burst adds
		vary := (max(0, s.sum2[event]/s.n-own*own) + 1/(s.n+1)) / s.n // few trials that end alike don't make it sure
		rate += s.rate * own
		variance += s.rate*s.rate*vary + s.rate*s.rate*own*own*s.vary
		if s.count[event] < 0.5 {
			unseen += s.rate * min(1, 3/s.n)
		}
	}
	out.PerHour, out.Count = rate, int(count+0.5)
	variance += rate * rate * modelError * modelError
	out.Low, out.High = gammaInterval(rate, variance)
	out.High += unseen
	return out
}

// gammaInterval is where nine of ten values of a gamma distribution with that mean and variance lie (Wilson and Hilferty 1931).
func gammaInterval(mean, variance float64) (low, high float64) {
	if mean <= 0 {
		return 0, 0
	}
	const z = 1.645
	shape := max(mean*mean/variance, 0.05)
	at := func(z float64) float64 {
		x := 1 - 1/(9*shape) + z/(3*math.Sqrt(shape))
		return mean * max(0, x*x*x)
	}
	return at(-z), max(at(z), mean)
}
