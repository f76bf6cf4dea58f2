//go:build linux

package main

import (
	"fmt"
	"math"
)

// factor is how far a forecast rate may be from the real one.
const factor = 2

// Rates between these, in events a minute, are forecast.
const (
	rateLeast = 0.1
	rateMost  = 20
)

// rateVerdict says whether what was counted once allows to say that a forecast is within the factor of the real rate.
type rateVerdict int

const (
	rateOutside rateVerdict = iota // the real rate is not one that is forecast
	rateUnsaid                     // too few events: the real rate may lie on either side of the bound
	rateWithin
	rateWrong
)

// judgeRate holds a forecast number of events against the number counted in so many minutes. The real rate lies, with 90 % confidence (5 % on either side, as for a test of equivalence), where
// the Poisson distribution puts it. (Disruptions exclude each other while they last, so their counts scatter less than that: the interval
// is on the safe side.)
func judgeRate(forecast float64, counted int, minutes float64) rateVerdict {
	rate := float64(counted) / minutes
	if rate < rateLeast || rate > rateMost {
		return rateOutside
	}
	low, high := poissonInterval(counted)
	switch {
	case forecast >= high/factor && forecast <= low*factor:
		return rateWithin
	case forecast < low/factor || forecast > high*factor:
		return rateWrong
	}
	return rateUnsaid
}

// text is a cell of a table.
func (v rateVerdict) text(forecast float64, counted int) string {
	switch v {
	case rateWithin:
		return "yes"
	case rateWrong:
		return "**NO**"
	case rateUnsaid:
		return fmt.Sprintf("%s, but %d cannot say", pointText(forecast, counted), counted)
	}
	return "-"
}

func pointText(forecast float64, counted int) string {
	if pointWithin(forecast, counted) {
		return "inside"
	}
	return "outside"
}

// pointWithin takes the count for the real rate.
func pointWithin(forecast float64, counted int) bool {
	return counted > 0 && forecast <= factor*float64(counted) && forecast >= float64(counted)/factor
}

// poissonInterval is where the mean lies with 90 % confidence when so many events were counted (Garwood).
func poissonInterval(counted int) (low, high float64) {
	const tail = 0.05
	if counted > 0 {
		low = bisect(0, float64(counted), func(mean float64) bool { return 1-poissonAtMost(mean, counted-1) >= tail })
	}
	most := float64(counted) + 10 + 10*math.Sqrt(float64(counted))
	high = bisect(float64(counted), most, func(mean float64) bool { return poissonAtMost(mean, counted) <= tail })
	return low, high
}

// bisect finds the least x in [low, high] from which on holds is true.
func bisect(low, high float64, holds func(float64) bool) float64 {
	for range 60 {
		if mid := (low + high) / 2; holds(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// poissonAtMost is the probability of at most k events of a mean.
func poissonAtMost(mean float64, k int) float64 {
	if k < 0 {
		return 0
	}
	sum := 0.0
	for i := range k + 1 {
		lg, _ := math.Lgamma(float64(i) + 1)
		sum += math.Exp(float64(i)*math.Log(max(mean, math.SmallestNonzeroFloat64)) - mean - lg)
	}
	return min(sum, 1)
}
