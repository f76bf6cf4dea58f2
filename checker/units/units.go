// Package units writes times and shares as people read them. It is a leaf.
package units

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Time writes a duration to three digits or so: 12 µs, 350 ms, 1.25 s, 3 min 20 s.
func Time(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Time(-d)
	case d < 10*time.Second:
		return short(d)
	case d < 100*time.Second:
		return decimals(d.Seconds(), 1, "s")
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Round writes a duration as Time does, but a long one in one unit: 12 s, 10 min, 24 h. A negative one is zero.
func Round(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return short(max(d, 0))
	case d < 100*time.Second:
		return decimals(d.Seconds(), 0, "s")
	case d < 2*time.Hour:
		return decimals(d.Minutes(), 0, "min")
	}
	return decimals(d.Hours(), 0, "h")
}

// short writes what is below ten seconds.
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d < 10*time.Millisecond:
		return decimals(float64(d)/1e6, 1, "ms")
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return decimals(d.Seconds(), 2, "s")
}

// Percent writes a ratio to two digits or so: 0 %, 0.00017 %, 0.03 %, 1.5 %, 42 %. What is not nothing is never written as such: a day of probes
// tells of a few in a million.
func Percent(ratio float64) string {
	switch p := 100 * ratio; {
	case p == 0:
		return "0 %"
	case p > 0 && p < 0.01:
		return decimals(p, min(1-int(math.Floor(math.Log10(p))), mostDigits), "%")
	case p > 0 && p < 0.1:
		return decimals(p, 2, "%")
	case p < 10:
		return decimals(p, 1, "%")
	default:
		return decimals(p, 0, "%")
	}
}

// mostDigits is how many decimals a share has at most.
const mostDigits = 8

func decimals(x float64, digits int, unit string) string {
	return strconv.FormatFloat(x, 'f', digits, 64) + " " + unit
}
