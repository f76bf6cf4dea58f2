package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/replay"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// traceFacts are what a trace is, at a glance.
type traceFacts struct {
	author                 string
	start, end             time.Time
	paths                  int
	arrived, lost, unknown int // slots
}

func (a *replayed) facts() traceFacts {
	t := a.trace
	first, next := t.Span()
	x := traceFacts{
		author: fmt.Sprintf("node %d", t.Author), paths: len(t.Paths),
		start: t.Start.Add(t.At(first)).UTC(), end: t.Start.Add(t.At(next)).UTC(),
	}
	for _, n := range t.Nodes {
		if n.ID == t.Author && n.Name != "" {
			x.author = n.Name
		}
	}
	for _, s := range t.Paths {
		x.unknown += next - first
		for slot := s.First(); slot < s.Next(); {
			v, until := s.Run(slot)
			switch v.State {
			case trace.Arrived:
				x.arrived += until - slot
			case trace.Lost:
				x.lost += until - slot
			}
			slot = until
		}
	}
	x.unknown -= x.arrived + x.lost
	return x
}

// The JSON form: docs/trace.md.
type (
	replayJSON struct {
		Trace    traceJSON `json:"trace"`
		Passes   int       `json:"passes"`
		Marks    []mark    `json:"marks"`
		Settings []setJSON `json:"settings"`
	}
	traceJSON struct {
		Source  string    `json:"source"`
		Author  string    `json:"author"`
		Start   time.Time `json:"start"`
		End     time.Time `json:"end"`
		Nodes   int       `json:"nodes"`
		Paths   int       `json:"paths"`
		Lost    float64   `json:"lost_ratio"`
		Unknown float64   `json:"unknown_ratio"`
	}
	mark struct {
		At   time.Time `json:"at"`
		Kind string    `json:"kind"`
		Text string    `json:"text"`
	}
	setJSON struct {
		Name      string            `json:"name"`
		Changes   map[string]string `json:"changes"`
		Token     float64           `json:"token_seconds"`
		Consensus float64           `json:"consensus_seconds"`
		Lost      int               `json:"passes_with_loss"`
		Losses    countJSON         `json:"token_losses"`
		Splits    countJSON         `json:"splits"`
		LinkDowns countJSON         `json:"link_downs"`
		Worst     float64           `json:"worst_gap_seconds"`
		WorstAt   time.Time         `json:"worst_gap_at"`
		WorstNode string            `json:"worst_gap_node"`
		Typical   float64           `json:"typical_worst_gap_seconds"`
		Margin    float64           `json:"margin"`
		Freeze    float64           `json:"longest_freeze_seconds"`
		Events    []eventJSON       `json:"events"`
		Notes     []string          `json:"notes"`
	}
	countJSON struct {
		Median int `json:"median"`
		Low    int `json:"low"`
		High   int `json:"high"`
	}
	eventJSON struct {
		First  time.Time `json:"first"`
		Last   time.Time `json:"last"`
		Passes int       `json:"passes"`
		Splits int       `json:"splits"`
		Freeze float64   `json:"freeze_seconds"`
		Where  string    `json:"where"`
	}
)

// json writes the answer for machines.
func (a *replayed) json(w io.Writer) error {
	x := a.facts()
	out := replayJSON{
		Trace: traceJSON{
			Source: a.name, Author: x.author, Start: x.start, End: x.end, Nodes: len(a.trace.Nodes), Paths: x.paths,
			Lost: ratio(x.lost, x.lost+x.arrived), Unknown: ratio(x.unknown, x.lost+x.arrived+x.unknown),
		},
		Passes: a.passes, Marks: []mark{}, Settings: []setJSON{},
	}
	for _, m := range a.trace.Marks {
		out.Marks = append(out.Marks, mark{a.wall(m.At), m.Kind, m.Text})
	}
	for i := range a.runs {
		out.Settings = append(out.Settings, a.setJSON(&a.runs[i]))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

func (a *replayed) setJSON(r *replayedSet) setJSON {
	o := &r.outcome
	s := setJSON{
		Name: r.name(), Changes: map[string]string{},
		Token: r.cluster.Timeouts.Token.Seconds(), Consensus: r.cluster.Timeouts.Consensus.Seconds(),
		Lost: o.Lost, Losses: countJSON(o.Losses), Splits: countJSON(o.Splits), LinkDowns: countJSON(o.LinkDowns),
		Worst: o.Worst.Seconds(), WorstAt: a.wall(o.WorstAt), WorstNode: replay.Name(r.cluster, o.WorstNode), Typical: o.Typical.Seconds(),
		Margin: 1 - o.WorstUsed, Freeze: o.Freeze.Seconds(), Events: []eventJSON{}, Notes: list(r.notes(a.trace)),
	}
	for _, c := range r.changes {
		s.Changes[c.key] = c.value
	}
	for _, e := range o.Events {
		s.Events = append(s.Events, eventJSON{a.wall(e.First), a.wall(e.Last), e.Passes, e.Splits, e.Freeze.Seconds(), e.Where})
	}
	return s
}

func (a *replayed) wall(at time.Duration) time.Time { return a.trace.Start.Add(at).UTC() }

func ratio(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }
