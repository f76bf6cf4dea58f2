//go:build linux

package main

import (
	"context"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
)

// marginSaid is what one agent told of the worst token gap of a stretch of time.
type marginSaid struct {
	Node   string        `json:"node"`
	Basis  string        `json:"basis"`
	Gap    time.Duration `json:"gap"`   // of the ring in the middle, or what its Corosync told of
	Worst  time.Duration `json:"worst"` // of the worst ring
	Losses int           `json:"losses,omitempty"`
	Reads  int           `json:"reads"` // reports
}

const (
	marginPoll = time.Second      // of the reports: well within the shortest window
	marginLag  = 20 * time.Second // after which an agent has run its rings over all that happened
	hindsight  = 5 * time.Second  // how far behind those run that are held to what knet did, and a report
	marginLong = 10 * time.Second // the window that is read
)

// followMargins polls all agents for the margin of the last ten seconds. The function that it returns waits until they have run over what
// happened up to a moment, and gives the worst of it. What came before is in the first windows too: it has to be calm.
func (b *bench) followMargins(ctx context.Context) func(until time.Time) []marginSaid {
	begun := time.Now()
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan time.Time, 1)
	said := make(chan []marginSaid, 1)
	go func() { said <- b.pollMargins(ctx, begun, ended) }()
	return func(until time.Time) []marginSaid {
		defer stop()
		ended <- until
		return <-said
	}
}

func (b *bench) pollMargins(ctx context.Context, begun time.Time, ended <-chan time.Time) []marginSaid {
	list := make([]marginSaid, len(b.cast.list))
	var until time.Time
	for open := true; open && sleep(ctx, marginPoll) == nil; {
		select {
		case until = <-ended:
		default:
		}
		open = until.IsZero()
		for i, a := range b.cast.list {
			list[i].Node = a.node.Name()
			r, err := a.look(ctx)
			if err != nil || r.Margin.At.Before(begun) {
				open = open || time.Since(until) < marginLag
				continue
			}
			list[i].read(r.Margin)
			open = open || r.Margin.At.Before(until.Add(hindsight)) && time.Since(until) < marginLag
		}
	}
	return list
}

// read takes the shortest window of a report.
func (m *marginSaid) read(margin checker.Margin) {
	m.Reads++
	m.Basis = margin.Basis
	if len(margin.Windows) == 0 {
		return
	}
	w := margin.Windows[0]
	m.Gap, m.Worst, m.Losses = max(m.Gap, w.Gap.Duration()), max(m.Worst, w.WorstGap.Duration()), max(m.Losses, w.TokenLosses)
}
