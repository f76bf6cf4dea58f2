package plan

import "math"

// binomialInterval is the exact 95 % interval of the probability of something that was seen in k of n trials (Clopper and Pearson 1934).
func binomialInterval(k, n int) (low, high float64) {
	high = 1
	if k > 0 {
		low = solve(func(p float64) float64 { return 1 - binomialCDF(p, k-1, n) - 0.025 }, 1)
	}
	if k < n {
		high = solve(func(p float64) float64 { return 0.025 - binomialCDF(p, k, n) }, 1)
	}
	return low, high
}

// binomialCDF is the probability of at most k successes, fewer than n, in n trials that succeed with probability p,
// which is neither 0 nor 1.
func binomialCDF(p float64, k, n int) float64 {
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	sum := 0.0
	for i := range k + 1 {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}
