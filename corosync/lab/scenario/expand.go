//go:build linux

package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// expand checks an entry of the timeline and writes its repetitions out.
func (e *step) expand(top impair.Topology, rng *rand.Rand) ([]Step, error) {
	one, err := e.action(top)
	if err == nil {
		err = e.times()
	}
	if err != nil {
		return nil, err
	}
	if e.What != "" {
		one.Name = e.What
	}
	var list []Step
	for _, at := range phases(e.At, e.Every, e.Random, max(e.Repeat, 1), rng) {
		next := one
		next.At = at
		list = append(list, next)
	}
	return list, nil
}

func (e *step) times() error {
	switch {
	case e.At < 0 || e.For < 0 || e.Every < 0 || e.Random < 0:
		return errors.New("at, for, every, random: want times of 0 or more")
	case e.Repeat < 0 || e.Repeat > maxRepeat:
		return fmt.Errorf("repeat: %d: want 0 to %d", e.Repeat, maxRepeat)
	case e.Repeat > 1 && e.Every == 0:
		return errors.New("repeat: needs every, the time from one to the next")
	case e.For > 0 && e.Impair == nil:
		return errors.New("for: only impair lasts; give the end of anything else a step of its own")
	}
	return nil
}

// action says what the entry does; its name is a description by default.
func (e *step) action(top impair.Topology) (Step, error) {
	var found []Step
	var errs []error
	add := func(s Step, err error) { found, errs = append(found, s), append(errs, err) }
	if e.Impair != nil {
		add(e.impair(top))
	}
	if d := e.Corosync; d != nil {
		add(Step{Name: fmt.Sprintf("corosync of %s: %s", d.Node, d.Do), Daemon: &Daemon{d.Node, d.Do}}, d.check("corosync", top))
	}
	if d := e.Agent; d != nil {
		add(Step{Name: fmt.Sprintf("agent of %s: %s", d.Node, d.Do), Agent: &Daemon{d.Node, d.Do}}, d.check("agent", top))
	}
	if d := e.Interface; d != nil {
		add(Step{Name: fmt.Sprintf("interface of %s, link %d: %s", d.Node, d.Link, d.Do), Interface: &Interface{d.Node, d.Link, d.Do == "up"}}, d.check(top))
	}
	if c := e.Run; c != nil {
		add(Step{Name: fmt.Sprintf("%s: %s", c.Node, strings.Join(c.Command, " ")), Run: &Run{c.Node, c.Command}}, c.check(top))
	}
	if len(found) != 1 {
		return Step{}, errors.New("want exactly one of impair, corosync, agent, interface, run")
	}
	return found[0], errors.Join(errs...)
}

func (e *step) impair(top impair.Topology) (Step, error) {
	r := *e.Impair
	if r.Name != "" {
		return Step{}, errors.New("impair: name: not here: what names the step")
	}
	s := Step{Name: "impair", For: e.For, Rule: &r}
	if r.Blackout {
		s.Name = "blackout"
	}
	r.Name = cmp.Or(e.What, s.Name)
	return s, r.Validate(top)
}

func (d *daemon) check(what string, top impair.Topology) error {
	verbs := []Verb{Start, Stop, Restart, Kill, Pause, Resume}
	if !slices.Contains(verbs, d.Do) {
		return fmt.Errorf("%s: do: %q: want one of %v", what, d.Do, verbs)
	}
	return node(what, d.Node, top)
}

func (d *device) check(top impair.Topology) error {
	if d.Do != "up" && d.Do != "down" {
		return fmt.Errorf("interface: do: %q: want up or down", d.Do)
	}
	if d.Link < 0 || d.Link >= top.Links {
		return fmt.Errorf("interface: link: no link %d: there are %d, numbered from 0", d.Link, top.Links)
	}
	return node("interface", d.Node, top)
}

func (c *command) check(top impair.Topology) error {
	if len(c.Command) == 0 {
		return errors.New("run: command: want program and arguments, as a list")
	}
	return node("run", c.Node, top)
}

func node(what, name string, top impair.Topology) error {
	var all []string
	for _, n := range top.Nodes {
		if n.Name == name {
			return nil
		}
		all = append(all, n.Name)
	}
	return fmt.Errorf("%s: node: no node %q: there are %s", what, name, strings.Join(all, ", "))
}

// known lists the keys of a type by the name that the YAML package has for it.
func known(typeName string) []string {
	for _, v := range []any{file{}, site{}, step{}, daemon{}, device{}, command{}, impair.Rule{}, impair.Flow{}, impair.Burst{}} {
		t := reflect.TypeOf(v)
		if t.String() != typeName {
			continue
		}
		var keys []string
		for i := range t.NumField() {
			if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
				keys = append(keys, key)
			}
		}
		return keys
	}
	return nil
}
