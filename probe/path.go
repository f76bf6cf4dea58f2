package probe

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// path is one probed path: the sender's two sessions (token-sized and full-size probes) and the figures.
type path struct {
	target Target
	remote netip.AddrPort
	start  time.Time
	socket atomic.Pointer[socket]

	windowsAge  time.Duration
	small, full session
	tx          *stamp.MAC // of the pacer's goroutine

	mu       sync.Mutex
	stats    *stats.Path
	large    *stats.Path // of full-size probes; nil but for a burst
	sendErr  string      // why the last probe could not be sent
	fullErr  string
	refused  time.Time // when the network said, as its newest, that nobody listens on the port
	mtu      int
	bulletin Bulletin
	last     lastReply
	lastFull lastReply
	windows  windowCache
}

// windowCache holds the windows of an earlier Summary, and what tells whether they still do.
type windowCache struct {
	windows   []stats.Window
	at        time.Time // zero: they don't
	undecided bool      // there was an outage
	lost      uint64
}

// summary is the path's Summary; its windows may be as old as Config.WindowsAge says. Under q.mu.
func (q *path) summary(now time.Time) stats.Summary {
	c := &q.windows
	s := q.stats.Present(now)
	if c.at.IsZero() || now.Sub(c.at) >= q.windowsAge || c.undecided || s.Outage.For > 0 || s.Total.Lost != c.lost {
		s = q.stats.Summary(now)
		*c = windowCache{windows: s.Windows, at: now, undecided: s.Outage.For > 0, lost: s.Total.Lost}
	}
	s.Windows = c.windows
	return s
}

// lastReply is what the next reply's Follow-Up Telemetry may correct.
type lastReply struct {
	seq  uint32 // the reflector's
	sent stamp.Timestamp
}

// session is a Session-Sender's side of a STAMP session; of the pacer's goroutine, but for ssid, which never changes.
type session struct {
	ssid uint16
	seq  uint32
	sent int
}

// ownBit marks the session numbers of the end with the higher address. So both ends of a pair never use the same number, and a
// packet of our own that comes back can be told from one of the peer's even in open mode.
const ownBit = 1 << 15

func newPath(cfg *Config, t Target, now time.Time) *path {
	q := &path{
		target:     t,
		remote:     netip.AddrPortFrom(t.Remote, t.Port),
		start:      now,
		windowsAge: cfg.WindowsAge,
		tx:         cfg.Key.Session(t.Local, t.Remote).MAC(),
		stats: stats.New(stats.Config{
			Start: now, Interval: t.Interval, FullSize: t.FullSize, Authenticated: cfg.Key.Authenticated(),
		}),
	}
	if t.Burst > 0 && t.FullSize > 0 {
		q.large = stats.New(stats.Config{Start: now, Interval: t.FullInterval, Authenticated: cfg.Key.Authenticated()})
	}
	q.small.ssid = newSSID(cfg, t.Path)
	for q.full.ssid = q.small.ssid; q.full.ssid == q.small.ssid; {
		q.full.ssid = newSSID(cfg, t.Path)
	}
	// Numbers begin anywhere: a reflector whose own numbers equal ours is then surely one that only copies them.
	q.small.seq, q.full.seq = cfg.Rand.Uint32(), cfg.Rand.Uint32()
	return q
}

// newSSID draws a session number: never zero, and with ownBit on one end only.
func newSSID(cfg *Config, p Path) uint16 {
	n := uint16(cfg.Rand.UintN(ownBit-1)) + 1
	if p.Remote.Less(p.Local) {
		n |= ownBit
	}
	return n
}

// session is the one of a size.
func (q *path) session(full bool) *session {
	if full {
		return &q.full
	}
	return &q.small
}

// spent says whether all probes of a size have left.
func (q *path) spent(full bool) bool {
	return q.target.Burst > 0 && q.session(full).sent >= q.target.Burst
}

// hush tells that no more probes of a size leave.
func (q *path) hush(full bool, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !full:
		q.stats.Hush(now)
	case q.large != nil:
		q.large.Hush(now)
	}
}

// observe tells what is known.
func (q *path) observe(now time.Time) Observation {
	open, why := q.socket.Load().state()
	q.mu.Lock()
	defer q.mu.Unlock()
	o := Observation{Path: q.target.Path, Since: q.start, Summary: q.summary(now), FullErr: q.fullErr, MTU: q.mtu}
	if q.large != nil {
		o.Full = q.large.Summary(now)
	}
	switch {
	case !open:
		o.Err = why
	default:
		o.Err = q.sendErr
	}
	if now.Sub(q.refused) < refusedAge {
		o.Refused = q.refused
	}
	return o
}

// refusedAge is how long it is told that a port was refused.
const refusedAge = 10 * time.Second

// setSendErr notes whether a probe could be sent.
func (q *path) setSendErr(full bool, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if full {
		q.fullErr = text
	} else {
		q.sendErr = text
	}
}

// lastBulletin returns the newest bulletin; its Data is nil if there is none.
func (q *path) lastBulletin() Bulletin {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bulletin
}
