package stats

import "time"

// Heard is an authentic request of the peer's own sender: what shows that the way back works, also while nothing is answered.
type Heard struct {
	Session uint16 // its STAMP session: a new one begins a new numbering
	Seq     uint32
	At      time.Time     // when it arrived
	Sent    time.Duration // the peer's clock when it left, from any origin; only its changes count
	Small   bool          // token-sized: one an interval
}

// heard follows the peer's requests.
type heard struct {
	ever     bool
	last     int64 // newest packet of any kind
	sessions [heardSessions]numbering
}

// heardSessions is how many sessions are followed: small and full-size probes of two runs of the peer's agent.
const heardSessions = 4

// numbering is one session of the peer.
type numbering struct {
	known    bool
	session  uint16
	seq      uint32
	at       int64         // when request seq came
	interval time.Duration // between its probes; 0 unknown
}

// heardFor is how long a session that sends nothing still counts beside others.
const heardFor = 10 * time.Second

// any notes an authentic packet.
func (h *heard) any(t int64) {
	h.ever = true
	h.last = max(h.last, t)
}

// maxStep is the largest step of the peer's numbers that is taken for loss; a larger one is a new numbering.
const maxStep = 1 << 20

// Heard tells that a request of the peer arrived. Missing numbers are a gap of the way back. Its delay is not judged: the peer's
// stamp is taken before its kernel sends, so a busy peer would look like a slow network (round trips tell delays better).
func (p *Path) Heard(h Heard) {
	t := p.since(h.At)
	p.heard.any(t)
	if h.Small {
		p.take(h)
	}
	n := p.heard.find(h.Session)
	last := *n
	step := int64(int32(h.Seq - last.seq))
	if last.known && step <= 0 && step > -maxStep {
		return // overtaken
	}
	n.known, n.session, n.seq, n.at = true, h.Session, h.Seq, t
	if !last.known || step <= 0 || step > maxStep {
		return
	}
	took := t - last.at
	if step == 1 {
		n.rhythm(time.Duration(took))
		return
	}
	away := took * (step - 1) / step
	if i := int64(last.interval); i > 0 {
		away = min(away, i*(step-1))
	}
	pace := last.interval
	if pace == 0 {
		pace = time.Duration(took / step)
	}
	away = p.heard.unseen(n, pace, away) - p.stalled(last.at, t, p.next)
	if away > 0 {
		p.remember(gap{start: last.at, end: t, backward: away})
	}
}

// find returns the place of a session: its own, or a new one in that of the session that is silent for longest.
func (h *heard) find(session uint16) *numbering {
	oldest := &h.sessions[0]
	for i := range h.sessions {
		n := &h.sessions[i]
		if n.known && n.session == session {
			return n
		}
		if oldest.known && (!n.known || n.at < oldest.at) {
			oldest = n
		}
	}
	*oldest = numbering{}
	return oldest
}

// unseen is how much of a gap in session n no other session fills. One whose probes are rare beside those of another (full-size ones) tells
// of no gap: that one knows better. If both are as frequent, the way back worked when the other one's newest came.
func (h *heard) unseen(n *numbering, pace time.Duration, away int64) int64 {
	for i := range h.sessions {
		o := &h.sessions[i]
		if o == n || !o.known || o.interval == 0 || time.Duration(n.at-o.at) > heardFor || o.interval >= 2*pace {
			continue
		}
		if pace >= 2*o.interval {
			return 0
		}
		away = min(away, n.at-o.at)
	}
	return max(away, 0)
}

// rhythm learns the interval of the session's probes from two that follow each other; its pauses don't count.
func (n *numbering) rhythm(took time.Duration) {
	switch {
	case n.interval == 0:
		n.interval = took
	case took < 4*n.interval:
		n.interval += (took - n.interval) / 8
	}
}

// quiet says for how long nothing came from a peer that sends requests of its own, and the shortest interval of these; 0 unknown.
func (p *Path) quiet(now int64) (gap, interval time.Duration, known bool) {
	var newest int64
	for i := range p.heard.sessions {
		newest = max(newest, p.heard.sessions[i].at)
	}
	for i := range p.heard.sessions {
		n := &p.heard.sessions[i]
		known = known || n.known
		if n.interval > 0 && time.Duration(newest-n.at) <= heardFor && (interval == 0 || n.interval < interval) {
			interval = n.interval
		}
	}
	return time.Duration(now - p.heard.last), interval, known
}
