package totem

// batch is one packet to several processors that all get it at the same instant, as happens on paths of one constant
// delay: one event then stands for all.
type batch struct {
	to Set // kindPongs: from whom
	ev event
}

// group gathers the receivers of a batch.
type group struct {
	at   int64
	link uint8
	to   Set
}

func (r *Ring) addToGroup(at int64, l, to int) {
	for i := range r.groups {
		if g := &r.groups[i]; g.at == at && int(g.link) == l {
			g.to |= only(to)
			return
		}
	}
	r.groups = append(r.groups, group{at, uint8(l), only(to)})
}

// pushGroups files one event per group.
func (r *Ring) pushGroups(e event) {
	for _, g := range r.groups {
		e.at, e.link, e.node = g.at, g.link, uint8(g.to.lowest())
		if g.to.Len() == 1 {
			r.push(e)
			continue
		}
		r.push(event{at: g.at, kind: kindBatch, idx: r.batches.put(&batch{g.to, e})})
	}
	r.groups = r.groups[:0]
}

// spread is totemknet's multicast: a copy to each peer that knet reaches, the sender left out.
func (r *Ring) spread(p *proc, class Class, e event) {
	e.from = uint8(p.index)
	for to := range r.procs {
		if to == p.index {
			continue
		}
		if at, l, ok := r.route(p.index, to, class); ok {
			r.addToGroup(at, l, to)
		}
	}
	r.pushGroups(e)
}

// onBatch hands a batch out.
func (r *Ring) onBatch(ev *event) {
	b := r.batches.items[ev.idx]
	r.batches.release(ev.idx)
	b.ev.at, b.ev.ord = ev.at, ev.ord
	switch {
	case ev.kind == kindPongs:
		for from := range b.to.All() {
			b.ev.from = uint8(from)
			r.dispatch(&b.ev)
		}
	case b.ev.kind == kindPing:
		r.onPings(&b)
	default:
		for to := range b.to.All() {
			b.ev.node = uint8(to)
			r.dispatch(&b.ev)
		}
	}
}

// onPings is onPing for several: the pongs that arrive at one instant share an event.
func (r *Ring) onPings(b *batch) {
	back := int(b.ev.from)
	for to := range b.to.All() {
		b.ev.node = uint8(to)
		p := &r.procs[to]
		if p.pausedUntil > r.now || !p.alive {
			r.dispatch(&b.ev)
			continue
		}
		after, ok := r.deliver(Packet{At: nanos(r.now), From: to, To: back, Link: int(b.ev.link), Class: ClassPong})
		if ok {
			r.addToGroup(r.now+int64(after), int(b.ev.link), to)
		}
	}
	for _, g := range r.groups {
		e := event{at: g.at, kind: kindPong, node: uint8(back), from: uint8(g.to.lowest()), link: g.link, arg: b.ev.arg, meta: r.procs[back].epoch}
		if g.to.Len() > 1 {
			e = event{at: g.at, kind: kindPongs, idx: r.batches.put(&batch{g.to, e})}
		}
		r.push(e)
	}
	r.groups = r.groups[:0]
}
