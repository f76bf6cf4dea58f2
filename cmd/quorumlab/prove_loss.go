//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// lossCell is what a cluster did over a path that loses packets, each on its own.
type lossCell struct {
	Ring      ringSpec        `json:"ring"`
	Effective time.Duration   `json:"effective"` // token, as the daemon shows it
	Loss      float64         `json:"loss"`
	For       time.Duration   `json:"for"`
	Breaks    []time.Duration `json:"breaks"` // when the ring broke, from the beginning
	Lost      int             `json:"lost"`   // lines "token timed out" of all nodes
	Downs     int             `json:"downs"`  // lines "link is down", each end its own
	Warnings  int             `json:"warnings"`
	Left      int             `json:"left"` // lines of a membership that somebody left
	Inquorate int             `json:"inquorate"`
	Gaps      []time.Duration `json:"gaps,omitempty"` // by node: the longest time without the token, if the hub could tell
	Said      []marginSaid    `json:"said,omitempty"` // by the agents, of the same time
	Late      time.Duration   `json:"late"`           // of the hub's packets, the latest
	Load      string          `json:"load"`
	Doubts    []string        `json:"doubts,omitempty"`
}

// same: both measured the same thing.
func (c lossCell) same(d lossCell) bool {
	return fmt.Sprint(c.Ring) == fmt.Sprint(d.Ring) && c.Loss == d.Loss
}

const lossName = "loss of the path"

// proveLoss lets the path between the sites lose packets, more and more of them.
func proveLoss(ctx context.Context, b *bench) ([]requirement, error) {
	known, err := readRecord[lossCell](b.o.record, "loss")
	if err != nil {
		return nil, err
	}
	for _, loss := range b.o.losses {
		c := lossCell{Ring: b.o.ring(), Effective: b.token, Loss: loss, For: b.o.lasts}
		if recorded(known, c) {
			continue
		}
		if err := b.calm(ctx); err != nil {
			return nil, fmt.Errorf("loss %g %%: %w", 100*loss, err)
		}
		if err := b.lose(ctx, &c); err != nil {
			return nil, fmt.Errorf("loss %g %%: %w", 100*loss, err)
		}
		fmt.Fprintf(b.w, "loss %g %%: %d disruptions, %d link downs in %v, gaps %v; doubts: %q\n", 100*loss, len(c.Breaks), c.Downs, c.For, c.Gaps, c.Doubts)
		if err := appendRecord(b.o.record, "loss", c); err != nil {
			return nil, err
		}
		known = append(known, c)
	}
	return tabulateLoss(b.w, merged(mine(known, b.o.ring())), b.o.seeds)
}

// mine are the cells of one cluster.
func mine(list []lossCell, ring ringSpec) []lossCell {
	return slices.DeleteFunc(slices.Clone(list), func(c lossCell) bool { return fmt.Sprint(c.Ring) != fmt.Sprint(ring) })
}

func recorded(list []lossCell, c lossCell) bool {
	for _, d := range list {
		if d.same(c) && len(d.Doubts) == 0 {
			return true
		}
	}
	return false
}

// lose measures one cell.
func (b *bench) lose(ctx context.Context, c *lossCell) error {
	sites := b.sites()
	b.lab.MarkQuality()
	tokens, said := b.followTokens(ctx), b.followMargins(ctx)
	rule := impair.Rule{Name: lossName, From: sites[:1], To: sites[1:], Both: true, Loss: c.Loss, Start: b.lab.Hub().Now() + impair.Instant(cutLead)}
	rule.End = rule.Start + impair.Instant(c.For)
	if err := b.lab.Hub().Add(rule); err != nil {
		return err
	}
	from, to := b.lab.Hub().Time(rule.Start), b.lab.Hub().Time(rule.End)
	slept := sleep(ctx, time.Until(to)+logLag)
	passed, err := tokens()
	if err := errors.Join(slept, err); err != nil {
		return err
	}
	c.Gaps, c.Said = b.gaps(passed, rule.Start, rule.End), said(to)
	q := b.lab.Quality()
	c.Doubts, c.Late, c.Load = q.Doubts, q.Packets.Quantile(1), q.Load
	b.odd = append(b.odd, q.Doubts...)
	c.count(b.members(), b.lab.Lines(time.Time{}), from, to)
	return b.lab.Hub().Remove(lossName)
}

// logLag is how long after it happened a line may come to be read.
const logLag = 200 * time.Millisecond

// count takes the lines of all nodes from their start.
func (c *lossCell) count(nodes []member, lines []lab.Line, from, to time.Time) {
	w := watchLines(nodes, lines, from)
	first, end := w.between(0, to.Sub(from))
	c.Breaks = w.Breaks[first:end]
	for _, l := range lines {
		if l.At.Before(from) || !l.At.Before(to) {
			continue
		}
		switch l.Event {
		case lab.EventTokenLost:
			c.Lost++
		case lab.EventLinkDown:
			c.Downs++
		case lab.EventTokenWarning:
			c.Warnings++
		case lab.EventInquorate:
			c.Inquorate++
		case lab.EventMembership:
			if len(l.Left) > 0 {
				c.Left++
			}
		}
	}
}
