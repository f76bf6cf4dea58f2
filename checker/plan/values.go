package plan

import (
	"math/bits"
	"strconv"
	"time"
)

// Seconds is a duration that is a number of seconds in JSON.
type Seconds time.Duration

// Duration returns s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// MarshalJSON writes s as a number of seconds, exact to the nanosecond.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Seconds(), 'f', -1, 64), nil
}

func bitCount(nodes uint64) int { return bits.OnesCount64(nodes) }

// counts is how many nodes of each site are in a set.
func (w *world) counts(nodes uint64) []int {
	out := make([]int, len(w.nodes))
	for s, all := range w.nodes {
		out[s] = bits.OnesCount64(nodes & all)
	}
	return out
}
