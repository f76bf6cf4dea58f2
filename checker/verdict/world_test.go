package verdict

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// world is an invented cluster, the paths from its first node, and a run over them.
type world struct {
	here, away int // nodes at two places
	links      int
	totem      string // more lines
	device     bool
	ha         HA
	length     time.Duration // default 10 s
	interval   time.Duration // default 50 ms
	rtt        time.Duration // to the other place, default 2 ms
	out, back  float64       // loss to and from the other place, on link 0
	all        bool          // on every link
	blackout   time.Duration // once, on every link, in the middle of the run
	hole       bool          // full-size probes do not pass
	silent     bool
	busy       int
	pause      time.Duration
	excused    float64
	planned    bool // the other place is not in the cluster yet
}

func (w world) text(nodes int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "totem {\n  version: 2\n  cluster_name: c\n  config_version: 4\n  transport: knet\n  secauth: on\n%s", w.totem)
	for l := range w.links {
		fmt.Fprintf(&b, "  interface {\n    linknumber: %d\n  }\n", l)
	}
	b.WriteString("}\nnodelist {\n")
	for i := range nodes {
		fmt.Fprintf(&b, "  node {\n    name: %s\n    nodeid: %d\n    quorum_votes: 1\n", w.name(i), i+1)
		for l := range w.links {
			fmt.Fprintf(&b, "    ring%d_addr: %s\n", l, addr(i, l))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\nquorum {\n  provider: corosync_votequorum\n")
	if w.device {
		b.WriteString("  device {\n    model: net\n    votes: 1\n    net {\n      host: 192.0.2.9\n      algorithm: ffsplit\n    }\n  }\n")
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

func (w world) name(i int) string {
	if i < w.here {
		return fmt.Sprintf("a%d", i+1)
	}
	return fmt.Sprintf("b%d", i-w.here+1)
}

func addr(i, link int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(50 + link), 0, byte(i + 1)})
}

// input makes the run.
func (w world) input(t *testing.T, seed uint64) Input {
	t.Helper()
	if w.length == 0 {
		w.length = 10 * time.Second
	}
	if w.interval == 0 {
		w.interval = 50 * time.Millisecond
	}
	if w.rtt == 0 {
		w.rtt = 2 * time.Millisecond
	}
	nodes := w.here + w.away
	in := Input{
		At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), Source: "own probes", Conf: w.text(nodes), Local: 1, HA: w.ha, Proxmox: w.ha != HANone,
		Length: w.length, Busy: w.busy, Port: 5412, Pauses: Pauses{Longest: w.pause},
	}
	if w.pause > 0 {
		in.Pauses.Count, in.Pauses.Total = 1, w.pause
	}
	if w.away > 0 {
		in.Sites = map[string]string{}
		for i := range nodes {
			in.Sites[w.name(i)] = w.name(i)[:1]
		}
	}
	if w.planned {
		in.Conf, in.Planned = w.text(w.here), in.Conf
	}
	if _, err := corosync.Parse("corosync.conf", strings.NewReader(string(in.Conf))); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	in.Trace = &trace.Trace{Slot: min(w.interval, 50*time.Millisecond), Paths: map[trace.Path]*trace.Series{}}
	for i := 1; i < nodes; i++ {
		for l := range w.links {
			in.Paths = append(in.Paths, w.path(in.Trace, i, l, rng))
		}
	}
	return in
}

// path runs one path, probe by probe.
func (w world) path(t *trace.Trace, i, link int, rng *rand.Rand) Path {
	p := Path{Peer: w.name(i), Node: uint32(i + 1), Link: link, Local: addr(0, link), Remote: addr(i, link), FullSize: 1472}
	rtt, out, back := 200*time.Microsecond, 0.0, 0.0
	if i >= w.here {
		rtt = w.rtt
		if link == 0 || w.all {
			out, back = w.out, w.back
		}
	}
	p.P50, p.P99, p.P999, p.Max = Seconds(rtt), Seconds(rtt), Seconds(rtt), Seconds(rtt)
	forth, home := &trace.Series{}, &trace.Series{}
	t.Paths[trace.Path{From: 1, To: p.Node, Link: link}], t.Paths[trace.Path{From: p.Node, To: 1, Link: link}] = forth, home
	burst := 0
	for n := range int(w.length / w.interval) {
		at := time.Duration(n) * w.interval
		dark := i >= w.here && at >= w.length/2 && at < w.length/2+w.blackout
		lostOut, lostBack := dark || rng.Float64() < out, rng.Float64() < back
		p.Sent++
		fate := func(lost bool) trace.Sample {
			if lost {
				return trace.Sample{State: trace.Lost}
			}
			return trace.Sample{State: trace.Arrived, Delay: rtt / 2}
		}
		if !w.silent {
			slots := max(1, int(w.interval/t.Slot))
			forth.Append(slots, fate(lostOut))
			home.Append(slots, fate(lostBack || dark))
		}
		switch {
		case w.silent:
			continue
		case rng.Float64() < w.excused:
			p.Excused++
			continue
		case dark:
			p.Lost, p.LostForward, burst = p.Lost+1, p.LostForward+1, burst+1 // the reflector never saw it: so a real prober counts it, too
		case lostOut:
			p.Lost, p.LostForward, burst = p.Lost+1, p.LostForward+1, burst+1
		case lostBack:
			p.Lost, p.LostBackward, burst = p.Lost+1, p.LostBackward+1, burst+1
		default:
			p.Received++
			burst = 0
		}
		p.Burst = max(p.Burst, burst)
		p.WorstGap = max(p.WorstGap, Seconds(time.Duration(burst)*w.interval))
	}
	if !w.silent {
		p.FullSent = uint64(w.length / (500 * time.Millisecond))
		if !w.hole {
			p.FullReceived = p.FullSent - uint64(float64(p.FullSent)*min(1, out+back))
		}
	}
	return p
}
