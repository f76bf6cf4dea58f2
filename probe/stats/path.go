package stats

import (
	"math/bits"
	"time"
)

// Config describes the path that a Path accounts for.
type Config struct {
	Start         time.Time     // when probing began; all instants are measured from it, so it should carry a monotonic reading
	Interval      time.Duration // between probes, 10 ms to 1 s; 0: 50 ms
	FullSize      int           // UDP payload of full-size probes; 0: none
	Authenticated bool          // only authenticated packets are told to the Path
}

// Decision times.
const (
	// initialOverdue is when a first probe is overdue while no RTT is known: RFC 6298 section 2 (2.1).
	initialOverdue = time.Second
	// overdueSlack is added to RFC 6298's SRTT + 4 RTTVAR. It covers what is no fault of the network: a reflector and a
	// reader that were not scheduled at once. On two cores with four busy loops 99 % of wake-ups took less than 8 ms.
	overdueSlack = 10 * time.Millisecond
	// A probe is lost when it is lostAfterRTTs smoothed RTTs old, but not before lostAfterLeast nor later than lostAfterMost. A
	// reply that comes later makes it late instead.
	lostAfterRTTs  = 4
	lostAfterLeast = time.Second
	lostAfterMost  = 5 * time.Second
	// idleAfter is the time without an answer after which the next RTT may contain address resolution, a route's set-up or a
	// sleeping NIC. That sample is kept out of the RTT figures (the probe itself counts as received).
	idleAfter = time.Second
)

// fate is what became of a probe.
type fate uint8

const (
	void     fate = iota // no such probe
	pending              // may still be answered
	shielded             // pending, but a stall excuses it
	answered
	gone    // lost
	excused // would be lost, but for a stall
)

// record is one probe in the ring.
type record struct {
	at        int64 // when it left
	reflector uint32
	fate      fate
	way       tally  // lostForward or lostBackward once a loss is booked there, else 0
	took      uint16 // round trip in tookUnits, if it was answered
}

// Path accounts for one probed path. It is not safe for concurrent use. Time may not run backwards by more than what packets
// overtake each other; every method costs O(1) (those about pauses, which are rare: O(probes kept)) and allocates nothing in the
// long run, except Summary. A Path takes about 20 KB at 20 probes a second.
type Path struct {
	cfg    Config
	ring   []record // by sequence number
	next   uint32   // sequence number expected to be sent next
	begun  bool     // a probe was sent
	total  [tallies]uint64
	levels [len(spans)]level

	settled uint32 // probes below it have their fate, and their run of losses is closed or is run
	run     run
	runs    uint32 // number of the present run
	longest uint32 // run of losses that was closed
	hushed  int64  // no probe leaves any more; 0: they go on
	anchor  mark   // the newest settled probe that was answered

	newest    mark // the newest probe that was answered
	lastReply int64

	rtt      estimator // net of the reflector's residence
	response estimator // whole time until an answer came: what overdue is judged by
	latest   time.Duration
	least    time.Duration
	jitter   time.Duration

	held      held
	holds     bool // replies are followed up
	gap       openGap
	gaps      gapList
	pauses    pauseList
	heard     heard
	incoming  incoming
	trips     minimum // round trips
	outgoing  phase
	full      fullSize
	hasLatest bool
}

// mark is an answered probe and the reflector's sequence number in its answer.
type mark struct {
	known     bool
	seq       uint32
	reflector uint32
	at        int64         // when the probe left
	outbound  time.Duration // Reply.Outbound
	timed     bool
}

// run is a run of lost probes that no answered one has closed yet.
type run struct {
	lost    uint32
	excused uint32
	last    int64 // when its last probe left
	first   int64
}

// New returns a Path without events.
func New(cfg Config) *Path {
	if cfg.Interval <= 0 {
		cfg.Interval = 50 * time.Millisecond
	}
	p := &Path{cfg: cfg, ring: make([]record, ringSize(cfg.Interval)), runs: 1}
	for i, s := range spans {
		p.levels[i] = newLevel(s.length, s.width)
	}
	p.full.size = cfg.FullSize
	return p
}

// ringSize is how many probes are kept: enough to see late replies for twice the longest decision time.
func ringSize(interval time.Duration) int {
	n := uint64(2 * lostAfterMost / interval)
	return min(max(1<<bits.Len64(n), 64), 4096)
}

// Sent tells that the probe with that sequence number left at that instant (or would have, if the local stack had not refused
// it: a path that cannot be sent on is a path that loses). Numbers grow by one, and wrap.
func (p *Path) Sent(seq uint32, at time.Time) {
	t := p.since(at)
	if !p.begun || seq-p.next >= uint32(len(p.ring)) {
		p.restart(seq, t)
	}
	p.advance(t)
	for ; p.next != seq+1; p.next++ {
		p.evict(p.next - uint32(len(p.ring)))
		*p.record(p.next) = record{at: t}
	}
	p.record(seq).fate = pending
	p.hushed = 0
	p.count(t, sent, 1)
	p.waiting()
}

// Hush tells that no more probes leave from an instant on: a gap that is open then does not grow.
func (p *Path) Hush(at time.Time) { p.hushed = max(p.since(at), 1) }

// restart begins a new numbering.
func (p *Path) restart(seq uint32, t int64) {
	clear(p.ring)
	p.begun = true
	p.next, p.settled = seq, seq
	p.anchor.known = false
	p.newest = mark{seq: seq - 1, at: t}
	p.longest = max(p.longest, p.run.lost)
	p.run = run{}
	p.runs++
	p.gap = openGap{seq: seq}
}

// evict makes room for a new probe: the one that is forgotten must have its fate.
func (p *Path) evict(seq uint32) {
	if p.settled != seq {
		return
	}
	p.settle(p.record(seq))
	p.settled++
}

// Departed corrects the instant at which a probe left, once the kernel has told it.
func (p *Path) Departed(seq uint32, at time.Time) {
	r := p.lookup(seq)
	if r == nil || r.fate != pending && r.fate != shielded {
		return
	}
	r.at = p.since(at)
	if p.gap.open && p.gap.seq == seq {
		p.gap.at = r.at
	}
}

// SentAt returns when a probe left that is still remembered.
func (p *Path) SentAt(seq uint32) (time.Time, bool) {
	r := p.lookup(seq)
	if r == nil {
		return time.Time{}, false
	}
	return p.cfg.Start.Add(time.Duration(r.at)), true
}

// Reply is an authentic answer to a probe.
type Reply struct {
	Seq       uint32        // of the probe it answers
	Reflector uint32        // the reflector's own sequence number; equal to Seq: a stateless reflector, which can't tell directions
	At        time.Time     // when it arrived
	RTT       time.Duration // round trip less the reflector's residence
	Outbound  time.Duration // the reflector's receive stamp less our send stamp, whatever their clocks' offset; only its changes count
	Timed     bool          // Outbound is known

	// Late is how much later than it said the reply before this one left the reflector, if Followed: what Follow-Up Telemetry
	// (RFC 8972 section 4.7) tells. It is taken off that one's RTT.
	Late     time.Duration
	Followed bool
}

// Fate is what a reply turned out to be.
type Fate uint8

// Fates of replies.
const (
	Fresh     Fate = iota // the first one to its probe
	Duplicate             // another one was there before
	Foreign               // to a probe that was never sent or is long forgotten
)

// Reply tells that an authentic reply arrived.
func (p *Path) Reply(r Reply) Fate {
	e := p.lookup(r.Seq)
	if e == nil || e.fate == void {
		return Foreign
	}
	t := p.since(r.At)
	if e.fate == answered {
		p.count(t, duplicated, 1)
		return Duplicate // perhaps a recorded one: it does not show that the peer lives
	}
	p.heard.any(t)
	p.follow(r)
	if p.newest.known && before(r.Seq, p.newest.seq) {
		p.count(e.at, reordered, 1)
	}
	start, open := p.waiting()
	p.answer(e, t)
	e.fate, e.reflector, e.took = answered, r.Reflector, tookOf(r.RTT)
	p.trips.add(t, int64(max(r.RTT, 0)))
	if !before(r.Seq, p.newest.seq+1) {
		if open && !before(r.Seq, p.gap.seq) {
			x := ending{start: start, left: e.at, t: t, limit: p.overdue(), before: p.newest, reply: r}
			if p.holds && p.gap.seq == r.Seq {
				p.held.ending, p.held.ends = x, true
			} else {
				p.closeGap(&x)
			}
		}
		p.newest = mark{
			known: true, seq: r.Seq, reflector: r.Reflector, at: e.at, outbound: r.Outbound, timed: r.Timed,
		}
	}
	p.respond(t, e.at, r.RTT)
	p.advance(t)
	return Fresh
}

// answer counts the arrival of a reply, and takes back what was said of its probe before.
func (p *Path) answer(e *record, t int64) {
	if e.fate == gone || e.fate == excused {
		p.restore(e, true)
	}
	p.count(e.at, received, 1)
	if time.Duration(t-e.at) > p.lostAfter() {
		p.count(e.at, late, 1)
	}
}

// respond takes the times of a reply into the estimates; its RTT waits for what the next reply says of it, if that is to be expected.
func (p *Path) respond(t, left int64, rtt time.Duration) {
	rtt = max(rtt, 0)
	idle := !p.response.known || time.Duration(t-p.lastReply) > max(idleAfter, 4*p.cfg.Interval)
	p.lastReply = max(p.lastReply, t)
	if idle {
		if !p.response.known {
			p.response.seed(time.Duration(t - left))
			p.rtt.seed(rtt)
		}
		return
	}
	p.response.add(time.Duration(t - left))
	p.held.rtt, p.held.t, p.held.sampled = rtt, t, true
	if !p.holds {
		p.release()
	}
}

// sample takes an RTT into the figures.
func (p *Path) sample(t int64, rtt time.Duration) {
	p.rtt.add(rtt)
	if p.hasLatest {
		// RFC 3550 section 6.4.1: J += (|D| - J)/16; D is taken between round trips, which needs no common clock.
		p.jitter += ((rtt - p.latest).Abs() - p.jitter) / 16
	}
	if !p.hasLatest || rtt < p.least {
		p.least = rtt
	}
	p.latest, p.hasLatest = rtt, true
	for i := range p.levels {
		p.levels[i].sample(t, rtt)
	}
}

// Corrupt tells that a packet of this path arrived that was damaged, or that failed authentication.
func (p *Path) Corrupt(at time.Time) { p.count(p.since(at), corrupt, 1) }

// Duplicated tells that a request of the peer arrived a second time.
func (p *Path) Duplicated(at time.Time) { p.count(p.since(at), duplicated, 1) }

// since turns an instant into nanoseconds since the start.
func (p *Path) since(at time.Time) int64 { return int64(max(at.Sub(p.cfg.Start), 0)) }

// record returns the place of a sequence number in the ring.
func (p *Path) record(seq uint32) *record { return &p.ring[seq&uint32(len(p.ring)-1)] }

// lookup returns the probe with that number, nil if it was never sent or is forgotten.
func (p *Path) lookup(seq uint32) *record {
	if !p.begun || p.next-seq-1 >= uint32(len(p.ring)) {
		return nil
	}
	return p.record(seq)
}

// count adds to a counter, in total and in all windows; a correction has a negative n.
func (p *Path) count(t int64, which tally, n int32) {
	p.total[which] += uint64(int64(n))
	for i := range p.levels {
		if s := p.levels[i].at(t); s != nil && (n > 0 || s.count[which] > 0) {
			s.count[which] += uint32(n)
		}
	}
}

// before says whether sequence number a comes before b, across the wrap (RFC 1982).
func before(a, b uint32) bool { return int32(a-b) < 0 }
