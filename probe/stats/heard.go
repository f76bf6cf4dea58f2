package stats

import "time"

// Heard is an authentic request of the peer's own sender: what shows that the way back works, also while nothing is answered.
type Heard struct {
	Session uint16 // its STAMP session: a new one begins a new numbering
	Seq     uint32
	At      time.Time // when it arrived
}

// heard follows the peer's requests.
type heard struct {
	ever     bool
	last     int64 // newest packet of any kind
	known    bool
	session  uint16
	seq      uint32
	at       int64         // when request seq came
	interval time.Duration // between the peer's probes
}

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
	last := p.heard
	p.heard.any(t)
	step := int64(int32(h.Seq - last.seq))
	if last.known && last.session == h.Session && step <= 0 && step > -maxStep {
		return // overtaken
	}
	p.heard.known, p.heard.session = true, h.Session
	p.heard.seq, p.heard.at = h.Seq, t
	if !last.known || last.session != h.Session || step <= 0 || step > maxStep {
		return
	}
	took := t - last.at
	if step == 1 {
		p.heard.rhythm(time.Duration(took))
		return
	}
	away := took * (step - 1) / step
	if i := int64(last.interval); i > 0 {
		away = min(away, i*(step-1))
	}
	if away -= p.stalled(last.at, t, p.next); away > 0 {
		p.remember(gap{start: last.at, end: t, backward: away})
	}
}

// rhythm learns the interval of the peer's probes from two that follow each other; its pauses don't count.
func (h *heard) rhythm(took time.Duration) {
	switch {
	case h.interval == 0:
		h.interval = took
	case took < 4*h.interval:
		h.interval += (took - h.interval) / 8
	}
}

// quiet says for how long nothing came from a peer that sends requests of its own.
func (p *Path) quiet(now int64) (gap time.Duration, known bool) {
	return time.Duration(now - p.heard.last), p.heard.known
}
