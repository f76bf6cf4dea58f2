//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
	"github.com/quorumwatch/quorumwatch/corosync/lab/scenario"
)

func durationOf(d time.Duration) impair.Instant { return impair.Instant(d) }

// moment is one announcement of the timeline; step is set where something is to be done then.
type moment struct {
	at   time.Time
	text string
	step *scenario.Step
}

// moments are the starts of all steps and the ends of those that last.
func (p *play) moments() []moment {
	var list []moment
	for i := range p.scenario.Steps {
		s := &p.scenario.Steps[i]
		at := p.table.t0.Add(s.At)
		m := moment{at: at, text: s.Name}
		if s.Rule == nil {
			m.step = s
		}
		list = append(list, m)
		if s.For > 0 {
			list = append(list, moment{at: at.Add(s.For), text: "end of " + s.Name})
		}
	}
	slices.SortStableFunc(list, func(a, b moment) int { return a.at.Compare(b.at) })
	return list
}

// sum prints for each step of the hub what it took, what Corosync made of it and what quorumwatch said, and when.
func (p *play) sum() {
	fmt.Fprint(p.w, "\nsummary (seconds from the first packet that the step took)\n")
	stats, err := p.lab.Hub().Stats()
	if err != nil {
		fmt.Fprintln(p.w, err)
		return
	}
	for i, s := range p.scenario.Steps {
		if s.Rule == nil {
			continue
		}
		end := p.table.t0.Add(p.scenario.Duration)
		if i+1 < len(p.scenario.Steps) {
			end = p.table.t0.Add(p.scenario.Steps[i+1].At)
		}
		p.sumStep(s, stats.Drops, end)
	}
	fmt.Fprintf(p.w, "\n%v\n", p.lab.Quality())
}

func (p *play) sumStep(s scenario.Step, drops []impair.Drop, end time.Time) {
	at := p.table.t0.Add(s.At)
	fmt.Fprintf(p.w, "\n%s: at %+.3f", s.Name, s.At.Seconds())
	if s.For > 0 {
		fmt.Fprintf(p.w, " for %v", s.For)
	}
	origin, text := at, "took no packet"
	drops = slices.DeleteFunc(slices.Clone(drops), func(d impair.Drop) bool { return d.Rule != s.Name })
	if len(drops) > 0 {
		first := slices.MinFunc(drops, func(a, b impair.Drop) int { return cmp.Compare(a.First, b.First) })
		origin, text = p.lab.Hub().Time(first.First), taken(drops, first)
	}
	fmt.Fprintf(p.w, "; %s\n", text)
	var window []entry
	for _, e := range p.table.done {
		if !e.At.Before(at.Add(-stampGrain)) && e.At.Before(end) {
			window = append(window, e)
		}
	}
	fmt.Fprintf(p.w, "  corosync:    %s\n", corosyncDid(window, origin))
	fmt.Fprintf(p.w, "  quorumwatch: %s\n", watchSaid(window, origin))
}

// stampGrain is the step of Corosync's stamps.
const stampGrain = 10 * time.Millisecond

func taken(drops []impair.Drop, first impair.Drop) string {
	var n [3]int64
	for _, d := range drops {
		n[d.Kind] += d.Count
	}
	return fmt.Sprintf("took %d of corosync, %d probes, %d others; the first was %v from %s to %s, link %d",
		n[impair.Corosync], n[impair.Probe], n[impair.Other], first.Kind, first.From, first.To, first.Link)
}

// corosyncDid lists the first of each kind of event.
func corosyncDid(window []entry, origin time.Time) string {
	var parts []string
	note := func(what string, match func(entry) bool) {
		var nodes []string
		var first time.Time
		for _, e := range window {
			if e.Source != sourceCorosync || !match(e) {
				continue
			}
			if len(nodes) == 0 {
				first = e.At
			}
			if !slices.Contains(nodes, e.Node) {
				nodes = append(nodes, e.Node)
			}
		}
		if len(nodes) > 0 {
			parts = append(parts, fmt.Sprintf("%s %+.3f (%s)", what, first.Sub(origin).Seconds(), strings.Join(nodes, " ")))
		}
	}
	is := func(event lab.Event) func(entry) bool { return func(e entry) bool { return e.Event == event } }
	note("link down", is(lab.EventLinkDown))
	note("token warning", is(lab.EventTokenWarning))
	note("TOKEN LOST", is(lab.EventTokenLost))
	note("new ring", is(lab.EventMembership))
	note("SPLIT", func(e entry) bool { return e.Event == lab.EventMembership && len(e.Left) > 0 })
	note("QUORUM LOST", is(lab.EventInquorate))
	if len(parts) == 0 {
		return "noticed nothing"
	}
	return strings.Join(parts, ", ")
}

// watchSaid lists the first finding of each severity that was not there before.
func watchSaid(window []entry, origin time.Time) string {
	var parts []string
	for _, s := range []checker.Severity{checker.Info, checker.Warning, checker.Critical} {
		i := slices.IndexFunc(window, func(e entry) bool { return e.Source == sourceWatch && e.Severity == s && !e.At.Before(origin) })
		if i >= 0 {
			e := window[i]
			parts = append(parts, fmt.Sprintf("%s in a report of %+.3f (%s: %s)", strings.ToUpper(s.String()), e.At.Sub(origin).Seconds(), e.Node, e.Code))
		}
	}
	if len(parts) == 0 {
		return "said nothing"
	}
	return strings.Join(parts, ", ")
}
