//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

const (
	shortClear = 90 * time.Second // after which the findings of a short cut have to be gone, whatever knet does
	clearLate  = 30 * time.Second // beyond the stable period: knet takes a link up again within this
)

// short is what was recorded of one cut that Corosync was to survive.
type short struct {
	Number   int
	Ended    time.Time
	Token    time.Duration
	FirstAny time.Time
	Nodes    []witness
	Happened []string // nodes whose agent called a split a fact
	Did      []lab.Line
	Doubts   []string
}

// shortRow is what it came to.
type shortRow struct {
	Number   int
	Survived bool // no token was lost
	Warned   bool // it came so close that Corosync itself warned
	Downs    int  // links that knet took down
	Found    []time.Duration
	Worst    checker.Severity
	Claims   []string      // nodes whose agent claimed a split
	Cleared  time.Duration // the last finding about it, counted from the end of the cut; never: still there
	Early    bool          // a node cleared all before the stable period was over
	Stable   time.Duration
	Doubtful bool
}

// stablePeriod is how long an outage must be over before its findings are (checker.Step).
func stablePeriod(token time.Duration) time.Duration { return max(5*time.Second, 3*token) }

func judgeShort(s short) shortRow {
	r := shortRow{Number: s.Number, Survived: true, Claims: s.Happened, Stable: stablePeriod(s.Token), Doubtful: len(s.Doubts) > 0}
	for _, l := range s.Did {
		switch l.Event {
		case lab.EventTokenLost, lab.EventMembership:
			r.Survived = false
		case lab.EventTokenWarning:
			r.Warned = true
		case lab.EventLinkDown:
			r.Downs++
		}
	}
	for _, w := range s.Nodes {
		found := never
		if first, ok := firstOf(w.Said, func(x saying) bool { return x.live() && x.about(w.Far) }); ok {
			found = first.At.Sub(s.FirstAny)
		}
		r.Found = append(r.Found, found)
		for _, x := range w.Said {
			if x.live() && !slices.Contains(hostCodes, x.Code) {
				r.Worst = max(r.Worst, x.Severity)
			}
		}
		cleared := lastCleared(w, s.Ended)
		r.Early = r.Early || cleared != never && cleared < r.Stable-100*time.Millisecond
		if cleared == never || r.Cleared == never {
			r.Cleared = never
		} else {
			r.Cleared = max(r.Cleared, cleared)
		}
	}
	return r
}

// lastCleared is when the last of a node's findings about the outage went away; never, if one stands or none ever did.
func lastCleared(w witness, end time.Time) time.Duration {
	standing := map[string]bool{}
	last := never
	for _, s := range w.Said {
		if !isOutage(s.Code) {
			continue
		}
		standing[s.Code+s.Subject] = !s.Cleared
		if s.Cleared {
			last = s.At.Sub(end)
		}
	}
	for _, stands := range standing {
		if stands {
			return never
		}
	}
	return last
}

func (r shortRow) found() bool { return len(r.Found) > 0 && !slices.Contains(r.Found, never) }

// modest: what was said was not more than it was. Links that knet has down while the token is overdue are critical, however short the cut was that this came of.
func (r shortRow) modest() bool {
	return len(r.Claims) == 0 && (r.Worst < checker.Critical || r.Warned)
}

func (r shortRow) cleared() bool {
	return r.Cleared != never && !r.Early && r.Cleared <= r.Stable+clearLate
}

func requireShort(rows []shortRow) []requirement {
	survived := slices.DeleteFunc(slices.Clone(rows), func(r shortRow) bool { return !r.Survived })
	list := []requirement{
		require("a finding on every node", survived, shortRow.found),
		require("no claim of a split, and nothing critical unless Corosync itself warned of its token", survived, shortRow.modest),
		require("cleared after the stable period", survived, shortRow.cleared),
	}
	if n := len(rows) - len(survived); n > 0 {
		list[0].Note = fmt.Sprintf("%d more left out: Corosync lost its token in them", n)
	}
	return list
}

func headShort(w io.Writer) {
	fmt.Fprint(w, "Times in ms: the finding from the first lost packet (median / worst over the nodes), cleared from the end of the cut.\n\n")
	head(w, "cut", "Corosync", "links down", "finding", "worst severity", "split claimed", "cleared", "kept")
}

func (r shortRow) print(w io.Writer) {
	corosync := "survived"
	kept := yes(r.found() && r.modest() && r.cleared())
	switch {
	case r.Warned && r.Survived:
		corosync = "survived, warned"
	case !r.Survived:
		corosync, kept = "lost its token", "left out"
	}
	claims := "no"
	if len(r.Claims) > 0 {
		claims = fmt.Sprint(r.Claims)
	}
	line(w, fmt.Sprint(r.Number), corosync, fmt.Sprint(r.Downs), pair(r.Found), r.Worst.String(), claims, cell(r.Cleared), kept+doubt(r.Doubtful))
}

// proveShort makes cuts that Corosync survives.
func proveShort(ctx context.Context, b *bench) ([]requirement, error) {
	length := b.o.cut
	if length == 0 {
		length = max(b.token*3/100, b.o.interval*12/5)
	}
	fmt.Fprintf(b.w, "Each cut lasts %v; the stable period is %v.\n\n", length, stablePeriod(b.token))
	headShort(b.w)
	var rows []shortRow
	for i := range b.o.runs {
		s, err := b.short(ctx, i+1, length)
		if err != nil {
			return requireShort(rows), fmt.Errorf("cut %d: %w", i+1, err)
		}
		r := judgeShort(s)
		r.print(b.w)
		rows = append(rows, r)
	}
	return requireShort(rows), nil
}

// short makes one cut and records what came of it, until all findings about it are gone.
func (b *bench) short(ctx context.Context, number int, length time.Duration) (short, error) {
	s := short{Number: number, Token: b.token}
	if err := b.calm(ctx); err != nil {
		return s, err
	}
	if err := b.somewhen(ctx); err != nil {
		return s, err
	}
	for _, n := range b.lab.Nodes() {
		s.Nodes = append(s.Nodes, witness{Name: n.Name(), Far: b.far(n)})
	}
	b.lab.MarkQuality()
	name := fmt.Sprintf("short cut %d", number)
	at, err := b.cut(name, length)
	if err != nil {
		return s, err
	}
	s.Ended = at.Add(length)
	polling, stop := context.WithCancel(ctx)
	looks := b.follow(polling, at.Add(quietStart))
	err = b.awaitCleared(ctx, s.Ended)
	stop()
	s.claims(looks())
	if err != nil {
		return s, err
	}
	s.Doubts = b.doubt(name)
	return s, b.recordShort(&s, name, at)
}

// awaitCleared waits until the findings about a cut have had their time to go away.
func (b *bench) awaitCleared(ctx context.Context, end time.Time) error {
	if err := sleep(ctx, time.Until(end.Add(stablePeriod(b.token)))); err != nil {
		return err
	}
	for time.Since(end) < shortClear {
		if len(b.unrest(ctx)) == 0 {
			return nil
		}
		if err := sleep(ctx, calmPoll); err != nil {
			return err
		}
	}
	return nil
}

// claims notes who called a split a fact.
func (s *short) claims(seen map[string][]look) {
	for _, w := range s.Nodes {
		if slices.ContainsFunc(seen[w.Name], func(r look) bool { return r.Outcome != nil && r.Outcome.Happened }) {
			s.Happened = append(s.Happened, w.Name)
		}
	}
}

func (b *bench) recordShort(s *short, name string, at time.Time) error {
	drops, err := b.lab.Hub().Drops(name)
	if err != nil {
		return err
	}
	s.FirstAny = b.firstDrop(drops, func(impair.Drop) bool { return true })
	s.Did = b.lab.Lines(at)
	for i := range s.Nodes {
		if s.Nodes[i].Said, err = b.said(b.lab.Node(s.Nodes[i].Name), at); err != nil {
			return err
		}
	}
	return b.lab.Hub().Remove(name)
}
