package checker

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// ruleGap tells of every path on which nothing comes back now. It is information at first, and a warning once the gap is
// longer than what is surely safe and no other link to the peer carries. What follows from it is for ruleLinkDown and
// ruleCut.
func ruleGap(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		if p.verdict == departed {
			continue
		}
		for k := range p.paths {
			if l := &p.paths[k]; l.out && (l.heard || l.obs.Err != "") {
				j.gapFinding(p, l)
			}
		}
	}
}

func (j *judge) gapFinding(p *peer, l *path) {
	d := draft{code: CodePathGap, severity: Info, subject: subject(p, l), since: l.since, cause: j.gapCause(p, l)}
	if l.excused == notExcused && j.longOut(l) && j.other(p, l) == nil {
		d.severity = Warning
	}
	if m := l.memo; m.gapTitle == "" || l.gap < m.gapTold || l.gap-m.gapTold >= wordsEvery {
		m.gapTold = l.gap
		m.gapTitle, m.gapEvidence = j.gapWords(p, l)
	}
	d.title, d.evidence = l.memo.gapTitle, l.memo.gapEvidence
	j.add(d)
}

// wordsEvery is how often the words of a lasting gap are brought up to date: a cut of a large site has hundreds.
const wordsEvery = 100 * time.Millisecond

func (j *judge) gapWords(p *peer, l *path) (title string, evidence map[string]string) {
	what := "no answer"
	switch l.which {
	case WhichForward:
		what = "nothing gets through to it (we hear it)"
	case WhichBackward:
		what = "nothing comes back (it hears us)"
	}
	if l.obs.Err != "" {
		what = "cannot send: " + l.obs.Err
	}
	gap, share := units.Time(l.gap), units.Percent(ratio(l.gap, j.token))
	title = fmt.Sprintf("%s link %d: %s for %s, %s of the token timeout", p.node.Name, l.obs.Link, what, gap, share)
	return title, map[string]string{
		"gap": gap, "share_of_token": share, "direction": l.which.String(),
		"unanswered": strconv.Itoa(l.obs.Summary.Unanswered), "knet": l.knet.String(),
	}
}

// gapCause is the finding that explains a gap.
func (j *judge) gapCause(p *peer, l *path) string {
	switch {
	case l.excused == agentStopped:
		return key(CodeAgentStopped, p.node.Name)
	case l.excused != notExcused && p.out:
		return key(CodeAgentSilent, p.node.Name)
	case l.excused != notExcused:
		return key(CodeAgentSilent, subject(p, l))
	case j.linkFailed(l.obs.Link):
		return key(CodeLocalLink, linkName(l.obs.Link))
	case j.cutOf(p) != "":
		return j.cutOf(p)
	case j.carriedElsewhere(p, l):
		return key(CodeLinkDown, linkName(l.obs.Link))
	}
	return ""
}

// ruleLinkDown tells of links that are out, beyond what knet itself tolerates, while another link carries: one finding a link.
func ruleLinkDown(j *judge) {
	for _, link := range j.in.Cluster.Links {
		var out []string
		var since time.Time
		total := 0
		for i := range j.peers {
			p := &j.peers[i]
			l := p.link(link.Number)
			if l == nil || p.verdict == departed {
				continue
			}
			total++
			if j.carriedElsewhere(p, l) {
				out = append(out, p.node.Name)
				if s := l.outSince(); since.IsZero() || s.Before(since) {
					since = s
				}
			}
		}
		if len(out) > 0 {
			j.linkDown(link.Number, out, total, since)
		}
	}
}

func (j *judge) linkDown(link int, out []string, total int, since time.Time) {
	d := draft{code: CodeLinkDown, severity: Warning, subject: linkName(link), since: since}
	where := "to " + strings.Join(out, ", ")
	if len(out) == total && total > 1 {
		where = "to every peer"
	}
	d.title = fmt.Sprintf("link %d is out %s for %s; another link carries", link, where, units.Time(j.ago(since)))
	d.evidence = map[string]string{"peers": strings.Join(out, " "), "out_for": units.Time(j.ago(since))}
	if j.linkFailed(link) {
		d.cause = key(CodeLocalLink, linkName(link))
	}
	j.add(d)
}

// carriedElsewhere: the path is out for longer than knet tolerates, or knet says so where probes cannot, and another link
// to the peer works.
func (j *judge) carriedElsewhere(p *peer, l *path) bool {
	if j.other(p, l) == nil {
		return false
	}
	link, _ := j.in.Cluster.Link(l.obs.Link)
	timeout := timersOr(link.Timers, j.token).PingTimeout
	switch {
	case l.excused != notExcused:
		return false
	case l.out:
		return l.gap >= timeout || l.knet == KnetDisconnected && j.longOut(l)
	case !l.heard:
		return l.knet == KnetDisconnected && p.knet == KnetConnected
	}
	return false
}

// outSince is when the path went out, by its probes or by knet.
func (p *path) outSince() time.Time {
	if p.out {
		return p.since
	}
	return p.memo.knetSince
}

// other returns another link to the peer that carries: by its probes, or where there are none by knet. A probe or two that it loses
// changes nothing.
func (j *judge) other(p *peer, l *path) *path {
	for i := range p.paths {
		o := &p.paths[i]
		if o == l || j.longOut(o) || o.obs.Err != "" {
			continue
		}
		if o.heard && o.knet != KnetDisconnected || !o.heard && o.knet == KnetConnected {
			return o
		}
	}
	return nil
}

// link returns the peer's path on that link, nil if it is not probed.
func (p *peer) link(number int) *path {
	for i := range p.paths {
		if p.paths[i].obs.Link == number {
			return &p.paths[i]
		}
	}
	return nil
}

func subject(p *peer, l *path) string { return p.node.Name + "/" + linkName(l.obs.Link) }

func linkName(n int) string { return "link" + strconv.Itoa(n) }

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}
