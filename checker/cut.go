package checker

import (
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// cut is the present incident: all peers that are out of reach now, as one trouble with one cause.
type cut struct {
	memo     *cutMemo
	peers    []*peer // cut off, silent or muted; ascending
	severity Severity
	outcome  *Outcome
	basis    []string
}

func (c *cut) key() string { return key(c.memo.code, c.memo.subject) }

// Nodes fire their probes at different phases of the interval: an incident gets its name when its first peer has been silent for
// forming intervals, and those belong to it that have been silent for settleFirst then. Later a peer joins it after settleLater.
const (
	forming     = 5
	settleFirst = 3
	settleLater = 4
)

// settling is how long a silent peer waits before it is part of the trouble: two lost probes are no cut.
func (j *judge) settling(interval time.Duration) time.Duration {
	if j.prev.cut == nil {
		return settleFirst * interval
	}
	return settleLater * interval
}

// together is how close the beginnings of outages must be to be one event.
const together = 6 // probe intervals

// readCut gathers the peers that are out of reach into the present incident. A peer that has only just come back still lends
// it its name, so that a flickering path does not rename the trouble again and again.
func (j *judge) readCut() {
	var out, lingering []*peer
	formed := j.prev.cut != nil
	for i := range j.peers {
		p := &j.peers[i]
		was := p.memo.inCut
		switch p.verdict {
		case cutOff, muted:
			p.memo.inCut, formed = true, true
		case silent:
			p.memo.inCut = was || p.gap >= j.settling(p.interval)
			formed = formed || p.gap >= forming*p.interval
		default:
			p.memo.inCut = false
		}
		if p.memo.inCut {
			out = append(out, p)
			continue
		}
		if was && p.verdict == reachable && !p.recovered().IsZero() && j.ago(p.recovered()) < j.stablePeriod() {
			p.memo.inCut = true
			lingering = append(lingering, p)
		}
	}
	if len(out) == 0 || !formed {
		return
	}
	c := &cut{peers: out, memo: j.cutMemory(out)}
	c.name(j, lingering)
	for _, p := range out {
		c.severity = max(c.severity, j.cutSeverity(p, out))
		if p.basis != "" && !slices.Contains(c.basis, p.basis) {
			c.basis = append(c.basis, p.basis)
		}
	}
	c.outcome = j.outcome(c)
	j.cut, j.next.cut = c, c.memo
}

// name gives the incident its name. It keeps the one that it has as long as nobody else has gone out of reach, and those that
// are back have only just come back.
func (c *cut) name(j *judge, lingering []*peer) {
	var now []uint32
	for _, p := range c.peers {
		now = append(now, p.node.ID)
	}
	subset := func(a []uint32, b []uint32) bool {
		return !slices.ContainsFunc(a, func(id uint32) bool { return !slices.Contains(b, id) })
	}
	known := slices.Clone(now)
	for _, p := range lingering {
		known = append(known, p.node.ID)
	}
	if m := c.memo; m.code != "" && subset(now, m.named) && subset(m.named, known) && (m.code != CodeIsolated || len(lingering) == 0) {
		return
	}
	c.memo.named = now
	c.memo.code, c.memo.subject = j.nameCut(c.peers)
}

// cutMemory is what was true when the incident began: membership and votes.
func (j *judge) cutMemory(out []*peer) *cutMemo {
	if j.prev.cut != nil {
		m := *j.prev.cut
		return &m
	}
	m := &cutMemo{since: j.now()}
	for _, p := range out {
		if !p.since.IsZero() && p.since.Before(m.since) {
			m.since = p.since
		}
	}
	for _, n := range j.in.Cluster.Nodes {
		gone := j.member(n.ID) == No && !slices.ContainsFunc(out, func(p *peer) bool { return p.node.ID == n.ID })
		if !gone {
			m.members = append(m.members, n.ID)
		}
	}
	q := j.in.Status.Quorum
	m.device = j.in.Cluster.Quorum.Device != nil
	m.history.Members = m.members
	if j.status.fresh && q.Known {
		m.history = votequorum.History{Quorum: q.Quorum, Expected: q.Expected, Members: m.members, Waiting: j.waitingForAll()}
		m.device = m.device && deviceVotes(q.Votes)
	}
	return m
}

// cutSeverity is how bad it is that one of the peers is out. It is never more than a warning until something else than
// its own silence confirms it, and for a peer that was never heard by a node that is itself no member of anything.
func (j *judge) cutSeverity(p *peer, all []*peer) Severity {
	switch {
	case !p.heard && !j.status.fresh && p.gap >= j.warnAfter(p.interval):
		return Warning
	case !p.heard && !j.status.fresh:
		return Info
	case (p.verdict == muted || p.verdict == cutOff) && p.lost():
		return Critical
	case p.verdict == muted:
		return Warning
	case p.knetOnly:
		return j.knetOnlySeverity(p)
	case p.verdict == cutOff && (p.member == No || p.gap >= max(j.token/4, 10*p.interval)):
		return Critical
	case p.verdict == silent && p.gap >= j.unconfirmed(p) && j.alikeCount(p, all) >= 2:
		return Critical
	case p.gap >= j.warnAfter(p.interval):
		return Warning
	}
	return Info
}

// lost: Corosync's membership had the peer and lost it, as far as it was last heard.
func (p *peer) lost() bool { return p.memo.left == leftByLoss && p.member != Yes }

// unconfirmed is how long several silent peers wait for knet to speak. It sees a dead link within the ping timeout and a
// little, long before the membership changes (2.2 T); in back-off, when it may be ten times slower, a late token tells of the cut
// before that. When knet cannot be asked, what is fatal for the token decides.
func (j *judge) unconfirmed(p *peer) time.Duration {
	if !j.status.fresh || p.knet == KnetUnknown {
		return max(j.share(fatalShare), 10*p.interval)
	}
	wait := j.share(0.8)
	for i := range p.paths {
		wait = max(wait, p.paths[i].detect+300*time.Millisecond)
	}
	return wait
}

// alikeCount counts the peers that went silent at the same moment, without a word, p included.
func (j *judge) alikeCount(p *peer, all []*peer) int {
	n := 0
	for _, q := range all {
		if d := q.since.Sub(p.since).Abs(); (q.verdict == silent || q.verdict == cutOff) && d <= together*p.interval {
			n++
		}
	}
	return n
}

// knetOnlySeverity: a single lost heartbeat takes a lone link down for up to two intervals; longer than T it is a cut.
func (j *judge) knetOnlySeverity(p *peer) Severity {
	late := j.next.daemon.evidence.After(p.since) && p.gap >= j.token/4
	switch {
	case late, p.gap >= j.token*6/5, p.member == No:
		return Critical
	case p.gap >= j.token/4:
		return Warning
	}
	return Info
}

// nameCut names the trouble by what the silent peers have in common.
func (j *judge) nameCut(out []*peer) (code, subject string) {
	reach := 0 // peers that are reached, or of which it is not known
	for i := range j.peers {
		switch p := &j.peers[i]; p.verdict {
		case reachable, silentAgent, stoppedAgent:
			reach++
		case neverHeard:
			if p.knet != KnetDisconnected {
				reach++
			}
		}
	}
	switch sites := j.wholeSites(out); {
	case len(out) == 1:
		return CodePeerCut, out[0].node.Name
	case reach == 0:
		return CodeIsolated, j.local.Name
	case len(sites) > 0:
		return CodeSiteCut, strings.Join(sites, "+")
	}
	names := make([]string, len(out))
	for i, p := range out {
		names[i] = p.node.Name
	}
	slices.Sort(names)
	return CodeGroupCut, strings.Join(names, "+")
}

// wholeSites returns the sites that out consists of, if it is all nodes of one or more sites other than the local one.
func (j *judge) wholeSites(out []*peer) []string {
	var sites []string
	for _, p := range out {
		s := p.node.Site
		if s == "" || s == j.local.Site {
			return nil
		}
		if !slices.Contains(sites, s) {
			sites = append(sites, s)
		}
	}
	for i := range j.peers {
		p := &j.peers[i]
		if slices.Contains(sites, p.node.Site) && !slices.Contains(out, p) && p.verdict != departed && p.member != No {
			return nil
		}
	}
	slices.Sort(sites)
	return sites
}
