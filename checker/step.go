package checker

// State is what one Step leaves to the next: since-times, hysteresis and the histories of ring, membership and views. The
// zero value is the state of an agent that has just started.
type State struct {
	started bool
}

// Step judges in, with what earlier Steps left behind. It is pure: equal arguments give equal results, and neither argument is
// changed. It is meant to be called about 20 times a second.
func Step(prev State, in Input) (State, Report) {
	prev.started = true
	r := Report{
		Schema:   SchemaVersion,
		At:       in.Now,
		Software: in.Software,
		Paths:    []Path{},
		Findings: []Finding{},
	}
	return prev, r
}
