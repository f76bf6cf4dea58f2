package risk

import (
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// TestLiveFollowsMembership: a node is switched off; Corosync loses it, and so do the rings; it comes back.
func TestLiveFollowsMembership(t *testing.T) {
	off := func(at time.Duration) bool { return at > 60*time.Second && at < 180*time.Second }
	w := newWorld(t, stretched(t, 1, 0), 2, "1.32", func(from, to uint32, _ int, at time.Duration) (time.Duration, float64) {
		if off(at) && (from == 5 || to == 5) {
			return 0, 1
		}
		return 2 * time.Millisecond, 0
	})
	w.run(68 * time.Second)
	lost := w.margin.Minute.Losses
	if lost < 1 {
		t.Errorf("the rings lost %v tokens with the node", lost)
	}
	w.status.Members[4].Joined, w.status.RingID.Seq, w.status.SRP.OperationalTokenLost = false, 8, 1
	w.run(time.Second)
	if w.margin.Minute.Ratio(w.margin.Token) != 0 || w.margin.Minute.Real.Losses != 1 {
		t.Errorf("a real loss is no margin: %+v", w.margin.Minute)
	}
	w.run(80 * time.Second)
	m := w.margin
	if !m.Known || m.Minute.Ratio(m.Token) < 0.75 || m.Minute.Losses > 0 || m.Ten.Real.Losses != 1 || m.Coverage != 1 {
		t.Errorf("without the node: %+v", m)
	}
	w.run(40 * time.Second)
	w.status.Members[4].Joined, w.status.RingID.Seq = true, 12
	w.run(80 * time.Second)
	if m = w.margin; !m.Known || m.Minute.Ratio(m.Token) < 0.75 || m.Minute.Losses > 0 {
		t.Errorf("with it again: %+v", m)
	}
}

// TestLiveBelievesCorosync: what the trace says of a node whose agent is gone, but which Corosync hears, is taken back.
func TestLiveBelievesCorosync(t *testing.T) {
	w := newWorld(t, stretched(t, 1, 0), 2, "1.32", func(uint32, uint32, int, time.Duration) (time.Duration, float64) { return 2 * time.Millisecond, 0 })
	w.probed = func(from, to uint32, _ int, at time.Duration) (time.Duration, float64) {
		if at > 60*time.Second && (from == 3 || to == 3) {
			return 0, 1
		}
		return 2 * time.Millisecond, 0
	}
	w.run(66 * time.Second)
	if w.margin.Minute.Low(w.margin.Token) > 0.2 {
		t.Errorf("no ring sees silence: %+v", w.margin.Minute)
	}
	w.run(hindsight)
	if w.margin.Minute.Ratio(w.margin.Token) > 0.2 {
		t.Errorf("silence is not seen: %+v", w.margin.Minute)
	}
	w.silent = map[uint32]time.Time{3: w.trace.Start.Add(59 * time.Second)}
	w.run(30 * time.Second)
	m := w.margin
	if !m.Known || m.Minute.Ratio(m.Token) < 0.75 || m.Ten.Losses > 0 || m.Ten.Ratio(m.Token) < 0.75 || m.Coverage > 0.61 {
		t.Errorf("%+v", m)
	}
}

// TestLiveCut: a cut that is told of by itself is no spell of trouble, but its gap counts.
func TestLiveCut(t *testing.T) {
	for _, told := range []bool{false, true} {
		w := newWorld(t, stretched(t, 1, 0), 2, "1.32", func(from, to uint32, _ int, at time.Duration) (time.Duration, float64) {
			if between(from, to) && at > 60*time.Second && at < 66*time.Second {
				return 0, 1
			}
			return 2 * time.Millisecond, 0
		})
		w.run(61 * time.Second)
		w.cut = told
		w.status.SRP.OperationalTokenLost = 1
		w.run(10 * time.Second)
		w.cut = false
		w.run(30 * time.Second)
		m := w.margin.Ten
		if m.Ratio(w.margin.Token) != 0 || m.Median < w.margin.Token || (m.Spells == 0) != told || (m.Losses == 0) != told || (m.Real.InCuts == 1) != told || w.margin.Last.IsZero() != told {
			t.Errorf("told %v: %+v", told, m)
		}
	}
}

// TestLiveBelievesKnet: a link whose probes pass, but which knet has given up, is none that the rings could fall back to.
func TestLiveBelievesKnet(t *testing.T) {
	for _, known := range []bool{false, true} {
		w := newWorld(t, stretched(t, 2, 0), 2, "1.32", func(from, to uint32, link int, at time.Duration) (time.Duration, float64) {
			if link == 0 && between(from, to) && at > 60*time.Second && at < 64*time.Second {
				return 0, 1
			}
			return 2 * time.Millisecond, 0
		})
		if known {
			for from := uint32(1); from <= 5; from++ {
				for to := uint32(1); to <= 5; to++ {
					if from != to {
						w.dead = append(w.dead, trace.Path{From: from, To: to, Link: 1})
					}
				}
			}
		}
		w.run(80 * time.Second)
		m := w.margin
		if lost := m.Minute.LossShare == 1; lost != known || !m.Known {
			t.Errorf("knet's word known %v: %+v", known, m.Minute)
		}
	}
}

// TestLiveUnknown: without a ring to follow there is no margin, and it says why.
func TestLiveUnknown(t *testing.T) {
	live := NewLive(1)
	tr := &trace.Trace{Start: time.Unix(1e9, 0), Slot: slot, Paths: map[trace.Path]*trace.Series{}}
	running := corosync.Status{Daemon: corosync.DaemonRunning}
	if m := live.Step(tr, 10, Reality{Status: running}); m.Known || m.Reason != "there is no corosync.conf of a ring over knet to go by" {
		t.Errorf("%+v", m)
	}
	c, err := FromConfig(stretched(t, 1, 0), nil, "")
	if err != nil {
		t.Fatal(err)
	}
	live.Configure(c)
	alone := running
	alone.Members = []corosync.Member{{ID: 1, Joined: true}, {ID: 2}}
	for _, step := range []struct {
		status corosync.Status
		reason string
	}{
		{corosync.Status{}, "Corosync has not told its membership"},
		{running, "Corosync has not told its membership"},
		{alone, "this node is alone in its membership"},
		{corosync.Status{Daemon: corosync.DaemonStopped}, "Corosync does not run on this node"},
	} {
		if m := live.Step(tr, 20, Reality{Status: step.status}); m.Known || m.Reason != step.reason {
			t.Errorf("%+v, want %q", m, step.reason)
		}
	}
	live.Configure(Cluster{})
	if m := live.Step(tr, 20, Reality{Status: alone}); m.Known || m.Reason != "there is no corosync.conf of a ring over knet to go by" {
		t.Errorf("after a reload to another transport: %+v", m)
	}
}

// TestRealityGap: how long the token has been away counts in a ring that was there before; a ring that has just formed tells of the time
// without one.
func TestRealityGap(t *testing.T) {
	var r reality
	ring := corosync.RingID{Rep: 1, Seq: 4}
	for i, step := range []struct {
		ring corosync.RingID
		gap  time.Duration
		want time.Duration
	}{
		{ring, 970 * time.Millisecond, 0},
		{ring, 300 * time.Millisecond, 300 * time.Millisecond},
		{corosync.RingID{Rep: 1, Seq: 8}, 2 * time.Second, 0},
		{corosync.RingID{Rep: 1, Seq: 8}, 200 * time.Millisecond, 200 * time.Millisecond},
	} {
		s := corosync.Status{Daemon: corosync.DaemonRunning, RingID: step.ring, SRP: corosync.SRPStats{Known: true, TimeSinceToken: step.gap}}
		if n := r.read(s); n.gap != step.want {
			t.Errorf("step %d: %v, want %v", i, n.gap, step.want)
		}
	}
}
