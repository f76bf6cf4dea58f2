package checker

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// What delay means: constant delay of 50 ms each way lost no token at T from 1650 ms up; what comes near the token's
// retransmit timer or varies by a share of T does.
const (
	spreadSome    = 0.05 // P99 - P50 as a share of T
	spreadMatters = 0.15
	// Proxmox's documentation wants less than 5 ms between all nodes, and calls more than 10 ms unlikely to be stable with
	// more than three nodes (pvecm.adoc, "Cluster Network").
	documentedRTT = 10 * time.Millisecond
)

// ruleDelay tells of paths that are slow or uneven.
func ruleDelay(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		for k := range p.paths {
			l := &p.paths[k]
			w := j.clean(l, time.Minute)
			if l.out || w == nil || w.RTT.Count < 50 {
				continue
			}
			j.delayFinding(p, l, w)
		}
	}
	if len(j.in.Cluster.Nodes) > 3 {
		for _, l := range j.in.Cluster.Links {
			j.documented(l.Number)
		}
	}
}

// documented tells once a link of peers that are farther away than Proxmox documents.
func (j *judge) documented(link int) {
	var far []string
	worst := time.Duration(0)
	for i := range j.peers {
		l := j.peers[i].link(link)
		if l == nil || l.out {
			continue
		}
		if w := j.clean(l, time.Minute); w != nil && w.RTT.P50 >= documentedRTT {
			far = append(far, j.peers[i].node.Name)
			worst = max(worst, w.RTT.P50)
		}
	}
	if len(far) == 0 {
		return
	}
	j.add(draft{
		code: CodePathDelay, severity: Info, subject: linkName(link),
		title:    fmt.Sprintf("link %d: a round trip takes up to %s; Proxmox documents 5 ms, and doubts 10 ms with more than three nodes", link, units.Time(worst)),
		evidence: map[string]string{"peers": strings.Join(far, " "), "p50": units.Time(worst)},
	})
}

func (j *judge) delayFinding(p *peer, l *path, w *stats.Window) {
	spread := w.RTT.P99 - w.RTT.P50
	d := draft{code: CodePathDelay, severity: Info}
	var what string
	switch {
	case w.RTT.P99 >= j.retransmit():
		d.severity = Warning
		what = fmt.Sprintf("one round trip in a hundred takes %s or more, as long as the token's retransmit timer (%s)", units.Time(w.RTT.P99), units.Time(j.retransmit()))
	case spread >= j.share(spreadMatters):
		d.severity = Warning
		what = fmt.Sprintf("round trips vary between %s and %s", units.Time(w.RTT.P50), units.Time(w.RTT.P99))
	case spread >= max(20*time.Millisecond, j.share(spreadSome)):
		what = fmt.Sprintf("round trips vary between %s and %s", units.Time(w.RTT.P50), units.Time(w.RTT.P99))
	default:
		return
	}
	d.subject, d.cause = subject(p, l), j.afterCut(p)
	d.title = fmt.Sprintf("%s link %d: %s", p.node.Name, l.obs.Link, what)
	d.evidence = map[string]string{
		"p50": units.Time(w.RTT.P50), "p99": units.Time(w.RTT.P99), "max": units.Time(w.RTT.Max), "jitter": units.Time(w.Jitter),
		"share_of_token": units.Percent(ratio(w.RTT.P99, j.token)),
	}
	j.add(d)
}

// retransmit is the token's retransmit timer, T/4.2 by default (exec/totemconfig.c).
func (j *judge) retransmit() time.Duration {
	if t := j.in.Cluster.Timeouts.TokenRetransmit; t > 0 {
		return t
	}
	return time.Duration(float64(j.token) / 4.2)
}
