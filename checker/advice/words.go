package advice

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
)

// seconds is a duration for people, to two digits behind the second as long as that matters beside a token.
func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return units.Time(d)
}

func (s *search) node(id uint32) string {
	if i := s.cluster.Index(id); i >= 0 && s.cluster.Nodes[i].Name != "" {
		return s.cluster.Nodes[i].Name
	}
	return fmt.Sprintf("node %d", id)
}

func (s *search) stall(st Stall) string {
	return fmt.Sprintf("%s from %s to %s, %s into the record", seconds(st.Length), s.recorded(st.From), s.recorded(st.To), seconds(st.At))
}

// tooLittle is the answer to a record that says too little.
func (s *search) tooLittle() Advice {
	e := s.out.Evidence
	s.out.Verdict = NotEnough
	if e.Length < leastRecord {
		s.out.Why = append(s.out.Why, fmt.Sprintf("the record is %s long; %s is the least", units.Time(e.Length), units.Round(leastRecord)))
	}
	if e.Known < leastKnown {
		s.out.Why = append(s.out.Why, fmt.Sprintf("only %.0f %% of what was sent has a known fate: is an agent missing on some node?", 100*e.Known))
	}
	s.out.Before = s.make(candidate{name: "as it is"}, -1).Trial
	return s.out
}

// calm is the answer where nothing is wrong.
func (s *search) calm(now *trial) Advice {
	e := s.out.Evidence
	s.out.Verdict, s.out.Evidence.Model = Nothing, s.ringing
	but := ""
	if len(e.Outages) > 0 {
		longest := slices.MaxFunc(e.Outages, func(a, b Stall) int { return cmp.Compare(a.Length, b.Length) })
		but = fmt.Sprintf(", outages left out (the longest: %s)", s.stall(longest))
	}
	if e.Length < quietRecord {
		s.out.Verdict = NotEnough
		s.out.Why = append(s.out.Why, fmt.Sprintf("no token was lost in the model%s, but the record is only %s long; with %s or more that would mean something",
			but, units.Time(e.Length), units.Round(quietRecord)))
		return s.out
	}
	s.out.Why = append(s.out.Why, fmt.Sprintf("no token lost in %s of the model over the record of %s%s, and both bounds hold", units.Round(s.ringing), units.Round(e.Length), but))
	return s.out
}

// why says what is wrong, and what the change does about it.
func (s *search) why(now, best *trial) {
	say := func(format string, args ...any) { s.out.Why = append(s.out.Why, fmt.Sprintf(format, args...)) }
	b := now.Bounds
	if now.tally.losses > 0 {
		say("over what was measured the model loses the token %s", perHour(now.Figures.TokenLosses))
	} else if expected(now) {
		f := now.Forecast.TokenLoss
		say("over what was measured the model loses no token, but it is to be expected %s", perHour(Rate{f.PerHour, f.Low, f.High}))
	} else if !now.easy(closeShare) {
		say("over what was measured the model loses no token, but it comes as late as %s: %.0f %% of its timeout", seconds(now.Figures.WorstGap), 100*now.share())
	}
	if !b.LowerHolds() {
		say("the token of %s is not above %s: %d x the longest stall (%s)", seconds(b.Token), seconds(b.Least), Safety, s.stall(s.out.Evidence.Stall))
	}
	if !b.UpperHolds() {
		say("when a node or path dies, the new membership takes %s (token + consensus + synchronization): more than %s, half of the %s that the watchdog gives; healthy nodes wait as long",
			seconds(b.Membership), seconds(b.Most), seconds(FenceBudget))
	}
	switch {
	case best == nil && !s.out.tested():
		say("each of %d settings is out of the question, by the bounds or by Corosync's rules: the path itself must be repaired", len(s.out.Tried))
	case best == nil:
		say("none of %d settings tried clearly helps in the model: the path itself must be repaired", len(s.out.Tried))
	case s.out.Partly:
		say("the change helps, but the token would still be lost %s: the path itself must be repaired too", perHour(best.Figures.TokenLosses))
	}
}

func perHour(r Rate) string {
	return fmt.Sprintf("%s times an hour (%s to %s)", figure(r.PerHour), figure(r.Low), figure(r.High))
}

func figure(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x < 9.95:
		return fmt.Sprintf("%.2g", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// milder says whether a candidate halves the token losses, or where there are none lets the token come clearly earlier.
func milder(now, t *trial) bool {
	if now.tally.losses == 0 {
		return t.tally.losses == 0 && t.share() < closeShare*now.share()
	}
	return t.Figures.TokenLosses.PerHour*cutPartly <= now.Figures.TokenLosses.PerHour
}

const worseLink = "the preferred link: it is the worse one"

// limit names what gives way first under the present settings: the kind of change that helps tells.
func (s *search) limit(now *trial, tried []*trial, best *trial) string {
	b := now.Bounds
	if now.tally.losses == 0 {
		switch {
		case !b.UpperHolds():
			return "the fence budget"
		case !b.LowerHolds():
			return "the token timeout"
		}
	}
	helped := func(key string) bool {
		return slices.ContainsFunc(tried, func(t *trial) bool { return t.Tested && onlyKeys(t.Edits, key) && milder(now, t) })
	}
	switch {
	case best != nil && onlyKeys(best.Edits, "knet_link_priority"):
		return worseLink
	case helped("knet_ping_"):
		return "knet's ping timeout: it takes links down for a lost ping or two, before the token's retransmits have their turn"
	case helped("knet_link_priority"):
		return worseLink
	case helped("token_retransmits"):
		return "the number of token retransmits"
	case helped("totem.token"):
		return "the token timeout"
	case !b.UpperHolds():
		return "the fence budget"
	}
	return "the path"
}
