package totem

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// scene is the state of a script: one ring and its network.
type scene struct {
	ring *Ring
	cfg  Config
	net  *scriptNet
}

// scriptNet is Lines of which single packets can be dropped.
type scriptNet struct {
	*Lines
	drops []drop
}

type drop struct {
	from, to, link int
	class          Class
	count          int
}

func (n *scriptNet) Deliver(p Packet) (time.Duration, bool) {
	for i := range n.drops {
		d := &n.drops[i]
		if d.count > 0 && d.from == p.From && d.to == p.To && d.link == p.Link && d.class == p.Class {
			d.count--
			return 0, false
		}
	}
	return n.Lines.Deliver(p)
}

func (n *scriptNet) CalmUntil(now time.Duration) time.Duration {
	for _, d := range n.drops {
		if d.count > 0 {
			return -1
		}
	}
	return n.Lines.CalmUntil(now)
}

// args are the words of a command: key=value pairs and plain words.
type args struct {
	words []string
	named map[string]string
	err   error
}

func parseArgs(fields []string) *args {
	a := &args{named: map[string]string{}}
	for _, f := range fields {
		if k, v, ok := strings.Cut(f, "="); ok {
			a.named[k] = v
		} else {
			a.words = append(a.words, f)
		}
	}
	return a
}

func (a *args) str(key, def string) string {
	if v, ok := a.named[key]; ok {
		return v
	}
	return def
}

func (a *args) num(key string, def int) int {
	n, err := strconv.Atoi(a.str(key, strconv.Itoa(def)))
	a.err = errors.Join(a.err, err)
	return n
}

func (a *args) duration(key, def string) time.Duration {
	d, err := time.ParseDuration(a.str(key, def))
	a.err = errors.Join(a.err, err)
	return d
}

func (a *args) ratio(key string) float64 {
	f, err := strconv.ParseFloat(a.str(key, "0"), 64)
	a.err = errors.Join(a.err, err)
	return f
}

// ints reads "1,2,3".
func (a *args) ints(key, def string) []int {
	var out []int
	for f := range strings.SplitSeq(a.str(key, def), ",") {
		n, err := strconv.Atoi(f)
		a.err = errors.Join(a.err, err)
		out = append(out, n)
	}
	return out
}

func (a *args) span() time.Duration {
	if len(a.words) == 0 {
		a.err = errors.Join(a.err, errors.New("how long?"))
		return 0
	}
	d, err := time.ParseDuration(a.words[0])
	a.err = errors.Join(a.err, err)
	return d
}

// node reads a processor by its name, counted from 1.
func (a *args) node() int {
	if len(a.words) == 0 {
		a.err = errors.Join(a.err, errors.New("which?"))
		return 0
	}
	n, err := strconv.Atoi(a.words[0])
	a.err = errors.Join(a.err, err)
	return n - 1
}

// do runs one command and returns its answer.
func (s *scene) do(command string) (string, error) {
	fields := strings.Fields(command)
	a := parseArgs(fields[1:])
	out, err := s.command(fields[0], a)
	return out, errors.Join(err, a.err)
}

func (s *scene) command(name string, a *args) (string, error) {
	if name == "cluster" {
		return s.cluster(a)
	}
	if s.ring == nil {
		return "", errors.New("cluster first")
	}
	switch name {
	case "run": // run 5s [show=link,lost,...]
		return s.run(a.span(), a.str("show", "")), nil
	case "outage": // outage from=1,2 to=3 both=yes link=0 for=500ms after=0s
		return "", s.outage(a)
	case "line": // line from=1 to=3 both=yes link=0 loss=0.1 delay=5ms
		return "", s.line(a)
	case "drop": // drop ping from=1 to=3 count=1
		return "", s.drop(a)
	case "start":
		s.ring.Start(a.node())
	case "stop":
		s.ring.Stop(a.node())
	case "kill":
		s.ring.Kill(a.node())
	case "poweroff":
		s.ring.PowerOff(a.node())
	case "pause": // pause 2 for=4s
		s.ring.Pause(a.node(), a.duration("for", ""))
	case "describe":
		return s.ring.Describe(), nil
	case "gaps": // the longest time each went without the token since the last time
		return s.gaps(), nil
	case "counters":
		return s.counters(), nil
	default:
		return "", fmt.Errorf("no command %q", name)
	}
	return "", nil
}

// cluster makes a ring: nodes=3 sites=2,1 links=1 token=3125 coefficient=0 libknet=1.25 delay=100us wan=5ms loss=0.01
// traffic=1s until=0s seed=1 mode=passive priority=1,2 interval=0s timeout=0s tokens=no cold=no together=no
func (s *scene) cluster(a *args) (string, error) {
	sites := a.ints("sites", a.str("nodes", "3"))
	nodes := 0
	for _, n := range sites {
		nodes += n
	}
	links := a.num("links", 1)
	coefficient := time.Duration(a.num("coefficient", 0)) * time.Millisecond
	s.cfg = proxmoxConfig(nodes, links, time.Duration(a.num("token", 3000))*time.Millisecond, coefficient)
	for i, p := range a.ints("priority", strings.TrimSuffix(strings.Repeat("1,", links), ",")) {
		s.cfg.Links[i].Priority = p
		s.cfg.Links[i].Timeouts = LinkParams{PingInterval: a.duration("interval", "0s"), PingTimeout: a.duration("timeout", "0s")}.Timeouts(s.cfg.Timeouts.Token)
	}
	s.cfg.Mode = map[string]LinkMode{"passive": Passive, "active": Active, "rr": RoundRobin}[a.str("mode", "passive")]
	s.cfg.FastDataUp = FastDataUp(a.str("libknet", "1.32"))
	s.cfg.Traffic.Every = a.duration("traffic", "0s")
	s.cfg.Traffic.Until = a.duration("until", "0s")
	s.cfg.Tokens = a.str("tokens", "no") == "yes"
	s.cfg.Cold = a.str("cold", "no") == "yes"
	if a.str("together", "no") == "yes" {
		s.cfg.Spread = 100 * time.Millisecond
	}
	s.cfg.Rand = rand.New(rand.NewPCG(uint64(a.num("seed", 1)), 0))
	local := Line{Delay: a.duration("delay", "100us")}
	wan := Line{Delay: a.duration("wan", a.str("delay", "100us")), Loss: a.ratio("loss")}
	s.net = &scriptNet{Lines: NewSites(sites, links, local, wan, s.cfg.Rand)}
	s.cfg.Network = s.net
	for from := range nodes { // a line for every path, so that a script can alter each alone
		for to := range nodes {
			for l := range links {
				line := *s.net.Line(from, to, l)
				s.net.Set(from, to, l, &line)
			}
		}
	}
	var err error
	if s.ring, err = New(s.cfg); err != nil {
		return "", err
	}
	t, k := s.cfg.Timeouts, s.cfg.Links[0].Timeouts
	return fmt.Sprintf("token %v warning %v retransmit %v hold %v consensus %v ping %v run as %v timeout %v\n", t.Token, t.TokenWarning,
		t.TokenRetransmit, t.Hold, t.Consensus, k.PingInterval, k.EffectiveInterval, k.PingTimeout), nil
}

// shown maps the words of run's show to event kinds.
var shown = map[string]EventKind{
	"token": TokenReceived, "warning": TokenWarning, "lost": TokenLost, "gather": Gather, "membership": Membership,
	"service": Synchronized, "down": LinkDown, "up": LinkUp,
}

func (s *scene) run(d time.Duration, show string) string {
	var b strings.Builder
	hidden := 0
	for _, e := range s.ring.Run(s.ring.Now() + d) {
		visible := show == ""
		for w := range strings.SplitSeq(show, ",") {
			if k, ok := shown[w]; ok && k == e.Kind {
				visible = true
			}
		}
		if !visible {
			hidden++
			continue
		}
		fmt.Fprintf(&b, "%10.4fs %s\n", e.At.Seconds(), e.Describe(s.cfg.Names))
	}
	if hidden > 0 {
		fmt.Fprintf(&b, "(%d other events)\n", hidden)
	}
	if b.Len() == 0 {
		return "nothing happens\n"
	}
	return b.String()
}

// paths walks what from=, to=, link= and both= name.
func (s *scene) paths(a *args, visit func(from, to, link int)) {
	for _, from := range a.ints("from", "1") {
		for _, to := range a.ints("to", "1") {
			visit(from-1, to-1, a.num("link", 0))
			if a.str("both", "no") == "yes" {
				visit(to-1, from-1, a.num("link", 0))
			}
		}
	}
	s.net.Changed()
}

func (s *scene) outage(a *args) error {
	start := s.ring.Now() + a.duration("after", "0s")
	end := start + a.duration("for", "")
	s.paths(a, func(from, to, link int) {
		line := s.net.Line(from, to, link)
		line.Outages = append(line.Outages, Span{start, end})
	})
	return nil
}

func (s *scene) line(a *args) error {
	s.paths(a, func(from, to, link int) {
		line := s.net.Line(from, to, link)
		line.Loss = a.ratio("loss")
		line.Delay = a.duration("delay", line.Delay.String())
	})
	return nil
}

func (s *scene) drop(a *args) error {
	class := map[string]Class{"ping": ClassPing, "pong": ClassPong, "token": ClassToken, "message": ClassMessage, "membership": ClassMembership}[a.words[0]]
	s.paths(a, func(from, to, link int) {
		s.net.drops = append(s.net.drops, drop{from, to, link, class, a.num("count", 1)})
	})
	return nil
}

func (s *scene) gaps() string {
	var b strings.Builder
	for i := range s.cfg.Nodes {
		g := s.ring.LongestGap(i)
		fmt.Fprintf(&b, "%d %s, %.0f %% of the token\n", i+1, shortDuration(g.Length), 100*g.Length.Seconds()/s.cfg.Timeouts.Token.Seconds())
	}
	s.ring.ResetGaps()
	return b.String()
}

func (s *scene) counters() string {
	c := s.ring.Stats()
	return fmt.Sprintf("disruptions %d, token losses %d, warnings %d, memberships %d, link downs %d ups %d, messages sent again %d, tokens sent again %d\n",
		c.Disruptions, c.TokenLosses, c.Warnings, c.Memberships, c.LinkDowns, c.LinkUps, c.Retransmits, c.TokenRetransmits)
}
