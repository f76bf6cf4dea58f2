package stats

import "time"

// incoming remembers what became of the peer's token-sized requests: direct evidence of the way from it to here.
type incoming struct {
	known    bool
	session  uint16
	previous uint16 // a packet of it that comes late begins no session, as long as the present one is heard
	ring     []arrival
	oldest   uint32 // number of the first one remembered
	next     uint32 // after the newest
	interval time.Duration
	last     arrival // the newest in order
	lastAt   int64   // when it came
	sent     int64   // the peer's clock when it left
	offset   minimum // this clock less the peer's, and the least one-way delay
	phase    phase
}

// arrival is one request.
type arrival struct {
	left    int64  // this clock
	delay   micros // one way
	arrived bool
}

// micros are microseconds, up to an hour: rings are long.
type micros uint32

func microsOf(d time.Duration) micros {
	return micros(min(d.Round(time.Microsecond), time.Hour) / time.Microsecond)
}

func (m micros) duration() time.Duration { return time.Duration(m) * time.Microsecond }

// minimum is the least value of the last ten to twenty seconds.
type minimum struct {
	known     bool
	now, past int64
	since     int64
}

// minimumFor is the time after which a minimum begins to be forgotten: a route may change.
const minimumFor = int64(10 * time.Second)

func (m *minimum) add(t, v int64) {
	switch {
	case !m.known:
		*m = minimum{known: true, now: v, past: v, since: t}
	case t-m.since > minimumFor:
		m.past, m.now, m.since = m.now, v, t
	default:
		m.now = min(m.now, v)
	}
}

func (m *minimum) value() int64 { return min(m.now, m.past) }

func (m *minimum) shift(by int64) { m.now, m.past = m.now+by, m.past+by }

// clockSlack is how far the peer's clock may disagree with the pace of its packets before it is taken to have been set.
const clockSlack = 10 * time.Millisecond

// take notes a token-sized request.
func (p *Path) take(h Heard) {
	in := &p.incoming
	t, sent := p.since(h.At), int64(h.Sent)
	step := int32(h.Seq - in.next + 1)
	switch {
	case in.known && h.Session == in.previous && h.Session != in.session && t-in.lastAt < int64(reorderFor):
		return
	case !in.known || h.Session != in.session || step > maxStep || step < -maxStep:
		p.begin(h)
		step = 1
	case step <= 0:
		p.overtaken(h.Seq, t, sent)
		return
	}
	in.reconcile(t, sent, step)
	in.offset.add(t, t-sent)
	way := p.oneWay(t - sent)
	a := arrival{left: max(t-int64(way), in.last.left), delay: microsOf(way), arrived: true}
	if in.next == in.oldest {
		in.last.left = a.left
	}
	p.missing(a.left, step)
	in.put(a)
	if step == 1 {
		in.rhythm(time.Duration(a.left - in.last.left))
	}
	in.last, in.lastAt, in.sent = a, t, sent
}

// begin starts a new numbering; what was before it is forgotten, as nobody knows what was between.
func (p *Path) begin(h Heard) {
	in := &p.incoming
	if in.ring == nil {
		in.ring, in.interval = make([]arrival, ringSize(p.cfg.Interval)), p.cfg.Interval
	}
	in.previous = in.session
	in.known, in.session, in.oldest, in.next = true, h.Session, h.Seq, h.Seq
	in.last, in.lastAt, in.offset = arrival{}, 0, minimum{}
	if in.previous == 0 {
		in.previous = h.Session
	}
}

// rhythm learns the peer's interval from two packets that follow each other. However far from it the guess is, it gets there; a pause of the
// peer counts as four intervals, so that one alone does not spoil the pace (reconcile).
func (in *incoming) rhythm(took time.Duration) {
	if took > 0 {
		in.interval += (min(took, 4*in.interval) - in.interval) / 16
	}
}

// reconcile notices that the peer's clock was set: its packets come at their pace, but by their stamps they should not; or what was sent
// later is stamped as earlier, whatever the pace (a virtual machine that stood still, and then has its clock set).
func (in *incoming) reconcile(t, sent int64, step int32) {
	if in.lastAt == 0 {
		return
	}
	pace := int64(in.interval) * int64(step)
	came, left := t-in.lastAt, sent-in.sent
	paced := time.Duration(came-pace).Abs() < in.interval/4
	if diff := time.Duration(came - left); diff.Abs() > clockSlack && (paced || left < 0) {
		in.offset.shift(int64(diff))
	}
}

// oneWay is what a packet took: half of the least round trip, and how much later it came than the fastest.
func (p *Path) oneWay(apart int64) time.Duration {
	delay := time.Duration(apart - p.incoming.offset.value())
	if p.trips.known {
		delay += time.Duration(p.trips.value()) / 2
	}
	return max(delay, 0)
}

// missing notes the requests that left between the newest and one that left at an instant, evenly.
func (p *Path) missing(left int64, step int32) {
	in := &p.incoming
	if step > int32(len(in.ring)) {
		in.oldest, in.next = in.next+uint32(step)-1, in.next+uint32(step)-1
		return
	}
	for i := int32(1); i < step; i++ {
		in.put(arrival{left: in.last.left + (left-in.last.left)*int64(i)/int64(step)})
	}
}

// put appends one to the ring.
func (in *incoming) put(a arrival) {
	in.ring[in.next&uint32(len(in.ring)-1)] = a
	in.next++
	if in.next-in.oldest > uint32(len(in.ring)) {
		in.oldest = in.next - uint32(len(in.ring))
	}
}

// overtaken notes one that newer ones overtook.
func (p *Path) overtaken(seq uint32, t, sent int64) {
	in := &p.incoming
	if seq-in.oldest >= in.next-in.oldest {
		return
	}
	a := &in.ring[seq&uint32(len(in.ring)-1)]
	if !a.arrived {
		a.delay, a.arrived = microsOf(p.oneWay(t-sent)), true
	}
}

// LeftAt is when something left the peer, by our clock, that left by its clock at sent and arrived at an instant. The least delay of late is
// the best guess of the way; what was slower than that was late.
func (p *Path) LeftAt(sent time.Duration, at time.Time) time.Time {
	t := p.since(at)
	if in := &p.incoming; in.offset.known {
		t -= int64(p.oneWay(t - int64(sent)))
	} else if p.trips.known {
		t -= p.trips.value() / 2
	}
	return p.cfg.Start.Add(time.Duration(t))
}

// HearsRequests says whether the peer sends requests of its own, and they came of late.
func (p *Path) HearsRequests(now time.Time) bool {
	return p.incoming.known && p.since(now)-p.incoming.lastAt < int64(heardFor)
}

// Incoming appends what became of what the peer sent, slot by slot from a number on, as far as it is decided at an instant: it ends before the
// first slot whose packet may still come. The slots of a peer that is silent are SlotSilent. It goes back ten seconds at 20 probes a second.
func (p *Path) Incoming(out []Slot, g Grid, from int, now time.Time) []Slot {
	in := &p.incoming
	if !in.known {
		return out
	}
	t, begin := p.since(now), int64(g.Begin.Sub(p.cfg.Start))
	in.phase.learn(in.last.left-begin, int64(g.Slot))
	r := remembered{in.oldest, in.next, func(seq uint32) int64 { return in.ring[seq&uint32(len(in.ring)-1)].left }}
	for slot := from; ; slot++ {
		s, decided := p.incomingAt(r, begin+int64(slot)*int64(g.Slot)+in.phase.ns, max(g.Slot, in.interval), t)
		if !decided {
			return out
		}
		out = append(out, s)
	}
}

// incomingAt is what became of the packet that left at an instant.
func (p *Path) incomingAt(r remembered, x int64, pace time.Duration, now int64) (s Slot, decided bool) {
	in := &p.incoming
	waited := time.Duration(now - x)
	seq, ok := r.near(x)
	a := in.ring[seq&uint32(len(in.ring)-1)]
	apart := time.Duration(x - a.left)
	switch {
	case waited < 0 || !ok:
		return Slot{}, false
	case seq == in.next-1 && apart > pace*3/4: // nothing since
		if waited < reorderFor {
			return Slot{}, false
		}
		if p.hidden(x, x+int64(reorderFor)) {
			return Slot{}, true
		}
		return Slot{State: SlotSilent}, true
	case apart.Abs() > pace*3/4:
		return Slot{}, true // none was sent
	case a.arrived:
		return Slot{SlotArrived, a.delay.duration()}, true
	case waited < reorderFor:
		return Slot{}, false
	case p.hidden(a.left, a.left+int64(reorderFor)):
		return Slot{}, true
	}
	return Slot{State: SlotLost}, true
}
