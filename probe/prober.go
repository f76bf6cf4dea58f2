package probe

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/probe/stamp"
)

// Prober measures paths and answers the probes of peers. Make one with New, give it targets with SetTargets (before or while it
// runs), and call Run. All methods are safe for concurrent use.
type Prober struct {
	cfg      Config
	counters counters
	bulletin atomic.Pointer[[]byte]
	total    bucketLock // of all replies
	watch    watch
	trouble  chan struct{} // holds a token when Troubled has changed
	troubled int           // this, guard and unsent are the pacer's goroutine's
	guard    guard
	unsent   bool // a probe could not be sent since the last look
	drops    dropWatch
	clock    stamp.ErrorEstimate

	mu      sync.Mutex
	paths   map[Path]*path
	ordered []*path // ascending by addresses; never changed, only replaced
	version int     // counts replacements
	sockets map[netip.AddrPort]*socket
	plan    []*shot   // those of one socket together
	next    time.Time // when the first of them is due; zero: there is none
	bursts  bool      // some of them end
	beat    time.Duration
	run     func(*socket) // starts a socket; nil while Run is not called
}

// New returns a Prober without targets.
func New(cfg Config) (*Prober, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Prober{
		cfg: cfg, trouble: make(chan struct{}, 1), paths: map[Path]*path{}, sockets: map[netip.AddrPort]*socket{},
		// Our clock is not known to be synchronized and may be a second off: nothing here depends on it.
		clock: stamp.NewErrorEstimate(false, stamp.NTP, time.Second),
	}
	p.total.bucket.rate = cfg.TotalRate
	p.SetTargets(nil)
	return p, nil
}

// Run probes and answers until ctx ends. It returns nil then, and an error only if the pacer fails. It may be called once.
func (p *Prober) Run(ctx context.Context) error {
	pacer, err := p.cfg.NewPacer()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	start := func(s *socket) {
		ctx, cancel := context.WithCancel(ctx)
		s.cancel = cancel
		wg.Go(func() { s.run(ctx) })
	}
	p.mu.Lock()
	p.run = start
	for _, s := range p.sockets {
		start(s)
	}
	p.mu.Unlock()
	wg.Go(func() {
		<-ctx.Done()
		pacer.Close()
	})
	err = p.pace(ctx, pacer)
	cancel()
	p.watch.expect(time.Time{})
	p.mu.Lock()
	p.run = nil
	p.mu.Unlock()
	wg.Wait()
	return err
}

// SetTargets makes these the paths that are probed. Those that were probed before in the same way keep their figures; those that
// are gone are forgotten. If two targets have the same path, the first counts; TOS, priority and port of a local
// address are those of its first target.
func (p *Prober) SetTargets(targets []Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	paths := map[Path]*path{}
	for _, t := range targets {
		t = t.withDefaults()
		if paths[t.Path] != nil {
			continue
		}
		old := p.paths[t.Path]
		if old == nil || old.target != t {
			old = newPath(&p.cfg, t, now)
		}
		paths[t.Path] = old
	}
	p.paths = paths
	p.ordered = slices.SortedFunc(maps.Values(paths), func(a, b *path) int { return comparePaths(a.target.Path, b.target.Path) })
	p.setSockets(targets)
	p.version++
	p.setPlan(now)
}

// setSockets opens, closes and refills the sockets; under p.mu.
func (p *Prober) setSockets(targets []Target) {
	want := map[netip.AddrPort]ListenConfig{}
	for _, t := range targets {
		t = t.withDefaults()
		at := netip.AddrPortFrom(t.Local, t.From)
		if _, ok := want[at]; !ok {
			want[at] = ListenConfig{Addr: at, TOS: t.TOS, Priority: t.Priority, DF: true}
		}
	}
	for _, a := range p.cfg.Reflect {
		at := netip.AddrPortFrom(a, p.cfg.Port)
		if _, ok := want[at]; !ok {
			want[at] = ListenConfig{Addr: at, TOS: p.cfg.TOS, Priority: p.cfg.Priority, DF: true}
		}
	}
	for at, s := range p.sockets {
		if want[at] != s.listen {
			s.stop()
			delete(p.sockets, at)
		}
	}
	for at, c := range want {
		if p.sockets[at] == nil {
			s := newSocket(p, c)
			p.sockets[at] = s
			if p.run != nil {
				p.run(s)
			}
		}
	}
	p.setPeers()
}

// setPeers tells each socket whom it talks to; under p.mu.
func (p *Prober) setPeers() {
	peers := map[*socket][]*path{}
	for _, q := range p.paths {
		s := p.sockets[netip.AddrPortFrom(q.target.Local, q.target.From)]
		q.socket.Store(s)
		peers[s] = append(peers[s], q)
	}
	for _, s := range p.sockets {
		s.setPaths(peers[s])
	}
}

// Observations returns what is known of each path, ascending by addresses.
func (p *Prober) Observations(now time.Time) []Observation { return p.AppendObservations(nil, now) }

// AppendObservations appends what is known of each path to out, ascending by addresses.
func (p *Prober) AppendObservations(out []Observation, now time.Time) []Observation {
	p.checkStall(now)
	p.checkDrops(now)
	paths := p.all()
	out = slices.Grow(out, len(paths))
	for _, q := range paths {
		out = append(out, q.observe(now))
	}
	return out
}

// all returns the paths, ascending by addresses.
func (p *Prober) all() []*path {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ordered
}

// Hush sends no more probes, until the next SetTargets. Answers to those that left still count.
func (p *Prober) Hush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.next = nil, time.Time{}
	now := time.Now()
	for _, q := range p.paths {
		q.hush(false, now)
		q.hush(true, now)
	}
}

// SetBulletin sets what rides in our full-size probes from now on. Data that is longer than BulletinRoom is not sent in probes
// that it does not fit.
func (p *Prober) SetBulletin(data []byte) {
	data = slices.Clone(data)
	p.bulletin.Store(&data)
}

// Bulletins returns the newest bulletin that came over each path, ascending by addresses.
func (p *Prober) Bulletins() []Bulletin {
	paths := p.all()
	out := make([]Bulletin, 0, len(paths))
	for _, q := range paths {
		if b := q.lastBulletin(); b.Data != nil {
			out = append(out, b)
		}
	}
	return out
}

// PeerPause tells that a peer said it had stalled, for longest at most, between two instants: see stats.Path.PeerPause.
func (p *Prober) PeerPause(path Path, from, to time.Time, longest time.Duration) {
	q := p.lookup(path)
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats.PeerPause(from, to, longest)
	q.windows.at = time.Time{}
}

// list returns the sockets.
func (p *Prober) list() []*socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.sockets))
}

func comparePaths(a, b Path) int {
	return cmp.Or(a.Local.Compare(b.Local), a.Remote.Compare(b.Remote))
}
