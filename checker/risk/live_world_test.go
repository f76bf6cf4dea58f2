package risk

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/corosynctest"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

const slot = 50 * time.Millisecond

// weather says what a path does to a packet of an instant: its one-way delay, and the share that is lost.
type weather func(from, to uint32, link int, at time.Duration) (delay time.Duration, loss float64)

// world is a real ring and a Live beside it, on the same weather: each packet and each probe is drawn on its own.
type world struct {
	t       *testing.T
	cluster Cluster
	weather weather
	probed  weather // of the probes, if they meet another one
	draw    *rand.Rand
	real    *totem.Ring
	trace   *trace.Trace
	live    *Live
	status  corosync.Status
	silent  map[uint32]time.Time
	cut     bool
	dead    []trace.Path
	blind   func(p trace.Path) bool // nothing is known of the path
	slots   int
	margin  Margin
	worst   time.Duration // of the real ring, by ResetGaps
	losses  int
	warm    time.Duration // nothing real counts before
	downs   map[trace.Path]uint64
	turned  map[trace.Path]time.Duration // when a link last went up or down
	deaf    bool                         // no knet's word is heard
	honest  bool                         // the status tells of lost tokens, new rings and overdue tokens
	words   []Word
	skip    uint64 // rings that are never told of
}

func newWorld(t *testing.T, conf *corosync.Config, seed uint64, libknet string, w weather) *world {
	t.Helper()
	c, err := FromConfig(conf, nil, libknet)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	o := &world{
		t: t, cluster: c, weather: w, draw: rand.New(rand.NewPCG(seed, 1)), live: NewLive(seed),
		trace: &trace.Trace{Start: start, Slot: slot, Paths: map[trace.Path]*trace.Series{}}, warm: 15 * time.Second, downs: map[trace.Path]uint64{}, turned: map[trace.Path]time.Duration{},
	}
	o.real, err = c.Ring(Run{Network: totem.NetworkFunc(o.deliver), Traffic: messages, Rand: rand.New(rand.NewPCG(seed, 2))})
	if err != nil {
		t.Fatal(err)
	}
	o.status = corosync.Status{Daemon: corosync.DaemonRunning, RingID: corosync.RingID{Rep: 1, Seq: 4}}
	o.status.SRP.Known = true
	for _, n := range c.Nodes {
		o.status.Members = append(o.status.Members, corosync.Member{ID: n.ID, Joined: true})
		o.status.Quorum.Votes = append(o.status.Quorum.Votes, corosync.MemberVotes{ID: n.ID, Votes: 1})
		for _, m := range c.Nodes {
			for _, l := range c.Links {
				if n != m {
					o.trace.Paths[trace.Path{From: n.ID, To: m.ID, Link: l.Number}] = &trace.Series{}
				}
			}
		}
	}
	o.live.Configure(c)
	return o
}

func (w *world) deliver(p totem.Packet) (time.Duration, bool) {
	delay, loss := w.weather(w.cluster.Nodes[p.From].ID, w.cluster.Nodes[p.To].ID, w.cluster.Links[p.Link].Number, p.At)
	return delay, loss == 0 || w.draw.Float64() >= loss
}

// probe adds a slot to every path.
func (w *world) probe() {
	at, weather := time.Duration(w.slots)*slot, w.weather
	if w.probed != nil {
		weather = w.probed
	}
	for _, n := range w.cluster.Nodes {
		for _, m := range w.cluster.Nodes {
			for _, l := range w.cluster.Links {
				if n == m {
					continue
				}
				p := trace.Path{From: n.ID, To: m.ID, Link: l.Number}
				delay, loss := weather(p.From, p.To, p.Link, at+time.Duration(w.draw.Int64N(int64(slot))))
				v := trace.Sample{State: trace.Arrived, Delay: delay}
				switch {
				case w.blind != nil && w.blind(p):
					v = trace.Sample{}
				case loss > 0 && w.draw.Float64() < loss:
					v = trace.Sample{State: trace.Lost}
				}
				w.trace.Paths[p].Append(1, v)
			}
		}
	}
	w.slots++
}

// step lets a slot pass.
func (w *world) step() {
	w.probe()
	now := time.Duration(w.slots) * slot
	for _, e := range w.real.Run(now) {
		if e.Kind == totem.TokenLost && now > w.warm {
			w.losses++
			if w.honest {
				w.status.SRP.OperationalTokenLost++
				w.status.RingID.Seq += 4
			}
		}
		if e.Kind == totem.TokenWarning && e.Node == 0 && w.honest {
			w.status.TokenAt.Warned = w.trace.Start.Add(e.At)
		}
		if e.Kind == totem.LinkDown || e.Kind == totem.LinkUp {
			p := trace.Path{From: w.cluster.Nodes[e.Node].ID, To: w.cluster.Nodes[e.Peer].ID, Link: w.cluster.Links[e.Link].Number}
			w.turned[p] = e.At
			if e.Kind == totem.LinkDown {
				w.downs[p]++
			}
		}
	}
	w.speak(now)
	if now <= w.warm {
		w.real.ResetGaps()
	} else {
		for i := range w.cluster.Nodes {
			w.worst = max(w.worst, w.real.LongestGap(i).Length)
		}
		w.real.ResetGaps()
	}
	if w.slots%2 == 0 {
		w.margin = w.live.Step(w.trace, w.slots, w.reality())
	}
}

// speak lets the knets say how their links are: that of the first node at once, those of the others twice a second.
func (w *world) speak(now time.Duration) {
	if w.deaf {
		return
	}
	for i, from := range w.cluster.Nodes {
		if i > 0 && (w.slots+i)%10 > 0 {
			continue
		}
		for j, to := range w.cluster.Nodes {
			for k, l := range w.cluster.Links {
				if i != j {
					word := Word{From: from.ID, To: to.ID, Link: l.Number, Connected: w.real.Usable(i, j, k), At: w.trace.Start.Add(now)}
					p := trace.Path{From: from.ID, To: to.ID, Link: l.Number}
					if i == 0 {
						word.Counted, word.Downs = true, w.downs[p]
					}
					if at := w.turned[p]; at > 0 {
						word.For = now - at
					}
					w.words = append(w.words, word)
				}
			}
		}
	}
}

func (w *world) reality() Reality {
	words := w.words
	w.words = nil
	return Reality{Now: w.trace.Start.Add(time.Duration(w.slots) * slot), Status: w.status, Silent: w.silent, Cut: w.cut, Dead: w.dead, Words: words}
}

func (w *world) run(d time.Duration) {
	for end := w.slots + int(d/slot); w.slots < end; {
		w.step()
	}
}

// stretched is corosynctest.Stretched with another token, 0 for its own.
func stretched(t *testing.T, links int, token time.Duration) *corosync.Config {
	t.Helper()
	c := corosynctest.Stretched(links)
	if token > 0 {
		zero := time.Duration(0)
		c.Totem.Token, c.Totem.TokenCoefficient = token, &zero
	}
	return c
}

// between: the two are at different sites; a1 a2 | b1 b2 | w1 are nodes 1 to 5.
func between(from, to uint32) bool { return (from+1)/2 != (to+1)/2 }

func (w *world) String() string {
	m := &w.margin
	T := w.cluster.Timeouts.Token
	share := func(d time.Duration) float64 { return float64(d) / float64(T) }
	return fmt.Sprintf("T %v real %.3f losses %d | median %.3f worst %.3f share %.2f losses %.1f downs %.1f hop %v",
		T, share(w.worst), w.losses, share(m.Hour.Median), share(m.Hour.Worst), m.Hour.LossShare, m.Hour.Losses, m.Hour.LinkDowns, m.Hour.Hop)
}
