package agent

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/trace"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// Config is all that an agent needs. Where it comes from, the real machine or a simulated one, is the caller's business.
type Config struct {
	Software   string // version of quorumwatch
	Hostname   string
	LocalAddrs func() ([]netip.Addr, error)                       // addresses of this host's interfaces
	Resolver   corosync.Resolver                                  // for host names in corosync.conf
	ReadConf   func() (file string, text []byte, err error)       // corosync.conf
	ConfEvents func(ctx context.Context) (<-chan struct{}, error) // tells when corosync.conf may have changed; nil: never
	Daemon     Daemon
	Proxmox    Proxmox // nil: there is none
	Journal    Journal // of this machine, followed where there is a Proxmox; nil: there is none
	Host       Host    // nil: nothing is asked of the machine
	Probe      Probe
	Settings   Settings // what may change while the agent runs
	Trace      Trace    // what is kept of the paths' past
	Alerts     alerts.Config
	Receivers  []*alerts.Queue
	Listen     []string // host:port each; none: no server
	WebConfig  string   // exporter-toolkit's web configuration file (TLS, users); "": neither
	Log        zerolog.Logger
}

// Probe says how this agent probes and is probed.
type Probe struct {
	Network  probe.Network
	NewPacer func() (probe.Pacer, error) // nil: the runtime's timers
	Port     uint16
	Allow    []netip.Prefix   // who may be answered besides the nodes of corosync.conf
	Wall     func() time.Time // clock for the stamps in probes; nil: time.Now. It is never used to measure
}

// Settings are what Reload may change.
type Settings struct {
	NodeName         string            // this node's name or nodeid, when its own finding of itself is to be overruled
	Sites            map[string]string // site by node name or nodeid
	Interval         time.Duration     // of token-sized probes
	FullSize         int               // UDP payload of full-size probes on IPv4; 0: none
	FullSizeInterval time.Duration
	Key              func(c *corosync.Config) (stamp.Master, error) // nil: unauthenticated
}

// Daemon follows one Corosync daemon: corosync/ctl does with a real one, corosync/sim with a simulated one.
type Daemon interface {
	Run(ctx context.Context) error
	Status() corosync.Status
	// Changed returns a channel that is closed at the next change of Status.
	Changed() <-chan struct{}
	// Hurry asks for a fresh look at links and token at once: the probes see trouble. It never blocks.
	Hurry()
}

// maxFarewell bounds how long the end of an agent waits for its good-bye, which leaves with a full-size probe: one a second at least.
const maxFarewell = 1200 * time.Millisecond

// Agent is one node's watch.
type Agent struct {
	config    Config
	log       zerolog.Logger
	settings  atomic.Pointer[Settings]
	prober    atomic.Pointer[keyed] // nil before the first good corosync.conf
	report    atomic.Pointer[checker.Report]
	plan      atomic.Pointer[plan]
	modelled  atomic.Pointer[risk.Cluster] // as the virtual token runs; nil before
	forecast  atomic.Pointer[checker.Forecast]
	fenceLog  atomic.Pointer[proxmox.FenceLog]
	host      atomic.Pointer[hostFacts] // nil before the first look
	confErr   atomic.Pointer[string]    // why the newest corosync.conf is not in force
	keyErr    atomic.Pointer[string]    // why the key for probes cannot be used
	leaving   atomic.Bool
	reload    chan struct{}
	loaded    chan struct{}            // closed when corosync.conf was read for the first time, for good or bad
	hurry     chan struct{}            // holds a token when there is something to judge at once
	rekeyed   chan struct{}            // holds a token when there is a new prober
	published chan struct{}            // holds a token when a Report was published that the alerts have not seen
	traceAsk  chan chan<- *trace.Trace // asks the judge for a snapshot of the record
	traceJobs chan traceJob            // closed by the judge
	allReady  chan struct{}
}

// New returns an agent that does nothing until Run.
func New(c Config) *Agent {
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	a := &Agent{
		config: c, log: c.Log,
		reload:    make(chan struct{}, 1),
		loaded:    make(chan struct{}),
		hurry:     make(chan struct{}, 1),
		rekeyed:   make(chan struct{}, 1),
		published: make(chan struct{}, 1),
		traceAsk:  make(chan chan<- *trace.Trace, 4),
		traceJobs: make(chan traceJob, traceJobs),
		allReady:  make(chan struct{}),
	}
	a.settings.Store(&c.Settings)
	return a
}

// Report returns the newest judgement, nil before the first. It is never changed.
func (a *Agent) Report() *checker.Report { return a.report.Load() }

// Log returns the agent's logger, for what concerns the agent as a whole.
func (a *Agent) Log() *zerolog.Logger { return &a.log }

// Settings returns those in force.
func (a *Agent) Settings() Settings { return *a.settings.Load() }

// Reload puts new settings in force and reads corosync.conf and the key again. It never blocks.
func (a *Agent) Reload(s Settings) {
	a.settings.Store(&s)
	select {
	case a.reload <- struct{}{}:
	default:
	}
}

// Tasks are what Run does at the same time.
func (a *Agent) Tasks() []Task {
	tasks := []Task{
		newTask("config", a.followConfig),
		newTask("daemon", func(ctx context.Context, ready func()) error {
			ready()
			return a.config.Daemon.Run(ctx)
		}),
		newTask("probes", a.probeOn),
		newTask("judge", a.judge),
		newTask("traces", a.keepTraces),
		newTask("forecast", a.foretell),
		newTask("alerts", a.alert),
		newTask("systemd", a.supervised),
	}
	if a.config.Proxmox != nil {
		tasks = append(tasks, newTask("proxmox", func(ctx context.Context, ready func()) error {
			ready()
			return a.config.Proxmox.Run(ctx)
		}))
	}
	if a.config.Proxmox != nil && a.config.Journal != nil {
		tasks = append(tasks, newTask("fence log", a.followFenceLog))
	}
	if a.config.Host != nil {
		tasks = append(tasks, newTask("host", a.look))
	}
	for _, q := range a.config.Receivers {
		tasks = append(tasks, q)
	}
	if len(a.config.Listen) > 0 {
		tasks = append(tasks, newTask("web", a.serve))
	}
	return tasks
}

// Run watches until ctx ends, says good-bye to the peers and returns nil. It returns an error when a task cannot go on.
func (a *Agent) Run(ctx context.Context) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		a.leaving.Store(true)
		select {
		case a.hurry <- struct{}{}:
		default:
		}
		time.AfterFunc(a.farewell(), stop)
	})()
	return runTasks(working, a.log, a.Tasks(), sync.OnceFunc(func() { close(a.allReady) }))
}

// farewell is how long it takes until every peer has the bulletin that says that this agent leaves.
func (a *Agent) farewell() time.Duration {
	s := a.settings.Load()
	if s.FullSize == 0 || a.prober.Load() == nil {
		return 0
	}
	return min(s.FullSizeInterval+2*judgeEvery, maxFarewell)
}
