package plan

import (
	"slices"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// Schema is the version of the JSON form of a Report. It grows only when a field changes its meaning or goes away.
const Schema = 1

// Report is what a plan says.
type Report struct {
	Schema  int      `json:"schema"`
	OK      bool     `json:"ok"` // of Then if there is one, else of Now: no weak points
	Verdict string   `json:"verdict"`
	Changes []string `json:"changes"` // what Then has that Now has not; empty: nothing
	Assumed Assumed  `json:"assumed"`
	Now     State    `json:"now"`
	Then    *State   `json:"then,omitempty"`
	Advice  []Advice `json:"advice"`
}

// Options is how a Report is made.
type Options struct {
	All      bool // list every case
	Thorough bool // let the model run twenty times as long
	LossSaid bool // Network's losses were said, not assumed
	NoAdvice bool

	brief bool // only what weak points hang on: for changes that are tried
}

// Indication is the loss that token losses are shown for when none was said.
const Indication = 0.01

// Make judges a design as it is, and as changed if that makes a difference.
func Make(now Design, changes Changes, o Options) (*Report, error) {
	then, done, err := changes.Apply(now)
	if err != nil {
		return nil, err
	}
	r := &Report{Schema: Schema, Changes: append([]string{}, done...), Advice: []Advice{}}
	planned := &now
	if len(done) > 0 {
		planned = &then
	}
	if len(planned.Cluster.Nodes) < 2 {
		return nil, refuse("--add-node NAME; or --config FILE, the corosync.conf of a cluster", "one node alone: there is nothing to plan")
	}
	if err := planned.checkNetwork(); err != nil {
		return nil, err
	}
	e := effortFor(planned, o, len(done) > 0)
	r.Now, err = judgeDesign(&now, o, e, nil)
	if err != nil {
		return nil, err
	}
	result := &r.Now
	if len(done) > 0 {
		var known *State
		if sameRing(&now, &then) {
			known = &r.Now
		}
		s, err := judgeDesign(&then, o, e, known)
		if err != nil {
			return nil, err
		}
		r.Then, result = &s, &s
	}
	if !o.NoAdvice {
		if r.Advice, err = advise(planned, result, o); err != nil {
			return nil, err
		}
	}
	r.Assumed = planned.assumed(o)
	r.OK, r.Verdict = len(result.Weak) == 0, verdict(result)
	return r, nil
}

// effort is how long the model may run, in units of world.cost.
type effort struct {
	trials int    // of a link's death, at least
	deaths uint64 // of one link, all trials together
	doubt  uint64 // so many times that, while the token was lost in some and it is not plain whether in too many
	visits uint64 // for one rate of token losses
	loose  uint64 // for what rings without end do, all together
}

// effortFor keeps a plan of 32 nodes below a second.
func effortFor(d *Design, o Options, twice bool) effort {
	e := effort{trials: 12, deaths: 800_000, doubt: 1, visits: 800_000, loose: 400_000}
	if len(d.Cluster.Nodes) > 12 {
		e.visits = 500_000
	}
	if !o.brief {
		e.doubt = 3
	}
	if twice {
		e.deaths, e.visits, e.loose = e.deaths/2, e.visits/2, e.loose/2
	}
	if o.Thorough {
		e.trials, e.deaths, e.visits, e.loose = 20*e.trials, 20*e.deaths, 20*e.visits, 20*e.loose
	}
	return e
}

// sameRing says whether the model would do the same for both.
func sameRing(a, b *Design) bool {
	x, y := &a.Cluster, &b.Cluster
	return slices.Equal(x.Nodes, y.Nodes) && slices.Equal(x.Links, y.Links) && x.Timeouts == y.Timeouts && x.Mode == y.Mode
}

// judgeDesign makes the State of a Design. known, if not nil, is one of the same ring: what the model said of it holds.
func judgeDesign(d *Design, o Options, e effort, known *State) (State, error) {
	w, err := newWorld(d)
	if err != nil {
		return State{}, err
	}
	s := w.describe()
	if o.brief {
		w.singles(&s)
	} else {
		w.enumerate(&s, o.All)
	}
	if known != nil {
		s.Switches, s.Losses = known.Switches, known.Losses
		s.Livelocks = known.Livelocks
	} else if err := w.model(&s, o, e); err != nil {
		return State{}, err
	}
	w.findWeak(&s, o)
	if !o.brief {
		w.remark(&s)
	}
	return s, nil
}

// singles judges every single failure. The outcomes are those of all failures, in their order.
func (w *world) singles(s *State) (failures []Failure, alone []outcome) {
	failures = w.d.failures()
	alone = make([]outcome, len(failures))
	var living []outcome
	for i, f := range failures {
		alone[i] = w.judge(f)
		alone[i].failures[0] = i
		if alone[i].lives() {
			living = append(living, alone[i])
		}
	}
	s.Singles = w.groups(failures, living, nil)
	return failures, alone
}

// enumerate judges every single and double failure.
func (w *world) enumerate(s *State, all bool) {
	failures, alone := w.singles(s)
	var doubles []outcome
	for i, f := range failures {
		for j := i + 1; j < len(failures); j++ {
			if !pairs(f, failures[j]) {
				continue
			}
			o := w.judge(f, failures[j])
			o.failures = [2]int{i, j}
			if o.lives() {
				doubles = append(doubles, o)
			}
		}
	}
	s.Doubles = w.groups(failures, doubles, func(o outcome) bool {
		return o.impact > Freeze && max(alone[o.failures[0]].impact, alone[o.failures[1]].impact) >= o.impact
	})
	w.remarkOrder(s, doubles)
	if !all {
		return
	}
	living := slices.DeleteFunc(alone, func(o outcome) bool { return !o.lives() })
	for _, o := range append(living, doubles...) {
		s.Cases = append(s.Cases, w.tell(o, caseOf(failures, o)))
	}
	slices.SortStableFunc(s.Cases, func(a, b Case) int {
		if len(a.Failures) != len(b.Failures) {
			return len(a.Failures) - len(b.Failures)
		}
		return int(b.Impact) - int(a.Impact)
	})
}

// remarkOrder says what last_man_standing makes of double failures that come one after the other.
func (w *world) remarkOrder(s *State, doubles []outcome) {
	saved, of := 0, 0
	for i := range doubles {
		if o := &doubles[i]; o.impact >= Stopped {
			of++
			if o.later < Stopped {
				saved++
			}
		}
	}
	if saved > 0 {
		s.note("last_man_standing: %d of the %d double failures that leave nobody with quorum don't if the second comes more than %s after the first",
			saved, of, units.Time(w.quorum.LastManStandingWindow))
	}
}
