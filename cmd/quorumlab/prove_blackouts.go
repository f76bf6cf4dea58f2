//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

const (
	splitSlack = 20 * time.Second        // beyond token and consensus, for a new membership on all nodes
	splitPoll  = 200 * time.Millisecond  // of the memberships
	splitHold  = 1500 * time.Millisecond // the new memberships last this long before they are believed
)

// proveBlackouts cuts the path between the sites until the cluster splits, again and again.
func proveBlackouts(ctx context.Context, b *bench) ([]requirement, error) {
	headBlackouts(b.w)
	var rows []row
	var err error
	for i := range b.o.runs {
		var cut blackout
		if cut, err = b.blackout(ctx, i+1); err != nil {
			err = fmt.Errorf("cut %d: %w", i+1, err)
			break
		}
		r := judgeBlackout(cut)
		r.print(b.w)
		rows = append(rows, r)
	}
	sumBlackouts(b.w, rows)
	if b.o.details {
		detailBlackouts(b.w, rows)
	}
	return requireBlackouts(rows), err
}

// blackout makes one cut and records what came of it.
func (b *bench) blackout(ctx context.Context, number int) (blackout, error) {
	cut := blackout{Number: number, Interval: b.o.interval}
	if err := b.calm(ctx); err != nil {
		return cut, err
	}
	if err := b.somewhen(ctx); err != nil {
		return cut, err
	}
	var err error
	if cut.Nodes, err = b.witnesses(ctx); err != nil {
		return cut, err
	}
	b.lab.MarkQuality()
	name := fmt.Sprintf("cut %d", number)
	at, err := b.cut(name, 0)
	if err != nil {
		return cut, err
	}
	polling, stop := context.WithCancel(ctx)
	looks := b.follow(polling, at.Add(quietStart))
	views, err := b.awaitSplit(ctx, at)
	stop()
	seen := looks()
	if err == nil {
		err = b.record(&cut, name, at, seen)
		cut.Shown = shown(views, b.names)
	}
	cut.Doubts = b.doubt(name)
	if heal := b.lab.Hub().Remove(name); err == nil {
		err = heal
	}
	return cut, err
}

// witnesses are all nodes, with the round trips that they measure just now.
func (b *bench) witnesses(ctx context.Context) ([]witness, error) {
	var list []witness
	for _, a := range b.cast.list {
		w := witness{Name: a.node.Name(), Far: b.far(a.node)}
		r, err := a.look(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
		for _, p := range r.Paths {
			if slices.Contains(w.Far, p.Peer.Name) {
				w.RTT = max(w.RTT, p.RTT.Smoothed.Duration())
			}
		}
		list = append(list, w)
	}
	return list, nil
}

// follow polls all agents from t on. The function that it returns waits for the end and gives what was seen, by node.
func (b *bench) follow(ctx context.Context, t time.Time) func() map[string][]look {
	var wg sync.WaitGroup
	seen := make([][]look, len(b.cast.list))
	for i, a := range b.cast.list {
		wg.Go(func() {
			for err := sleep(ctx, time.Until(t)); err == nil; err = sleep(ctx, namedPoll) {
				if r, err := a.look(ctx); err == nil {
					seen[i] = append(seen[i], r)
				}
			}
		})
	}
	return func() map[string][]look {
		wg.Wait()
		byNode := map[string][]look{}
		for i, a := range b.cast.list {
			byNode[a.node.Name()] = seen[i]
		}
		return byNode
	}
}

// awaitSplit waits until all nodes have a new membership without nodes that they had before, and until what they show fits together
// and lasts.
func (b *bench) awaitSplit(ctx context.Context, at time.Time) ([]lab.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Until(at)+b.token*3+splitSlack)
	defer cancel()
	left := func(l lab.Line) bool { return l.Event == lab.EventMembership && len(l.Left) > 0 }
	for _, n := range b.lab.Nodes() {
		if _, err := n.Log().Wait(ctx, at, left); err != nil {
			return nil, fmt.Errorf("no split: %w", err)
		}
	}
	var old []lab.Membership
	var since time.Time
	for {
		views, err := b.memberships(ctx)
		switch same := slices.EqualFunc(views, old, func(x, y lab.Membership) bool { return x.String() == y.String() }); {
		case err != nil:
			return nil, err
		case !same || !b.coherent(views):
			old, since = views, time.Now()
		case time.Since(since) >= splitHold:
			return views, b.crossCheck(ctx, views)
		}
		if err := sleep(ctx, splitPoll); err != nil {
			return nil, fmt.Errorf("no settled split: %v: %w", views, err)
		}
	}
}

func (b *bench) memberships(ctx context.Context) ([]lab.Membership, error) {
	var list []lab.Membership
	for _, n := range b.lab.Nodes() {
		m, err := n.Membership(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// coherent: each node's membership is that of all its members, and nobody is alone with a view.
func (b *bench) coherent(views []lab.Membership) bool {
	byID := map[uint32]lab.Membership{}
	for i, n := range b.lab.Nodes() {
		byID[n.ID()] = views[i]
	}
	for id, m := range byID {
		if !slices.Contains(m.Members, id) {
			return false
		}
		for _, other := range m.Members {
			if !slices.Equal(byID[other].Members, m.Members) || byID[other].Quorate != m.Quorate {
				return false
			}
		}
	}
	return true
}

// crossCheck asks each node's cmap for its members as well: what quorumtool shows has to be what Totem has.
func (b *bench) crossCheck(ctx context.Context, views []lab.Membership) error {
	for i, n := range b.lab.Nodes() {
		out, err := n.Run(ctx, "corosync-cmapctl", "runtime.members.")
		if err != nil {
			return err
		}
		if members := cmapMembers(string(out)); !slices.Equal(members, views[i].Members) {
			return fmt.Errorf("%s: quorumtool shows members %v, cmap %v", n.Name(), views[i].Members, members)
		}
	}
	return nil
}

// cmapMembers reads lines like "runtime.members.3.status (str) = joined".
func cmapMembers(text string) []uint32 {
	var list []uint32
	for line := range strings.Lines(text) {
		var id uint32
		var state string
		if n, _ := fmt.Sscanf(line, "runtime.members.%d.status (str) = %s", &id, &state); n == 2 && state == "joined" {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// record fills in what hub, agents and daemons noted of a cut.
func (b *bench) record(cut *blackout, name string, at time.Time, seen map[string][]look) error {
	drops, err := b.lab.Hub().Drops(name)
	if err != nil {
		return err
	}
	cut.FirstAny = b.firstDrop(drops, func(impair.Drop) bool { return true })
	if cut.FirstAny.IsZero() {
		return fmt.Errorf("%s took no packet", name)
	}
	cut.Did = b.lab.Lines(at)
	first := time.Time{}
	for _, l := range cut.Did {
		if l.Event == lab.EventMembership && len(l.Left) > 0 {
			first = l.At
			break
		}
	}
	for i := range cut.Nodes {
		w := &cut.Nodes[i]
		w.First = b.firstDrop(drops, func(d impair.Drop) bool { return d.Kind == impair.Probe && (d.From == w.Name || d.To == w.Name) })
		if w.Said, err = b.said(b.lab.Node(w.Name), at); err != nil {
			return err
		}
		if o := lastBefore(seen[w.Name], first); o != nil {
			w.Named = named(o)
			w.Proper = !o.Happened && len(o.Partitions) > 0 && slices.Contains(nodeNames(o.Partitions[0].Nodes), w.Name)
		}
	}
	return nil
}

// firstDrop is when the first packet was lost for which match reports true; zero: none.
func (b *bench) firstDrop(drops []impair.Drop, match func(impair.Drop) bool) time.Time {
	var first impair.Instant
	for _, d := range drops {
		if match(d) && (first == 0 || d.First < first) {
			first = d.First
		}
	}
	if first == 0 {
		return time.Time{}
	}
	return b.lab.Hub().Time(first)
}

// lastBefore is the outcome in the last report of before t.
func lastBefore(list []look, t time.Time) *checker.Outcome {
	var o *checker.Outcome
	for _, r := range list {
		if r.At.Before(t) {
			o = r.Outcome
		}
	}
	return o
}
