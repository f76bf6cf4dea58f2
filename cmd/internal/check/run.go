package check

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Target is one path to probe.
type Target struct {
	Peer   string
	Node   uint32
	Link   int
	Local  netip.Addr
	Remote netip.Addr
}

// Config says how to measure.
type Config struct {
	Network      probe.Network
	NewPacer     func() (probe.Pacer, error)
	Wall         func() time.Time // clock of the stamps; nil: time.Now
	Rand         *rand.Rand       // nil: random
	Key          stamp.Master     // zero: unauthenticated
	Targets      []Target
	Local        uint32 // nodeid of this node; 0: none
	Port         uint16 // of the agents and reflectors
	From         uint16 // here; not Port, which an agent may have
	TOS          uint8
	Priority     int
	Interval     time.Duration
	FullSize     int
	FullInterval time.Duration
	For          time.Duration
	Progress     func(Progress) // nil: nobody looks; called twice a second
}

// Progress is how far a run is.
type Progress struct {
	Done, Of        time.Duration
	Answered, Paths int
	Lost            uint64
}

// Measurement is what a run gave.
type Measurement struct {
	Paths   []verdict.Path
	Trace   *trace.Trace
	Pauses  verdict.Pauses
	Length  time.Duration
	Stopped bool // before its time
}

// settle is how long the last probes have to be answered, or lost.
const settle = 1200 * time.Millisecond

// Run measures until cfg.For has passed or ctx ends, which is no error: the measurement is what there is by then.
func Run(ctx context.Context, cfg Config) (Measurement, error) {
	if len(cfg.Targets) == 0 {
		return Measurement{}, errors.New("check: no path to probe")
	}
	p, err := probe.New(probe.Config{
		Network: cfg.Network, NewPacer: cfg.NewPacer, Wall: cfg.Wall, Rand: cfg.Rand, Key: cfg.Key, Port: cfg.Port,
	})
	if err != nil {
		return Measurement{}, err
	}
	var targets []probe.Target
	for _, t := range cfg.Targets {
		full := cfg.FullSize
		if full > 0 && t.Remote.Is6() {
			full -= 20
		}
		targets = append(targets, probe.Target{
			Path: probe.Path{Local: t.Local, Remote: t.Remote}, Port: cfg.Port, From: cfg.From, Interval: cfg.Interval,
			FullSize: full, FullInterval: cfg.FullInterval, TOS: cfg.TOS, Priority: cfg.Priority,
		})
	}
	p.SetTargets(targets)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- p.Run(running) }()
	r := newRun(cfg, p)
	r.follow(ctx, ended)
	m := r.end()
	stop()
	return m, <-ended
}

// run is one that goes on.
type run struct {
	cfg    Config
	p      *probe.Prober
	begin  time.Time
	grid   stats.Grid
	trace  *trace.Trace
	out    []stats.Slot
	back   []stats.Slot
	worst  map[Target]verdict.Path // what long runs had seen by folded: windows reach back for an hour only
	folded time.Time
	pause  time.Duration // longest stall; the prober tells of the last ten seconds
}

func newRun(cfg Config, p *probe.Prober) *run {
	begin := time.Now()
	slot := min(cfg.Interval, probe.DefaultInterval)
	r := &run{cfg: cfg, p: p, begin: begin, worst: map[Target]verdict.Path{}, folded: begin, grid: stats.Grid{Begin: begin, Slot: slot}}
	r.trace = &trace.Trace{Start: begin, Slot: slot, Author: cfg.Local, Paths: map[trace.Path]*trace.Series{}}
	return r
}

// Rhythm of a run.
const (
	collectEvery = 200 * time.Millisecond
	tellEvery    = 500 * time.Millisecond
	foldEvery    = 10 * time.Minute
)

// follow collects until the run is over.
func (r *run) follow(ctx context.Context, ended chan error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	told := time.Time{}
	for time.Since(r.begin) < r.cfg.For {
		timer.Reset(min(collectEvery, r.cfg.For-time.Since(r.begin)))
		select {
		case <-ctx.Done():
			return
		case err := <-ended:
			ended <- err
			return
		case <-timer.C:
		}
		r.collect(time.Now())
		if time.Since(r.folded) >= foldEvery {
			r.folded = time.Now()
			r.fold(r.folded)
		}
		if r.cfg.Progress != nil && time.Since(told) >= tellEvery {
			told = time.Now()
			r.tell(told)
		}
	}
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
		path := probe.Path{Local: t.Local, Remote: t.Remote}
		r.out, r.back = r.p.RoundTrips(path, r.out[:0], r.back[:0], r.grid, forth.Next(), now)
		for i := range r.out {
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
	out := Progress{Done: min(now.Sub(r.begin), r.cfg.For), Of: r.cfg.For, Paths: len(r.cfg.Targets)}
	for _, o := range r.p.Observations(now) {
		if o.Summary.Total.Received > 0 {
			out.Answered++
			out.Lost += o.Summary.Total.Lost
		}
	}
	r.cfg.Progress(out)
}

// end waits for the last answers, without telling of probes that leave meanwhile, and says what was measured.
func (r *run) end() Measurement {
	length := min(time.Since(r.begin), r.cfg.For)
	m := Measurement{Length: length, Stopped: length < r.cfg.For-tellEvery}
	time.Sleep(settle)
	now := time.Now()
	r.collect(now)
	m.Paths = r.fold(now)
	p := r.p.Pauses()
	m.Pauses = verdict.Pauses{Longest: max(r.pause, p.Longest), Count: p.Count, Total: p.Total}
	if m.Trace = r.trace; !answered(m.Paths) {
		m.Trace = nil
	}
	return m
}
