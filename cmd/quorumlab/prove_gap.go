//go:build linux

package main

import (
	"context"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/impair"
)

// tapPoll is how often the tokens that passed the hub are fetched, before it forgets them.
const tapPoll = 5 * time.Second

// followTokens collects the tokens that pass the hub. The function that it returns ends that and gives them.
func (b *bench) followTokens(ctx context.Context) func() ([]lab.Token, error) {
	ctx, stop := context.WithCancel(ctx)
	var failed error
	done := make(chan struct{})
	all, next, first := b.lab.Hub().Tokens(b.tapped)
	if first != nil { // long ago: what passed before this is not asked for
		all, next, first = b.lab.Hub().Tokens(next)
	}
	go func() {
		defer close(done)
		for failed = first; failed == nil; {
			over := sleep(ctx, tapPoll) != nil
			var more []lab.Token
			if more, next, failed = b.lab.Hub().Tokens(next); failed == nil {
				all = append(all, more...)
			}
			if over {
				return
			}
		}
	}()
	return func() ([]lab.Token, error) {
		stop()
		<-done
		b.tapped = next
		return all, failed
	}
}

// gaps are, by node, the longest times without a token between from and to.
func (b *bench) gaps(tokens []lab.Token, from, to impair.Instant) []time.Duration {
	nodes := b.members()
	return lab.LongestGaps(lab.Accepted(tokens, mutedBy(nodes, b.lab.Lines(time.Time{}), b.lab.Hub().Time)), len(nodes), from, to)
}

// mutedBy tells from the logs when a node discarded what another sent: while it had all links to it down (libknet/threads_rx.c). libknet
// 1.25 logs each time that it takes one up or down.
func mutedBy(nodes []member, lines []lab.Line, timeOf func(impair.Instant) time.Time) lab.Muted {
	type pair struct{ node, from int }
	index, ids := map[string]int{}, map[uint32]int{}
	for i, n := range nodes {
		index[n.name], ids[n.id] = i, i
	}
	changes := map[pair][]lab.Line{}
	for _, l := range lines {
		if l.Event == lab.EventLinkUp || l.Event == lab.EventLinkDown {
			p := pair{index[l.Node], ids[l.Peer]}
			changes[p] = append(changes[p], l)
		}
	}
	return func(node, from, _ int, at impair.Instant) bool {
		up, t := map[int]bool{}, timeOf(at)
		for _, l := range changes[pair{node, from}] {
			if l.At.After(t) {
				break
			}
			up[l.Link] = l.Event == lab.EventLinkUp
		}
		for _, is := range up {
			if is {
				return false
			}
		}
		return true
	}
}
