package plan

import (
	"math/rand/v2"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// traffic is how often each node multicasts in the model: on Proxmox VE pmxcfs does every few seconds.
const traffic = 5 * time.Second

// lineKey is where a line of the model's network goes: from one site to another on a link, by index.
type lineKey struct{ from, to, link int }

// network is the model's network of a Design: a line for each ordered pair of sites and link, so that what shares a path
// shares its fate.
type network struct {
	*totem.Lines
	lines map[lineKey]*totem.Line
}

func (w *world) network(assumed Network, rng *rand.Rand) *network {
	links := w.d.Cluster.Links
	n := &network{Lines: totem.NewLines(len(w.siteOf), len(links), &totem.Line{}, rng), lines: map[lineKey]*totem.Line{}}
	for l, link := range links {
		for a := range w.sites {
			for b := range w.sites {
				q := assumed.Quality(w.sites[a], w.sites[b], link.Number)
				n.lines[lineKey{a, b, l}] = &totem.Line{Delay: q.RTT / 2, Loss: q.Loss}
			}
		}
		for i, a := range w.siteOf {
			for j, b := range w.siteOf {
				n.Set(i, j, l, n.lines[lineKey{a, b, l}])
			}
		}
	}
	return n
}

// fail puts an end to a Link, Path or PathLink from now on.
func (n *network) fail(w *world, f Failure) {
	var b broken
	w.apply(&b, f)
	for k, line := range n.lines {
		if w.usable(&b, k.from, k.to)>>k.link&1 == 0 {
			line.Loss = 1
		}
	}
	n.Changed()
}

func (w *world) ring(assumed Network, traffic time.Duration, seed uint64) (*totem.Ring, *network, *rand.Rand, error) {
	rng := rand.New(rand.NewPCG(seed, 0x706c616e))
	n := w.network(assumed, rng)
	r, err := w.d.Cluster.Ring(risk.Run{Network: n, Traffic: traffic, Rand: rng})
	return r, n, rng, err
}

// Switch is what the token does when a link dies that others can stand in for, by the model.
type Switch struct {
	Failure  Failure `json:"failure"`
	Trials   int     `json:"trials"`    // moments of death tried, at random phases of heartbeat, token and traffic
	Lost     int     `json:"lost"`      // of these, in how many the token was lost
	WorstGap Seconds `json:"worst_gap"` // the longest time without the token
	Share    float64 `json:"share"`     // of the effective token
}

// switchOver lets a link die many times; every other time the ring is idle, when the token is up to a hold time old at that
// moment.
func (w *world) switchOver(f Failure, trials int) (Switch, error) {
	s := Switch{Failure: f, Trials: trials}
	token := w.d.Cluster.Timeouts.Token
	for seed := range trials {
		r, n, rng, err := w.ring(w.d.Network, traffic*time.Duration(seed%2), uint64(seed))
		if err != nil {
			return s, err
		}
		r.Run(time.Second)
		at := time.Second + time.Duration(rng.Int64N(int64(token)))
		r.Run(at)
		n.fail(w, f)
		r.ResetGaps()
		before := r.Stats().Disruptions
		for t := at; t < at+token+token/4 && r.Stats().Disruptions == before; t += token / 8 {
			r.Run(t + token/8)
		}
		for i := range w.siteOf {
			s.WorstGap = max(s.WorstGap, Seconds(r.LongestGap(i).Length))
		}
		if r.Stats().Disruptions > before {
			s.Lost++
		}
	}
	s.Share = float64(s.WorstGap) / float64(token)
	return s, nil
}

// Losses is how often the token is lost under a loss of packets, by the model.
type Losses struct {
	Between float64 `json:"loss_between"` // the largest loss that was assumed between two sites, a ratio
	Within  float64 `json:"loss_within"`
	Without *int    `json:"without_link,omitempty"` // the number of a link that is taken as dead
	Count   int     `json:"count"`                  // token losses in the model, of a ring that was whole
	Broken  float64 `json:"broken"`                 // share of the time in which the ring was not whole
	Model   Seconds `json:"model_time"`
	PerHour float64 `json:"per_hour"`
	Least   float64 `json:"per_hour_least"` // with the next, where the rate lies with 95 % of certainty, were all as assumed
	Most    float64 `json:"per_hour_most"`
}

// Hopeless tells that the ring is broken for so much of the time that a rate of losses means little.
func (l Losses) Hopeless() bool { return l.Broken > 0.2 }

// lose runs the ring under loss until effort is spent or enough losses are counted. effort is in visits of the token and
// pings, which is what the model's running time goes by; while the ring is broken all send joins to all instead.
func (w *world) lose(assumed Network, without *Failure, effort uint64) (Losses, error) {
	const (
		enough = 100
		step   = time.Second
	)
	l := Losses{Between: w.mostLoss(assumed), Within: assumed.Within.Loss}
	r, n, _, err := w.ring(assumed, traffic, 1)
	if err != nil {
		return l, err
	}
	warm := 10 * time.Second // for knet's back-off, and to be over what a dead link does
	if without != nil {
		l.Without = &without.Link
		n.fail(w, *without)
		warm += 3 * w.d.Cluster.Timeouts.Membership()
	}
	r.Run(warm)
	before := r.Stats()
	at, broken, joins := warm, time.Duration(0), uint64(0)
	perStep := uint64(len(w.siteOf)*len(w.siteOf)) * uint64(step/w.d.Cluster.Timeouts.Join)
	for s := before; s.Tokens+s.Pings+joins < before.Tokens+before.Pings+effort && s.Disruptions < before.Disruptions+enough && at < 100*time.Hour; s = r.Stats() {
		at += step
		r.Run(at)
		if !w.whole(r) {
			broken += step
			joins += perStep
		}
	}
	l.Count = int(r.Stats().Disruptions - before.Disruptions)
	l.Model, l.Broken = Seconds(at-warm), float64(broken)/float64(at-warm)
	hours := l.Model.Duration().Hours()
	l.PerHour = float64(l.Count) / hours
	low, high := poissonInterval(l.Count)
	l.Least, l.Most = low/hours, high/hours
	return l, nil
}

// whole tells whether all nodes are in service, in one ring.
func (w *world) whole(r *totem.Ring) bool {
	for i := range w.siteOf {
		if !r.InService(i) || r.Members(i).Len() != len(w.siteOf) {
			return false
		}
	}
	return true
}

// mostLoss is the largest loss between two sites on any link; with one site, within it.
func (w *world) mostLoss(n Network) float64 {
	most := 0.0
	eachPair(w.sites, func(a, b string) {
		for _, l := range w.d.Cluster.Links {
			most = max(most, n.Quality(a, b, l.Number).Loss)
		}
	})
	return most
}

// model runs the virtual token where the answer hangs on it.
func (w *world) model(s *State, o Options, e effort) error {
	if s.Timers.Round >= s.Timers.Token/2 {
		return nil // the ring does not turn: a weak point of its own
	}
	if len(w.siteOf) < 2 {
		return nil
	}
	used := (*Failure)(nil)
	for _, l := range w.d.Cluster.Links {
		f := Failure{Kind: Link, Link: l.Number}
		if w.judge(f).impact != Failover {
			continue
		}
		sw, err := w.switchOver(f, e.trials)
		if err != nil {
			return err
		}
		s.Switches = append(s.Switches, sw)
		if used == nil {
			used = &f
		}
	}
	if err := w.livelocks(s); err != nil || o.noLoss {
		return err
	}
	return w.losses(s, o, e, used)
}

// livelocks are those of paths between two sites that a third one hears.
func (w *world) livelocks(s *State) error {
	for _, g := range s.Singles {
		if g.Impact != Loose || g.Kinds[0] != Path {
			continue
		}
		for _, f := range g.Patterns[0].One[:min(3, g.Count)] { // more would tell no more
			l, err := w.livelock(f)
			if err != nil {
				return err
			}
			s.Livelocks = append(s.Livelocks, l)
		}
	}
	return nil
}

// losses are those of the loss that was said, or of an indication, with all links and without the one that is used most.
func (w *world) losses(s *State, o Options, e effort, used *Failure) error {
	assumed := w.d.Network
	if !o.LossSaid {
		if len(w.sites) < 2 {
			return nil
		}
		assumed = assumed.withLoss(Indication)
	}
	if w.mostLoss(assumed) == 0 && assumed.Within.Loss == 0 {
		return nil
	}
	tries := []*Failure{nil}
	if used != nil {
		tries = append(tries, used)
	}
	for _, without := range tries {
		l, err := w.lose(assumed, without, e.visits)
		if err != nil {
			return err
		}
		s.Losses = append(s.Losses, l)
	}
	return nil
}
