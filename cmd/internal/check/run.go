package check

import (
	"context"
	"errors"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Run measures until its time has passed or ctx ends, which is no error: the measurement is what there is by then.
func Run(ctx context.Context, cfg Config) (Measurement, error) {
	switch {
	case len(cfg.Targets) == 0:
		return Measurement{}, errors.New("check: no path to probe")
	case cfg.Burst > 0:
		return burst(ctx, cfg)
	case cfg.Soak != nil && cfg.length() == 0:
		return cfg.Soak.measurement(cfg.For)
	}
	return measure(ctx, cfg)
}

// measure probes all targets at the same time.
func measure(ctx context.Context, cfg Config) (Measurement, error) {
	p, err := probe.New(probe.Config{
		Network: cfg.Network, NewPacer: cfg.NewPacer, Wall: cfg.Wall, Rand: cfg.Rand, Key: cfg.Key, Port: cfg.Port,
	})
	if err != nil {
		return Measurement{}, err
	}
	p.SetTargets(cfg.targets())
	r, err := newRun(cfg, p)
	if err != nil {
		return Measurement{}, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running) }()
	r.follow(ctx, ended)
	m, err := r.end()
	stop()
	return m, errors.Join(err, <-ended)
}

// run is one that goes on.
type run struct {
	cfg    Config
	p      *probe.Prober
	begin  time.Time
	length time.Duration // as planned, then as it was
	grid   stats.Grid
	trace  *trace.Trace
	out    []stats.Slot
	back   []stats.Slot
	worst  map[Target]verdict.Path // what long runs had seen by folded: windows reach back for an hour only
	folded time.Time
	soak   *soaking      // nil: none
	pause  time.Duration // longest stall; the prober tells of the last ten seconds
}

func newRun(cfg Config, p *probe.Prober) (r *run, err error) {
	begin := time.Now()
	slot := min(cfg.Interval, probe.DefaultInterval)
	r = &run{
		cfg: cfg, p: p, begin: begin, length: cfg.length(), worst: map[Target]verdict.Path{}, folded: begin, grid: stats.Grid{Begin: begin, Slot: slot},
	}
	r.trace = &trace.Trace{Start: begin, Slot: slot, Author: cfg.Local, Paths: map[trace.Path]*trace.Series{}}
	if cfg.Soak != nil {
		r.soak, err = cfg.Soak.start(r)
	}
	return r, err
}

// Rhythm of a run.
const (
	collectEvery = 200 * time.Millisecond
	tellEvery    = 500 * time.Millisecond
	foldEvery    = 10 * time.Minute
)

// late is how much longer than planned a burst may take: what this host could not send in time is sent later.
const late = 10 * time.Second

// follow collects until the run is over.
func (r *run) follow(ctx context.Context, ended chan error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := time.Time{}
	for until := r.until(); time.Since(r.begin) < until && !r.spent(time.Now()) && !r.soak.failed(); {
		timer.Reset(min(collectEvery, until-time.Since(r.begin)))
		select {
		case <-ctx.Done():
			return
		case err := <-ended:
			ended <- err
			return
		case <-timer.C:
		}
		r.collect(time.Now())
		switch {
		case r.soak != nil:
			r.soak.step(r, time.Now())
		case time.Since(r.folded) >= foldEvery:
			r.fold(time.Now())
		}
		if r.cfg.Progress != nil && time.Since(told) >= tellEvery {
			told = time.Now()
			r.tell(told)
		}
	}
}

// until is when a run is over at the latest.
func (r *run) until() time.Duration {
	if r.cfg.Burst > 0 {
		return r.length + late
	}
	return r.length
}

// collect takes the newest samples over into the record.
func (r *run) collect(now time.Time) {
	r.pause = max(r.pause, r.p.Pauses().Longest)
	for _, t := range r.cfg.Targets {
		if r.cfg.Local == 0 && t.Node == 0 {
			continue
		}
		forth := r.series(trace.Path{From: r.cfg.Local, To: t.Node, Link: t.Link})
		home := r.series(trace.Path{From: t.Node, To: r.cfg.Local, Link: t.Link})
		r.out, r.back = r.p.RoundTrips(t.path(), r.out[:0], r.back[:0], r.grid, forth.Next(), now)
		n := min(len(r.out), int(r.length/r.grid.Slot)-forth.Next())
		for i := range n {
			forth.Append(1, sample(r.out[i]))
			home.Append(1, sample(r.back[i]))
		}
	}
}

func (r *run) series(p trace.Path) *trace.Series {
	s := r.trace.Paths[p]
	if s == nil {
		s = &trace.Series{}
		r.trace.Paths[p] = s
	}
	return s
}

// sample is a slot as the record has it. Delays are kept in steps: the ring does not feel less.
func sample(s stats.Slot) trace.Sample {
	switch s.State {
	case stats.SlotArrived:
		return trace.Sample{State: trace.Arrived, Delay: coarse(s.Delay)}
	case stats.SlotLost:
		return trace.Sample{State: trace.Lost}
	}
	return trace.Sample{}
}

// coarse rounds to an eighth, and to a quarter of a millisecond below two.
func coarse(d time.Duration) time.Duration {
	step := 250 * time.Microsecond
	for step*16 < d {
		step *= 2
	}
	return max(d.Round(step), 100*time.Microsecond)
}

func (r *run) tell(now time.Time) {
	out := Progress{Done: min(now.Sub(r.begin), r.length), Of: r.length, Paths: len(r.cfg.Targets)}
	if r.soak != nil {
		r.soak.ahead(&out)
	}
	for _, o := range r.p.Observations(now) {
		if o.Summary.Total.Received > 0 {
			out.Answered++
		}
		for _, n := range []stats.Counters{o.Summary.Total, o.Full.Total} {
			if o.Summary.Total.Received > 0 {
				out.Probes += n.Received + n.Lost
				out.Lost += n.Lost
			}
		}
	}
	r.cfg.Progress(out)
}

// The last probes are answered or lost by leastSettle at common round trips, by mostSettle at any.
const (
	leastSettle = 1200 * time.Millisecond
	mostSettle  = 5500 * time.Millisecond
)

// end sends no more, waits for the last answers, and says what was measured.
func (r *run) end() (Measurement, error) {
	planned := r.length
	r.p.Hush()
	stopped := time.Now()
	if r.length = min(stopped.Sub(r.begin), planned); r.cfg.Burst > 0 {
		r.length = stopped.Sub(r.begin)
	}
	m := Measurement{Length: r.length, Stopped: r.length < planned-tellEvery}
	time.Sleep(leastSettle)
	for m.Paths = r.fold(time.Now()); !decided(m.Paths) && time.Since(stopped) < mostSettle; m.Paths = r.fold(time.Now()) {
		time.Sleep(collectEvery)
	}
	r.collect(time.Now())
	if r.soak != nil {
		return r.soak.finish(r, time.Now())
	}
	m.Pauses = r.pauses()
	if m.Trace = r.trace; !answered(m.Paths) {
		m.Trace = nil
	}
	return m, nil
}

// pauses are the times in which this host did not run.
func (r *run) pauses() verdict.Pauses {
	p := r.p.Pauses()
	return verdict.Pauses{Longest: max(r.pause, p.Longest), Count: p.Count, Total: p.Total}
}
