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
	all   bool // nothing is hidden
	known map[string]checker.Finding
	mute  bool // the agent did not answer last time
	ever  bool // it has answered once
}

// step compares a report with the one before. Entries carry the time of the report in which something was first seen, not that since
// which it holds, which an agent may set back: only what has been said counts. All clocks of a lab are one. Context and symptoms of
// something else are hidden from the table, but count in the summary.
func (t *tracker) step(now time.Time, r report) []entry {
	var list []entry
	at := recent(r.At, now)
	if t.mute || !t.ever {
		list = append(list, t.entry(now, "agent answers", checker.Finding{}, false))
	}
	t.mute, t.ever = false, true
	found := map[string]checker.Finding{}
	for _, f := range r.Findings {
		found[f.Key] = f
		before, old := t.known[f.Key]
		if text, news := change(before, f, old, t.hides(before) && !t.hides(f)); news {
			list = append(list, t.entry(at, text, f, t.hides(f)))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.known)) {
		if _, still := found[key]; !still {
			gone := t.known[key]
			list = append(list, t.entry(at, "cleared: "+gone.Title, checker.Finding{Code: gone.Code}, t.hides(gone)))
		}
	}
	t.known = found
	return list
}

// change says in words what is new about a finding; surfaced ones were hidden until now.
func change(before, f checker.Finding, old, surfaced bool) (string, bool) {
	switch {
	case (!old || surfaced) && f.Clearing:
		return "clearing: " + f.Title, true
	case !old || surfaced:
		return f.Title, true
	case f.Severity > before.Severity:
		return "now " + f.Severity.String() + ": " + f.Title, true
	case f.Severity < before.Severity:
		return "no more than " + f.Severity.String() + ": " + f.Title, true
	case f.Clearing && !before.Clearing:
		return "clearing: " + f.Title, true
	}
	return "", false
}

// hides reports whether a finding is context or a symptom.
func (t *tracker) hides(f checker.Finding) bool {
	return !t.all && (f.Severity <= checker.Info || f.Cause != "")
}

// silent notes that the agent did not answer.
func (t *tracker) silent(now time.Time, err error) []entry {
	if t.mute || !t.ever {
		return nil
	}
	t.mute = true
	return []entry{t.entry(now, fmt.Sprintf("agent does not answer: %v", err), checker.Finding{}, false)}
}

func (t *tracker) entry(at time.Time, text string, f checker.Finding, hidden bool) entry {
	e := entry{At: at, Node: t.node, Source: sourceWatch, Severity: f.Severity, Code: f.Code, Text: text, Began: f.Since, hidden: hidden}
	if f.Clearing {
		e.Severity = checker.OK
	}
	return e
}

// recent is at, unless that is too old to be a matter of now or still to come.
func recent(at, now time.Time) time.Time {
	if at.After(now) || now.Sub(at) > reorder {
		return now
	}
	return at
}
