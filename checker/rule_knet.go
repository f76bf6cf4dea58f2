package checker

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// knetSlow is how long knet may take to bring a link up again after its path is back: three pongs (libknet threads_rx.c), with
// the default timers of a token of up to 5 s.
const knetSlow = 10 * time.Second

// ruleKnet tells of links that knet has given up although probes pass: only Corosync's own packets die there, or knet is
// mistaken. With no other link it is a cut in the making, whatever the probes say.
func ruleKnet(j *judge) {
	if !j.status.fresh {
		return
	}
	for i := range j.peers {
		p := &j.peers[i]
		if p.verdict != reachable || !p.hidden.IsZero() || p.member == No || !j.running(p) || j.status.linksAt.Before(p.recovered()) {
			continue
		}
		if p.knet == KnetDisconnected {
			j.knetGone(p)
			continue
		}
		for k := range p.paths {
			l := &p.paths[k]
			if l.heard && !l.out && l.knet == KnetDisconnected && j.ago(l.memo.recovered) >= knetSlowAfter(l) && j.ago(l.memo.knetSince) >= 3*time.Second {
				j.knetLink(p, l)
			}
		}
	}
}

// knetSlowAfter: 0 for a path that was never out.
func knetSlowAfter(l *path) time.Duration {
	if l.memo.recovered.IsZero() {
		return 0
	}
	return knetSlow
}

func (j *judge) knetLink(p *peer, l *path) {
	j.add(draft{
		code: CodeKnetDown, severity: Warning, subject: subject(p, l), since: l.memo.knetSince,
		title:    fmt.Sprintf("knet says that link %d to %s is down, but probes pass; another link carries", l.obs.Link, p.node.Name),
		evidence: map[string]string{"down_for": units.Time(j.ago(l.memo.knetSince))},
	})
}

func (j *judge) knetGone(p *peer) {
	gone := j.ago(p.knetSince)
	d := draft{code: CodeKnetDown, severity: Info, subject: p.node.Name, since: p.knetSince}
	late := j.next.daemon.evidence.After(p.knetSince)
	switch {
	case p.member == Yes && (gone >= j.token*6/5 || late && gone >= j.token/4):
		d.severity = Critical
	case gone >= j.share(fatalShare):
		d.severity = Warning
	}
	d.title = fmt.Sprintf("knet has had no link to %s for %s, but probes pass: Corosync's packets to it are not sent", p.node.Name, units.Time(gone))
	d.evidence = map[string]string{"down_for": units.Time(gone), "share_of_token": units.Percent(ratio(gone, j.token)), "member": p.member.String()}
	j.add(d)
}

// linkFailed: on this link nothing can be sent to anybody.
func (j *judge) linkFailed(link int) bool {
	any := false
	for i := range j.paths {
		if j.paths[i].obs.Link != link {
			continue
		}
		if j.paths[i].obs.Err == "" {
			return false
		}
		any = true
	}
	return any
}

// ruleLocalLink tells of links on which this node itself cannot send.
func ruleLocalLink(j *judge) {
	for _, link := range j.in.Cluster.Links {
		if !j.linkFailed(link.Number) {
			continue
		}
		d := draft{code: CodeLocalLink, severity: Warning, subject: linkName(link.Number)}
		for i := range j.paths {
			p := &j.paths[i]
			if p.obs.Link != link.Number {
				continue
			}
			d.since = p.memo.errSince
			d.title = fmt.Sprintf("this node cannot send on link %d: %s", link.Number, p.obs.Err)
			d.evidence = map[string]string{"address": p.obs.Local.String(), "error": p.obs.Err}
			break
		}
		j.add(d)
	}
}
