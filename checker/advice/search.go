package advice

import (
	"bytes"
	"errors"
	"math"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// ErrNoRecord is the answer to a record without a path of the cluster.
var ErrNoRecord = errors.New("advice: the record has no path of the cluster in the configuration")

// ErrVersion is the answer where something is wrong, but no change can be written: a file with this version is the last one of its cluster.
var ErrVersion = errors.New("advice: there is trouble, but totem.config_version is the highest that there is and cannot be raised: no change can be written")

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
	long    bool // the tally is that of the long trial
}

// newSearch takes stalls longer than bridge for outages; zero: those that the longest legal token does not bridge.
func newSearch(in Input, bridge time.Duration) (*search, error) {
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
	if bridge <= 0 {
		bridge = most/Safety - in.Trace.Slot
	}
	s.record, s.out.Evidence = look(s.cluster, in.Trace, bridge)
	if s.record.slots.first >= s.record.slots.end {
		return nil, ErrNoRecord
	}
	if err := s.strangers(); err != nil {
		return nil, err
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
func (s *search) run() (Advice, error) {
	e := s.out.Evidence
	if e.Length < leastRecord || e.Known < leastKnown {
		return s.tooLittle(), nil
	}
	now, err := s.present()
	if err != nil {
		return Advice{}, err
	}
	s.out.Before = now.Trial
	s.heavy = now.Figures.Broken > brokenHeavily
	if !s.trouble(now) {
		s.remarks(now)
		return s.calm(now), nil
	}
	if s.conf.Version == math.MaxUint64 {
		return Advice{}, ErrVersion
	}
	tried, best := s.look(now)
	s.out.Limit = s.limit(now, tried, best)
	s.out.Evidence.Model = s.ringing
	for _, t := range tried {
		s.out.Tried = append(s.out.Tried, t.Trial)
	}
	s.remarks(now)
	if best == nil {
		s.out.Verdict = NoSetting
		s.why(now, nil)
		return s.out, nil
	}
	s.out.Verdict, s.out.Proposed, s.out.Text = Change, &best.Trial, best.text
	s.why(now, best)
	s.out.Steps = s.steps(best)
	s.writtenTimers(best)
	return s.out, nil
}

// scaled is a ring time for this cluster: a ring of more nodes costs more.
func (s *search) scaled(d time.Duration) time.Duration {
	return d * usualNodes / time.Duration(max(len(s.cluster.Nodes), usualNodes))
}

// present tries the settings as they are.
func (s *search) present() (*trial, error) {
	t := s.make(candidate{name: "as it is"}, -1)
	refused := t.Refused // a bound may be broken
	s.test(t, s.record.stretchOf(s.scaled(longTrial)))
	if s.drill(t); t.Refused != refused {
		return nil, errors.New("advice: " + t.Refused)
	}
	s.fitted = s.record.fit(s.cluster)
	s.forecast(t)
	return t, nil
}
