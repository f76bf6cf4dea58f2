package checker

import (
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// cut is one incident: peers that are out of reach, as one trouble with one cause.
type cut struct {
	memo      *cutMemo
	peers     []*peer // cut off, silent or muted; ascending
	lingering []*peer // have only just come back
	severity  Severity
	outcome   *Outcome
	basis     []string
}

func (c *cut) key() string { return key(c.memo.code, c.memo.subject) }

// Nodes fire their probes at different phases of the interval: an incident gets its name when its first peer has been silent for
// forming intervals, and those belong to it that have been silent for settleFirst then. Later a peer joins it after settleLater.
const (
	forming     = 5
	settleFirst = 3
	settleLater = 4
)

// A cut that Corosync's membership has answered, or that has stood for overTime and overTokens, is an old one: what goes silent
// from then on is another trouble.
const (
	overTime   = 30 * time.Second
	overTokens = 10
)

// together is how close the beginnings of outages must be to be one event.
const together = 6 // probe intervals

// joinable is the number of the incident that a peer which goes silent now belongs to: the newest, unless that is an old one; 0 for none.
func (j *judge) joinable(p *peer) int {
	if len(j.prev.cuts) == 0 {
		return 0
	}
	m := j.prev.cuts[len(j.prev.cuts)-1]
	if m.over && (p.since.IsZero() || p.since.Sub(m.since).Abs() > together*p.interval) {
		return 0
	}
	return m.id
}

// settling is how long a silent peer waits before it is part of the trouble: two lost probes are no cut.
func (j *judge) settling(p *peer) time.Duration {
	if j.joinable(p) == 0 {
		return settleFirst * p.interval
	}
	return settleLater * p.interval
}

// readCut gathers the peers that are out of reach into incidents: mostly one; another one for those that go silent after the
// membership has lost the first. A peer that has only just come back still lends its incident the name, so that a flickering path
// does not rename the trouble again and again.
func (j *judge) readCut() {
	j.next.lastCut = j.prev.lastCut
	fresh := &cut{} // the one that begins now, if it does
	formed := false
	for _, m := range j.prev.cuts {
		memo := *m
		j.cuts = append(j.cuts, &cut{memo: &memo})
	}
	for i := range j.peers {
		p := &j.peers[i]
		was := p.memo.inCut
		switch p.verdict {
		case cutOff, muted:
			p.memo.inCut = true
		case silent:
			p.memo.inCut = was || p.gap >= j.settling(p)
		default:
			p.memo.inCut = false
		}
		c := j.cutNumber(p.memo.cutID)
		if !p.memo.inCut {
			if was && c != nil && p.verdict == reachable && !p.recovered().IsZero() && j.ago(p.recovered()) < j.stablePeriod() {
				p.memo.inCut = true
				c.lingering = append(c.lingering, p)
			} else {
				p.memo.cutID = 0
			}
			continue
		}
		if c == nil || !was {
			c = j.cutNumber(j.joinable(p))
		}
		if c == nil {
			c, p.memo.cutID = fresh, 0
			formed = formed || p.verdict != silent || p.gap >= forming*p.interval
		}
		c.peers = append(c.peers, p)
	}
	if formed {
		j.next.lastCut++
		fresh.memo = j.cutMemory(fresh.peers)
		j.cuts = append(j.cuts, fresh)
	}
	j.cuts = slices.DeleteFunc(j.cuts, func(c *cut) bool { return len(c.peers) == 0 })
	for _, c := range j.cuts {
		j.judgeCut(c)
	}
}

// judgeCut says of an incident what it is called, how bad it is and what it does.
func (j *judge) judgeCut(c *cut) {
	c.name(j, c.lingering)
	for _, p := range c.peers {
		p.memo.cutID = c.memo.id
		c.severity = max(c.severity, j.cutSeverity(p, c))
		if p.basis != "" && !slices.Contains(c.basis, p.basis) {
			c.basis = append(c.basis, p.basis)
		}
	}
	c.memo.critical = c.memo.critical || c.severity == Critical
	c.outcome = j.outcome(c)
	c.memo.over = c.memo.over || j.happened(c) || j.ago(c.memo.since) >= max(overTime, overTokens*j.token)
	j.cut = c
	j.next.cuts = append(j.next.cuts, c.memo)
}

// cutNumber finds a present incident; nil if there is none.
func (j *judge) cutNumber(id int) *cut {
	for _, c := range j.cuts {
		if c.memo.id == id && id != 0 {
			return c
		}
	}
	return nil
}

// cutOf is the key of the incident that a peer is part of; "" for none.
func (j *judge) cutOf(p *peer) string {
	if c := j.cutNumber(p.memo.cutID); c != nil && p.memo.inCut {
		return c.key()
	}
	return ""
}

// cutAt is the key of the incident that a token or quorum lost at that time is due to; "" for none.
func (j *judge) cutAt(at time.Time) string {
	for _, c := range slices.Backward(j.cuts) {
		if !c.memo.over || !at.Before(c.memo.since) && at.Sub(c.memo.since) < overTokens*j.token {
			return c.key()
		}
	}
	return ""
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

// cutMemory is what is true as an incident begins: membership and votes.
func (j *judge) cutMemory(out []*peer) *cutMemo {
	m := &cutMemo{id: j.next.lastCut, since: j.now()}
	for _, p := range out {
		if !p.since.IsZero() && p.since.Before(m.since) {
			m.since = p.since
		}
	}
	for _, n := range j.in.Cluster.Nodes {
		part := slices.ContainsFunc(out, func(p *peer) bool { return p.node.ID == n.ID })
		if part || j.member(n.ID) != No && !j.lostBefore(n.ID) {
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

// lostBefore: the node is part of an older incident.
func (j *judge) lostBefore(id uint32) bool {
	for _, c := range j.cuts {
		if slices.ContainsFunc(c.peers, func(p *peer) bool { return p.node.ID == id }) {
			return true
		}
	}
	return false
}

// cutSeverity is how bad it is that one of the peers is out. A cut that is critical stays so until knet carries again. It is never more than a warning until something else than
// its own silence confirms it, and for a peer that was never heard by a node that is itself no member of anything.
func (j *judge) cutSeverity(p *peer, c *cut) Severity {
	switch {
	case !p.heard && !j.status.fresh && p.gap >= j.warnAfter(p.interval):
		return Warning
	case !p.heard && !j.status.fresh:
		return Info
	case (p.verdict == muted || p.verdict == cutOff) && p.lost():
		return Critical
	case p.verdict == muted && c.memo.critical:
		return Critical // the paths are back, but nothing that Corosync sends passes yet: the token goes on ageing
	case p.verdict == muted:
		return Warning
	case p.knetOnly:
		return j.knetOnlySeverity(p)
	case p.verdict == cutOff && (p.member == No || p.gap >= max(j.token/4, 10*p.interval)):
		return Critical
	case p.verdict == silent && p.gap >= j.unconfirmed(p) && j.alikeCount(p, c.peers) >= 2:
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
