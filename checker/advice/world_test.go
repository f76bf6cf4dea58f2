package advice

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// world is a cluster of two sites with a network to record.
type world struct {
	sites  []int // nodes per site
	links  int
	totem  string // lines of totem{}
	length time.Duration
	loss   []float64 // between the sites, by link
	burst  func(link int, at time.Duration) bool
	local  float64 // loss inside the sites
	seed   uint64
}

func (w world) nodes() (n int) {
	for _, s := range w.sites {
		n += s
	}
	return n
}

func (w world) site(node int) int {
	for i, s := range w.sites {
		if node < s {
			return i
		}
		node -= s
	}
	panic("no such node")
}

// conf is the file as pvecm writes it.
func (w world) conf() []byte {
	var b strings.Builder
	b.WriteString("logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n")
	for i := range w.nodes() {
		fmt.Fprintf(&b, "  node {\n    name: n%d\n    nodeid: %d\n    quorum_votes: 1\n", i+1, i+1)
		for l := range w.links {
			fmt.Fprintf(&b, "    ring%d_addr: 10.%d.%d.%d\n", l, 50+l, w.site(i), i+1)
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n\nquorum {\n  provider: corosync_votequorum\n}\n\ntotem {\n  cluster_name: stretched\n  config_version: 7\n")
	for l := range w.links {
		fmt.Fprintf(&b, "  interface {\n    linknumber: %d\n  }\n", l)
	}
	b.WriteString("  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n" + w.totem + "  version: 2\n}\n")
	return []byte(b.String())
}

// record lets probes run over the network.
func (w world) record() *trace.Trace {
	rng := rand.New(rand.NewPCG(w.seed, 99))
	t := &trace.Trace{Start: time.Unix(1e9, 0).UTC(), Slot: 50 * time.Millisecond, Libknet: "1.25", Author: 1, Paths: map[trace.Path]*trace.Series{}}
	for i := range w.nodes() {
		t.Nodes = append(t.Nodes, trace.Node{ID: uint32(i + 1), Name: fmt.Sprintf("n%d", i+1), Site: string(rune('a' + w.site(i)))})
	}
	for from := range w.nodes() {
		for to := range w.nodes() {
			for l := range w.links {
				if from != to {
					t.Paths[trace.Path{From: uint32(from + 1), To: uint32(to + 1), Link: l}] = w.series(t, from, to, l, rng)
				}
			}
		}
	}
	return t
}

func (w world) series(t *trace.Trace, from, to, link int, rng *rand.Rand) *trace.Series {
	s := &trace.Series{}
	wan := w.site(from) != w.site(to)
	delay, loss := 200*time.Microsecond, w.local
	if wan {
		delay, loss = 5*time.Millisecond, w.loss[link]
	}
	for slot := range int(w.length / t.Slot) {
		switch {
		case rng.Float64() < loss, wan && w.burst != nil && w.burst(link, t.At(slot)):
			s.Append(1, trace.Sample{State: trace.Lost})
		default:
			s.Append(1, trace.Sample{State: trace.Arrived, Delay: delay})
		}
	}
	return s
}

func (w world) advise(t *testing.T) Advice {
	t.Helper()
	a, err := Advise(Input{Name: "corosync.conf", Conf: w.conf(), Trace: w.record(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s", w.totem, a)
	return a
}

// afresh counts the token losses of a configuration on the world's network itself, which no trial has seen, per hour.
func (w world) afresh(t *testing.T, conf []byte, d time.Duration) float64 {
	t.Helper()
	parsed, err := corosync.Parse("corosync.conf", bytes.NewReader(conf))
	if err != nil {
		t.Fatal(err)
	}
	c, err := risk.FromConfig(parsed, nil, "1.25")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(w.seed, 12345))
	net := totem.NetworkFunc(func(p totem.Packet) (time.Duration, bool) {
		if w.site(p.From) == w.site(p.To) {
			return 200 * time.Microsecond, true
		}
		lost := rng.Float64() < w.loss[p.Link] || w.burst != nil && w.burst(p.Link, p.At)
		return 5 * time.Millisecond, !lost
	})
	ring, err := c.Ring(risk.Run{Network: net, Traffic: time.Second, Rand: rng})
	if err != nil {
		t.Fatal(err)
	}
	ring.Run(d)
	return float64(ring.Stats().Disruptions) / d.Hours()
}

func (a Advice) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s limit %q partly %v\n  stall %v known %.2f rings %v\n", a.Verdict, a.Limit, a.Partly, a.Evidence.Stall, a.Evidence.Known, a.Evidence.Model)
	for _, w := range a.Why {
		fmt.Fprintf(&b, "  why %s\n", w)
	}
	for _, t := range append([]Trial{a.Before}, a.Tried...) {
		mark := " "
		if a.Proposed != nil && a.Proposed.Name == t.Name {
			mark = "*"
		}
		fmt.Fprintf(&b, " %s%-60s %v", mark, t.Name, t.Refused)
		if t.Tested {
			f := t.Figures
			fmt.Fprintf(&b, " losses %.2f (%.2f-%.2f) splits %.2f downs %.1f gap %v", f.TokenLosses.PerHour, f.TokenLosses.Low, f.TokenLosses.High, f.Splits.PerHour, f.LinkDowns.PerHour, f.WorstGap)
		}
		if t.Drill != nil {
			fmt.Fprintf(&b, " drill %+v", *t.Drill)
		}
		if f := t.Forecast; f != nil {
			fmt.Fprintf(&b, " FC %v %.3f (%.3f-%.3f) %v %d %v", f.Enough, f.TokenLoss.PerHour, f.TokenLoss.Low, f.TokenLoss.High, f.TokenLoss.Rare, f.TokenLoss.Count, f.Simulated)
		}
		b.WriteByte(10)
	}
	return b.String()
}
