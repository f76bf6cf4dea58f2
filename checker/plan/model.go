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

func (w *world) ring(assumed Network, traffic time.Duration, seed uint64) (*totem.Ring, *network, error) {
	rng := rand.New(rand.NewPCG(seed, 0x706c616e))
	n := w.network(assumed, rng)
	r, err := w.d.Cluster.Ring(risk.Run{Network: n, Traffic: traffic, Rand: rng})
	return r, n, err
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

// lose runs the ring under loss until effort is spent or enough losses are counted.
func (w *world) lose(assumed Network, without *Failure, effort uint64) (Losses, error) {
	const (
		enough = 100
		step   = time.Second
	)
	l := Losses{Between: w.mostLoss(assumed), Within: assumed.Within.Loss}
	r, n, err := w.ring(assumed, traffic, 1)
	if err != nil {
		return l, err
	}
	warm := 10 * time.Second // for knet's back-off
	if without != nil {
		l.Without = &without.Link
		n.fail(w, *without)
		warm += w.settle(r, *without)
	}
	r.Run(warm)
	before, paid := r.Stats(), w.cost(r)
	at, broken, joins := warm, time.Duration(0), uint64(0)
	for s := before; w.cost(r)+joins < paid+effort && s.Disruptions < before.Disruptions+enough && at < 100*time.Hour; s = r.Stats() {
		at += step
		r.Run(at)
		if !r.Together() {
			broken += step
			joins += w.joins(step)
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

// settle lets the ring get over the death of a link, and returns the time.
func (w *world) settle(r *totem.Ring, dead Failure) time.Duration {
	at, most := time.Duration(0), 3*w.d.Cluster.Timeouts.Membership()
	for at < most && !(w.unused(r, dead) && r.Together()) {
		at += most / 64
		r.Run(at)
	}
	return at
}

// cost is what the model's running time goes by: visits of the token, pings, and messages that each node hears. While the ring is broken
// all send joins to all besides.
func (w *world) cost(r *totem.Ring) uint64 {
	s, n := r.Stats(), uint64(len(w.siteOf))
	return s.Tokens + s.Pings + n*n*uint64(r.Now()/traffic)
}

// joins is how many joins are sent in a time in which the ring is broken.
func (w *world) joins(t time.Duration) uint64 {
	return uint64(len(w.siteOf)*len(w.siteOf)) * uint64(t/w.d.Cluster.Timeouts.Join)
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
	used, err := w.switches(s, e)
	if err != nil {
		return err
	}
	if !o.brief {
		if err := w.livelocks(s, e.loose); err != nil {
			return err
		}
	}
	if o.brief && !o.LossSaid {
		return nil // an indication decides nothing
	}
	return w.losses(s, o, e, used)
}

// switches lets each link die that another can stand in for, and returns the first of them.
func (w *world) switches(s *State, e effort) (*Failure, error) {
	var dying []Failure
	for _, l := range w.d.Cluster.Links {
		if f := (Failure{Kind: Link, Link: l.Number}); w.judge(f).impact == Failover {
			dying = append(dying, f)
		}
	}
	for _, f := range dying {
		each := e
		each.deaths /= uint64(len(dying))
		sw, err := w.switchOver(f, each)
		if err != nil {
			return nil, err
		}
		s.Switches = append(s.Switches, sw)
	}
	if len(dying) == 0 {
		return nil, nil
	}
	return &dying[0], nil
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
