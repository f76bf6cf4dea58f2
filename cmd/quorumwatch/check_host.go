package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/lint"
	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/cmd/internal/config"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/ctl"
	"github.com/quorumwatch/quorumwatch/probe/nic"
	"github.com/quorumwatch/quorumwatch/proxmox"
	"github.com/quorumwatch/quorumwatch/proxmox/pmxcfs"
)

// checkHost is what is known of this host without sending anything.
type checkHost struct {
	config  config.Config
	file    string // of corosync.conf; "" if there is none
	text    []byte
	conf    *corosync.Config // nil if there is none
	planned []byte
	sites   map[string]string
	addrs   []netip.Addr
	ring    []corosync.Address
	local   uint32 // 0: not a node
	missing []string
	proxmox proxmox.Snapshot
	isPVE   bool
	libknet func() string // version, as far as it is known by now; set by status
}

// pveHere is a folder on the node's own disk that every Proxmox VE node has; asking for it never waits for pmxcfs.
const pveHere = "/var/lib/pve-cluster"

// host looks at this host.
func (f *checkFlags) host(ctx context.Context, p *process) (*checkHost, error) {
	h := &checkHost{sites: map[string]string{}}
	var err error
	if h.config, err = config.Load(config.Source{Environ: p.environ}); err != nil {
		return nil, err
	}
	if err := f.readSites(h); err != nil {
		return nil, err
	}
	if f.planned != "" {
		if h.planned, err = os.ReadFile(f.planned); err != nil {
			return nil, unwrapped(f.planned, err)
		}
	}
	if f.agent != "" {
		return h, nil // whatever is here is another matter
	}
	h.file = h.config.Corosync.ConfigFile
	if f.config != "" {
		h.file = f.config
	}
	h.text, err = agent.ReadFile(h.file)
	switch {
	case err == nil:
	case f.config != "" || len(f.peers) == 0:
		return nil, &hinted{unwrapped(h.file, err), "check runs on a node of a cluster; for a site that is to join, give --peer name=address"}
	default:
		h.file = ""
		h.missing = append(h.missing, "this host has no corosync.conf")
	}
	h.addrs, _ = agent.HostAddrs()
	if h.text != nil {
		if h.conf, err = corosync.Parse(h.file, bytes.NewReader(h.text)); err != nil {
			return nil, noAnswer(err)
		}
		h.whoAmI(ctx)
	}
	if _, err := os.Stat(pveHere); err == nil && h.config.Proxmox.Files {
		h.isPVE, h.proxmox = true, pmxcfs.New(os.DirFS("/")).Read(ctx)
	}
	return h, nil
}

// readSites takes the sites of the command line, else those of the configuration.
func (f *checkFlags) readSites(h *checkHost) error {
	for _, s := range h.config.Sites {
		for _, n := range s.Nodes {
			h.sites[n] = s.Name
		}
	}
	if len(f.sites) == 0 {
		return nil
	}
	sites, counted, err := readSites(f.sites)
	if err != nil || counted {
		return usage("--site a=pve1,pve2 names the nodes of a site", "--site %q", f.sites)
	}
	h.sites = map[string]string{}
	for _, s := range sites {
		for _, n := range s.Nodes {
			h.sites[n] = s.Name
		}
	}
	return nil
}

// whoAmI finds this host in the nodelist.
func (h *checkHost) whoAmI(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var problems []corosync.Problem
	h.ring, problems = corosync.Resolve(ctx, net.DefaultResolver, h.conf)
	for _, p := range problems {
		h.missing = append(h.missing, p.Error())
	}
	name, _ := os.Hostname()
	if n, err := corosync.LocalNode(h.conf, name, h.addrs, h.ring); err == nil {
		h.local = n.ID
	}
	for _, n := range h.conf.Nodes {
		if want := h.config.Corosync.Node; want != "" && (n.Name == want || fmt.Sprint(n.ID) == want) {
			h.local = n.ID
		}
	}
}

// agents are where an agent of this node would answer.
func (h *checkHost) agents() []string {
	var out []string
	for _, l := range h.config.Web.Listen {
		host, port, err := net.SplitHostPort(l)
		if err != nil {
			continue
		}
		if host == "" || host == "0.0.0.0" || host == "::" {
			host = "127.0.0.1"
		}
		out = append(out, "http://"+net.JoinHostPort(host, port))
	}
	return out
}

// facts fills in what does not come from the measurement.
func (h *checkHost) facts(in *verdict.Input, status corosync.Status) {
	in.Software, in.Name, in.Conf, in.Planned, in.Sites, in.Local = readVersion().Version, h.file, h.text, h.planned, h.sites, h.local
	in.HA, in.Proxmox = h.ha(), h.isPVE
	if status.Libknet != "" {
		in.Libknet = status.Libknet // how soon a link comes up again, in the model
	}
	in.Missing = append(in.Missing, h.missing...)
	h.load(in)
	var own []netip.Addr
	links := map[netip.Addr]int{}
	for _, p := range in.Paths {
		if _, seen := links[p.Local]; !seen && p.Local.IsValid() {
			links[p.Local] = p.Link
			own = append(own, p.Local)
		}
	}
	all, _ := nic.Read(own)
	in.Ports = agent.LintInterfaces(all, links)
	if h.conf != nil {
		in.Lint = lint.Check(lint.Input{
			Config: h.conf, Sites: h.sites, Addresses: h.ring, Status: status, Local: h.local, Interfaces: in.Ports,
			Unsynced: nic.ClockUnsynchronized(), Proxmox: h.isPVE, Armed: in.HA == verdict.HAArmed,
		})
	}
}

// ha is what Proxmox VE's files say of its watchdogs.
func (h *checkHost) ha() verdict.HA {
	switch {
	case !h.isPVE:
		return verdict.HANone
	case !h.proxmox.Known(proxmox.PartHA):
		return verdict.HAUnknown
	}
	switch h.proxmox.HA.State {
	case proxmox.HAStandby:
		return verdict.HAStandby
	case proxmox.HAArmed, proxmox.HADisarming:
		return verdict.HAArmed
	case proxmox.HADisarmed:
		return verdict.HAOff
	}
	return verdict.HAUnknown
}

// lookAgain reads Proxmox VE's files anew after a run that was long enough for backups and migrations to begin in it.
func (h *checkHost) lookAgain(ctx context.Context, m *check.Measurement) {
	if !h.isPVE || m.Length < time.Minute {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	h.proxmox = pmxcfs.New(os.DirFS("/")).Read(ctx)
}

// load tells which jobs loaded the network meanwhile.
func (h *checkHost) load(in *verdict.Input) {
	begin := in.At.Add(-in.Length)
	if in.Soak != nil {
		begin = in.Soak.Started
	}
	for _, t := range h.proxmox.Tasks {
		if in.Soak != nil && in.Soak.Missed(t.Start, t.End) {
			continue
		}
		if t.Start.After(in.At) || !t.End.IsZero() && t.End.Before(begin) || t.End.IsZero() && t.Running != proxmox.Yes {
			continue
		}
		in.Busy++
		in.Load = append(in.Load, verdict.Task{Node: t.Node, Load: string(t.Load), Object: t.Object, Start: t.Start})
	}
}

// status asks the running Corosync, while something else is done.
func (h *checkHost) status(ctx context.Context) func() corosync.Status {
	ctx, cancel := context.WithCancel(ctx)
	f := ctl.New(ctl.Config{Runner: ctl.Exec{Dir: h.config.Corosync.ToolsDir}, Log: ctl.LogSource{None: true}})
	h.libknet = func() string { return f.Status().Libknet }
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.Run(ctx)
	}()
	return func() corosync.Status {
		s := f.Status()
		cancel()
		<-done
		return s
	}
}

// daemonWords says what is wrong with the running Corosync; "" if nothing is.
func daemonWords(s corosync.Status) string {
	if s.Daemon == corosync.DaemonRunning {
		return ""
	}
	return strings.TrimSuffix("the running Corosync could not be asked: "+s.Reason, ": ")
}
