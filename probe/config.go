package probe

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// Config is what a Prober needs. Only Network is required.
type Config struct {
	Network  Network
	NewPacer func() (Pacer, error) // waits for send times; nil: time.Sleep, which is 0.5 to 1 ms late

	// Key authenticates all packets, both ways. The zero Master means open mode: anybody who can send from a peer's address can
	// tell lies about the path.
	Key stamp.Master

	// Reflect lists local addresses that answer probes even while there is no target from them (port Port).
	Reflect  []netip.Addr
	Port     uint16 // default DefaultPort
	TOS      uint8  // of Reflect's sockets; those of targets have their own
	Priority int

	// Allow lists who may probe us besides the remote addresses of targets.
	Allow []netip.Prefix

	PeerRate    float64 // replies a second to one peer (default 500; 2500 with a key)
	TotalRate   float64 // replies a second in all (default 20000)
	MaxSessions int     // of one peer at a time (default 32): 2 for an agent, more with several source ports
	MaxPeers    int     // peers that only Allow lets in, per socket (default 256)

	// WindowsAge is how old the windows of an Observation may be while nothing happens on the path: making them is most of the cost of
	// an Observation. They are new in an outage and after a loss or a stall. Zero: always new.
	WindowsAge time.Duration

	Rand *rand.Rand       // session numbers; nil: random. For tests
	Wall func() time.Time // wall clock for the stamps in packets; nil: time.Now. It is never used to measure
}

// withDefaults checks c and fills in what is zero.
func (c Config) withDefaults() (Config, error) {
	if c.Network == nil {
		return c, errors.New("probe: config: no network to open sockets with")
	}
	if c.NewPacer == nil {
		c.NewPacer = func() (Pacer, error) { return newSleeper(), nil }
	}
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	if c.PeerRate <= 0 {
		c.PeerRate = 500
		if c.Key.Authenticated() {
			c.PeerRate = 2500 // 'quorumwatch check --burst' sends two sizes at 1000 a second
		}
	}
	if c.TotalRate <= 0 {
		c.TotalRate = 20000
	}
	if c.MaxSessions <= 0 {
		c.MaxSessions = 32
	}
	if c.MaxPeers <= 0 {
		c.MaxPeers = 256
	}
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	return c, nil
}
