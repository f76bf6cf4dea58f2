package risk

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Draw gives lines that may as well have been behind what was seen: each figure is drawn from what the record leaves open. What is assumed stays.
//
// The ratio of single losses has the posterior with Jeffreys' prior, beta(lost+1/2, arrived+1/2). The rate of bursts has the one with the prior
// 1/rate, gamma(n), whose mean is the rate that was seen: with Jeffreys' a single outage would count for one and a half. Lengths have a
// prior that is worth one more burst as long as the mean of those seen, inverse gamma(n+1): with Jeffreys', a single outage would be for ever on average.
func (ls Lines) Draw(rng *rand.Rand) Lines {
	out := make(Lines, len(ls))
	for i, l := range ls {
		out[i] = l
		out[i].Process.Bursts = slices.Clone(l.Process.Bursts)
		if l.Seen.Packets > 0 {
			lost, rest := gamma(rng, l.Seen.Lost+0.5), gamma(rng, l.Seen.Packets-l.Seen.Lost+0.5)
			out[i].Process.Loss = lost / (lost + rest)
			if l.Seen.Lost < 0.5 { // none was seen: any loss would be the prior's
				out[i].Process.Loss = 0
			}
		}
		if len(l.Seen.Bursts) != len(l.Process.Bursts) {
			continue
		}
		for k := range out[i].Process.Bursts {
			b, n := &out[i].Process.Bursts[k], max(l.Seen.Bursts[k], 0.5)
			b.Every = scaled(b.Every, n/gamma(rng, n))
			b.Mean = scaled(b.Mean, (n+1)/gamma(rng, n+1))
		}
	}
	return out
}

func scaled(d time.Duration, by float64) time.Duration {
	return time.Duration(bounded(float64(d)*by, 1, float64(100*365*24*time.Hour)))
}

// gamma draws from the gamma distribution of a shape and scale 1 (Marsaglia and Tsang 2000).
func gamma(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if u := rng.Float64(); math.Log(u) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}
