package checker

import (
	"fmt"
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/probe/stats"
)

// What loss means to knet: with default timers one lost ping or pong takes a link down, whatever the token would survive.
// On a lone link 1 % of independent loss cost token losses within minutes.
const (
	lossMinute   = 0.01  // over a minute: matters on a lone link
	lossTenSec   = 0.05  // over ten seconds
	lossFlapping = 0.003 // over a minute: matters on a lone link that the virtual knet takes down for it
	lossSome     = 0.001 // over a minute: worth a word
)

// lossKind grades loss.
type lossKind int

const (
	lossNone lossKind = iota
	lossLittle
	lossMatters
)

// clean returns the window of that length, unless it reaches back into a silence that was not the path's fault, or has too
// little in it.
func (j *judge) clean(p *path, length time.Duration) *stats.Window {
	if !p.memo.silentUntil.IsZero() && j.ago(p.memo.silentUntil) < length+time.Second {
		return nil
	}
	w := window(&p.obs.Summary, length)
	if w == nil || w.Sent < 50 {
		return nil
	}
	return w
}

func window(s *stats.Summary, length time.Duration) *stats.Window {
	for i := range s.Windows {
		if s.Windows[i].Length == length {
			return &s.Windows[i]
		}
	}
	return nil
}

// lossLevel grades the loss of a minute and of ten seconds. One single run of lost probes is an outage, not loss: that is told of
// by itself.
func (j *judge) lossLevel(minute, ten *stats.Window) lossKind {
	level := lossNone
	if minute != nil {
		switch n, r := j.scattered(minute); {
		case n >= 3 && r >= lossMinute:
			level = lossMatters
		case n >= 2 && r >= lossSome:
			level = lossLittle
		}
	}
	if ten != nil {
		if n, r := j.scattered(ten); n >= 3 && r >= lossTenSec {
			level = lossMatters
		}
	}
	return level
}

// outageRun is the length of a run of lost probes from which on it is an outage rather than loss, unless there are several
// (outagesAreLoss) and none of them was fatal by itself.
const (
	outageRun      = 5
	outagesAreLoss = 3
)

// scattered counts the runs of lost probes, and their share of all probes: without the few long ones that are outages.
func (j *judge) scattered(w *stats.Window) (runs uint64, share float64) {
	if len(w.Bursts) == 0 {
		return w.Lost, lossRatio(w.Counters)
	}
	var lost, long uint64
	for i, n := range w.Bursts {
		if i+1 >= outageRun {
			long += n
			continue
		}
		runs += n
		lost += n * uint64(i+1)
	}
	if long >= outagesAreLoss && w.WorstGap < max(j.share(fatalShare), 500*time.Millisecond) {
		return runs + long, lossRatio(w.Counters)
	}
	if lost == 0 {
		return 0, 0
	}
	return runs, float64(lost) / float64(w.Received+lost)
}

func lossRatio(c stats.Counters) float64 {
	decided := c.Received + c.Lost
	if decided == 0 {
		return 0
	}
	return float64(c.Lost) / float64(decided)
}

// ruleLoss tells of paths that lose single packets.
func ruleLoss(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		for k := range p.paths {
			l := &p.paths[k]
			if l.out || !l.heard {
				continue
			}
			minute, ten := j.clean(l, time.Minute), j.clean(l, 10*time.Second)
			if level := j.lossLevel(minute, ten); level != lossNone {
				j.lossFinding(p, l, level)
			}
		}
	}
}

func (j *judge) lossFinding(p *peer, l *path, level lossKind) {
	w := j.clean(l, time.Minute)
	n, share := uint64(0), 0.0
	if w != nil {
		n, share = j.scattered(w)
	}
	if ten := j.clean(l, 10*time.Second); ten != nil && (w == nil || share < lossMinute) {
		if k, s := j.scattered(ten); w == nil || s >= lossTenSec {
			w, n, share = ten, k, s
		}
	}
	d := draft{code: CodePathLoss, severity: Info, subject: subject(p, l), cause: j.afterCut(p)}
	lone := j.other(p, l) == nil
	matters := level == lossMatters || j.lossFlaps(n, share)
	if matters && lone {
		d.severity = Warning
	}
	d.title = fmt.Sprintf("%s link %d loses %s of packets (over %s)", p.node.Name, l.obs.Link, units.Percent(share), units.Time(w.Length))
	if matters && lone {
		d.title += "; it is the only link, and one lost heartbeat mutes it"
	}
	d.evidence = map[string]string{
		"lost": strconv.FormatUint(w.Lost, 10), "of": strconv.FormatUint(w.Received+w.Lost, 10),
		"forward": strconv.FormatUint(w.LostForward, 10), "backward": strconv.FormatUint(w.LostBackward, 10),
		"runs": strconv.FormatUint(n, 10), "worst_gap": units.Time(w.WorstGap),
	}
	j.add(d)
}

// lossFlaps: the virtual knet takes links down for such loss, so that on a lone link less of it matters: 0.3 % cost a token in ten minutes.
func (j *judge) lossFlaps(runs uint64, share float64) bool {
	return j.virtual != nil && j.virtual.Ten.LinkDowns >= 1 && runs >= 4 && share >= lossFlapping
}

// afterCut is the key of the incident that a peer is part of, if any.
func (j *judge) afterCut(p *peer) string { return j.cutOf(p) }

// ruleMTU tells of paths on which full-size packets die and small ones pass.
func ruleMTU(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		for k := range p.paths {
			l := &p.paths[k]
			f := l.obs.Summary.Full
			small := j.clean(l, 10*time.Second)
			if l.out || f.Size == 0 || f.Sent < 5 || small == nil || lossRatio(small.Counters) > 0.3 {
				continue
			}
			if float64(f.Received) > 0.1*float64(f.Sent) {
				continue
			}
			j.add(draft{
				code: CodeMTU, severity: Warning, subject: subject(p, l),
				title: fmt.Sprintf("%s link %d: packets of %d bytes die, small ones pass: some hop has a smaller MTU and says nothing", p.node.Name, l.obs.Link, f.Size),
				evidence: map[string]string{
					"bytes": strconv.Itoa(f.Size), "sent": strconv.FormatUint(f.Sent, 10), "received": strconv.FormatUint(f.Received, 10),
				},
			})
		}
	}
}
