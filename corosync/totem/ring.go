package totem

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// MaxProcessors is how many processors a Ring models: a Set is one machine word.
const MaxProcessors = 64

// MaxLinks is how many links knet carries (libknet/libknet.h, KNET_MAX_LINK).
const MaxLinks = 8

// DefaultHandling is what a processor needs to take a packet off the wire, decrypt it and act on it, when Config.Handling
// is zero. Measured: an idle three-node ring over veth turned in hold + 0.7 ms, network included.
const DefaultHandling = 100 * time.Microsecond

// LinkMode is how knet spreads packets over the usable links to a peer (totem.link_mode).
type LinkMode uint8

// The link modes (libknet/host.c, _host_dstcache_update_sync; libknet/threads_tx.c, _dispatch_to_links).
const (
	Passive    LinkMode = iota // only the usable link with the highest priority, of equals the lowest number
	Active                     // every packet on every usable link; the receiver drops the duplicates
	RoundRobin                 // one packet after another over the usable links
)

// Link is one knet link as all processors have it configured.
type Link struct {
	Timeouts LinkTimeouts
	Priority int // knet_link_priority: the higher number wins in Passive mode
}

// Traffic is what the programs on top multicast: on Proxmox mainly pmxcfs.
type Traffic struct {
	Every time.Duration // per processor; zero: none, the ring falls idle
	Until time.Duration // since the start; zero: for ever
}

// Config says what ring to model. Processors are numbered 0 to Nodes-1 in ascending order of nodeid: their order is all
// that Totem's rules ask for.
type Config struct {
	Nodes      int
	Names      []string // for texts only; nil: "1", "2", ...
	Timeouts   Timeouts
	Links      []Link // in order of their number; at least one
	Mode       LinkMode
	FastDataUp bool // libknet 1.27 and later: data forces a link up; see FastDataUp
	Traffic    Traffic
	Handling   time.Duration // what a processor needs per packet; zero: DefaultHandling
	Network    Network
	Rand       *rand.Rand    // phases of heartbeats and traffic; nil: all phases zero
	Spread     time.Duration // phases of different processors lie within this, as of daemons started together; zero: anywhere
	Cold       bool          // no processor runs yet; Start them. Else: a ring of all, long since formed, all links up
	Tokens     bool          // report every accepted token as an Event too; slows long runs
}

// validate returns the reasons why no ring can be made of c.
func (c *Config) validate() error {
	var errs []error
	if c.Nodes < 1 || c.Nodes > MaxProcessors {
		errs = append(errs, fmt.Errorf("totem: ring: %d processors: from 1 to %d can be modelled", c.Nodes, MaxProcessors))
	}
	if c.Names != nil && len(c.Names) != c.Nodes {
		errs = append(errs, fmt.Errorf("totem: ring: %d names for %d processors", len(c.Names), c.Nodes))
	}
	if len(c.Links) < 1 || len(c.Links) > MaxLinks {
		errs = append(errs, fmt.Errorf("totem: ring: %d links: from 1 to %d can be modelled", len(c.Links), MaxLinks))
	}
	if c.Network == nil {
		errs = append(errs, errors.New("totem: ring: no network"))
	}
	t := c.Timeouts
	if t.Token <= 0 || t.TokenRetransmit <= 0 || t.Join <= 0 || t.Consensus <= 0 || t.Merge <= 0 {
		errs = append(errs, errors.New("totem: ring: token, token_retransmit, join, consensus and merge must be above zero"))
	}
	if t.Hold < 0 || t.TokenWarning < 0 || c.Traffic.Every < 0 || c.Handling < 0 || c.Spread < 0 {
		errs = append(errs, errors.New("totem: ring: hold, token warning, traffic, handling and spread must not be negative"))
	}
	for i, l := range c.Links {
		if l.Timeouts.PingInterval <= 0 || l.Timeouts.PingTimeout <= 0 {
			errs = append(errs, fmt.Errorf("totem: ring: link %d: ping interval and timeout must be above zero", i))
		}
	}
	return errors.Join(errs...)
}

// Ring is a cluster's Totem ring above its knet links. It has no clock: time is the duration since its start, moved on
// by Run and Step. It is not for concurrent use. Equal Configs, networks and calls give equal events.
type Ring struct {
	cfg   Config
	now   int64 // nanoseconds since the start, as all times inside
	limit int64 // how far the present Run goes
	procs []proc
	peers []peer // [from*Nodes+to]
	links []link // [(from*Nodes+to)*len(cfg.Links)+link]
	knet  []knetParams
	t     timing

	common [3]float64 // where in the cycles of pings, heartbeats and traffic all processors are, with Config.Spread
	net    Network
	calm   Calm // nil: the network never promises calm

	ord     uint32
	slots   [2]event // [which]: the earliest event, when full; keeps the travelling token out of the heap
	which   int
	full    bool
	current event // the one being dealt with, if it came from a heap
	queue   eventHeap
	ticks   tickQueue // knet's heartbeats: they come apart, so that they do not limit skipping over calm rotations

	joins   pool[join]
	commits pool[commitToken]
	batches pool[batch]
	groups  []group // scratch of spread
	asked   []int32 // scratch of retransmitMissing
	lists   rtrLists

	out     []Event
	drained bool // out was handed to the caller
	stats   Stats
}

// timing is Timeouts in nanoseconds.
type timing struct {
	token, warning, retransmit, hold, join, consensus, merge, handling int64
	every, until                                                       int64
}

// New makes a ring at time zero.
func New(cfg Config) (*Ring, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Handling == 0 {
		cfg.Handling = DefaultHandling
	}
	n, l := cfg.Nodes, len(cfg.Links)
	r := &Ring{
		cfg:   cfg,
		net:   cfg.Network,
		procs: make([]proc, n),
		peers: make([]peer, n*n),
		links: make([]link, n*n*l),
		knet:  knetParamsOf(cfg.Links),
		t:     timingOf(&cfg),
	}
	r.calm, _ = cfg.Network.(Calm)
	if cfg.Rand != nil {
		r.common = [3]float64{cfg.Rand.Float64(), cfg.Rand.Float64(), cfg.Rand.Float64()}
	}
	for i := range r.procs {
		r.procs[i].reset(i)
	}
	if !cfg.Cold {
		r.warmStart()
	}
	return r, nil
}

func timingOf(cfg *Config) timing {
	t := cfg.Timeouts
	return timing{
		token: int64(t.Token), warning: int64(t.TokenWarning), retransmit: int64(t.TokenRetransmit), hold: int64(t.Hold),
		join: int64(t.Join), consensus: int64(t.Consensus), merge: int64(t.Merge), handling: int64(cfg.Handling),
		every: int64(cfg.Traffic.Every), until: int64(cfg.Traffic.Until),
	}
}

// warmStart puts a long-lived ring of all processors in place; the representative has just got the token.
func (r *Ring) warmStart() {
	all := setOf(r.cfg.Nodes)
	id := ringOf(0, 4)
	for i := range r.procs {
		p := &r.procs[i]
		p.alive, p.hostUp, p.state = true, true, StateOperational
		p.ring, p.oldRing, p.tokenRingSeq = id, id, id.Seq()
		p.members, p.newMembers, p.transMembers, p.procList = all, all, all, all
		p.next = all.after(i)
		p.receivedFlag, p.served, p.transAck = true, true, false
		p.sent = token{ring: id, tokenSeq: -1}
		r.warmLinks(i)
		r.startTick(i)
		r.startTraffic(i)
		r.resetTokenTimers(p)
		r.resetRetransmit(p)
	}
	last := &r.procs[r.cfg.Nodes-1]
	last.sent.tokenSeq = 0
	r.push(event{at: 0, kind: kindToken, from: uint8(last.index), idx: last.sentNo})
}

// Now is the ring's time: that of the last event or the end of the last Run.
func (r *Ring) Now() time.Duration { return time.Duration(r.now) }

// Next is the time of the next thing to happen inside.
func (r *Ring) Next() time.Duration {
	ev := r.peek()
	if ev == nil {
		return 1<<63 - 1
	}
	return time.Duration(ev.at)
}

// Step lets the next thing happen and returns the events that came of it, often none. The slice is valid until the next
// call of Step or Run.
func (r *Ring) Step() []Event {
	r.drain()
	r.limit = r.now
	if ev := r.pop(1<<63 - 1); ev != nil {
		r.dispatch(ev)
	}
	r.drained = true
	return r.out
}

// Run lets everything happen up to and including until, and returns the events, oldest first. The slice is valid until
// the next call of Step or Run.
func (r *Ring) Run(until time.Duration) []Event {
	r.drain()
	r.limit = int64(until)
	for {
		ev := r.pop(int64(until))
		if ev == nil {
			break
		}
		r.dispatch(ev)
	}
	r.now = max(r.now, int64(until))
	r.drained = true
	return r.out
}

// drain forgets the events that the caller already has.
func (r *Ring) drain() {
	if r.drained {
		r.out, r.drained = r.out[:0], false
	}
}

func (r *Ring) emit(e Event) {
	if r.drained { // an intervention between two runs: its events belong to the next
		r.out, r.drained = r.out[:0], false
	}
	e.At = time.Duration(r.now)
	r.out = append(r.out, e)
}

// random gives a number in [0, below).
func (r *Ring) random(below int64) int64 {
	if r.cfg.Rand == nil || below <= 0 {
		return 0
	}
	return r.cfg.Rand.Int64N(below)
}

// phase gives a processor's place in a cycle: anywhere, or with Config.Spread close to common, which is in [0, 1).
func (r *Ring) phase(cycle int64, common float64) int64 {
	spread := int64(r.cfg.Spread)
	if spread == 0 || spread >= cycle {
		return r.random(cycle)
	}
	return (int64(common*float64(cycle)) + r.random(spread)) % cycle
}
