package probe

import (
	"sync"
	"sync/atomic"
	"time"
)

// Reason tells why a packet was dropped.
type Reason uint8

// Reasons to drop a packet.
const (
	Malformed       Reason = iota // no STAMP packet
	BadHMAC                       // wrong key or damaged
	Unauthenticated               // open-mode packet where a key is required
	Replayed                      // a request seen before, or of a session that is over
	Unlisted                      // from an address that is no peer
	RateLimited                   // more requests than a peer may send
	NoSession                     // a reply to something that this run did not send, or a request with our own session number
	TooMany                       // more sessions or peers than are kept
	SendFailed                    // a reply that the local stack did not take
	BadExtension                  // the packet counted, but not its TLVs
	KernelDropped                 // by the kernel, as we did not read in time
	reasons
)

// String returns the reason as a metric label.
func (r Reason) String() string {
	names := [reasons]string{
		"malformed", "bad_hmac", "unauthenticated", "replayed", "unlisted",
		"rate_limited", "no_session", "too_many", "send_failed", "bad_extension", "kernel_drops",
	}
	if r >= reasons {
		return "unknown"
	}
	return names[r]
}

// Counters count packets since the Prober began.
type Counters struct {
	Sent      uint64            // probes
	Replies   uint64            // authentic replies to our probes
	Requests  uint64            // authentic requests of peers
	Reflected uint64            // replies sent; never more than Requests
	Dropped   map[Reason]uint64 // all reasons, also those with none
}

// counters are the live ones.
type counters struct {
	sent, replies, requests, reflected atomic.Uint64
	dropped                            [reasons]atomic.Uint64
}

func (c *counters) drop(r Reason) { c.dropped[r].Add(1) }

// Counters returns the counts so far.
func (p *Prober) Counters() Counters {
	c := Counters{
		Sent: p.counters.sent.Load(), Replies: p.counters.replies.Load(),
		Requests: p.counters.requests.Load(), Reflected: p.counters.reflected.Load(),
		Dropped: make(map[Reason]uint64, reasons),
	}
	for r := range reasons {
		c.Dropped[r] = p.counters.dropped[r].Load()
	}
	return c
}

// dropsEvery is how often sockets are asked what the kernel dropped.
const dropsEvery = time.Second

// checkDrops asks the sockets, from time to time. What was lost while the kernel dropped something is this host's own fault, as in a stall.
func (p *Prober) checkDrops(now time.Time) {
	w := &p.drops
	w.Lock()
	defer w.Unlock()
	from := w.at
	if now.Sub(from) < dropsEvery {
		return
	}
	w.at = now
	for _, s := range p.list() {
		n := s.kernelDrops()
		if n == 0 {
			continue
		}
		p.counters.dropped[KernelDropped].Add(n)
		for _, q := range p.all() {
			if q.socket.Load() == s {
				q.hostPause(from, now)
			}
		}
	}
}

// dropWatch is when checkDrops last asked.
type dropWatch struct {
	sync.Mutex
	at time.Time
}

// kernelDrops asks the Conn how much was lost since the last time before we could read it; under dropWatch.
func (s *socket) kernelDrops() uint64 {
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	c, ok := conn.(DropCounter)
	if !ok {
		return 0
	}
	n, err := c.Drops()
	if err != nil {
		return 0
	}
	if s.dropsOf != conn {
		s.dropsOf, s.drops = conn, 0
	}
	more := uint32(n - s.drops) // the kernel counts in 32 bits
	s.drops = n
	return uint64(more)
}
