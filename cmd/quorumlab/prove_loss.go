//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	Heal      time.Duration   `json:"heal,omitempty"`  // from the end of the loss until all nodes were in one ring; 0: was not looked for
	Stuck     bool            `json:"stuck,omitempty"` // they never were: Heal is how long was waited
	Joins     int             `json:"joins,omitempty"` // join messages that all nodes sent meanwhile
	Gaps      []time.Duration `json:"gaps,omitempty"`  // by node: the longest time without the token, if the hub could tell
	Said      []marginSaid    `json:"said,omitempty"`  // by the agents, of the same time
	Late      time.Duration   `json:"late"`            // of the hub's packets, the latest
	Load      string          `json:"load"`
	Doubts    []string        `json:"doubts,omitempty"`
}

// same: both measured the same thing.
func (c lossCell) same(d lossCell) bool {
	return fmt.Sprint(c.Ring) == fmt.Sprint(d.Ring) && c.Loss == d.Loss
}

const lossName = "loss of the path"

const (
	leastRun = 30 * time.Second  // the shortest run that is worth adding to others
	mostRun  = 100 * time.Second // the longest: one stall of the machine makes a whole run doubtful
)

// proveLoss lets the path between the sites lose packets, more and more of them.
func proveLoss(ctx context.Context, b *bench) ([]requirement, error) {
	known, err := readRecord[lossCell](b.o.record, "loss")
	if err != nil {
		return nil, err
	}
	for _, loss := range b.o.losses {
		c := lossCell{Ring: b.o.ring(), Effective: b.token, Loss: loss}
		for _, c.For = range lossTimes(b.o.lasts, soundly(known, c)) {
			run, err := b.loseOnce(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("loss %g %%: %w", 100*loss, err)
			}
			known = append(known, run)
		}
	}
	return tabulateLoss(b.w, pool(mine(known, b.o.ring())), b.o.seeds)
}

// lossTimes are how long the runs of a cell take that has been measured for so long already.
func lossTimes(lasts, before time.Duration) []time.Duration {
	left := lasts - before
	if left <= 0 || before > 0 && left < leastRun {
		return nil
	}
	n := (left + mostRun - 1) / mostRun
	return slices.Repeat([]time.Duration{(left / n).Round(time.Second)}, int(n))
}

// loseOnce measures a cell for one run and records it.
func (b *bench) loseOnce(ctx context.Context, c lossCell) (lossCell, error) {
	if err := b.calm(ctx); err != nil {
		return c, err
	}
	if err := b.lose(ctx, &c); err != nil {
		return c, err
	}
	fmt.Fprintf(b.w, "loss %g %%: %d disruptions, %d link downs in %v, gaps %v, whole after %v (stuck: %v), %d joins; doubts: %q\n",
		100*c.Loss, len(c.Breaks), c.Downs, c.For, c.Gaps, c.Heal, c.Stuck, c.Joins, c.Doubts)
	if err := appendRecord(b.o.record, "loss", c); err != nil || !c.Stuck {
		return c, err
	}
	if err := b.configure(ctx, []byte(b.lab.Conf())); err != nil {
		return c, fmt.Errorf("stuck, and then: %w", err)
	}
	return c, nil
}

// mine are the cells of one cluster.
func mine(list []lossCell, ring ringSpec) []lossCell {
	return slices.DeleteFunc(slices.Clone(list), func(c lossCell) bool { return fmt.Sprint(c.Ring) != fmt.Sprint(ring) })
}

// lose measures one cell.
func (b *bench) lose(ctx context.Context, c *lossCell) error {
	sites := b.sites()
	joins := b.joins(ctx)
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
	if err := errors.Join(b.heal(ctx, c, from, to), b.lab.Hub().Remove(lossName)); err != nil {
		return err
	}
	c.Joins = max(0, b.joins(ctx)-joins)
	return nil
}

// stuckAfter is how long after the loss nodes may take to find each other before they are called stuck.
const stuckAfter = 90 * time.Second

// heal waits until all nodes are in one ring again.
func (b *bench) heal(ctx context.Context, c *lossCell, from, to time.Time) error {
	for {
		if w := watchLines(b.members(), b.lab.Lines(time.Time{}), from); !w.broken {
			c.Heal = 1 // at once
			if n := len(w.Healed); n > 0 && w.Healed[n-1] > c.For {
				c.Heal = w.Healed[n-1] - c.For
			}
			return nil
		}
		if time.Since(to) > stuckAfter {
			c.Heal, c.Stuck = stuckAfter, true
			return nil
		}
		if err := sleep(ctx, logLag); err != nil {
			return err
		}
	}
}

// joins counts the join messages that all nodes have sent since they started, as far as they tell.
func (b *bench) joins(ctx context.Context) int {
	n := 0
	for _, node := range b.lab.Nodes() {
		asking, cancel := context.WithTimeout(ctx, pollTimeout)
		out, err := node.Run(asking, "corosync-cmapctl", "-m", "stats", "-g", "stats.srp.memb_join_tx")
		cancel()
		if m := cmapValue.FindSubmatch(out); err == nil && m != nil {
			sent, _ := strconv.Atoi(string(m[1]))
			n += sent
		}
	}
	return n
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
