package metrics

import (
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// windows are those that have series.
var windows = []struct {
	length time.Duration
	label  string
}{{10 * time.Second, "10s"}, {time.Minute, "1m"}, {10 * time.Minute, "10m"}}

func (s *sender) paths() {
	for i := range s.r.Paths {
		p := &s.r.Paths[i]
		s.path(p, s.name(p.Peer), strconv.Itoa(p.Link))
	}
}

func (s *sender) path(p *checker.Path, peer, link string) {
	if p.State != checker.PathUnknown {
		s.bool(s.pathUp, p.State != checker.PathDown, peer, link)
		s.bool(s.pathDegraded, p.State == checker.PathDegraded, peer, link)
		s.seconds(s.pathGap, p.Gap, peer, link)
		s.gauge(s.pathGapRatio, p.GapShare, peer, link)
	}
	if p.GapDirection == checker.WhichForward || p.GapDirection == checker.WhichBackward {
		s.seconds(s.pathDirectionGap, p.GapForward, peer, link, "forward")
		s.seconds(s.pathDirectionGap, p.GapBackward, peer, link, "backward")
	}
	if p.Knet != checker.KnetUnknown {
		s.bool(s.pathKnet, p.Knet == checker.KnetConnected, peer, link)
		s.counter(s.pathKnetDowns, p.KnetDowns, peer, link)
	}
	s.counters(&p.Total, peer, link)
	if p.RTT.Known {
		s.seconds(s.pathRTTSmoothed, p.RTT.Smoothed, peer, link)
	}
	if p.Full.Sent > 0 {
		s.gauge(s.pathFullSize, float64(p.Full.Received)/float64(p.Full.Sent), peer, link)
	}
	for i := range p.Windows {
		s.window(&p.Windows[i], peer, link)
	}
}

func (s *sender) counters(c *checker.Counters, peer, link string) {
	s.counter(s.pathSent, c.Sent, peer, link)
	s.counter(s.pathReceived, c.Received, peer, link)
	s.counter(s.pathLost, c.LostForward, peer, link, "forward")
	s.counter(s.pathLost, c.LostBackward, peer, link, "backward")
	s.counter(s.pathLost, c.Lost-min(c.Lost, c.LostForward+c.LostBackward), peer, link, "unknown")
	s.counter(s.pathLate, c.Late, peer, link)
	s.counter(s.pathReordered, c.Reordered, peer, link)
	s.counter(s.pathDuplicated, c.Duplicated, peer, link)
	s.counter(s.pathCorrupt, c.Corrupt, peer, link)
	s.counter(s.pathHostPaused, c.HostPaused, peer, link)
}

func (s *sender) window(w *checker.Window, peer, link string) {
	for _, k := range windows {
		if w.Length.Duration() != k.length || w.Received+w.Lost == 0 {
			continue
		}
		s.gauge(s.pathLossRatio, w.LossRatio, peer, link, k.label)
		s.seconds(s.pathWorstGap, w.WorstGap, peer, link, k.label)
		s.seconds(s.pathDirectionWorstGap, w.WorstGapForward, peer, link, "forward", k.label)
		s.seconds(s.pathDirectionWorstGap, w.WorstGapBackward, peer, link, "backward", k.label)
	}
	if w.Length.Duration() != time.Minute || w.RTT.Count == 0 {
		return
	}
	q := &w.RTT
	for _, k := range []struct {
		stat string
		v    checker.Seconds
	}{{"min", q.Min}, {"p50", q.P50}, {"p90", q.P90}, {"p99", q.P99}, {"p999", q.P999}, {"max", q.Max}, {"mean", q.Mean}} {
		s.seconds(s.pathRTT, k.v, peer, link, k.stat)
	}
	s.seconds(s.pathJitter, w.Jitter, peer, link)
}

// compatible sends the families of ha_cluster_exporter. Its rings are this node's links: healthy when knet has every peer
// connected on it.
func (s *sender) compatible() {
	r := s.r
	if q := r.Quorum; q.Known {
		s.bool(s.haQuorate, q.Quorate)
		s.gauge(s.haVotes, float64(q.Expected), "expected_votes")
		s.gauge(s.haVotes, float64(q.Highest), "highest_expected")
		s.gauge(s.haVotes, float64(q.Total), "total_votes")
		s.gauge(s.haVotes, float64(q.Needed), "quorum")
		for _, v := range q.Votes {
			name := v.Name
			if v.ID == 0 {
				name = "Qdevice"
			}
			s.gauge(s.haMemberVotes, float64(v.Votes), strconv.FormatUint(uint64(v.ID), 10), name, strconv.FormatBool(v.ID != 0 && v.ID == r.Node.ID))
		}
	}
	if r.Corosync.Fresh {
		s.rings()
	}
}

func (s *sender) rings() {
	r := s.r
	faulty, known := 0, false
	for _, l := range r.Cluster.Links {
		address, healthy, seen := "", true, false
		for i := range r.Paths {
			p := &r.Paths[i]
			if p.Link != l.Number || p.Knet == checker.KnetUnknown {
				continue
			}
			address, seen = p.Local.String(), true
			healthy = healthy && p.Knet == checker.KnetConnected
		}
		if !seen {
			continue
		}
		known = true
		if !healthy {
			faulty++
		}
		s.bool(s.haRings, healthy, r.Corosync.RingID, strconv.FormatUint(uint64(r.Node.ID), 10), strconv.Itoa(l.Number), address)
	}
	if known {
		s.gauge(s.haRingErrors, float64(faulty))
	}
}
