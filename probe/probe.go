package probe

import (
	"context"
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// Path names one pair of addresses: what is measured between a local address and a peer's. It is comparable.
type Path struct {
	Local, Remote netip.Addr
}

// Target is a path to probe and how.
type Target struct {
	Path
	Port         uint16        // UDP port at both ends (default 5412)
	From         uint16        // UDP port here, if it is to be another one: beside an agent that has Port; 0: Port
	Interval     time.Duration // of token-sized probes, 1 ms to 1 s (default 50 ms)
	FullSize     int           // UDP payload of full-size probes, DF set (1472 at MTU 1500 on IPv4); 0: none
	FullInterval time.Duration // of full-size probes, at least 1 ms (default 500 ms); 200 ms to 1 s suits stats.Full, bulletins and farewells
	Burst        int           // so many probes of each size, and then no more: full-size ones are accounted for as small ones are (Observation.Full); 0: no end
	TOS          uint8         // IPv4 TOS byte; knet: 0x10 or ip_dscp<<2; IPv6: 0
	Priority     int           // SO_PRIORITY; knet: 6
}

// Observation is what is known of one path at one instant.
type Observation struct {
	Path
	Since   time.Time     // when this path began to be probed
	Summary stats.Summary // both directions, all windows
	Full    stats.Summary // the same of the full-size probes of a Burst, else zero
	Err     string        // why no probe can be sent now (no such address, network unreachable, ...); "" when it can

	Refused time.Time // when the peer's host said that nobody listens on the probe port: it lives, its agent does not; zero after a reply
	FullErr string    // why no full-size probe can be sent: too long for the interface; "" when it can
	MTU     int       // of the path, if the network told one and no full-size probe came back since; 0 unknown
}

// Bulletin is a peer's own summary of its paths, as it rode in one of the peer's probes. Its content is opaque here
// (package mesh encodes it).
type Bulletin struct {
	Path
	At    time.Time
	Data  []byte
	Left  time.Time     // when the probe left that it came in, by our clock: At less the way
	Clock time.Duration // when it left, by the clock that stamps the peer's probes: as the peer's Prober.Clock
}

// Conn is one UDP socket bound to a local address. ReadBatch and WriteBatch fill and take several datagrams a call. It is
// declared by its consumer; probe/udp and probe/simnet implement it.
type Conn interface {
	// ReadBatch blocks until at least one datagram, transmit stamp or path error is there and returns how many of ms it
	// filled. It returns net.ErrClosed after Close.
	ReadBatch(ms []Message) (int, error)
	// WriteBatch sends ms and returns how many went out; the error belongs to ms[n], so the caller may skip that one and go
	// on. It sets Key and At of those that went out, and never waits for room: a full send queue is an error. It may be called
	// from several goroutines, ReadBatch from one.
	WriteBatch(ms []Message) (int, error)
	LocalAddr() netip.AddrPort
	Close() error
}

// Message is one datagram, or one event about a datagram sent earlier.
type Message struct {
	Kind Kind
	Buf  []byte // datagram: the caller's buffer; N of it are valid after ReadBatch
	N    int
	Addr netip.AddrPort // remote end
	At   time.Time      // when the kernel (else this process) received or sent it; carries a monotonic reading. WriteBatch: just before the send
	Wall time.Time      // the kernel's own wall-clock stamp, zero if it gave none
	TTL  uint8          // received TTL or hop limit, 0 unknown
	TOS  uint8          // received TOS or traffic class

	Key uint32 // WriteBatch: assigned by the Conn; TxStamp: the Key of the datagram it is about
	Err error  // PathError: what the network said (connection refused, unreachable, message too long)
	MTU int    // PathError with "message too long": the next hop's MTU
}

// Kind tells what a Message is.
type Kind uint8

// Kinds of messages.
const (
	Datagram  Kind = iota
	TxStamp        // the kernel's transmit time of the datagram with this Key
	PathError      // an ICMP error or local error about a datagram sent to Addr; Buf[:N] is the beginning of that datagram
)

// ListenConfig says how to open a Conn.
type ListenConfig struct {
	Addr     netip.AddrPort
	TOS      uint8
	Priority int
	DF       bool // set Don't Fragment on everything (IP_PMTUDISC_PROBE)
	Polled   bool // Poll is going to be called instead of ReadBatch, if the Conn has it
}

// Poller is implemented by Conns that need not be waited for: the kernel notes when datagrams come, so they may lie a while, and one
// look at many of them costs this process far less than waking up for each.
type Poller interface {
	Conn
	// Polled says whether the Conn is as ListenConfig.Polled asked for. If not, ReadBatch is to be used.
	Polled() bool
	// Poll is ReadBatch that does not wait: it returns 0 if nothing is there.
	Poll(ms []Message) (int, error)
}

// Network opens Conns: the real one (probe/udp) or a simulated one (probe/simnet).
type Network interface {
	Listen(ctx context.Context, c ListenConfig) (Conn, error)
}

// Pacer waits until given instants, more exactly than the runtime's timers do (they are 0.5 to 1 ms late): probe/udp has one on a
// kernel timer; where none is given, time.Sleep will do (and must, under testing/synctest). It is for one goroutine.
type Pacer interface {
	// Wait returns at the instant until, or at once if that has passed, and says what time it is then. It returns
	// net.ErrClosed after Close, which also ends a Wait in progress.
	Wait(until time.Time) (time.Time, error)
	Close() error
}

// DropCounter is implemented by Conns that know how many arrived datagrams the kernel threw away because this process did not
// read them in time. These are this host's own fault, not the network's.
type DropCounter interface {
	Drops() (uint64, error)
}
