package agent

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
)

// knetPriority is the SO_PRIORITY of knet's own packets (kronosnet libknet/transport_common.c, _configure_common_socket).
const knetPriority = 6

// lowDelay is knet's TOS on IPv4 when corosync.conf sets no ip_dscp (IPTOS_LOWDELAY). IPv6 packets carry no mark.
const lowDelay = 0x10

// ipv6Extra is how much longer an IPv6 header is than an IPv4 one.
const ipv6Extra = 20

// resolveTimeout bounds the look-ups of the host names in one corosync.conf: Corosync's links exist by address, so a dead
// name server must not hold the agent.
const resolveTimeout = 5 * time.Second

// plan is what one version of corosync.conf means for this agent.
type plan struct {
	config    *corosync.Config
	text      []byte            // of the file
	digest    [sha256.Size]byte // of the file
	sha1      string            // of the file, in hexadecimal: how Proxmox VE tells files apart
	settings  *Settings         // that it was made with
	addresses []corosync.Address
	problems  []corosync.Problem // addresses that do not resolve
	warnings  []corosync.Problem // of the file, as far as they are of interest here
	local     uint32             // this node's id
	host      []netip.Addr       // addresses of this host's interfaces
	targets   []probe.Target
	owners    map[probe.Path]owner
}

// owner says whose path one pair of addresses is.
type owner struct {
	node uint32
	link int
}

// makePlan reads text as the corosync.conf of this host. An error means that nothing can be probed by it.
func (a *Agent) makePlan(ctx context.Context, file string, text []byte) (*plan, error) {
	config, err := corosync.Parse(file, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	p := &plan{config: config, text: text, digest: sha256.Sum256(text), settings: a.settings.Load(), owners: map[probe.Path]owner{}}
	sum := sha1.Sum(text)
	p.sha1 = hex.EncodeToString(sum[:])
	p.warnings = slices.DeleteFunc(slices.Clone(config.Warnings), func(w corosync.Problem) bool { return w.Proxmox && a.config.Proxmox == nil })
	p.addresses, p.problems = corosync.Resolve(ctx, a.config.Resolver, config)
	if p.host, err = a.config.LocalAddrs(); err != nil {
		return nil, fmt.Errorf("addresses of this host: %w", err)
	}
	node, err := a.localNode(p)
	if err != nil {
		return nil, err
	}
	p.local = node.ID
	p.addTargets(a.config.Probe.Port, p.settings)
	return p, nil
}

// equal: nothing that p is made of has changed since old.
func (p *plan) equal(old *plan) bool {
	return p.digest == old.digest && p.settings == old.settings && p.local == old.local && slices.Equal(p.addresses, old.addresses) &&
		slices.Equal(p.problems, old.problems) && slices.Equal(p.ownAddresses(p.host), old.ownAddresses(old.host))
}

// ownAddresses are those of a host's addresses that corosync.conf knows.
func (p *plan) ownAddresses(host []netip.Addr) []netip.Addr {
	var out []netip.Addr
	for _, a := range p.addresses {
		if slices.Contains(host, a.Addr) {
			out = append(out, a.Addr)
		}
	}
	return out
}

func (a *Agent) localNode(p *plan) (corosync.Node, error) {
	if want := p.settings.NodeName; want != "" {
		for _, n := range p.config.Nodes {
			if n.Name == want || fmt.Sprint(n.ID) == want {
				return n, nil
			}
		}
		return corosync.Node{}, fmt.Errorf("%s: nodelist: no node is named %q, as corosync.node says this one is; there are %s",
			p.config.File, want, nodeNames(p.config))
	}
	return corosync.LocalNode(p.config, a.config.Hostname, p.host, p.addresses)
}

func nodeNames(c *corosync.Config) string {
	var names []string
	for _, n := range c.Nodes {
		names = append(names, n.Name)
	}
	return fmt.Sprintf("%q", names)
}

// addTargets makes a target of every address of every other node on a link that this node has too.
func (p *plan) addTargets(port uint16, s *Settings) {
	own := map[int]netip.Addr{}
	for _, a := range p.addresses {
		if a.Node == p.local {
			own[a.Link] = a.Addr
		}
	}
	for _, a := range p.addresses {
		local, ok := own[a.Link]
		if a.Node == p.local || !ok || local.Is4() != a.Addr.Is4() {
			continue
		}
		path := probe.Path{Local: local, Remote: a.Addr}
		if _, taken := p.owners[path]; taken || path.Local == path.Remote {
			continue // the same address twice: topology says so
		}
		p.owners[path] = owner{node: a.Node, link: a.Link}
		p.targets = append(p.targets, probe.Target{
			Path: path, Port: port,
			Interval: s.Interval, FullSize: s.fullSize(local), FullInterval: s.FullSizeInterval,
			TOS: tos(p.config, local), Priority: knetPriority,
		})
	}
	slices.SortFunc(p.targets, func(x, y probe.Target) int { return x.Remote.Compare(y.Remote) })
}

// fullSize is the payload of a full-size probe: IPv6's header is 20 bytes longer than IPv4's, and knet fits its fragments to
// the same MTU.
func (s *Settings) fullSize(local netip.Addr) int {
	if local.Is4() || s.FullSize == 0 {
		return s.FullSize
	}
	return s.FullSize - ipv6Extra
}

func tos(c *corosync.Config, local netip.Addr) uint8 {
	switch {
	case !local.Is4():
		return 0
	case c.DSCP != nil:
		return uint8(*c.DSCP << 2)
	default:
		return lowDelay
	}
}
