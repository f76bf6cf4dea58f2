package agent

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// bulletinDelay is how long ago a bulletin may have been made when it comes for the first time: it waits for the next full-size probe.
const bulletinDelay = calmEvery + judgeEvery + time.Second

// keyed is a prober and the key that it was made with: another key needs another prober.
type keyed struct {
	*probe.Prober
	key stamp.Master
}

// setTargets hands the targets to the prober, and makes a new prober if there is none with that key.
func (a *Agent) setTargets(key stamp.Master, targets []probe.Target) error {
	if old := a.prober.Load(); old != nil && old.key == key {
		old.SetTargets(targets)
		return nil
	}
	c := a.config.Probe
	p, err := probe.New(probe.Config{
		Network: c.Network, NewPacer: c.NewPacer, Key: key, Port: c.Port, Allow: c.Allow,
		Priority: knetPriority, TOS: lowDelay, Wall: c.Wall, WindowsAge: windowsAge,
	})
	if err != nil {
		return err
	}
	p.SetTargets(targets)
	a.prober.Store(&keyed{p, key})
	select {
	case a.rekeyed <- struct{}{}:
	default:
	}
	return nil
}

// probeOn runs the prober of the day: none before the first good corosync.conf, another one after a change of the key.
func (a *Agent) probeOn(ctx context.Context, ready func()) error {
	ready()
	for ctx.Err() == nil {
		if err := a.probeUntilRekeyed(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *Agent) probeUntilRekeyed(ctx context.Context) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	p := a.prober.Load()
	var ended chan error // nil, and never ready, without a prober
	if p != nil {
		ended = make(chan error, 1)
		go func() { ended <- p.Run(running) }()
	}
	for {
		select {
		case err := <-ended:
			return err
		case <-a.rekeyed:
			if a.prober.Load() == p {
				continue // told twice
			}
		case <-ctx.Done():
		}
		stop()
		if p == nil {
			return nil
		}
		return <-ended // the next one needs its sockets
	}
}

// observations are what the prober knows of each path, with whose it is.
func (j *judge) observations(now time.Time) []checker.Observation {
	prober := j.agent.prober.Load()
	if prober == nil || j.plan == nil {
		return nil
	}
	j.seen = prober.AppendObservations(j.seen[:0], now)
	out := make([]checker.Observation, 0, len(j.seen))
	for i := range j.seen {
		o := &j.seen[i]
		whose, ok := j.plan.owners[o.Path]
		if !ok {
			continue // just removed
		}
		out = append(out, checker.Observation{
			Node: whose.node, Link: whose.link, Local: o.Local, Remote: o.Remote,
			Since: o.Since, Interval: j.plan.settings.Interval, Summary: o.Summary,
			Err: o.Err, FullErr: o.FullErr, MTU: o.MTU, Refused: o.Refused,
		})
	}
	return out
}

// views are the newest bulletins of the peers.
func (j *judge) views(now time.Time) []checker.PeerView {
	prober := j.agent.prober.Load()
	if prober == nil || j.plan == nil {
		return nil
	}
	if now.Sub(j.viewedAt) < viewsEvery {
		return j.viewed
	}
	bulletins := prober.Bulletins()
	newest := make(map[uint32]probe.Bulletin, len(j.decoded))
	for _, b := range bulletins {
		whose := j.plan.owners[b.Path].node
		if old, ok := newest[whose]; !ok || b.At.After(old.At) {
			newest[whose] = b
		}
	}
	j.viewed, j.viewedAt = make([]checker.PeerView, 0, len(newest)), now
	for whose, b := range newest {
		if v, isNew, ok := j.decode(whose, b); ok {
			j.viewed = append(j.viewed, checker.PeerView{View: v, At: b.At})
			if isNew && j.record != nil {
				j.record.take(&v, j.decoded[whose])
			}
			if isNew && v.Pause > 0 {
				j.excuse(prober, whose, b.At.Add(-v.PauseAgo), v.Pause)
			}
		}
	}
	return j.viewed
}

// excuse tells the prober that a peer stalled for a while until about an instant: what was not answered then is not the network's fault.
func (j *judge) excuse(prober *keyed, node uint32, until time.Time, pause time.Duration) {
	for path, whose := range j.plan.owners {
		if whose.node == node {
			prober.PeerPause(path, until.Add(-pause-bulletinDelay), until, pause)
		}
	}
}

// decode decodes a bulletin once: the same one is seen by many steps, and may come several times; it is new once. Not ok is one that is garbled, or by a node that speaks for
// another.
func (j *judge) decode(whose uint32, b probe.Bulletin) (v mesh.View, isNew, ok bool) {
	old, known := j.decoded[whose]
	if known && old.at.Equal(b.At) {
		return old.view, false, old.ok
	}
	next := decoded{at: b.At, data: b.Data, view: old.view, ok: old.ok, left: b.Left, clock: b.Clock}
	if isNew = !known || !bytes.Equal(old.data, b.Data); isNew {
		view, err := mesh.Decode(b.Data)
		if err != nil {
			j.agent.log.Debug().Err(err).Stringer("from", b.Remote).Msg("bulletin dropped")
		}
		next.view, next.ok = view, err == nil && view.Node == whose
	}
	if j.decoded == nil {
		j.decoded = map[uint32]decoded{}
	}
	j.decoded[whose] = next
	return next.view, isNew, next.ok
}

// decoded is a node's newest bulletin.
type decoded struct {
	at    time.Time
	left  time.Time     // when it left its author, by our clock
	clock time.Duration // and by the author's
	data  []byte
	view  mesh.View
	ok    bool
}

// pauses are this host's own stalls, and the worst of the last ten minutes.
func (j *judge) pauses(now time.Time) checker.HostPauses {
	prober := j.agent.prober.Load()
	if prober == nil {
		return checker.HostPauses{}
	}
	p := prober.Pauses()
	j.worst.note(now, p.Longest)
	return checker.HostPauses{Pause: p.Longest, At: p.Last, Worst: j.worst.of(now)}
}

// worstOf keeps the largest value of each minute for ten minutes.
type worstOf struct {
	minutes [10]struct {
		minute int64
		worst  time.Duration
	}
	start time.Time // of counting minutes: a monotonic reading
}

func (w *worstOf) minute(now time.Time) int64 {
	if w.start.IsZero() {
		w.start = now
	}
	return int64(now.Sub(w.start) / time.Minute)
}

func (w *worstOf) note(now time.Time, d time.Duration) {
	m := w.minute(now)
	slot := &w.minutes[m%int64(len(w.minutes))]
	if slot.minute != m {
		slot.minute, slot.worst = m, 0
	}
	slot.worst = max(slot.worst, d)
}

func (w *worstOf) of(now time.Time) time.Duration {
	m := w.minute(now)
	var worst time.Duration
	for _, slot := range w.minutes {
		if m-slot.minute < int64(len(w.minutes)) {
			worst = max(worst, slot.worst)
		}
	}
	return worst
}

// probing says what prober and reflector did with packets.
func (a *Agent) probing() checker.Probing {
	prober := a.prober.Load()
	if prober == nil {
		return checker.Probing{}
	}
	out := checker.Probing{Unauthenticated: !prober.key.Authenticated()}
	dropped := prober.Counters().Dropped
	for _, reason := range slices.Sorted(maps.Keys(dropped)) {
		if dropped[reason] > 0 {
			out.Drops = append(out.Drops, checker.Drop{Reason: reason.String(), Count: dropped[reason]})
		}
	}
	return out
}
