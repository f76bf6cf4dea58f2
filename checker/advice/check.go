package advice

import (
	"fmt"

	"github.com/quorumwatch/quorumwatch/corosync"
)

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
	t.tally, t.Tested = sum, true
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
