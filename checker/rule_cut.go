package checker

import (
	"fmt"
	"strings"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// ruleCut tells of the incidents: the peers that are out of reach on every link, under one name for each trouble.
func ruleCut(j *judge) {
	for _, c := range j.cuts {
		j.cutFinding(c)
	}
}

func (j *judge) cutFinding(c *cut) {
	m := c.memo
	d := draft{cut: m.id, code: m.code, severity: c.severity, subject: m.subject, since: m.since, cause: j.cutCause(c)}
	d.title = j.cutTitle(c)
	d.evidence = map[string]string{
		"out_of_reach": c.nodes(), "for": units.Time(j.ago(m.since)), "share_of_token": units.Percent(ratio(j.ago(m.since), j.token)),
		"confirmed_by": strings.Join(c.basis, "; "),
	}
	if len(c.basis) == 0 {
		d.evidence["confirmed_by"] = "nothing yet: only the probes say so"
	}
	if others := j.othersSay(c); others != "" {
		d.evidence["other_nodes"] = others
	}
	if which := c.direction(); which != WhichUnknown {
		d.evidence["direction"] = which.String()
	}
	if o := c.outcome; o != nil {
		d.evidence["outcome"] = o.Text
		if !o.Happened {
			d.evidence["token_loss_in"] = units.Time(o.TokenLossIn.Duration())
			d.evidence["membership_in"] = units.Time(o.MembershipIn.Duration())
		}
	}
	j.add(d)
}

func (j *judge) cutTitle(c *cut) string {
	var what string
	switch n := len(c.peers); c.memo.code {
	case CodeIsolated:
		what = fmt.Sprintf("%s reaches none of its %d peers", c.memo.subject, n)
	case CodeSiteCut:
		what = fmt.Sprintf("site %s is out of reach (%s)", c.memo.subject, c.nodes())
	case CodeGroupCut:
		what = c.nodes() + verb(n == 1, " is", " are") + " out of reach"
	default:
		what = c.nodes() + " is out of reach"
	}
	if c.allMuted() {
		return c.nodes() + ": the paths are back, but knet has not taken them up yet: still mute"
	}
	switch c.direction() {
	case WhichForward:
		what += " (one direction: we still hear it)"
	case WhichBackward:
		what += " (one direction: it still hears us)"
	}
	what += " for " + units.Time(j.ago(c.memo.since))
	if c.outcome != nil {
		what += ": " + c.outcome.Text
	}
	return what
}

// cutCause: a cut of everybody because this node cannot send at all is that link's fault.
func (j *judge) cutCause(c *cut) string {
	for _, l := range j.in.Cluster.Links {
		if j.linkFailed(l.Number) && len(j.in.Cluster.Links) == 1 && c.memo.code != CodeSiteCut {
			return key(CodeLocalLink, linkName(l.Number))
		}
	}
	return ""
}

// nodes lists the peers of the incident.
func (c *cut) nodes() string {
	s := make([]string, len(c.peers))
	for i, p := range c.peers {
		s[i] = p.node.Name
	}
	return strings.Join(s, " ")
}

func (c *cut) allMuted() bool {
	for _, p := range c.peers {
		if p.verdict != muted {
			return false
		}
	}
	return true
}

// direction is the one that is dead on all paths of the incident, if they agree.
func (c *cut) direction() Which {
	which := WhichNone
	for _, p := range c.peers {
		for i := range p.paths {
			w := p.paths[i].which
			switch {
			case !p.paths[i].out:
			case which == WhichNone:
				which = w
			case which != w:
				return WhichUnknown
			}
		}
	}
	if which == WhichNone {
		return WhichUnknown
	}
	return which
}

// othersSay sums up what the nodes that we hear say of the lost ones: whether it is the lost node or the path from here.
func (j *judge) othersSay(c *cut) string {
	var parts []string
	for _, p := range c.peers {
		var reach, lost []string
		for _, v := range j.views {
			if v.Node == p.node.ID || v.At.Before(p.since) || j.ago(v.At) > viewFresh {
				continue
			}
			switch viewOf(v, p.node.ID) {
			case PathUp:
				reach = append(reach, j.nodeName(v.Node))
			case PathDown, PathDegraded:
				lost = append(lost, j.nodeName(v.Node))
			}
		}
		if len(reach) > 0 {
			parts = append(parts, strings.Join(reach, " ")+" still "+verb(len(reach) == 1, "reaches ", "reach ")+p.node.Name)
		}
		if len(lost) > 0 {
			parts = append(parts, strings.Join(lost, " ")+" "+verb(len(lost) == 1, "has lost ", "have lost ")+p.node.Name+" too")
		}
	}
	return strings.Join(parts, "; ")
}
