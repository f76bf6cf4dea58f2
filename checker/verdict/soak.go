package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/replay"
	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Soak is what remains of a long measurement, which may have been broken off and taken up again. Its record is too long to keep: it is
// run through the model stretch by stretch.
type Soak struct {
	Asked    Seconds   `json:"asked"`
	Measured Seconds   `json:"measured"`
	Started  time.Time `json:"started"`
	Runs     int       `json:"runs"`
	Down     Seconds   `json:"down"`           // between its runs: neither measured nor judged
	Gaps     []Gap     `json:"gaps,omitempty"` // these times, the newest ones
	Hours    []Hour    `json:"hours"`          // ascending
	Worst    Minute    `json:"worst_minute"`
	Model    Stretch   `json:"model"`
}

// Gap is a time in which nothing was measured.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Missed says whether something that ran from one instant to another (zero: it goes on) did so in a gap only.
func (s *Soak) Missed(from, to time.Time) bool {
	return slices.ContainsFunc(s.Gaps, func(g Gap) bool { return !from.Before(g.From) && !to.IsZero() && !to.After(g.To) })
}

// Minute is what was measured in one, over all paths that answer. Probes count when their fate is decided.
type Minute struct {
	Begin  time.Time `json:"begin"`
	Probes uint64    `json:"probes"`
	Lost   uint64    `json:"lost"`
	Gap    Seconds   `json:"worst_gap"`
	Where  string    `json:"where,omitempty"` // the path of the worst gap, else of the most losses
}

// Worse says whether more happened in m than in o: the longer gap, else more losses.
func (m *Minute) Worse(o *Minute) bool {
	return m.Gap > o.Gap || m.Gap == o.Gap && m.Lost > o.Lost
}

// Hour is what was measured in one hour of the clock.
type Hour struct {
	Minute
	Measured Seconds `json:"measured"`
	Virtual  Seconds `json:"virtual"`      // longest time without the token in the model
	Losses   float64 `json:"token_losses"` // in the model, to be expected
	Margin   float64 `json:"margin"`       // 1 - the longer one of both gaps / token; filled in by Judge
}

// Stretch is what the model made of a stretch of record.
type Stretch struct {
	Length  Seconds `json:"length"`
	Virtual Seconds `json:"virtual"` // longest time without the token
	Used    float64 `json:"used"`    // share of the token timeout; 1: it was lost
	Passes  int     `json:"passes"`
	Lost    int     `json:"passes_lost"`  // in how many passes the token was lost
	Losses  float64 `json:"token_losses"` // to be expected in Length: mean over the passes
}

// And is what the model made of two stretches.
func (s Stretch) And(o Stretch) Stretch {
	return Stretch{
		Length: s.Length + o.Length, Virtual: max(s.Virtual, o.Virtual), Used: max(s.Used, o.Used), Passes: s.Passes + o.Passes,
		Lost: s.Lost + o.Lost, Losses: s.Losses + o.Losses,
	}
}

// Worse says whether the token fared worse in s than in o.
func (s *Stretch) Worse(o *Stretch) bool {
	return s.Losses > o.Losses || s.Losses == o.Losses && s.Used > o.Used
}

// Run runs a stretch of record through the model of the cluster of in, as Judge does with in.Trace. Only so much at its end is new: what is before that is there
// so that what began in the stretch before is seen as a whole.
func Run(in Input, t *trace.Trace, fresh time.Duration) (Stretch, error) {
	j := &judge{in: in}
	if err := j.read(); err != nil {
		return Stretch{}, err
	}
	s, _, err := j.run(t)
	if err == nil && s.Length > 0 {
		s.Losses *= float64(fresh) / float64(s.Length)
		s.Length = Seconds(fresh)
	}
	return s, err
}

// run runs a record through the ring, and returns the record with what was assumed. A record of other nodes is none: the Stretch is empty.
func (j *judge) run(t *trace.Trace) (Stretch, *trace.Trace, error) {
	t, j.out.Basis.Assumed = complete(t, j.cluster, j.in.Local)
	t = repeat(t, leastRecord)
	r, err := replay.New(j.cluster, t)
	if err != nil {
		return Stretch{}, nil, nil //nolint:nilerr // nothing is known of the ring, and that is said
	}
	var runs []replay.Pass
	s := Stretch{Length: Seconds(r.Length()), Passes: j.passes(r.Length())}
	for i := range s.Passes {
		p, err := r.Pass(seed + uint64(i))
		if err != nil {
			return s, nil, err
		}
		runs = append(runs, p)
		s.Losses += float64(len(p.Losses)) / float64(s.Passes)
	}
	out := r.Summarize(runs)
	s.Virtual, s.Used, s.Lost = Seconds(out.Worst), out.WorstUsed, out.Lost
	return s, t, nil
}

// soak fills in what a soak has beside other runs.
func (j *judge) soak() {
	if j.in.Soak == nil {
		return
	}
	s := *j.in.Soak
	s.Hours = append([]Hour{}, s.Hours...)
	for i := range s.Hours {
		h := &s.Hours[i]
		h.Margin = 1 - min(float64(max(h.Gap, h.Virtual))/float64(j.cluster.Timeouts.Token), 1)
	}
	j.out.Soak = &s
}

// runs says in how many pieces a soak was measured; "" for one.
func (s *Soak) runs() string {
	if s == nil || s.Runs < 2 {
		return ""
	}
	return fmt.Sprintf("a soak in %d runs since %s; between them nothing was measured for %s, which is not judged",
		s.Runs, s.Started.Format("2006-01-02 15:04"), units.Round(s.Down.Duration()))
}
