package impair

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Verdict is what becomes of a packet.
type Verdict struct {
	Drop      bool
	Rule      string  // the rule that dropped it
	Due       Instant // when it arrives
	Duplicate bool    // it arrives twice, at Due
	Flip      int     // corruption: the bit to flip, counted from the end of the IP header; -1: none
	Mend      bool    // corruption: make the UDP checksum fit
	TooBig    int     // with Drop: the MTU of which the sender is to be told by ICMP; 0: silence
}

// line is the memory that paths share.
type line struct {
	seed uint64
	rng  *rand.Rand
	free Instant // when the last bit of what is queued has left (Rate)
	last Instant // when the last packet arrived: a line keeps order
	bad  bool    // Burst: the present state
	turn Instant // Burst: when it ends
}

func newLine(seed uint64, rule string, key lineKey) *line {
	h := key.hash(rule)
	return &line{seed: seed ^ h, rng: rand.New(rand.NewPCG(seed, h))}
}

// Judge says what becomes of a packet that enters the network at now. Instants must not go backwards from call to call.
func (s *Set) Judge(now Instant, p *Packet) Verdict {
	v := Verdict{Due: now, Flip: -1}
	for _, l := range s.paths[s.path(p.From, p.To, p.Link)] {
		if !l.rule.applies(now, p) {
			continue
		}
		if l.apply(p, &v) {
			v.Drop, v.Rule = true, l.rule.Name
			l.drops[p.Kind()].add(now)
			return v
		}
	}
	return v
}

// applies looks at all selectors but the path.
func (r *Rule) applies(now Instant, p *Packet) bool {
	if now < r.Start || r.End != 0 && now >= r.End {
		return false
	}
	if p.Size < r.MinSize || r.MaxSize != 0 && p.Size > r.MaxSize {
		return false
	}
	if len(r.Kinds) > 0 && !slices.Contains(r.Kinds, p.Kind()) {
		return false
	}
	if len(r.Ports) > 0 && (p.SrcPort == 0 || !slices.Contains(r.Ports, p.SrcPort) && !slices.Contains(r.Ports, p.DstPort)) {
		return false
	}
	return r.Flow == nil || p.Bucket(r.Flow.Of) == r.Flow.Bucket
}

// apply lets the packet run over one piece of line, which it enters at v.Due. It reports whether it was lost there.
func (l *lane) apply(p *Packet, v *Verdict) (lost bool) {
	r, ln := &l.rule.Rule, l.line
	if r.Blackout {
		return true
	}
	if r.MTU != 0 && p.Size > r.MTU {
		if !r.MTUReply {
			return true
		}
		if p.DF {
			v.TooBig = r.MTU
			return true
		}
	}
	if r.Loss > 0 && ln.rng.Float64() < r.Loss {
		return true
	}
	if r.Burst != nil && ln.burst(v.Due, r.Burst) {
		return true
	}
	if r.Rate > 0 && ln.queue(r, p.Size, v) {
		return true
	}
	ln.carry(r, v)
	ln.spoil(r, p, v)
	return false
}

// burst moves the Gilbert-Elliott state on to the instant t and draws.
func (ln *line) burst(t Instant, b *Burst) (lost bool) {
	if ln.turn == 0 {
		ln.turn = t + ln.sojourn(b.Good)
	}
	for ln.turn <= t {
		ln.bad = !ln.bad
		mean := b.Good
		if ln.bad {
			mean = b.Bad
		}
		ln.turn += ln.sojourn(mean)
	}
	loss := b.LossGood
	if ln.bad {
		loss = b.LossBad
	}
	return loss > 0 && ln.rng.Float64() < loss
}

func (ln *line) sojourn(mean time.Duration) Instant {
	return Instant(ln.rng.ExpFloat64()*float64(mean)) + 1
}

// queue makes the packet wait for its turn on a line of limited rate.
func (ln *line) queue(r *Rule, size int, v *Verdict) (lost bool) {
	limit := r.Queue
	if limit == 0 {
		limit = defaultQueue
	}
	begin := max(v.Due, ln.free)
	if begin-v.Due > Instant(limit) {
		return true
	}
	ln.free = begin + Instant(float64(size)*8/float64(r.Rate)*float64(time.Second))
	v.Due = ln.free
	return false
}

// carry adds delay and jitter, and keeps the order of the line except for packets that are held back on purpose.
func (ln *line) carry(r *Rule, v *Verdict) {
	v.Due += Instant(r.Delay) + ln.jitter(v.Due, r.Jitter)
	if r.Reorder > 0 && ln.rng.Float64() < r.Reorder {
		by := r.ReorderBy
		if by == 0 {
			by = defaultReorderBy
		}
		v.Due += Instant(by)
		return
	}
	v.Due = max(v.Due, ln.last)
	ln.last = v.Due
}

// jitter is a function of the instant alone: uniform values at each JitterStep, linear between.
func (ln *line) jitter(t Instant, spread time.Duration) Instant {
	if spread == 0 {
		return 0
	}
	step, rest := uint64(t)/uint64(JitterStep), float64(uint64(t)%uint64(JitterStep))/float64(JitterStep)
	u := ln.point(step)*(1-rest) + ln.point(step+1)*rest
	return Instant(u * float64(spread))
}

// point is the supporting point of a step: uniform in [0,1), drawn by the splitmix64 finalizer (Steele, Lea, Flood 2014).
func (ln *line) point(step uint64) float64 {
	z := ln.seed + (step+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}

func (ln *line) spoil(r *Rule, p *Packet, v *Verdict) {
	if r.Duplicate > 0 && ln.rng.Float64() < r.Duplicate {
		v.Duplicate = true
	}
	if bits := (p.Size - p.Head) * 8; r.Corrupt > 0 && bits > 0 && ln.rng.Float64() < r.Corrupt {
		v.Flip, v.Mend = ln.rng.IntN(bits), r.Mend
	}
}
