//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/scenario"
)

const (
	leadIn     = time.Second            // before the timeline starts, so that all its rules are in place
	turn       = 100 * time.Millisecond // of the loop that collects and prints
	agentPoll  = 250 * time.Millisecond // of the reports
	closePoll  = 40 * time.Millisecond  // of the reports while something has just happened
	closeWatch = 2500 * time.Millisecond
	runTimeout = 30 * time.Second
)

// play is a timeline being played.
type play struct {
	lab      *lab.Lab
	scenario *scenario.Scenario
	agents   *agents
	stay     bool
	all      bool
	table    table
	events   *os.File
	names    map[uint32]string
	read     []int // lines of each node's log that are in the table
	said     chan []entry
	w        io.Writer
}

func newPlay(w io.Writer, l *lab.Lab, s *scenario.Scenario, a *agents, o upOptions) (*play, error) {
	p := &play{
		lab: l, scenario: s, agents: a, stay: !o.exit, all: o.all, w: w, names: map[uint32]string{},
		read: make([]int, len(l.Nodes())), said: make(chan []entry, 64),
	}
	for i, n := range l.Nodes() {
		p.names[n.ID()] = n.Name()
		p.read[i] = len(n.Log().Lines(0)) // the start is not part of the play
	}
	p.table.w = w
	if o.events != "" {
		f, err := os.Create(o.events)
		if err != nil {
			return nil, err
		}
		p.events, p.table.json = f, f
	}
	return p, nil
}

func (p *play) close() error {
	if p.events != nil {
		return p.events.Close()
	}
	return nil
}

// run plays the timeline, sums up, and stays until ctx ends if that is asked for.
func (p *play) run(ctx context.Context) error {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer wg.Wait()
	defer cancel()
	hub := p.lab.Hub()
	t0 := hub.Now() + durationOf(leadIn)
	p.table.t0 = hub.Time(t0)
	if err := hub.Add(p.scenario.Rules(t0)...); err != nil {
		return err
	}
	p.lab.MarkQuality()
	fmt.Fprintf(p.w, "timeline of %v starts\n", p.scenario.Duration)
	p.table.head()
	for _, a := range p.agents.list {
		wg.Go(func() { p.watch(ctx, a) })
	}
	wg.Go(func() { p.act(ctx) })
	err := p.collect(ctx, p.table.t0.Add(p.scenario.Duration))
	p.sum()
	if err != nil || !p.stay {
		return err
	}
	fmt.Fprint(p.w, "\nthe lab stays up; Ctrl-C ends it\n")
	err = p.collect(ctx, time.Time{})
	p.table.flush(time.Now())
	fmt.Fprintln(p.w, "\n"+p.lab.Quality().String())
	return err
}

// collect moves entries into the table until end (never when zero) or until ctx ends.
func (p *play) collect(ctx context.Context, end time.Time) error {
	ticker := time.NewTicker(turn)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			p.gather()
			p.table.flush(time.Now())
			return ctx.Err()
		case list := <-p.said:
			p.table.add(list...)
		case now := <-ticker.C:
			p.gather()
			p.table.flush(now.Add(-reorder))
			if !end.IsZero() && now.After(end.Add(reorder)) {
				p.table.flush(end)
				return nil
			}
		}
	}
}

// gather takes the new lines of all logs.
func (p *play) gather() {
	for i, n := range p.lab.Nodes() {
		lines := n.Log().Lines(p.read[i])
		p.read[i] += len(lines)
		for _, line := range lines {
			if e, ok := corosyncEntry(line, p.names); ok {
				p.table.add(e)
			}
		}
	}
}

// watch polls one agent.
func (p *play) watch(ctx context.Context, a *agent) {
	t := tracker{node: a.node.Name(), all: p.all}
	moments := p.moments()
	for {
		r, err := a.fetch(ctx)
		var news []entry
		if err != nil {
			news = t.silent(time.Now(), err)
		} else {
			news = t.step(time.Now(), r)
		}
		if len(news) > 0 && !p.say(ctx, news...) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollEvery(moments, time.Now())):
		}
	}
}

// pollEvery is short when one of the moments was a short while ago.
func pollEvery(moments []moment, now time.Time) time.Duration {
	for _, m := range moments {
		if d := now.Sub(m.at); d > -agentPoll && d < closeWatch {
			return closePoll
		}
	}
	return agentPoll
}

func (p *play) say(ctx context.Context, list ...entry) bool {
	select {
	case p.said <- list:
		return true
	case <-ctx.Done():
		return false
	}
}

// act announces each step at its time, and does those that are not the hub's.
func (p *play) act(ctx context.Context) {
	for _, m := range p.moments() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(m.at)):
		}
		e := entry{At: m.at, Source: sourceLab, Text: m.text}
		if m.step != nil {
			if err := p.do(ctx, m.step); err != nil {
				e.Text += ": " + strings.ReplaceAll(err.Error(), "\n", "; ")
			}
		}
		if !p.say(ctx, e) {
			return
		}
	}
}

// do carries out a step.
func (p *play) do(ctx context.Context, s *scenario.Step) error {
	switch {
	case s.Daemon != nil:
		return doCorosync(ctx, p.lab.Node(s.Daemon.Node).Corosync(), s.Daemon.Do)
	case s.Agent != nil:
		a, err := p.agents.of(s.Agent.Node)
		if err != nil {
			return err
		}
		return a.do(s.Agent.Do)
	case s.Interface != nil && s.Interface.Up:
		return p.lab.Node(s.Interface.Node).LinkUp(s.Interface.Link)
	case s.Interface != nil:
		return p.lab.Node(s.Interface.Node).LinkDown(s.Interface.Link)
	case s.Run != nil:
		ctx, cancel := context.WithTimeout(ctx, runTimeout)
		defer cancel()
		_, err := p.lab.Node(s.Run.Node).Run(ctx, s.Run.Command...)
		return err
	}
	return nil
}

func doCorosync(ctx context.Context, d *lab.Daemon, verb scenario.Verb) error {
	switch verb {
	case scenario.Start:
		return d.Start(ctx)
	case scenario.Stop:
		return d.Stop()
	case scenario.Restart:
		return errors.Join(d.Stop(), d.Start(ctx))
	case scenario.Kill:
		return d.Kill()
	case scenario.Pause:
		return d.Pause()
	case scenario.Resume:
		return d.Resume()
	}
	return fmt.Errorf("do: %q: no such thing", verb)
}
