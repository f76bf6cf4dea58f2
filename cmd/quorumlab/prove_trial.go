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

// cutOf is one blackout of the path between the sites.
type cutOf struct {
	Links []int         `json:"links,omitempty"` // none: all
	After time.Duration `json:"after,omitempty"` // of the beginning of the trial
	For   time.Duration `json:"for"`
}

// trialCell is what cuts at a random moment did to a quiet cluster. Times count from the beginning of the first cut; zero: it did not happen.
type trialCell struct {
	Ring      ringSpec        `json:"ring"`
	Effective time.Duration   `json:"effective"` // token, as the daemon shows it
	Case      string          `json:"case"`
	Cuts      []cutOf         `json:"cuts"`
	Lost      time.Duration   `json:"lost,omitempty"`   // the ring broke
	Formed    time.Duration   `json:"formed,omitempty"` // the first new membership of any node
	Healed    time.Duration   `json:"healed,omitempty"` // all showed one ring again
	Split     bool            `json:"split,omitempty"`  // somebody left
	Warned    time.Duration   `json:"warned,omitempty"`
	Down      time.Duration   `json:"down,omitempty"` // the first link went down
	Downs     int             `json:"downs,omitempty"`
	Gaps      []time.Duration `json:"gaps,omitempty"` // by node: the longest time without the token
	Said      []marginSaid    `json:"said,omitempty"` // by the agents, of the same time
	Load      string          `json:"load"`
	Doubts    []string        `json:"doubts,omitempty"`
}

// end is when the last cut is over.
func (c trialCell) end() time.Duration {
	end := time.Duration(0)
	for _, cut := range c.Cuts {
		end = max(end, cut.After+cut.For)
	}
	return end
}

// horizon is until when a break of the ring is laid to the cuts: knet's links are up again by then.
func (c trialCell) horizon() time.Duration { return c.end() + 2*c.Effective }

// healLimit is how long after the horizon a ring may take to be whole again.
const healLimit = time.Minute

// trials measures cells one after another, the recorded ones left out: as many of each kind as the cells say.
func (b *bench) trials(ctx context.Context, proof string, cells []trialCell) ([]trialCell, error) {
	known, err := readRecord[trialCell](b.o.record, proof)
	if err != nil {
		return nil, err
	}
	done := slices.Clone(known)
	for i, c := range cells {
		if k := slices.IndexFunc(known, func(d trialCell) bool { return len(d.Doubts) == 0 && d.same(c) }); k >= 0 {
			known = slices.Delete(known, k, k+1)
			continue
		}
		if err := b.trial(ctx, &c); err != nil {
			return done, fmt.Errorf("trial %d, %s: %w", i+1, c.Case, err)
		}
		fmt.Fprintf(b.w, "%d/%d %s: lost %s, formed %s, healed %s, gaps %v; doubts: %q\n",
			i+1, len(cells), c.Case, orDash(c.Lost), orDash(c.Formed), orDash(c.Healed), c.Gaps, c.Doubts)
		if err := appendRecord(b.o.record, proof, c); err != nil {
			return done, err
		}
		done = append(done, c)
	}
	return done, nil
}

// orDash is a time in ms, or a dash for one that never came.
func orDash(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return cell(d)
}

// same: both try the same thing.
func (c trialCell) same(d trialCell) bool {
	return c.Case == d.Case && fmt.Sprint(c.Ring, c.Cuts) == fmt.Sprint(d.Ring, d.Cuts)
}

// trial makes the cuts of a cell and notes what came of them.
func (b *bench) trial(ctx context.Context, c *trialCell) error {
	if err := errors.Join(b.calm(ctx), b.somewhen(ctx)); err != nil {
		return err
	}
	b.lab.MarkQuality()
	tokens, said := b.followTokens(ctx), b.followMargins(ctx)
	start := b.lab.Hub().Now() + impair.Instant(cutLead)
	from := b.lab.Hub().Time(start)
	names, err := b.cutAll(c.Cuts, start)
	if err == nil {
		err = b.awaitWhole(ctx, *c, from)
	}
	until := b.lab.Hub().Now()
	passed, tapped := tokens()
	if err := errors.Join(err, tapped); err != nil {
		return err
	}
	c.Said = said(b.lab.Hub().Time(until))
	q := b.lab.Quality()
	c.Doubts, c.Load = q.Doubts, q.Load
	for _, d := range q.Doubts {
		b.odd = append(b.odd, c.Case+": "+d)
	}
	c.Gaps = b.gaps(passed, start, until)
	c.note(b.members(), b.lab.Lines(time.Time{}), from)
	return b.lab.Hub().Remove(names...)
}

// cutAll adds a rule for each cut.
func (b *bench) cutAll(cuts []cutOf, start impair.Instant) ([]string, error) {
	sites := b.sites()
	var rules []impair.Rule
	var names []string
	for i, cut := range cuts {
		r := impair.Rule{Name: fmt.Sprintf("trial cut %d", i+1), From: sites[:1], To: sites[1:], Both: true, Links: cut.Links, Blackout: true}
		r.Start = start + impair.Instant(cut.After)
		r.End = r.Start + impair.Instant(cut.For)
		rules, names = append(rules, r), append(names, r.Name)
	}
	return names, b.lab.Hub().Add(rules...)
}

// awaitWhole waits until the cuts can break nothing any more and what they broke is whole again.
func (b *bench) awaitWhole(ctx context.Context, c trialCell, from time.Time) error {
	if err := sleep(ctx, time.Until(from.Add(c.horizon()))+logLag); err != nil {
		return err
	}
	for limit := from.Add(c.horizon() + healLimit); ; {
		if !watchLines(b.members(), b.lab.Lines(time.Time{}), from).broken {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("the ring is not whole %v after the cuts", healLimit)
		}
		if err := sleep(ctx, logLag); err != nil {
			return err
		}
	}
}

// note takes what happened from all lines that the nodes ever wrote.
func (c *trialCell) note(nodes []member, lines []lab.Line, from time.Time) {
	w := watchLines(nodes, lines, from)
	if first, end := w.between(0, c.horizon()); first < end {
		c.Lost, c.Formed, c.Healed = max(w.Breaks[first], 1), w.Formed[first], w.Healed[first]
	}
	for _, l := range lines {
		at := max(l.At.Sub(from), 1)
		if l.At.Before(from) {
			continue
		}
		switch {
		case l.Event == lab.EventTokenWarning && c.Warned == 0:
			c.Warned = at
		case l.Event == lab.EventLinkDown:
			c.Downs++
			if c.Down == 0 {
				c.Down = at
			}
		case l.Event == lab.EventMembership:
			c.Split = c.Split || len(l.Left) > 0
		}
	}
}
