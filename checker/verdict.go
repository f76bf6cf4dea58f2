package checker

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
)

// judgePeer decides what the silence of a peer means. Probes alone cannot tell a dead path from a dead agent, so a cut is
// believed only when something else says so too: knet here or at another node, the token, or the membership. The other way
// round, knet may speak for a peer only after it had the time to notice.
func (j *judge) judgePeer(p *peer) verdict {
	if !p.out && !p.hidden.IsZero() && j.beyondStalls(p) {
		p.out, p.since, p.gap = true, p.hidden, j.ago(p.hidden)
	}
	if !p.out {
		return j.judgeUnprobed(p)
	}
	if p.lost() {
		p.basis = "Corosync's membership has lost it"
		return cutOff
	}
	if p.memo.outMember == No || p.memo.left == leftInPeace {
		return departed
	}
	if p.memo.agent != reachable {
		return j.judgeAgentless(p)
	}
	if j.knetConfirms(p, p.since) {
		p.basis = "knet has no link to it either"
		return cutOff
	}
	switch {
	case p.view != nil && p.view.Leaving:
		return stoppedAgent
	case j.refused(p), p.knet == KnetConnected && j.anyContradicts(p):
		return silentAgent
	case j.tokenConfirms(p):
		p.basis = "Corosync misses its token"
		return cutOff
	case j.othersConfirm(p):
		p.basis = "knet at other nodes has no link to it either"
		return cutOff
	}
	return silent
}

// beyondStalls: this host's stalls do not explain any more why the peer is silent: after half a token without one answer knet, here or
// elsewhere, or the membership has lost it too. A late token proves nothing: a stalled host makes that by itself.
func (j *judge) beyondStalls(p *peer) bool {
	if j.ago(p.hidden) < max(j.token/2, 10*p.interval) {
		return false
	}
	q := *p
	q.since = p.hidden
	return p.lost() || j.knetConfirms(&q, q.since) || j.othersConfirm(&q)
}

// judgeAgentless judges a peer whose agent is known to have gone while its node lived: its silence tells nothing since then, so
// only knet can tell of a cut, and from the moment on when knet lost it.
func (j *judge) judgeAgentless(p *peer) verdict {
	if p.knet == KnetDisconnected && j.running(p) {
		p.since, p.gap, p.knetOnly = p.knetSince, j.ago(p.knetSince), true
		p.basis = "knet has no link to it; its agent had gone before"
		return cutOff
	}
	if p.view != nil && p.view.Leaving {
		return stoppedAgent
	}
	return p.memo.agent
}

// judgeUnprobed judges a peer that answers, or that never did: then only knet can tell.
func (j *judge) judgeUnprobed(p *peer) verdict {
	lost := p.knet == KnetDisconnected && p.member == Yes
	switch {
	case !p.heard && lost:
		p.since, p.gap, p.basis, p.knetOnly = p.knetSince, j.ago(p.knetSince), "knet has no link to it; there is no agent to ask", true
		return cutOff
	case !p.heard && p.memo.inCut && p.member == No && p.memo.left == leftByLoss && p.knet == KnetDisconnected:
		p.since, p.gap, p.basis = p.knetSince, j.ago(p.knetSince), "Corosync's membership has lost it"
		return cutOff
	case !p.heard:
		return neverHeard
	case p.memo.inCut && p.lost() && j.running(p):
		return muted // the paths are back, the membership is not
	case p.memo.inCut && j.mute(p) && j.running(p) && j.ago(p.recovered()) < max(10*time.Second, 3*j.token):
		return muted
	}
	return reachable
}

// mute: knet carries nothing to or from the peer. Either end's verdict is enough; where knet cannot be asked, the virtual one answers.
func (j *judge) mute(p *peer) bool {
	switch {
	case p.knet == KnetDisconnected, j.mutesUs(p):
		return true
	case p.knet == KnetConnected || j.virtual == nil:
		return false
	}
	pair := risk.Pair{A: min(p.node.ID, j.local.ID), B: max(p.node.ID, j.local.ID)}
	return slices.Contains(j.virtual.Mute, pair)
}

// mutesUs: the peer said, since it is heard again, that its knet has no link to this node.
func (j *judge) mutesUs(p *peer) bool {
	if p.view == nil || !p.view.At.After(p.recovered()) || j.ago(p.view.At) > viewFresh {
		return false
	}
	links, down := 0, 0
	for k := range p.view.Paths {
		if v := &p.view.Paths[k]; v.Node == j.local.ID {
			links++
			if v.KnetDown {
				down++
			}
		}
	}
	return links > 0 && links == down
}

// recovered is when the last of the peer's links came back.
func (p *peer) recovered() time.Time {
	var t time.Time
	for i := range p.paths {
		t = later(t, p.paths[i].memo.recovered)
	}
	return t
}

// running: nothing says that Corosync on the peer does not run.
func (j *judge) running(p *peer) bool {
	return p.view == nil || j.ago(p.view.At) > viewFresh || p.view.Corosync
}

// knetConfirms: the local knet, read after since, has no link to the peer.
func (j *judge) knetConfirms(p *peer, since time.Time) bool {
	return p.knet == KnetDisconnected && !j.status.linksAt.Before(since)
}

func (j *judge) refused(p *peer) bool {
	for i := range p.paths {
		if p.paths[i].obs.Refused.After(p.paths[i].since) {
			return true
		}
	}
	return false
}

func (j *judge) anyContradicts(p *peer) bool {
	for i := range p.paths {
		l := &p.paths[i]
		if l.knet == KnetConnected && !j.status.linksAt.Before(p.since.Add(l.detect)) {
			return true
		}
	}
	return false
}

// tokenConfirms: soon after the peer went silent the token was late or lost.
func (j *judge) tokenConfirms(p *peer) bool {
	at := j.next.daemon.evidence
	return at.After(p.since) && (at.Sub(p.since) < 3*j.token || p.memo.verdict == cutOff)
}

// othersConfirm: another node that we hear said, after the peer went silent here, that its knet has no link to it.
func (j *judge) othersConfirm(p *peer) bool {
	for _, v := range j.views {
		if v.Node == p.node.ID || v.At.Before(p.since) {
			continue
		}
		links, down := 0, 0
		for k := range v.Paths {
			if v.Paths[k].Node != p.node.ID {
				continue
			}
			links++
			if v.Paths[k].KnetDown {
				down++
			}
		}
		if links > 0 && links == down {
			return true
		}
	}
	return false
}
