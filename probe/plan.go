package probe

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"
)

// Limits and defaults of targets.
const (
	DefaultPort         = 5412
	DefaultInterval     = 50 * time.Millisecond
	DefaultFullInterval = 500 * time.Millisecond
	minInterval         = time.Millisecond // for bursts; agents take 10 ms at least
	maxInterval         = time.Second
)

// slots is into how many instants an interval is divided. Sends of one instant go out in one system call, and each instant wakes
// this process, which is what costs most; but 93 paths sent in one burst measure their own queueing (median 905 us instead of 99).
const slots = 5

// Shot is one periodic probe of a plan: it leaves at Phase, Phase+Interval, ... after the beginning.
type Shot struct {
	Path
	Full     bool
	Phase    time.Duration
	Interval time.Duration
}

// Plan returns when the probes of each target leave, ascending by phase. The phase follows from a hash of both addresses, so that
// it does not change when other targets come and go, and so that nodes do not fire together.
func Plan(targets []Target) []Shot {
	var shots []Shot
	for _, t := range targets {
		t = t.withDefaults()
		shots = append(shots, Shot{Path: t.Path, Phase: phase(t.Path, t.Interval, 0), Interval: t.Interval})
		if t.FullSize > 0 {
			shots = append(shots, Shot{
				Path: t.Path, Full: true, Phase: phase(t.Path, t.FullInterval, 1), Interval: t.FullInterval,
			})
		}
	}
	slices.SortStableFunc(shots, func(a, b Shot) int { return cmp.Compare(a.Phase, b.Phase) })
	return shots
}

// withDefaults fills in what is zero and brings intervals into their limits; full-size probes may be as rare as the caller wants.
func (t Target) withDefaults() Target {
	t.Local, t.Remote = t.Local.Unmap(), t.Remote.Unmap()
	if t.Port == 0 {
		t.Port = DefaultPort
	}
	if t.From == 0 {
		t.From = t.Port
	}
	if t.Interval <= 0 {
		t.Interval = DefaultInterval
	}
	t.Interval = min(max(t.Interval, minInterval), maxInterval)
	if t.FullInterval <= 0 {
		t.FullInterval = DefaultFullInterval
	}
	t.FullInterval = max(t.FullInterval, minInterval)
	return t
}

// phase hashes a path into one of the slots of an interval. FNV-1a: short, in the standard library, the same everywhere.
func phase(p Path, interval time.Duration, kind byte) time.Duration {
	h := fnv.New64a()
	a, b := p.Local.As16(), p.Remote.As16()
	h.Write(a[:])
	h.Write(b[:])
	h.Write([]byte{kind})
	// The low bits of FNV-1a are weak in the last byte written: fold.
	x := h.Sum64()
	x ^= x >> 32
	return interval / slots * time.Duration(x%slots)
}
