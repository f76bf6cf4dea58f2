package stats

import "time"

// Heard is an authentic request of the peer's own sender: what shows that the way back works, also while nothing is answered.
type Heard struct {
	Session uint16 // its STAMP session: a new one begins a new numbering
	Seq     uint32
	At      time.Time // when it arrived
	Sent    time.Time // when it left, by the peer's clock; zero if unknown. Only differences count
}

// heard follows the peer's requests.
type heard struct {
	ever     bool
	last     int64 // newest packet of any kind
	known    bool
	session  uint16
	seq      uint32
	at       int64 // when request seq came
	sent     time.Time
	interval time.Duration // between the peer's probes
}

// any notes an authentic packet.
func (h *heard) any(t int64) {
	h.ever = true
	h.last = max(h.last, t)
}

// maxStep is the largest step of the peer's numbers that is taken for loss; a larger one is a new numbering.
const maxStep = 1 << 20

// Heard tells that a request of the peer arrived. Missing numbers, and time that the request took longer than the one before,
// are a gap of the way back.
func (p *Path) Heard(h Heard) {
	t := p.since(h.At)
	last := p.heard
	p.heard.any(t)
	step := int64(int32(h.Seq - last.seq))
	if last.known && last.session == h.Session && step <= 0 && step > -maxStep {
		return // overtaken
	}
	p.heard.known, p.heard.session = true, h.Session
	p.heard.seq, p.heard.at, p.heard.sent = h.Seq, t, h.Sent
	if !last.known || last.session != h.Session || step <= 0 || step > maxStep {
		return
	}
	took := t - last.at
	apart := took
	if !h.Sent.IsZero() && !last.sent.IsZero() {
		if d := int64(h.Sent.Sub(last.sent)); d > 0 && d < took+int64(time.Minute) {
			apart = d
		}
	}
	if step == 1 && apart > 0 {
		p.heard.interval = time.Duration(apart)
	}
	away := apart * (step - 1) / step
	if slower := took - apart; slower > int64(overdueSlack) {
		away += slower
	}
	away -= p.stalled(last.at, t, p.next)
	if away > 0 && away > int64(overdueSlack)/2 {
		p.remember(gap{start: last.at, end: t, backward: away})
	}
}

// quiet says for how long nothing came from a peer that sends requests of its own.
func (p *Path) quiet(now int64) (gap time.Duration, known bool) {
	return time.Duration(now - p.heard.last), p.heard.known
}
