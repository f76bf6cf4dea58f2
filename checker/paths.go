package checker

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// path is what is thought of one path at this instant.
type path struct {
	obs      *Observation
	memo     *pathMemo // in the next State
	interval time.Duration
	out      bool      // two probes or more in a row are overdue, or nothing can be sent
	since    time.Time // of the outage
	gap      time.Duration
	which    Which
	hostFelt bool // probes are overdue, but this host stalled
	heard    bool
	knet     KnetState
	downs    uint64
	detect   time.Duration // within this time of an outage's beginning knet would have taken the link down
	excused  excuse        // why the silence is not the path's fault
	state    PathState
}

// excuse is why silence is no outage.
type excuse int

const (
	notExcused     excuse = iota
	agentStopped          // the agent said that it was being stopped
	portClosed            // the peer's host says that nobody listens
	knetContradict        // knet says that the link lives, well after it would have noticed
)

// readPaths sorts the observations by node and link and judges each.
func (j *judge) readPaths() {
	n := len(j.in.Paths)
	j.paths = make([]path, n)
	for i := range n {
		j.paths[i].obs = &j.in.Paths[i]
	}
	slices.SortStableFunc(j.paths, func(a, b path) int {
		return cmp.Or(cmp.Compare(a.obs.Node, b.obs.Node), cmp.Compare(a.obs.Link, b.obs.Link))
	})
	j.next.paths = make([]pathMemo, n)
	old := j.prev.paths
	for i := range j.paths {
		p := &j.paths[i]
		p.memo = &j.next.paths[i]
		for len(old) > 0 && cmp.Or(cmp.Compare(old[0].node, p.obs.Node), cmp.Compare(old[0].link, p.obs.Link)) < 0 {
			old = old[1:]
		}
		if len(old) > 0 && old[0].node == p.obs.Node && old[0].link == p.obs.Link {
			*p.memo = old[0]
		}
		p.memo.node, p.memo.link = p.obs.Node, p.obs.Link
		j.readPath(p)
	}
	j.readKnet()
}

// readPath judges one path from its probes alone.
func (j *judge) readPath(p *path) {
	s := &p.obs.Summary
	p.interval = p.obs.Interval
	if p.interval <= 0 {
		p.interval = defaultInterval
	}
	if p.memo.remote != p.obs.Remote {
		p.memo.heard, p.memo.remote = false, p.obs.Remote
	}
	p.heard = s.EverHeard || p.memo.heard
	p.memo.heard = p.heard
	if p.obs.Err == "" {
		p.memo.errSince = time.Time{}
	} else if p.memo.errSince.IsZero() {
		p.memo.errSince = j.now()
	}
	switch {
	case !p.memo.errSince.IsZero():
		p.out, p.since, p.which = true, p.memo.errSince, WhichUnknown
		if p.heard && s.Backward.Known && s.Backward.Gap < 3*p.interval {
			p.which = WhichForward
		}
		if o := s.Outage.Since; !o.IsZero() && o.Before(p.since) {
			p.since = o
		}
	case p.memo.out && p.heard && j.notBack(p):
		p.out, p.since, p.which = true, p.memo.outSince, WhichUnknown
		if s.Unanswered >= 2 && !s.Outage.HostPaused {
			p.which = direction(s, p.interval)
		}
	case s.Unanswered >= 2 && s.Outage.HostPaused:
		p.hostFelt = true
		if p.memo.feltSince.IsZero() {
			p.memo.feltSince = s.Outage.Since
			if p.memo.feltSince.IsZero() {
				p.memo.feltSince = j.now()
			}
		}
	case s.Unanswered >= 2 && p.heard:
		p.out, p.since = true, s.Outage.Since
		if p.since.IsZero() {
			p.since = j.now().Add(-s.Outage.For)
		}
		p.which = direction(s, p.interval)
	}
	if p.out || s.Unanswered == 0 {
		p.memo.feltSince = time.Time{}
	}
	j.steady(p)
	p.gap = max(0, j.ago(p.since)-j.ago(p.memo.backAt))
	j.remember(p)
}

// backAnswers in a row, over backIntervals at least, end an outage: one reply that gets through a blackout does not.
const (
	backAnswers   = 3
	backIntervals = 3
)

// notBack: the path was out, and it is not sure yet that it works again. What this host's own stall hides proves nothing.
func (j *judge) notBack(p *path) bool {
	s, m := &p.obs.Summary, p.memo
	if s.Unanswered >= 2 || s.Total.Received < m.received {
		m.backAt, m.received = time.Time{}, s.Total.Received
		return true
	}
	if m.backAt.IsZero() {
		m.backAt = j.now()
	}
	return s.Unanswered > 0 || s.Total.Received-m.received < backAnswers || j.ago(m.backAt) < backIntervals*p.interval
}

// steady lets a path keep WhichUnknown until its direction has been told for a few intervals: as an outage ends, the peer is
// heard a moment before its answers are.
func (j *judge) steady(p *path) {
	m := p.memo
	if p.obs.Err != "" {
		m.which = WhichNone
		return
	}
	if p.which != m.which {
		m.which, m.whichSince = p.which, j.now()
	}
	if (p.which == WhichForward || p.which == WhichBackward) && j.ago(m.whichSince) < 4*p.interval {
		p.which = WhichUnknown
	}
}

// direction tells which direction of a path with an outage is dead.
func direction(s *stats.Summary, interval time.Duration) Which {
	alive := func(d stats.Direction) bool { return d.Known && d.Gap < 3*interval }
	dead := func(d stats.Direction) bool { return d.Known && d.Gap >= 3*interval }
	switch {
	case alive(s.Backward):
		return WhichForward
	case alive(s.Forward):
		return WhichBackward
	case dead(s.Forward) && dead(s.Backward):
		return WhichBoth
	}
	return WhichUnknown
}

// remember keeps the history of outages.
func (j *judge) remember(p *path) {
	m := p.memo
	if m.out && !p.out {
		m.recovered = j.now()
	}
	if p.out && !m.out {
		m.received = p.obs.Summary.Total.Received
	}
	m.out, m.outSince = p.out, p.since
	if !p.out {
		m.backAt = time.Time{}
		m.gapTitle, m.gapEvidence, m.gapTold = "", nil, 0
	}
}

// readKnet adds what the local knet says of each link.
func (j *judge) readKnet() {
	if !j.status.fresh {
		for i := range j.paths {
			j.setDetect(&j.paths[i])
		}
		return
	}
	at := 0
	for i := range j.paths {
		p := &j.paths[i]
		var l *corosync.LinkStatus
		l, at = findLink(j.in.Status.Links, at, p.obs.Node, p.obs.Link)
		if l == nil || !l.Enabled {
			p.memo.knet = KnetUnknown
		} else {
			j.knetState(p, l)
		}
		j.setDetect(p)
	}
}

// findLink looks for a link from position at on, as paths and links mostly come in the same order, and then from the start.
func findLink(links []corosync.LinkStatus, at int, node uint32, link int) (*corosync.LinkStatus, int) {
	for n := range links {
		i := at + n
		if i >= len(links) {
			i -= len(links)
		}
		if links[i].Node == node && links[i].Link == link {
			return &links[i], i + 1
		}
	}
	return nil, at
}

// knetState follows one knet link: its state, since when, and when its back-off began.
func (j *judge) knetState(p *path, l *corosync.LinkStatus) {
	p.knet, p.downs = KnetDisconnected, l.DownCount
	if l.Connected {
		p.knet = KnetConnected
	}
	m := p.memo
	first := m.knet == KnetUnknown
	flapped := !first && l.DownCount > m.downCount
	if first || flapped || m.knet != p.knet {
		m.knetSince = j.status.linksAt
	}
	if first || flapped || m.knet != p.knet && p.knet == KnetDisconnected {
		m.knetFlap = j.status.linksAt
	}
	m.knet, m.downCount = p.knet, l.DownCount
}

// setDetect computes how long knet may take to see the link die: ping timeout times back-off, plus the interval in which
// its last ping may just have been answered, plus two heartbeat ticks (libknet threads_heartbeat.c). Back-off is 10 when a link
// is configured or goes down, and falls by one a second.
func (j *judge) setDetect(p *path) {
	l, _ := j.in.Cluster.Link(p.obs.Link)
	t := timersOr(l.Timers, j.token)
	backoff := time.Duration(1)
	if !p.memo.knetFlap.IsZero() && !p.since.IsZero() {
		backoff = max(1, 10-max(0, p.since.Sub(p.memo.knetFlap))/time.Second)
	}
	p.detect = t.PingTimeout*backoff + t.EffectiveInterval + 2*totem.HeartbeatTick
}

// timersOr returns t, with Corosync's defaults for what is unknown.
func timersOr(t totem.LinkTimeouts, token time.Duration) totem.LinkTimeouts {
	if t.PingTimeout <= 0 || t.EffectiveInterval <= 0 {
		return totem.LinkParams{}.Timeouts(token)
	}
	return t
}

// longOut: the outage has lasted longer than what is surely safe.
func (j *judge) longOut(p *path) bool { return p.out && p.gap >= j.warnAfter(p.interval) }

// setState gives the path its name for the Report, once excuses are known.
func (j *judge) setState(p *path) {
	switch {
	case p.obs.Err == "" && !p.heard, p.out && p.excused != notExcused, p.hostFelt:
		p.state = PathUnknown
	case j.longOut(p):
		p.state = PathDown
	case p.out, j.lossLevel(j.clean(p, time.Minute), j.clean(p, 10*time.Second)) == lossMatters:
		p.state = PathDegraded
	default:
		p.state = PathUp
	}
}
