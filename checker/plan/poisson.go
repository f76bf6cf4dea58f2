package plan

import "math"

// poissonInterval is the exact 95 % interval of the mean of a Poisson variable of which n were counted (Garwood 1936).
func poissonInterval(n int) (low, high float64) {
	if n > 0 {
		low = solve(func(m float64) float64 { return 1 - poissonCDF(m, n-1) - 0.025 }, float64(n))
	}
	high = solve(func(m float64) float64 { return 0.025 - poissonCDF(m, n) }, float64(n)+10*math.Sqrt(float64(n)+1))
	return low, high
}

// solve finds the zero of a rising function between 0 and top.
func solve(f func(float64) float64, top float64) float64 {
	low, high := 0.0, top
	for range 60 {
		if mid := (low + high) / 2; f(mid) < 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// poissonCDF is the probability of at most n events when mean are expected.
func poissonCDF(mean float64, n int) float64 {
	term, sum := math.Exp(-mean), 0.0
	for k := 0; k <= n; k++ {
		sum += term
		term *= mean / float64(k+1)
	}
	return sum
}
