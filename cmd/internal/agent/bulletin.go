package agent

import (
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
)

// gapWindow is the window whose worst gap goes into a bulletin, lossWindow the one whose loss does.
const (
	gapWindow  = time.Minute
	lossWindow = 10 * time.Second
)

// viewOf makes the bulletin that this node sends to its peers out of its newest Report and its Corosync's status.
func viewOf(rep *checker.Report, status corosync.Status, interval time.Duration) mesh.View {
	v := mesh.View{
		Node:          rep.Node.ID,
		Interval:      interval,
		Corosync:      status.Daemon == corosync.DaemonRunning && !status.Stale,
		Quorate:       status.Quorum.Known && status.Quorum.Quorate,
		RingRep:       status.RingID.Rep,
		RingSeq:       status.RingID.Seq,
		Token:         rep.Timeouts.Token.Duration(),
		ConfigVersion: rep.Cluster.ConfigVersion,
	}
	for _, m := range status.Members {
		if m.Joined {
			v.Members++
		}
	}
	for _, p := range rep.Paths {
		v.Paths = append(v.Paths, pathView(rep.At, p))
	}
	return v
}

// tellStall puts the longest stall of late into v.
func tellStall(v *mesh.View, now time.Time, p probe.Pauses) {
	if p.Longest > 0 {
		v.Pause, v.PauseAgo = p.Longest, now.Sub(p.Ended)
	}
}

func pathView(now time.Time, p checker.Path) mesh.Path {
	out := mesh.Path{
		Node:     p.Peer.ID,
		Link:     p.Link,
		State:    pathStates[p.State],
		KnetDown: p.Knet == checker.KnetDisconnected,
		Gap:      p.Gap.Duration(),
		RTT:      p.RTT.Smoothed.Duration(),
	}
	if !p.LastHeard.IsZero() {
		out.SilentFor = now.Sub(p.LastHeard)
	}
	for _, w := range p.Windows {
		switch w.Length.Duration() {
		case lossWindow:
			out.LossRatio = w.LossRatio
		case gapWindow:
			out.WorstGap = w.WorstGap.Duration()
		}
	}
	return out
}

var pathStates = map[checker.PathState]mesh.State{
	checker.PathUnknown:  mesh.Unknown,
	checker.PathUp:       mesh.Up,
	checker.PathDegraded: mesh.Degraded,
	checker.PathDown:     mesh.Down,
}
