package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/verdict"
	"github.com/quorumwatch/quorumwatch/cmd/internal/agent"
	"github.com/quorumwatch/quorumwatch/cmd/internal/check"
	"github.com/quorumwatch/quorumwatch/cmd/internal/config"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
	probestamp "github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/udp"
)

// What knet's own packets carry: see cmd/internal/agent.
const (
	knetPriority = 6
	lowDelay     = 0x10
)

// A burst.
const (
	burstProbes   = 10_000
	burstInterval = time.Millisecond
)

// firstOwnPort begins the ports that IANA leaves for anybody: one of them is this run's.
const firstOwnPort = 49152

// measure probes targets from a port of its own. About is what is judged with it.
func (f *checkFlags) measure(ctx context.Context, p *process, h *checkHost, key probestamp.Master, targets []check.Target, about verdict.Input) (check.Measurement, error) {
	c := check.Config{
		Network: udp.Network{}, NewPacer: func() (probe.Pacer, error) { return udp.NewPacer() }, Key: key,
		Targets: targets, Local: h.local, Port: f.remotePort(h), From: firstOwnPort + uint16(rand.UintN(16000)),
		TOS: h.tos(), Priority: knetPriority,
		Interval: h.config.Probe.Interval, FullSize: h.config.Probe.FullSize, FullInterval: h.config.Probe.FullSizeInterval, For: f.last,
	}
	told := newProgress(p.err, f.soak)
	defer told.end()
	c.Progress = told.tell
	switch {
	case f.burst && !key.Authenticated():
		return check.Measurement{}, usage("give both ends a key: --code or --key-file", "--burst without authentication: the other end answers 500 such probes a second, and the rest would read as loss")
	case f.burst:
		c.Interval, c.Burst = burstInterval, burstProbes
	case f.soak > 0:
		s, err := f.openSoak(p, h, &c, about)
		if err != nil {
			return check.Measurement{}, err
		}
		defer func() { _ = s.Close() }() // all is written
		s.Interim = f.interim(h, about, told)
		c.For, c.Soak = f.soak, s
	}
	return check.Run(ctx, c)
}

// about is what is known before anything is measured.
func (h *checkHost) about() verdict.Input {
	return verdict.Input{Name: h.file, Conf: h.text, Planned: h.planned, Sites: h.sites, Local: h.local, HA: h.ha(), Proxmox: h.isPVE}
}

func (f *checkFlags) remotePort(h *checkHost) uint16 {
	if f.port != 0 {
		return f.port
	}
	return h.config.Probe.Port
}

// tos is how the probes are marked.
func (h *checkHost) tos() uint8 {
	if h.conf != nil && h.conf.DSCP != nil {
		return uint8(*h.conf.DSCP << 2)
	}
	return lowDelay
}

// key authenticates the probes: what the command line says, else as the agents do.
func (f *checkFlags) key(h *checkHost) (probestamp.Master, error) {
	switch {
	case f.open:
		return probestamp.Master{}, nil
	case f.code != "":
		return keyOfCode(f.code)
	case f.keyFile != "":
		return keyOfFile(f.keyFile)
	case len(f.peers) > 0:
		return probestamp.Master{}, usage("give the --code that 'quorumwatch reflect' printed there, or the --key-file that both have", "--peer without a key")
	case h.config.Probe.Auth == config.AuthNone:
		return probestamp.Master{}, nil
	case h.config.Probe.Auth == config.AuthKeyFile:
		return keyOfFile(h.config.Probe.KeyFile)
	}
	key, err := agent.CorosyncKey(h.config.Corosync.AuthKey)(h.conf)
	if err != nil {
		return key, &hinted{err, "probes are authenticated with Corosync's key: run as root, or give --key-file"}
	}
	return key, nil
}

func keyOfFile(name string) (probestamp.Master, error) {
	secret, err := agent.ReadFile(name)
	if err != nil {
		return probestamp.Master{}, unwrapped(name, err)
	}
	return probestamp.DeriveKey(secret)
}

// toNodes measures the paths to the other nodes of this cluster.
func (f *checkFlags) toNodes(ctx context.Context, p *process, h *checkHost) (verdict.Input, error) {
	if h.local == 0 {
		return verdict.Input{}, &hinted{fmt.Errorf("%s: this host is none of its nodes", h.file), "run check on a node, or set corosync.node; --agent URL asks one from afar"}
	}
	key, err := f.key(h)
	if err != nil {
		return verdict.Input{}, err
	}
	targets := h.targets()
	if len(targets) == 0 {
		return verdict.Input{}, &hinted{fmt.Errorf("%s: no other node has an address on a link of this one", h.file), "a cluster of one node has no paths to check"}
	}
	ask := h.status(context.WithoutCancel(ctx))
	m, err := f.measure(ctx, p, h, key, targets, h.about())
	status := ask()
	if err != nil {
		return verdict.Input{}, err
	}
	h.lookAgain(context.WithoutCancel(ctx), &m)
	in := f.measured(h, m)
	in.Source = "own probes"
	h.facts(&in, status)
	if text := daemonWords(status); text != "" {
		in.Missing = append(in.Missing, text)
	}
	return in, nil
}

// measured is what a measurement gives to a verdict.
func (f *checkFlags) measured(h *checkHost, m check.Measurement) verdict.Input {
	in := verdict.Input{
		At: time.Now(), Soak: m.Soak, Length: m.Length, Paths: m.Paths, Trace: m.Trace, Pauses: m.Pauses, Stopped: m.Stopped, Turns: m.Turns,
		Port: f.remotePort(h), DSCP: fmt.Sprintf("TOS 0x%02x, priority %d", h.tos(), knetPriority),
	}
	if m.SaveErr != nil {
		in.Missing = append(in.Missing, "what was measured could not be saved, and the next run goes on from what was saved last: "+m.SaveErr.Error())
	}
	return in
}

// targets are the addresses of the other nodes, each from this node's address on that link.
func (h *checkHost) targets() (out []check.Target) {
	own := map[int]netip.Addr{}
	names := map[uint32]string{}
	for _, n := range h.conf.Nodes {
		names[n.ID] = n.Name
	}
	for _, a := range h.ring {
		if a.Node == h.local {
			own[a.Link] = a.Addr
		}
	}
	for _, a := range h.ring {
		if local, ok := own[a.Link]; ok && a.Node != h.local && local.Is4() == a.Addr.Is4() {
			out = append(out, check.Target{Peer: nameOr(names[a.Node], a), Node: a.Node, Link: a.Link, Local: local, Remote: a.Addr})
		}
	}
	return out
}

func nameOr(name string, a corosync.Address) string {
	if name != "" {
		return name
	}
	return fmt.Sprintf("node%d", a.Node)
}
