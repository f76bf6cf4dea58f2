//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// reorder is how long an entry may come after others that happened later: logs and reports are polled.
const reorder = 1500 * time.Millisecond

// columnWidth is the width of Corosync's column.
const columnWidth = 44

// source says who an entry is from.
type source string

const (
	sourceLab      source = "lab"
	sourceCorosync source = "corosync"
	sourceWatch    source = "quorumwatch"
)

// entry is one line of the table.
type entry struct {
	At       time.Time        `json:"at"`
	Since    float64          `json:"since"` // seconds since the start of the timeline
	Node     string           `json:"node,omitempty"`
	Source   source           `json:"source"`
	Text     string           `json:"text"`
	Event    lab.Event        `json:"-"`                  // of Corosync
	Kind     string           `json:"event,omitempty"`    // name of Event
	Severity checker.Severity `json:"severity,omitempty"` // of quorumwatch
	Code     string           `json:"code,omitempty"`     // of quorumwatch
	Began    time.Time        `json:"began,omitzero"`     // of a finding: since when it holds, by its own word
	Left     []uint32         `json:"left,omitempty"`     // of a membership
	hidden   bool             // not printed
}

// table prints entries in the order in which things happened, and keeps them.
type table struct {
	w       io.Writer
	json    io.Writer // may be nil
	t0      time.Time
	pending []entry
	done    []entry
}

func (t *table) head() {
	fmt.Fprintf(t.w, "\n%9s  %-4s %-*s %s\n", "TIME", "NODE", columnWidth, "COROSYNC", "QUORUMWATCH")
}

func (t *table) add(list ...entry) {
	for _, e := range list {
		e.Since = e.At.Sub(t.t0).Seconds()
		if e.Source == sourceCorosync {
			e.Kind = e.Event.String()
		}
		t.pending = append(t.pending, e)
	}
}

// flush prints what happened before the moment.
func (t *table) flush(before time.Time) {
	slices.SortStableFunc(t.pending, func(a, b entry) int { return a.At.Compare(b.At) })
	n := slices.IndexFunc(t.pending, func(e entry) bool { return !e.At.Before(before) })
	if n < 0 {
		n = len(t.pending)
	}
	for _, e := range t.pending[:n] {
		if !e.hidden {
			fmt.Fprintln(t.w, e.line())
		}
		if t.json != nil {
			json.NewEncoder(t.json).Encode(e)
		}
	}
	t.done = append(t.done, t.pending[:n]...)
	t.pending = slices.Delete(t.pending, 0, n)
}

func (e entry) line() string {
	left, right := "", ""
	switch e.Source {
	case sourceLab:
		left = "---- " + e.Text + " ----"
	case sourceCorosync:
		left = e.Text
	case sourceWatch:
		right = e.Text
		if e.Severity > checker.OK {
			right = strings.ToUpper(e.Severity.String()) + " " + e.Code + ": " + e.Text
		}
	}
	return strings.TrimRight(fmt.Sprintf("%+9.3f  %-4s %-*s %s", e.Since, e.Node, columnWidth, left, right), " ")
}

// corosyncEntry is a line of Corosync's log as an entry. It reports false for lines that do not matter here.
func corosyncEntry(line lab.Line, names map[uint32]string) (entry, bool) {
	e := entry{At: line.At, Node: line.Node, Source: sourceCorosync, Event: line.Event, Left: line.Left}
	ms := line.For.Milliseconds()
	switch line.Event {
	case lab.EventTokenWarning:
		e.Text = fmt.Sprintf("no token for %d ms", ms)
	case lab.EventTokenLost:
		e.Text = fmt.Sprintf("TOKEN LOST after %d ms", ms)
	case lab.EventMembership:
		e.Text = "membership " + line.Ring + list(": joined", line.Join, names) + list(": LEFT", line.Left, names)
		if len(line.Join)+len(line.Left) == 0 {
			e.Text += ": same members"
		}
	case lab.EventLinkDown:
		e.Text = fmt.Sprintf("link %d to %s down", line.Link, names[line.Peer])
	case lab.EventLinkUp:
		e.Text = fmt.Sprintf("link %d to %s up", line.Link, names[line.Peer])
	case lab.EventNoLinks:
		e.Text = fmt.Sprintf("no link left to %s", names[line.Peer])
	case lab.EventQuorate:
		e.Text = "quorate"
	case lab.EventInquorate:
		e.Text = "QUORUM LOST"
	case lab.EventNotScheduled, lab.EventPause:
		e.Text = fmt.Sprintf("%v for %d ms", line.Event, ms)
	case lab.EventStarted, lab.EventExited, lab.EventReload:
		e.Text = line.Event.String()
	default:
		return e, false
	}
	return e, true
}

func list(what string, ids []uint32, names map[uint32]string) string {
	if len(ids) == 0 {
		return ""
	}
	for _, id := range ids {
		what += " " + names[id]
	}
	return what
}
