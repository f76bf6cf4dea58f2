//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// report is the part of an agent's report that the table needs.
type report struct {
	At       time.Time         `json:"at"`
	Findings []checker.Finding `json:"findings"`
}

// tracker tells what is new in an agent's report.
type tracker struct {
	node  string
	all   bool // also findings of severity info
	known map[string]checker.Finding
	mute  bool // the agent did not answer last time
	ever  bool // it has answered once
}

// step compares a report with the one before. Entries carry the agent's own times where these are recent, as all clocks of a lab are one.
func (t *tracker) step(now time.Time, r report) []entry {
	var list []entry
	if t.mute || !t.ever {
		list = append(list, t.entry(now, checker.OK, "", "agent answers"))
	}
	t.mute, t.ever = false, true
	found := map[string]checker.Finding{}
	for _, f := range r.Findings {
		if f.Severity == checker.Info && !t.all {
			continue
		}
		found[f.Key] = f
		before, old := t.known[f.Key]
		switch {
		case !old:
			list = append(list, t.entry(recent(f.Since, now), f.Severity, f.Code, f.Title))
		case f.Severity > before.Severity:
			list = append(list, t.entry(recent(r.At, now), f.Severity, f.Code, "now "+f.Severity.String()+": "+f.Title))
		case f.Severity < before.Severity:
			list = append(list, t.entry(recent(r.At, now), f.Severity, f.Code, "no more than "+f.Severity.String()+": "+f.Title))
		case f.Clearing && !before.Clearing:
			list = append(list, t.entry(recent(r.At, now), checker.OK, f.Code, "clearing: "+f.Title))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.known)) {
		if _, still := found[key]; !still {
			list = append(list, t.entry(recent(r.At, now), checker.OK, t.known[key].Code, "cleared: "+t.known[key].Title))
		}
	}
	t.known = found
	return list
}

// silent notes that the agent did not answer.
func (t *tracker) silent(now time.Time, err error) []entry {
	if t.mute || !t.ever {
		return nil
	}
	t.mute = true
	return []entry{t.entry(now, checker.OK, "", fmt.Sprintf("agent does not answer: %v", err))}
}

func (t *tracker) entry(at time.Time, s checker.Severity, code, text string) entry {
	return entry{At: at, Node: t.node, Source: sourceWatch, Severity: s, Code: code, Text: text}
}

// recent is at, unless that is too old to be a matter of now (a finding of before the watching began) or still to come.
func recent(at, now time.Time) time.Time {
	if at.After(now) || now.Sub(at) > reorder {
		return now
	}
	return at
}
