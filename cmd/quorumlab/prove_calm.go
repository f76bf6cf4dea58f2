//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
	"github.com/quorumwatch/quorumwatch/corosync/lab/scenario"
)

const (
	busyFor  = time.Minute      // both cores busy; less when the whole is short
	noiseFor = 3 * time.Minute  // for what the start of a cluster leaves behind to be cleared
	tailFor  = 15 * time.Second // after the end of trouble of our own, at least, before the next or the end
)

// calmSpan is what was recorded of a healthy time.
type calmSpan struct {
	From, To time.Time
	Said     []saying // of all nodes
}

// told is what agents said above info, by what it is about.
type told struct {
	Network, Host []saying
}

// judgeCalm sorts what was said above info. All that is not about a host that stalled counts against the network.
func judgeCalm(c calmSpan) told {
	var t told
	for _, s := range c.Said {
		switch {
		case s.Cleared || s.Severity <= checker.Info || s.At.Before(c.From) || s.At.After(c.To):
		case slices.Contains(hostCodes, s.Code):
			t.Host = append(t.Host, s)
		default:
			t.Network = append(t.Network, s)
		}
	}
	return t
}

func requireCalm(t told, nodes []string) []requirement {
	return []requirement{require("no finding above info about the network on a node, all the time", nodes, func(node string) bool {
		return !slices.ContainsFunc(t.Network, func(s saying) bool { return s.Node == node })
	})}
}

func printTold(w io.Writer, from time.Time, title string, list []saying) {
	fmt.Fprintf(w, "\n%s: %d\n", title, len(list))
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w)
	head(w, "at s", "node", "severity", "code", "subject", "text")
	for _, s := range list {
		line(w, fmt.Sprintf("%.3f", s.At.Sub(from).Seconds()), s.Node, s.Severity.String(), s.Code, s.Subject, strings.ReplaceAll(s.Text, "|", "/"))
	}
}

// proveCalm lets a healthy cluster run, with the troubles of everyday life that are none of the network's.
func proveCalm(ctx context.Context, b *bench) ([]requirement, error) {
	if err := b.silence(ctx); err != nil {
		return nil, err
	}
	b.lab.MarkQuality()
	span := calmSpan{From: time.Now()}
	err := b.everyday(ctx, span.From)
	span.To = time.Now()
	var nodes []string
	for _, n := range b.lab.Nodes() {
		nodes = append(nodes, n.Name())
		said, e := b.said(n, span.From)
		err = errors.Join(err, e)
		span.Said = append(span.Said, said...)
	}
	slices.SortStableFunc(span.Said, func(x, y saying) int { return x.At.Compare(y.At) })
	b.doubt("calm")
	t := judgeCalm(span)
	printTold(b.w, span.From, "above info about the network", t.Network)
	printTold(b.w, span.From, "above info about a host that stalled", t.Host)
	b.printEvents(span)
	if err != nil {
		return nil, err
	}
	return requireCalm(t, nodes), nil
}

// silence waits until no agent says anything above info.
func (b *bench) silence(ctx context.Context) error {
	for end := time.Now().Add(noiseFor); ; {
		var noise []string
		for _, a := range b.cast.list {
			r, err := a.look(ctx)
			if err != nil {
				return err
			}
			for _, f := range r.Findings {
				if f.Severity > checker.Info {
					noise = append(noise, a.node.Name()+": "+f.Title)
				}
			}
		}
		if len(noise) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("no silence within %v after the start: %s", noiseFor, strings.Join(noise, "; "))
		}
		if err := sleep(ctx, calmPoll); err != nil {
			return err
		}
	}
}

// everyday does at shares of the time what happens to clusters.
func (b *bench) everyday(ctx context.Context, from time.Time) error {
	at := func(share float64) time.Duration {
		return time.Until(from.Add(time.Duration(share * float64(b.o.lasts))))
	}
	note := func(what string) {
		fmt.Fprintf(b.w, "%8.3f s: %s\n", time.Since(from).Seconds(), what)
	}
	nodes := b.lab.Nodes()
	if err := sleep(ctx, at(0.2)); err != nil {
		return err
	}
	busy := min(busyFor, b.o.lasts/4)
	note(fmt.Sprintf("%d cores busy for %v", runtime.NumCPU(), busy))
	if err := b.busy(ctx, busy); err != nil {
		return err
	}
	note("cores free")
	if err := sleep(ctx, at(0.55)); err != nil {
		return err
	}
	note("corosync-cfgtool -R on " + nodes[0].Name())
	if _, err := nodes[0].Run(ctx, "corosync-cfgtool", "-R"); err != nil {
		return err
	}
	if err := sleep(ctx, at(0.75)); err != nil {
		return err
	}
	last := b.cast.list[len(b.cast.list)-1]
	note("restart of the agent on " + last.node.Name())
	if err := last.do(scenario.Restart); err != nil {
		return err
	}
	return sleep(ctx, max(at(1), tailFor))
}

// busy keeps all cores busy with loops in a node of the lab: they die with it, whatever happens to this program.
func (b *bench) busy(ctx context.Context, lasts time.Duration) error {
	var loops []*lab.Process
	defer func() {
		for _, p := range loops {
			p.Signal(syscall.SIGKILL)
		}
	}()
	for range runtime.NumCPU() {
		p, err := b.lab.Nodes()[0].Start(lab.Command{Args: []string{"sh", "-c", "while :; do :; done"}})
		if err != nil {
			return err
		}
		loops = append(loops, p)
	}
	return sleep(ctx, lasts)
}

// printEvents tells what Corosync itself noted in that time, by kind.
func (b *bench) printEvents(c calmSpan) {
	count := map[lab.Event]int{}
	for _, l := range b.lab.Lines(c.From) {
		if l.Event != lab.EventOther {
			count[l.Event]++
		}
	}
	var parts []string
	for e, n := range count {
		parts = append(parts, fmt.Sprintf("%s %d", e, n))
	}
	slices.Sort(parts)
	fmt.Fprintf(b.w, "\nCorosync's own log: %s\n", cmp.Or(strings.Join(parts, ", "), "nothing of note"))
}
