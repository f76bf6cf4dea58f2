package plan

import (
	"slices"
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

// Assumed is what a Report rests on besides the configuration.
type Assumed struct {
	Defaults      bool    `json:"defaults"` // no configuration was read
	RTTWithin     Seconds `json:"rtt_within_site"`
	RTTBetween    Seconds `json:"rtt_between_sites"`
	LossWithin    float64 `json:"loss_within_site"`
	LossBetween   float64 `json:"loss_between_sites"`
	Exceptions    int     `json:"exceptions"` // paths or links with figures of their own
	LossSaid      bool    `json:"loss_said"`  // else token losses are shown for 1 %, to have an idea, and not judged
	ArmedNodes    int     `json:"armed_nodes"`
	TrafficPeriod Seconds `json:"traffic_period"` // each node multicasts once in this time, in the model
}

// Options is how a Report is made.
type Options struct {
	All      bool // list every case
	Thorough bool // let the model run twenty times as long
	LossSaid bool // Network's losses were said, not assumed
	NoAdvice bool

	noLoss bool // don't model token losses: nothing hangs on them
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

func (d *Design) assumed(o Options) Assumed {
	a := Assumed{
		Defaults: d.Assumed, RTTWithin: Seconds(d.Network.Within.RTT), RTTBetween: Seconds(d.Network.Between.RTT),
		LossWithin: d.Network.Within.Loss, LossBetween: d.Network.Between.Loss, Exceptions: len(d.Network.Rules),
		LossSaid: o.LossSaid, TrafficPeriod: Seconds(traffic),
	}
	for _, n := range d.Cluster.Nodes {
		if d.armed(n.Name) {
			a.ArmedNodes++
		}
	}
	return a
}

// effort is how long the model may run.
type effort struct {
	trials int    // of a link's death
	visits uint64 // of the token and pings, for one rate of token losses
}

// effortFor keeps a plan of 32 nodes below a second: what the model costs goes by visits and pings, a trial by nodes squared.
func effortFor(d *Design, o Options, twice bool) effort {
	e := effort{trials: 12, visits: 800_000}
	if len(d.Cluster.Nodes) > 12 {
		e = effort{trials: 6, visits: 400_000}
	}
	if twice {
		e.trials, e.visits = (e.trials+1)/2, e.visits/2
	}
	if o.Thorough {
		e.trials, e.visits = 20*e.trials, 20*e.visits
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
	w.enumerate(&s, o.All)
	if known != nil {
		s.Switches, s.Losses = known.Switches, known.Losses
		s.Livelocks = known.Livelocks
	} else if err := w.model(&s, o, e); err != nil {
		return State{}, err
	}
	w.findWeak(&s, o)
	w.remark(&s)
	return s, nil
}

// enumerate judges every single and double failure.
func (w *world) enumerate(s *State, all bool) {
	failures := w.d.failures()
	alone := make([]outcome, len(failures))
	var singles, doubles []outcome
	for i, f := range failures {
		alone[i] = w.judge(f)
		alone[i].failures[0] = i
		if alone[i].lives() {
			singles = append(singles, alone[i])
		}
	}
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
	s.Singles = w.groups(failures, singles, nil)
	s.Doubles = w.groups(failures, doubles, func(o outcome) bool {
		return o.impact > Freeze && max(alone[o.failures[0]].impact, alone[o.failures[1]].impact) >= o.impact
	})
	w.remarkOrder(s, doubles)
	if all {
		for _, o := range append(slices.Clone(singles), doubles...) {
			s.Cases = append(s.Cases, w.tell(o, caseOf(failures, o)))
		}
		slices.SortStableFunc(s.Cases, func(a, b Case) int {
			if len(a.Failures) != len(b.Failures) {
				return len(a.Failures) - len(b.Failures)
			}
			return int(b.Impact) - int(a.Impact)
		})
	}
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
			saved, of, round(w.quorum.LastManStandingWindow))
	}
}
