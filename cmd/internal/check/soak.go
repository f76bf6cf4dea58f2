package check

import (
	"fmt"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/probe/stats"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Rhythm of a soak.
const (
	minuteFor  = time.Minute      // what was counted goes into its hour, and the state into the file
	stretchFor = 10 * time.Minute // of record, after which the model runs over it and it is forgotten
	overlap    = 30 * time.Second // what of the record before a stretch is run with it: a loss of the token and the way back take less
)

// soaking is a soak that goes on in a run. It holds a stretch of record and two in the state, whatever the soak's length.
type soaking struct {
	*Soak
	before  *State // as it was when this run began
	begin   time.Time
	minute  time.Time // up to which all is counted
	counted map[Target]counts
	from    int // slot with which the present stretch begins
	saveErr error
	err     error
}

// counts are those of a path that are in their hours.
type counts struct{ probes, lost uint64 }

// start takes the soak up.
func (s *Soak) start(r *run) (*soaking, error) {
	x := &soaking{Soak: s, begin: r.begin, minute: r.begin, counted: map[Target]counts{}}
	if err := x.digest(s.state); err != nil {
		return nil, err
	}
	s.state.resume(r.begin)
	s.state.Saved = r.begin
	x.before = s.state.clone()
	return x, s.save(s.state)
}

// digest runs the model over the record that an earlier run left.
func (s *Soak) digest(state *State) error {
	t, err := decodeTrace(state.Record)
	if err != nil || t == nil {
		return err
	}
	err = s.absorb(state, t, state.Fresh.Duration())
	state.Record, state.Fresh = nil, 0
	return err
}

// absorb runs the model over a stretch and keeps what is worth it.
func (s *Soak) absorb(state *State, t *trace.Trace, fresh time.Duration) error {
	out, err := s.Model(t, fresh, state.Paths)
	if err != nil || out.Length == 0 {
		return err
	}
	state.Soak.Model = state.Soak.Model.And(out)
	_, next := t.Span()
	h := state.hour(t.Start.Add(t.At(next) - fresh))
	h.Virtual = max(h.Virtual, out.Virtual)
	h.Losses += out.Losses
	if state.Picture == nil || out.Worse(&state.Worst) {
		state.Worst, state.Picture = out, encodeTrace(t)
	}
	return nil
}

// step does what is due.
func (x *soaking) step(r *run, now time.Time) {
	if now.Sub(x.minute) < minuteFor {
		return
	}
	ask := x.minute.Equal(x.begin)
	x.count(r, now)
	if begin := x.begin.Add(r.trace.At(x.from)); now.Sub(begin) >= stretchFor || !now.Truncate(time.Hour).Equal(begin.Truncate(time.Hour)) {
		x.stretch(r)
		ask = true
	}
	x.note(r, now)
	x.saveErr = x.save(x.state)
	if !ask || x.Interim == nil {
		return
	}
	if m, err := x.measurement(r.cfg.For); err == nil {
		x.Interim(m)
	}
}

// failed: the model cannot be run, so that no verdict would come of more hours.
func (x *soaking) failed() bool { return x != nil && x.err != nil }

// count puts what was measured since the last time into its minute and hour.
func (x *soaking) count(r *run, now time.Time) {
	m := verdict.Minute{Begin: x.minute}
	most, seen := uint64(0), r.observe(now)
	for _, t := range r.cfg.Targets {
		probes, lost := x.news(t, &seen[t].Summary)
		if probes == 0 {
			continue
		}
		m.Probes += probes
		m.Lost += lost
		if gap := gapOf(&seen[t].Summary); gap > m.Gap || gap == m.Gap && lost > most {
			m.Gap, m.Where, most = gap, fmt.Sprintf("link %d to %s", t.Link, t.Peer), lost
		}
	}
	h := x.state.hour(x.minute)
	h.Probes += m.Probes
	h.Lost += m.Lost
	h.Measured += verdict.Seconds(now.Sub(x.minute))
	if m.Gap > h.Gap || h.Where == "" {
		h.Gap, h.Where = max(m.Gap, h.Gap), m.Where
	}
	if w := &x.state.Soak.Worst; w.Begin.IsZero() || m.Worse(w) {
		*w = m
	}
	x.minute = now
}

// news counts the probes of a path whose fate became known since the last time; none while nothing ever came back. A loss that a late answer took back stays in
// the hour in which it was counted, and makes up for a later one.
func (x *soaking) news(t Target, s *stats.Summary) (probes, lost uint64) {
	n := &s.Total
	if n.Received == 0 && x.before.path(t).Received == 0 {
		return 0, 0
	}
	was := x.counted[t]
	is := counts{max(n.Received+n.Lost, was.probes), max(n.Lost, was.lost)}
	x.counted[t] = is
	return is.probes - was.probes, is.lost - was.lost
}

// gapOf is the worst gap of the last minute.
func gapOf(s *stats.Summary) verdict.Seconds {
	for i := range s.Windows {
		if w := &s.Windows[i]; w.Length == minuteFor {
			return checker.Seconds(w.WorstGap)
		}
	}
	return 0
}

// stretch ends the present stretch of record.
func (x *soaking) stretch(r *run) {
	t, fresh := x.record(r)
	if t == nil {
		return
	}
	if err := x.absorb(x.state, t, fresh); err != nil {
		x.err = err
	}
	_, next := r.trace.Span()
	x.from = next
	r.trace.Forget(next - r.trace.SlotOf(overlap))
}

// record is the present stretch with what overlaps it; nil if there is nothing.
func (x *soaking) record(r *run) (t *trace.Trace, fresh time.Duration) {
	first, next := r.trace.Span()
	if next <= x.from {
		return nil, 0
	}
	return r.trace.Cut(max(first, x.from-r.trace.SlotOf(overlap)), next), r.trace.At(next - x.from)
}

// note brings the state up to date.
func (x *soaking) note(r *run, now time.Time) {
	s := x.state
	s.Saved, s.Soak.Asked = r.upTo(now), verdict.Seconds(r.cfg.For)
	s.Soak.Measured = x.before.Soak.Measured + verdict.Seconds(s.Saved.Sub(x.begin))
	s.Paths = r.fold(now)
	for i, t := range r.cfg.Targets {
		add(&s.Paths[i], x.before.path(t))
	}
	p := both(x.before.Pauses.plain(), r.pauses())
	s.Pauses = Pauses{verdict.Seconds(p.Longest), p.Count, verdict.Seconds(p.Total)}
	t, fresh := x.record(r)
	s.Record, s.Fresh = encodeTrace(t), verdict.Seconds(fresh)
}

func (p Pauses) plain() verdict.Pauses {
	return verdict.Pauses{Longest: p.Longest.Duration(), Count: p.Count, Total: p.Total.Duration()}
}

// measurement is what the soak has measured so far, with the stretch that is not over.
func (s *Soak) measurement(asked time.Duration) (Measurement, error) {
	state := s.state.clone()
	if err := s.digest(state); err != nil {
		return Measurement{}, err
	}
	return state.measurement(asked)
}

// measurement is what a state holds.
func (s *State) measurement(asked time.Duration) (Measurement, error) {
	t, err := decodeTrace(s.Picture)
	soak := s.Soak
	soak.Asked = verdict.Seconds(asked)
	return Measurement{
		Paths: s.Paths, Trace: t, Pauses: s.Pauses.plain(), Length: soak.Measured.Duration(), Stopped: soak.Measured < soak.Asked, Soak: &soak,
	}, err
}

// finish ends a run: what was measured of the soak is in the file, and told. A soak that is complete stays there: its verdict can be asked for again.
func (x *soaking) finish(r *run, now time.Time) (Measurement, error) {
	x.count(r, r.upTo(now))
	x.note(r, now)
	if x.state.Soak.Measured.Duration() >= r.cfg.For {
		x.stretch(r)
		x.note(r, now)
	}
	x.saveErr = x.save(x.state)
	m, err := x.measurement(r.cfg.For)
	if err == nil {
		err = x.err
	}
	m.SaveErr = x.saveErr
	return m, err
}

// upTo is an instant, or the end of probing before it.
func (r *run) upTo(now time.Time) time.Time {
	return r.begin.Add(min(now.Sub(r.begin), r.length))
}

// ahead puts the progress of this run behind what was measured before.
func (x *soaking) ahead(p *Progress) {
	measured := x.before.Soak.Measured.Duration()
	p.Done, p.Of, p.SaveErr = p.Done+measured, p.Of+measured, x.saveErr
	for i := range x.before.Paths {
		if f := &x.before.Paths[i].Figures; f.Received > 0 {
			p.Probes, p.Lost = p.Probes+f.Received+f.Lost, p.Lost+f.Lost
		}
	}
}
