package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/quorumwatch/quorumwatch/alerts"
	"github.com/quorumwatch/quorumwatch/alerts/webhook"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/cmd/internal/config"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/udp"
	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/api"
	"github.com/quorumwatch/quorumwatch/proxmox/pmxcfs"
)

func newAgentCommand(p *process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Watch this node's paths, Corosync and quorum; run it on every node",
		Long: `agent runs beside Corosync on every node of the cluster. It probes all peers over all links, follows the running
Corosync, judges both together many times a second, and serves the report over HTTP.

On a Proxmox VE node it needs no configuration. It never changes anything on the node or in the cluster.

SIGHUP makes it read its configuration and corosync.conf again; a changed corosync.conf is noticed by itself.`,
		Example: `  quorumwatch agent
  quorumwatch agent --web-listen :8412 --probe-interval 20ms
  curl http://127.0.0.1:8412/report.txt`,
		GroupID: groupWatch,
		Args:    arguments(cobra.NoArgs),
	}
	config.RegisterFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return runAgent(cmd.Context(), p, config.Source{Flags: cmd.Flags(), Environ: p.environ})
	}
	return cmd
}

// maxProcessors is how many processors an agent uses at a time: one probes, the other does the rest. On a machine of 64, Go's
// garbage collector would wake a thread on 16 of them for a heap of ten megabytes.
const maxProcessors = 2

func runAgent(ctx context.Context, p *process, source config.Source) error {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(min(maxProcessors, runtime.GOMAXPROCS(0)))
	}
	c, err := config.Load(source)
	if err != nil {
		return err
	}
	log := newLogger(p, c.Log)
	log.Info().Str("version", readVersion().String()).Str("config", c.File).Msg("quorumwatch agent starts")
	full, err := agentConfig(c, log)
	if err != nil {
		return err
	}
	a := agent.New(full)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go reloadOnHangup(ctx, a, source, c)
	if err := a.Run(ctx); err != nil {
		return err
	}
	log.Info().Msg("quorumwatch agent ends")
	return nil
}

// reloadOnHangup reads the configuration again at each SIGHUP, and gives the agent what can change while it runs.
func reloadOnHangup(ctx context.Context, a *agent.Agent, source config.Source, old config.Config) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		next, err := config.Load(source)
		if err != nil {
			a.Log().Error().Err(err).Msg("reload: the configuration in force stays")
			continue
		}
		if keys := needRestart(old, next); len(keys) > 0 {
			a.Log().Warn().Strs("keys", keys).Msg("reload: these take effect after a restart")
		}
		a.Reload(settings(next))
	}
}

// needRestart returns the keys that changed and that a running agent cannot take over.
func needRestart(old, next config.Config) []string {
	live := []string{"corosync.authkey", "corosync.node", "probe.interval", "probe.full_size", "probe.auth", "probe.key_file", "sites"}
	before := map[string]string{}
	for _, s := range old.Settings {
		before[s.Key] = s.Value
	}
	var keys []string
	for _, s := range next.Settings {
		isLive := false
		for _, l := range live {
			isLive = isLive || strings.HasPrefix(s.Key, l)
		}
		if !isLive && before[s.Key] != s.Value {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// agentConfig turns the configuration into an agent on this machine.
func agentConfig(c config.Config, log zerolog.Logger) (agent.Config, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return agent.Config{}, fmt.Errorf("host name: %w", err)
	}
	receivers, err := receivers(c.Alerts, log)
	if err != nil {
		return agent.Config{}, err
	}
	conf := c.Corosync.ConfigFile
	return agent.Config{
		Software: readVersion().Version, Hostname: hostname, LocalAddrs: agent.HostAddrs,
		ReadConf: agent.ConfFile(conf), ConfEvents: agent.WatchFile(conf),
		Daemon: ctl.New(ctl.Config{
			Runner: ctl.Exec{Dir: c.Corosync.ToolsDir},
			LogNow: func() (ctl.LogSource, error) { return agent.LogOf(conf, c.Corosync.LogFile) },
		}),
		Proxmox: follower(c.Proxmox), Journal: ctl.Journal{}, Host: agent.Machine{},
		Probe: agent.Probe{
			Network: udp.Network{}, NewPacer: func() (probe.Pacer, error) { return udp.NewPacer() },
			Port: c.Probe.Port, Allow: c.Probe.Allow,
		},
		Trace:    traceConfig(c),
		Settings: settings(c), Alerts: c.Alerts.Manager, Receivers: receivers,
		Listen: c.Web.Listen, WebConfig: c.Web.ConfigFile, Log: log,
	}, nil
}

// traceConfig is what is kept of the paths' past.
func traceConfig(c config.Config) agent.Trace {
	t := agent.Trace{Keep: c.Trace.Keep, Files: c.Trace.Files, Size: c.Trace.Size}
	if c.StateDir != "" && c.Trace.Files > 0 {
		t.Dir = filepath.Join(c.StateDir, "traces")
	}
	return t
}

// pveDir is there on every node of Proxmox VE, also while nothing is mounted on it.
const pveDir = "/etc/pve"

// follower follows Proxmox VE's files, where there is one, and its API, if it is configured; nil if neither.
func follower(c config.Proxmox) agent.Proxmox {
	var feeds []proxmox.Feed
	if _, err := os.Lstat(pveDir); c.Files && err == nil {
		feeds = append(feeds, proxmox.Feed{Reader: pmxcfs.New(os.DirFS("/"))})
	}
	if len(c.API.Endpoints) > 0 {
		if r, err := api.New(c.API); err == nil { // config has tried it
			feeds = append(feeds, proxmox.Feed{Reader: r, Every: c.Interval})
		}
	}
	if len(feeds) == 0 {
		return nil
	}
	return proxmox.NewFollower(feeds...)
}

// settings are what a running agent can take over.
func settings(c config.Config) agent.Settings {
	s := agent.Settings{
		NodeName: c.Corosync.Node, Sites: map[string]string{},
		Interval: c.Probe.Interval, FullSize: c.Probe.FullSize, FullSizeInterval: c.Probe.FullSizeInterval,
	}
	for _, site := range c.Sites {
		for _, node := range site.Nodes {
			s.Sites[node] = site.Name
		}
	}
	switch c.Probe.Auth {
	case config.AuthCorosyncKey:
		s.Key = agent.CorosyncKey(c.Corosync.AuthKey)
	case config.AuthKeyFile:
		s.Key = agent.CorosyncKey(c.Probe.KeyFile)
	case config.AuthNone:
	}
	return s
}

func receivers(c config.Alerts, log zerolog.Logger) ([]*alerts.Queue, error) {
	var out []*alerts.Queue
	for _, w := range c.Webhooks {
		n, err := webhook.New(w)
		if err != nil {
			return nil, err
		}
		out = append(out, alerts.NewQueue(alerts.QueueConfig{
			Notifier: n, MinSeverity: w.MinSeverity, SendResolved: w.SendResolved, Log: log,
		}))
	}
	return out, nil
}

// newLogger writes to standard error: lines for people on a terminal, JSON for the journal and other machines.
func newLogger(p *process, c config.Log) zerolog.Logger {
	out := p.err
	format := c.Format
	if format == config.FormatAuto {
		format = config.FormatJSON
		if isTerminal(p.err) {
			format = config.FormatConsole
		}
	}
	if format == config.FormatConsole {
		out = zerolog.ConsoleWriter{Out: p.err, TimeFormat: "15:04:05.000"}
	}
	log := zerolog.New(out).Level(c.Level).With().Str("node", shortHostname()).Logger()
	return log.Hook(zerolog.HookFunc(stamp))
}

// stamp gives a line its time to the millisecond: within a second a cluster can fall apart.
func stamp(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(zerolog.TimestampFieldName, time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}

func shortHostname() string {
	name, _ := os.Hostname()
	short, _, _ := strings.Cut(name, ".")
	return short
}
