package check

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Target is one path to probe.
type Target struct {
	Peer   string
	Node   uint32
	Link   int
	Local  netip.Addr
	Remote netip.Addr
}

func (t Target) path() probe.Path { return probe.Path{Local: t.Local, Remote: t.Remote} }

// Config says how to measure.
type Config struct {
	Network      probe.Network
	NewPacer     func() (probe.Pacer, error)
	Wall         func() time.Time // clock of the stamps; nil: time.Now
	Rand         *rand.Rand       // nil: random
	Key          stamp.Master     // zero: unauthenticated
	Targets      []Target
	Local        uint32 // nodeid of this node; 0: none
	Port         uint16 // of the agents and reflectors
	From         uint16 // here; not Port, which an agent may have
	TOS          uint8
	Priority     int
	Interval     time.Duration
	FullSize     int
	FullInterval time.Duration
	For          time.Duration
	Burst        int            // so many probes of each size to each target, both at Interval, instead of For
	Soak         *Soak          // what of a long run is kept in a file; For is then with all that it holds already; nil: none
	Progress     func(Progress) // nil: nobody looks; called twice a second
}

// Progress is how far a run is.
type Progress struct {
	Done, Of        time.Duration
	Answered, Paths int
	Probes, Lost    uint64 // of paths that answer; whose fate is known
	SaveErr         error  // why what a soak measured of late could not be kept
}

// Measurement is what a run gave.
type Measurement struct {
	Paths   []verdict.Path
	Trace   *trace.Trace // of a soak: its worst stretch
	Pauses  verdict.Pauses
	Length  time.Duration
	Stopped bool          // before its time
	Turns   int           // of a burst: the paths were probed in so many, one after the other
	Soak    *verdict.Soak // nil: no soak
	SaveErr error         // why what a soak measured of late could not be kept
}

// length is how long a run takes.
func (c *Config) length() time.Duration {
	switch {
	case c.Burst > 0:
		return time.Duration(c.Burst) * c.Interval
	case c.Soak != nil:
		return max(c.For-c.Soak.Measured(), 0)
	}
	return c.For
}

// targets are those of the prober.
func (c *Config) targets() (out []probe.Target) {
	for _, t := range c.Targets {
		full, every := c.FullSize, c.FullInterval
		if full > 0 && t.Remote.Is6() {
			full -= 20
		}
		if c.Burst > 0 {
			every = c.Interval
		}
		out = append(out, probe.Target{
			Path: t.path(), Port: c.Port, From: c.From, Interval: c.Interval, FullSize: full, FullInterval: every, Burst: c.Burst,
			TOS: c.TOS, Priority: c.Priority,
		})
	}
	return out
}
