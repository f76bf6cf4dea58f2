package advice

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// ErrNoRecord is the answer to a record without a path of the cluster.
var ErrNoRecord = errors.New("advice: the record has no path of the cluster in the configuration")

// search is one search for advice.
type search struct {
	in      Input
	conf    *corosync.Config
	cluster risk.Cluster
	record  record
	knobs   knobs
	out     Advice
	ringing time.Duration // ring time used
	fitted  risk.Fitted
	heavy   bool // the cluster falls apart so much that token losses count little: it has hardly a token to lose
}

// trial is a Trial with what it takes to go on with it.
type trial struct {
	Trial
	order   int // of preference
	text    []byte
	cluster risk.Cluster
	tally   tally
	over    stretch
}

func newSearch(in Input) (*search, error) {
	conf, err := corosync.Parse(in.Name, bytes.NewReader(in.Conf))
	if err != nil {
		return nil, err
	}
	if in.Trace == nil || in.Trace.Slot <= 0 {
		return nil, ErrNoRecord
	}
	s := &search{in: in, conf: conf}
	if s.cluster, err = in.clusterOf(conf); err != nil {
		return nil, err
	}
	most := longestToken(conf)
	s.record, s.out.Evidence = look(s.cluster, in.Trace, most/Safety-in.Trace.Slot)
	if s.record.slots.first >= s.record.slots.end {
		return nil, ErrNoRecord
	}
	s.knobs = knobs{
		conf: conf, now: conf.Timeouts(), least: s.out.Evidence.Stall.Length * Safety, most: most,
		worse: worseLinks(conf, s.out.Evidence.Loss),
	}
	return s, nil
}

// longestToken is the longest effective token whose membership stays within the budget, with the default consensus.
func longestToken(c *corosync.Config) time.Duration {
	b := boundsOf(c.Timeouts(), c.Quorum.Device != nil, 0)
	sync := b.Membership - c.Timeouts().Membership()
	return time.Duration(float64(b.Most-sync) / 2.2)
}

// worseLinks are the links that lose at least three times what the best one does. None of them if the preferred one is not.
func worseLinks(c *corosync.Config, loss []PathLoss) map[int]bool {
	if len(loss) < 2 {
		return nil
	}
	best, out := math.Inf(1), map[int]bool{}
	for _, l := range loss {
		best = min(best, l.Loss)
	}
	first := c.Links[0]
	for _, l := range c.Links {
		if l.Priority > first.Priority {
			first = l
		}
	}
	for i, l := range c.Links {
		if loss[i].Loss > 3*best+0.001 {
			out[l.Number] = true
		}
	}
	if !out[first.Number] {
		return nil
	}
	return out
}

// run comes to a verdict.
func (s *search) run() Advice {
	e := s.out.Evidence
	if e.Length < leastRecord || e.Known < leastKnown {
		return s.tooLittle()
	}
	now := s.present()
	s.out.Before = now.Trial
	s.heavy = now.Figures.Broken > brokenHeavily
	if !s.trouble(now) {
		s.remarks(now)
		return s.calm(now)
	}
	tried := s.firstLook()
	s.out.Limit = s.limit(now, tried)
	long := s.longLook(s.promising(tried))
	best := s.choose(now, long)
	for best != nil && !s.confirmed(now, best) {
		long = slices.DeleteFunc(long, func(t *trial) bool { return t == best })
		best = s.choose(now, long)
	}
	s.out.Evidence.Model = s.ringing
	for _, t := range tried {
		s.out.Tried = append(s.out.Tried, t.Trial)
	}
	s.remarks(now)
	if best == nil {
		s.out.Verdict = NoSetting
		s.why(now, nil)
		return s.out
	}
	s.out.Verdict, s.out.Proposed, s.out.Text = Change, &best.Trial, best.text
	s.why(now, best)
	s.out.Steps = s.steps(best)
	return s.out
}

// scaled is a ring time for this cluster: a ring of more nodes costs more.
func (s *search) scaled(d time.Duration) time.Duration {
	return d * usualNodes / time.Duration(max(len(s.cluster.Nodes), usualNodes))
}

// present tries the settings as they are.
func (s *search) present() *trial {
	t := s.make(candidate{name: "as it is"}, -1)
	s.test(t, s.record.stretchOf(s.scaled(longTrial)))
	s.drill(t)
	s.fitted = s.record.fit(s.cluster)
	s.forecast(t)
	return t
}

// make checks a candidate without running it.
func (s *search) make(c candidate, order int) *trial {
	t := &trial{Trial: Trial{Name: c.name, Edits: c.edits}, order: order}
	text, conf, err := corosync.Rewrite(s.in.Name, s.in.Conf, c.edits)
	if err != nil {
		t.Refused = "Corosync would refuse it: " + err.Error()
		return t
	}
	t.text = text
	if t.cluster, err = s.in.clusterOf(conf); err != nil {
		t.Refused = err.Error()
		return t
	}
	t.Bounds = boundsOf(t.cluster.Timeouts, conf.Quorum.Device != nil, s.out.Evidence.Stall.Length)
	t.Refused = refusal(conf, t.Bounds)
	return t
}

// refusal says what Corosync, knet or the bounds have against a configuration.
func refusal(conf *corosync.Config, b Bounds) string {
	if errs := conf.Totem.Check(); len(errs) > 0 {
		return "Corosync would refuse it: " + errs[0].Error()
	}
	for _, l := range conf.Links {
		if errs := l.Params.Check(b.Token); len(errs) > 0 {
			return fmt.Sprintf("knet would refuse link %d: %v", l.Number, errs[0])
		}
	}
	switch {
	case !b.LowerHolds():
		return fmt.Sprintf("the token of %s must be above %s: %d x the longest stall", seconds(b.Token), seconds(b.Least), Safety)
	case !b.UpperHolds():
		return fmt.Sprintf("a new membership would take %s of the fence budget, more than %s", seconds(b.Membership), seconds(b.Most))
	}
	return ""
}

// test runs a candidate over a stretch.
func (s *search) test(t *trial, over stretch) {
	sum, err := s.record.try(t.cluster, over, s.in.Seed)
	if err != nil {
		t.Refused = err.Error()
		return
	}
	s.ringing += sum.simulated
	t.tally, t.over, t.Tested = sum, over, true
	t.Figures = sum.figures(over.passes, over.stands)
}

// drill refuses a candidate with which something that dies is noticed too late.
func (s *search) drill(t *trial) {
	d, err := s.record.drill(t.cluster, s.in.Seed)
	if err != nil {
		t.Refused = err.Error()
		return
	}
	t.Drill = &d
	now := s.out.Before.Drill
	switch {
	case now == nil: // the present settings themselves
	case !d.Declared:
		t.Refused = "a dead node would not be declared in time"
	case d.Lost > now.Lost:
		t.Refused = fmt.Sprintf("the death of link %d would lose the token: %s without it in %.0f %% of the trials", s.conf.Links[preferred(t.cluster)].Number,
			seconds(d.Failover), 100*d.Lost)
	case d.LostBackedUp > now.LostBackedUp+backedUpNoise:
		t.Refused = fmt.Sprintf("the death of a link that had just flapped would lose the token in %.0f %% of the trials, %.0f %% as it is", 100*d.LostBackedUp, 100*now.LostBackedUp)
	}
}

// backedUpNoise is how much the few drills may differ by chance.
const backedUpNoise = 0.15

// trouble says whether anything asks for a change.
func (s *search) trouble(now *trial) bool {
	return now.tally.losses > 0 || expected(now) || !now.easy(closeShare) || !now.Bounds.LowerHolds() || !now.Bounds.UpperHolds()
}

// firstLook tries candidates on little of the record, until enough of them are easy with it: what comes later changes more.
func (s *search) firstLook() []*trial {
	var out []*trial
	good := 0
	over := s.record.stretchOf(s.scaled(shortTrial))
	for i, c := range s.knobs.candidates() {
		t := s.make(c, i)
		if t.Refused == "" {
			s.test(t, over)
			if t.tally.losses == 0 && t.easy(easyShort) {
				if s.drill(t); t.Refused == "" {
					good++
				}
			}
		}
		if out = append(out, t); good == survivors {
			break
		}
	}
	return out
}

// bad counts what is to be avoided: token losses, or where there is hardly a token to lose, stretches of ten seconds without the whole
// cluster in service.
func (s *search) bad(t *trial) int {
	if s.heavy {
		return int(t.tally.broken / (10 * time.Second))
	}
	return t.tally.losses
}

// share is the longest time without the token, in tokens.
func (t *trial) share() float64 { return t.Figures.WorstGap.Seconds() / t.Bounds.Token.Seconds() }

// easy says whether the token was never later than a share of its timeout.
func (t *trial) easy(share float64) bool {
	return t.share() < share
}

// promising are the candidates that lost the token least often, those of equal merit in the order of preference.
func (s *search) promising(tried []*trial) []*trial {
	var out []*trial
	for _, t := range tried {
		if t.Refused == "" {
			out = append(out, t)
		}
	}
	merit := func(t *trial) int {
		if t.easy(easyShort) {
			return 2 * class(s.bad(t))
		}
		return 2*class(s.bad(t)) + 1
	}
	slices.SortStableFunc(out, func(a, b *trial) int { return merit(a) - merit(b) })
	return out
}

// class puts counts that differ little together: 0 and 1, 2 and 3, 4 to 7, ...
func class(n int) int {
	c := 0
	for n > 1 {
		n /= 2
		c++
	}
	return c
}

// longLook drills the most promising candidates and tries those that pass as long as the present settings.
func (s *search) longLook(promising []*trial) []*trial {
	var out []*trial
	over := s.record.stretchOf(s.scaled(longTrial))
	for _, t := range promising {
		if len(out) == survivors {
			break
		}
		if t.Drill == nil {
			s.drill(t)
		}
		if t.Refused == "" {
			s.test(t, over)
			out = append(out, t)
		}
	}
	return out
}

// choose takes the smallest change among those that do about as well as the best, and that Corosync would not warn under if there is
// one; nil if none helps.
func (s *search) choose(now *trial, long []*trial) *trial {
	long = slices.DeleteFunc(slices.Clone(long), func(t *trial) bool { return !s.helps(now, t) })
	if len(long) == 0 {
		return nil
	}
	best := slices.MinFunc(long, func(a, b *trial) int { return s.bad(a) - s.bad(b) })
	slices.SortFunc(long, func(a, b *trial) int { return a.order - b.order })
	good := func(t *trial) bool { return s.bad(t) <= max(1, 2*s.bad(best)) }
	i := slices.IndexFunc(long, func(t *trial) bool { return good(t) && t.easy(easyShare) })
	if i < 0 {
		i = slices.IndexFunc(long, good)
	}
	t := long[i]
	s.out.Partly = t.tally.losses > 1 && (s.bad(t)*cutWell > s.bad(now) || t.Figures.Broken > brokenMuch)
	return t
}

// helps says whether a candidate is better than the present settings beyond chance: it loses the token less often, and the cluster is
// whole for at least as long; or it keeps a bound that they do not, and is no worse. A longer token that is lost as often does not help.
func (s *search) helps(now, t *trial) bool {
	before, after := float64(s.bad(now)), float64(s.bad(t))
	if t.tally.broken > now.tally.broken+now.tally.broken/10 {
		return false
	}
	switch {
	case !now.Bounds.UpperHolds() || before == 0 && (!now.Bounds.LowerHolds() || expected(now)):
		return after <= before+2*math.Sqrt(before)
	case before == 0: // it only came close
		return after == 0 && t.easy(easyShare) && t.share() < closeShare*now.share()
	}
	return after*cutPartly <= before && before-after > 2*math.Sqrt(before+after)-1
}
