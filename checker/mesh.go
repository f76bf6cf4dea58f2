package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// meshEvery is how often the rows of the whole mesh are rebuilt: peers speak twice a second.
const meshEvery = 500 * time.Millisecond

// remoteCut is a pair of other nodes that have lost each other, as one of them says, or both.
type remoteCut struct {
	from, to uint32 // from says so
	since    time.Time
	seen     time.Time // when it was last said
	knet     bool      // knet there says so too
	dark     bool      // no probe passes either
	both     bool      // both say so, and knet at both
}

func (c remoteCut) pair() [2]uint32 { return [2]uint32{min(c.from, c.to), max(c.from, c.to)} }

// remoteKept is how long a pair is remembered that nobody speaks of any more, and remoteShown how long it is still told: a view may
// be missed.
const (
	remoteKept  = 3 * time.Second
	remoteShown = time.Second
)

// flapOver is how long knet keeps a link down whose heartbeat was lost once, and more: three pongs. Until then a pair whose probes pass has lost nothing but
// that.
const flapOver = 4 * time.Second

// mergeCuts makes one of what both ends of a pair say, and takes over since when it was said before.
func (j *judge) mergeCuts(said []remoteCut) []remoteCut {
	var cuts []remoteCut
	for _, c := range said {
		i := slices.IndexFunc(cuts, func(o remoteCut) bool { return o.pair() == c.pair() })
		if i < 0 {
			cuts = append(cuts, c)
			continue
		}
		o := &cuts[i]
		o.both = o.knet && c.knet
		o.knet, o.dark = o.knet || c.knet, o.dark || c.dark
		if c.since.Before(o.since) {
			o.since = c.since
		}
	}
	for _, o := range j.prev.mesh.cuts {
		i := slices.IndexFunc(cuts, func(c remoteCut) bool { return o.pair() == c.pair() })
		switch {
		case i >= 0 && o.since.Before(cuts[i].since):
			cuts[i].since = o.since
		case i < 0 && j.ago(o.seen) < remoteKept:
			cuts = append(cuts, o)
		}
	}
	return cuts
}

var meshStates = [...]PathState{mesh.Unknown: PathUnknown, mesh.Up: PathUp, mesh.Degraded: PathDegraded, mesh.Down: PathDown}

func meshState(s mesh.State) PathState {
	if int(s) < len(meshStates) {
		return meshStates[s]
	}
	return PathUnknown
}

// readMesh keeps what the peers said of their paths. The rows are shared by the Reports of half a second.
func (j *judge) readMesh() {
	j.next.mesh = j.prev.mesh
	if len(j.views) == 0 {
		j.next.mesh = meshMemo{}
		return
	}
	if j.now().Sub(j.prev.mesh.at) < meshEvery && j.prev.mesh.rows != nil {
		return
	}
	total := 0
	for _, v := range j.views {
		total += len(v.Paths)
	}
	m := meshMemo{at: j.now(), rows: make([]MeshRow, 0, total)}
	for _, v := range j.views {
		from, to := j.ref(v.Node), NodeRef{}
		for k := range v.Paths {
			p := &v.Paths[k]
			if k == 0 || p.Node != to.ID { // the links of a peer follow each other
				to = j.ref(p.Node)
			}
			m.rows = append(m.rows, MeshRow{
				From: from, To: to, Link: p.Link, At: v.At, State: meshState(p.State), KnetDown: p.KnetDown,
				Gap: Seconds(p.Gap), WorstGap: Seconds(p.WorstGap), RTT: Seconds(p.RTT), LossRatio: p.LossRatio,
			})
		}
		if !v.Leaving && j.ago(v.At) <= viewFresh && j.settled(v.Node) {
			m.cuts = j.remoteCuts(m.cuts, v)
		}
	}
	m.cuts = j.mergeCuts(m.cuts)
	slices.SortFunc(m.rows, func(a, b MeshRow) int {
		return cmp.Or(cmp.Compare(a.From.ID, b.From.ID), cmp.Compare(a.To.ID, b.To.ID), cmp.Compare(a.Link, b.Link))
	})
	j.next.mesh = m
}

// viewOf is what a view says of one peer over all links: the best of them.
func viewOf(v *PeerView, node uint32) PathState {
	best := PathUnknown
	for k := range v.Paths {
		if v.Paths[k].Node != node {
			continue
		}
		switch s := meshState(v.Paths[k].State); {
		case s == PathUnknown:
		case best == PathUnknown || s < best:
			best = s
		}
	}
	return best
}

// remoteCuts adds the peers that v has lost on every link, as far as both ends are members and not out of reach from here.
func (j *judge) remoteCuts(cuts []remoteCut, v *PeerView) []remoteCut {
	if !slices.ContainsFunc(v.Paths, func(w mesh.Path) bool { return w.KnetDown || w.State == mesh.Down }) {
		return cuts // as nearly always
	}
	for i := range j.peers {
		p := &j.peers[i]
		if p.node.ID == v.Node || !j.settled(p.node.ID) || p.member == No || j.member(v.Node) == No ||
			p.knet == KnetDisconnected || !j.running(p) { // its Corosync is gone for everybody
			continue
		}
		links, dead, knet, dark := 0, 0, 0, 0
		gap := time.Duration(0)
		for k := range v.Paths {
			w := &v.Paths[k]
			if w.Node != p.node.ID || w.State == mesh.Unknown && !w.KnetDown {
				continue
			}
			links++
			if w.KnetDown {
				knet++
			}
			if w.State == mesh.Down {
				dark++
			}
			if w.KnetDown || w.State == mesh.Down {
				dead++
			}
			gap = max(gap, w.Gap)
		}
		if links > 0 && dead == links {
			c := remoteCut{from: v.Node, to: p.node.ID, since: v.At.Add(-gap), seen: j.now(), knet: knet == links, dark: dark == links}
			cuts = append(cuts, c)
		}
	}
	return cuts
}

// settled: the peer is reached, and was for a while, so that what it has lost is not part of what we lost.
func (j *judge) settled(id uint32) bool {
	for i := range j.peers {
		if p := &j.peers[i]; p.node.ID == id {
			back := p.recovered()
			return p.verdict == reachable && p.knet != KnetDisconnected && !p.memo.inCut && (back.IsZero() || j.ago(back) >= j.stablePeriod())
		}
	}
	return false
}

// ruleRemoteCut tells of pairs of other nodes that have lost each other. Without them the ring cannot agree, so it is critical once
// knet at both ends has had no link for longer than a flap lasts, or the token was lost meanwhile.
func ruleRemoteCut(j *judge) {
	for _, c := range j.next.mesh.cuts {
		if j.ago(c.seen) > remoteShown || !j.settled(c.from) || !j.settled(c.to) {
			continue
		}
		pair, age := c.pair(), j.ago(c.since)
		d := draft{code: CodeRemoteCut, severity: Info, subject: j.nodeName(pair[0]) + "-" + j.nodeName(pair[1]), since: c.since}
		switch lost := j.next.daemon.lostAt.After(c.since) && age >= j.token/2; {
		case c.both && (lost || age >= j.token*3/2):
			d.severity = Critical
		case c.knet && age >= j.share(safeShare) && (c.dark || age >= flapOver):
			d.severity = Warning
		}
		by := j.nodeName(c.from)
		d.title = fmt.Sprintf("%s says that it has lost %s; from here both are reached", by, j.nodeName(c.to))
		if c.both {
			by = j.nodeName(pair[0]) + " " + j.nodeName(pair[1])
			d.title = fmt.Sprintf("%s and %s say that they have lost each other, for %s; from here both are reached", j.nodeName(pair[0]), j.nodeName(pair[1]), units.Time(age))
		}
		d.evidence = map[string]string{"said_by": by, "knet_says_so_too": yesNo(c.knet)}
		j.add(d)
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
