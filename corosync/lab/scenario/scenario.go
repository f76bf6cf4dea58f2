//go:build linux

package scenario

import (
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// Scenario is a lab and what happens in it.
type Scenario struct {
	Name     string
	About    string   // what it shows, for people
	Spec     lab.Spec // nodes, links, configuration and the rules that always hold
	Steps    []Step   // by time; repetitions are written out
	Duration time.Duration
}

// Step is one thing that happens. Exactly one of Rule, Daemon, Interface, Agent and Run is set.
type Step struct {
	Name      string        // what it is, unique in the scenario
	At        time.Duration // since the start of the timeline
	For       time.Duration // Rule: how long it holds; 0: to the end
	Rule      *impair.Rule
	Daemon    *Daemon
	Interface *Interface
	Agent     *Daemon
	Run       *Run
}

// Daemon does something to a node's Corosync, or to its agent.
type Daemon struct {
	Node string
	Do   Verb
}

// Interface takes a node's device of a link up or down.
type Interface struct {
	Node string
	Link int
	Up   bool
}

// Run runs a command in a node.
type Run struct {
	Node    string
	Command []string
}

// Verb is what can be done to a daemon.
type Verb string

// Verbs.
const (
	Start   Verb = "start"
	Stop    Verb = "stop"
	Restart Verb = "restart"
	Kill    Verb = "kill"
	Pause   Verb = "pause"
	Resume  Verb = "resume"
)

// Rules returns the rules of all steps, with their windows set for a timeline that starts at t0.
func (s *Scenario) Rules(t0 impair.Instant) []impair.Rule {
	var rules []impair.Rule
	for _, step := range s.Steps {
		if step.Rule == nil {
			continue
		}
		r := *step.Rule
		r.Name, r.Start = step.Name, t0+impair.Instant(step.At)
		if step.For > 0 {
			r.End = r.Start + impair.Instant(step.For)
		}
		rules = append(rules, r)
	}
	return rules
}

// phases returns the moments of a repeated step: at, at+every, ... each later by a random share of spread.
func phases(at, every, spread time.Duration, times int, rng *rand.Rand) []time.Duration {
	list := make([]time.Duration, 0, times)
	for i := range times {
		t := at + time.Duration(i)*every
		if spread > 0 {
			t += time.Duration(rng.Int64N(int64(spread)))
		}
		list = append(list, t)
	}
	return list
}
