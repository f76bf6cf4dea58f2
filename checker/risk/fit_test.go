package risk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// fitCluster makes a cluster as Proxmox configures it: so many nodes at sites a, b, ..., named a1, a2, b1, ...
func fitCluster(token, coefficient time.Duration, links int, sizes ...int) Cluster {
	c := Cluster{FastDataUp: false, Quorum: votequorum.Config{Provider: "corosync_votequorum", NodeVotes: map[uint32]int{}}}
	for s, size := range sizes {
		for i := range size {
			site := string(rune('a' + s))
			id := uint32(len(c.Nodes) + 1)
			c.Nodes = append(c.Nodes, Node{id, fmt.Sprint(site, i+1), site})
			c.Quorum.NodeVotes[id] = 1
		}
	}
	c.Totem = totem.Params{HasLink0: true, Token: token, TokenCoefficient: &coefficient, Nodes: len(c.Nodes)}
	c.Timeouts = c.Totem.Timeouts()
	for l := range links {
		c.Links = append(c.Links, Link{Number: l, Priority: 1, Timeouts: totem.LinkParams{}.Timeouts(c.Timeouts.Token)})
	}
	return c
}

// wan are the lines from each site to each other, per link and direction; within a site nothing happens.
func wan(c Cluster, p Process) Lines {
	var out Lines
	at := map[string]int{}
	for _, path := range allPaths(&c) {
		from, to := c.Nodes[c.Index(path.From)].Site, c.Nodes[c.Index(path.To)].Site
		if from == to {
			continue
		}
		key := fmt.Sprint(from, to, path.Link)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, Line{Name: key, Process: p})
		}
		out[i].Paths = append(out[i].Paths, path)
	}
	return out
}

// in are the paths that a filter lets through.
func in(c Cluster, ok func(p trace.Path) bool) []trace.Path {
	var out []trace.Path
	for _, p := range allPaths(&c) {
		if ok(p) {
			out = append(out, p)
		}
	}
	return out
}

func all(trace.Path) bool { return true }

// seenBy are the paths that the agent of a node sees.
func seenBy(node uint32) func(p trace.Path) bool {
	return func(p trace.Path) bool { return p.From == node || p.To == node }
}

const testSlot = 50 * time.Millisecond

// record probes the paths over lines, as an agent would. A share of the slots is unknown, in stretches of a second.
func record(c Cluster, ls Lines, length time.Duration, probed func(trace.Path) bool, unknown float64, rng *rand.Rand) *trace.Trace {
	t := &trace.Trace{Start: time.Unix(1e9, 0), Slot: testSlot, Paths: map[trace.Path]*trace.Series{}}
	paths := in(c, probed)
	for _, p := range paths {
		t.Paths[p] = &trace.Series{}
	}
	net := ls.Network(c, rng)
	dark := map[trace.Path]bool{}
	for slot := range int(length / testSlot) {
		for _, p := range paths {
			if slot%20 == 0 {
				dark[p] = rng.Float64() < unknown
			}
			link := 0
			for i, l := range c.Links {
				if l.Number == p.Link {
					link = i
				}
			}
			after, ok := net.Deliver(totem.Packet{At: t.At(slot), From: c.Index(p.From), To: c.Index(p.To), Link: link})
			v := trace.Sample{State: trace.Lost}
			if ok {
				v = trace.Sample{State: trace.Arrived, Delay: after.Round(100 * time.Microsecond)}
			}
			if dark[p] {
				v = trace.Sample{}
			}
			t.Paths[p].Append(1, v)
		}
	}
	return t
}

func fitOf(c Cluster, t *trace.Trace) Fitted {
	d := NewDigest()
	_, next := t.Span()
	d.Add(t, next)
	return d.Fit(c)
}

// lossOf is what the lines of a path lose packet by packet.
func lossOf(ls Lines, p trace.Path) float64 {
	pass := 1.0
	for _, l := range ls {
		for _, o := range l.Paths {
			if o == p {
				pass *= 1 - l.Process.Loss
			}
		}
	}
	return 1 - pass
}

// withBursts are the lines that have any.
func withBursts(ls Lines) Lines {
	var out Lines
	for _, l := range ls {
		if len(l.Process.Bursts) > 0 {
			out = append(out, l)
		}
	}
	return out
}

func describe(ls Lines) string {
	var b strings.Builder
	for _, l := range ls {
		fmt.Fprintf(&b, "%s (%d paths): loss %.4f, %+v, seen %+v\n", l.Name, len(l.Paths), l.Process.Loss, l.Process.Bursts, l.Seen)
	}
	return b.String()
}

func TestIndependentLossIsNoBurst(t *testing.T) {
	c := fitCluster(3*time.Second, 125*time.Millisecond, 1, 2, 1)
	for _, loss := range []float64{0, 0.0005, 0.01, 0.05, 0.1, 0.3} {
		for seed := range uint64(4) {
			rng := rand.New(rand.NewPCG(seed, 1))
			tr := record(c, wan(c, Process{Loss: loss, Delay: Delay{Usual: 5 * time.Millisecond}}), 20*time.Minute, all, 0.1*float64(seed), rng)
			f := fitOf(c, tr)
			if b := withBursts(f.Lines); len(b) > 0 {
				t.Errorf("loss %v, seed %d: bursts found:\n%s", loss, seed, describe(b))
			}
			for _, p := range []trace.Path{{From: 1, To: 3}, {From: 3, To: 2}} {
				if got := lossOf(f.Lines, p); got < loss*0.85-0.0003 || got > loss*1.15+0.0003 {
					t.Errorf("loss %v, seed %d: path %v has %v", loss, seed, p, got)
				}
			}
			if got := lossOf(f.Lines, trace.Path{From: 1, To: 2}); got != 0 {
				t.Errorf("loss %v: inside of site a %v is lost", loss, got)
			}
			if !f.Steady {
				t.Errorf("loss %v, seed %d: not steady", loss, seed)
			}
		}
	}
}

// burstCase is a known process on some paths, and how near the fit must come.
type burstCase struct {
	name    string
	own     float64 // loss of every path between the sites
	burst   totem.Burst
	paths   func(trace.Path) bool // that share the bursts
	probed  func(trace.Path) bool
	line    string // that must be found to have them
	shared  int    // its paths
	unknown float64
}

func siteA(n uint32) bool { return n <= 3 }

var burstCases = []burstCase{
	{
		name: "blackouts of one path", burst: totem.Burst{Every: 30 * time.Second, Mean: 200 * time.Millisecond},
		paths: func(p trace.Path) bool { return p.From == 1 && p.To == 4 }, probed: all, line: "a1 to b1, link 0", shared: 1,
	},
	{
		name: "the same under loss, and not all known", own: 0.01, burst: totem.Burst{Every: 30 * time.Second, Mean: 300 * time.Millisecond},
		paths: func(p trace.Path) bool { return p.From == 1 && p.To == 4 }, probed: all, line: "a1 to b1, link 0", shared: 1, unknown: 0.3,
	},
	{
		name: "congestion of one path", own: 0.002, burst: totem.Burst{Every: time.Minute, Mean: 3 * time.Second, Loss: 0.4},
		paths: func(p trace.Path) bool { return p.From == 1 && p.To == 4 }, probed: all, line: "a1 to b1, link 0", shared: 1,
	},
	{
		name: "one direction between the sites", own: 0.005, burst: totem.Burst{Every: 40 * time.Second, Mean: 150 * time.Millisecond},
		paths: func(p trace.Path) bool { return siteA(p.From) && !siteA(p.To) }, probed: all, line: "a to b, link 0", shared: 6,
	},
	{
		name: "both directions between the sites", own: 0.005, burst: totem.Burst{Every: 40 * time.Second, Mean: 400 * time.Millisecond},
		paths: func(p trace.Path) bool { return siteA(p.From) != siteA(p.To) }, probed: all, line: "a - b, link 0", shared: 12, unknown: 0.2,
	},
	{
		name: "both directions, as one agent sees it", own: 0.01, burst: totem.Burst{Every: 40 * time.Second, Mean: 400 * time.Millisecond},
		paths: func(p trace.Path) bool { return siteA(p.From) != siteA(p.To) }, probed: seenBy(1), line: "a - b, link 0", shared: 12,
	},
	{
		name: "blips shorter than a slot", own: 0.001, burst: totem.Burst{Every: 10 * time.Second, Mean: 20 * time.Millisecond},
		paths: func(p trace.Path) bool { return siteA(p.From) && !siteA(p.To) }, probed: all, line: "a to b, link 0", shared: 6,
	},
	{
		name: "one node's interface", own: 0.005, burst: totem.Burst{Every: 40 * time.Second, Mean: 300 * time.Millisecond},
		paths: seenBy(5), probed: all, line: "b2, link 0", shared: 8,
	},
	{
		name: "half of what crosses is lost", own: 0.001, burst: totem.Burst{Every: time.Minute, Mean: 2 * time.Second, Loss: 0.5},
		paths: func(p trace.Path) bool { return siteA(p.From) && !siteA(p.To) }, probed: all, line: "a to b, link 0", shared: 6,
	},
}

func TestBurstsAreRecovered(t *testing.T) {
	for _, tc := range burstCases {
		t.Run(tc.name, func(t *testing.T) {
			var every, mean, loss float64
			const seeds = 2
			for seed := range uint64(seeds) {
				rng := rand.New(rand.NewPCG(seed, 2))
				c := fitCluster(3*time.Second, 125*time.Millisecond, 1, 3, 2)
				ls := append(wan(c, Process{Loss: tc.own, Delay: Delay{Usual: 5 * time.Millisecond}}),
					Line{Name: "bursts", Paths: in(c, tc.paths), Process: Process{Bursts: []totem.Burst{tc.burst}}})
				f := fitOf(c, record(c, ls, time.Hour, tc.probed, tc.unknown, rng))
				found, rest := mainBursts(f.Lines)
				if found.Name != tc.line || len(found.Paths) != tc.shared || rest > 0.1 {
					t.Errorf("seed %d: want bursts of %q, got:\n%s", seed, tc.line, describe(withBursts(f.Lines)))
					continue
				}
				b := found.Process.Bursts[0]
				every += b.Every.Seconds() / seeds
				mean += b.Mean.Seconds() / seeds
				loss += b.Loss / seeds
				if got := lossOf(f.Lines, trace.Path{From: 1, To: 4}); got < tc.own*0.8-0.0003 || got > tc.own*1.2+0.0003 {
					t.Errorf("seed %d: loss on its own %v, want %v", seed, got, tc.own)
				}
			}
			want := tc.burst
			if want.Loss == 0 {
				want.Loss = 1
			}
			t.Logf("every %.1f s (%v), mean %.3f s (%v), loss %.2f (%v)", every, want.Every, mean, want.Mean, loss, want.Loss)
			near(t, "every", every, want.Every.Seconds(), 1.35)
			near(t, "mean", mean, want.Mean.Seconds(), 1.35)
			near(t, "loss", loss, want.Loss, 1.15)
		})
	}
}

// mainBursts is the line that loses most packets in bursts, and what the bursts of all others lose, as a share of its.
func mainBursts(ls Lines) (line Line, rest float64) {
	total, most := 0.0, 0.0
	for _, l := range ls {
		sum := 0.0
		for _, b := range l.Process.Bursts {
			sum += b.Mean.Seconds() / b.Every.Seconds() * b.Loss * float64(len(l.Paths))
		}
		total += sum
		if sum > most {
			line, most = l, sum
		}
	}
	return line, (total - most) / most
}

func near(t *testing.T, what string, got, want, factor float64) {
	t.Helper()
	if !(got <= want*factor && got >= want/factor) {
		t.Errorf("%s: %v, want %v within a factor of %v", what, got, want, factor)
	}
}
