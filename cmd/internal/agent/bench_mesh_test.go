//go:build linux

package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe"
	"github.com/quorumwatch/quorumwatch/probe/mesh"
	"github.com/quorumwatch/quorumwatch/probe/stamp"
	"github.com/quorumwatch/quorumwatch/probe/udp"
)

const (
	fullSize      = 1472
	fullInterval  = 500 * time.Millisecond
	bulletinEvery = 250 * time.Millisecond
	toldSlots     = 40 // of the paths' past, in each bulletin
)

func network() probe.Network { return udp.Network{} }

func newPacer() (probe.Pacer, error) { return udp.NewPacer() }

func meshName(node int) string { return fmt.Sprintf("%c%d", "ab"[(node-1)*2/meshNodes], node) }

func meshSites() map[string]string {
	sites := map[string]string{}
	for node := range meshNodes {
		name := meshName(node + 1)
		sites[name] = name[:1]
	}
	return sites
}

func meshAddrs() ([]netip.Addr, error) {
	addrs := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}
	for link := range meshLinks {
		addrs = append(addrs, netip.MustParseAddr(meshAddr(link, 1)))
	}
	return addrs, nil
}

func meshKey(*corosync.Config) (stamp.Master, error) {
	return stamp.DeriveKey([]byte(strings.Repeat("k", 128)))
}

func meshConf() string {
	var b strings.Builder
	b.WriteString("totem {\n  version: 2\n  cluster_name: mesh\n  config_version: 7\n  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n  token_coefficient: 125\n")
	for link := range meshLinks {
		fmt.Fprintf(&b, "  interface {\n    linknumber: %d\n  }\n", link)
	}
	b.WriteString("}\nnodelist {\n")
	for node := 1; node <= meshNodes; node++ {
		fmt.Fprintf(&b, "  node {\n    name: %s\n    nodeid: %d\n    quorum_votes: 1\n", meshName(node), node)
		for link := range meshLinks {
			fmt.Fprintf(&b, "    ring%d_addr: %s\n", link, meshAddr(link, node))
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\nquorum {\n  provider: corosync_votequorum\n}\nlogging {\n  to_syslog: yes\n}\n")
	return b.String()
}

// stillDaemon is a Corosync with all members where nothing happens. It is looked at as often as corosync/ctl does.
type stillDaemon struct {
	status  atomic.Pointer[corosync.Status]
	changed atomic.Pointer[chan struct{}]
}

func newStillDaemon() (*stillDaemon, error) {
	c, err := corosync.Parse("corosync.conf", strings.NewReader(meshConf()))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	s := corosync.Status{
		At: now, LinksAt: now, Since: now, Daemon: corosync.DaemonRunning, Software: "3.1.10", LocalID: 1,
		RingID: corosync.RingID{Rep: 1, Seq: 44},
		Quorum: corosync.QuorumStatus{
			Known: true, Provider: "corosync_votequorum", Quorate: true, Expected: meshNodes, HighestExpected: meshNodes,
			Total: meshNodes, Quorum: meshNodes/2 + 1, Flags: []string{"Quorate"},
		},
		SRP:     corosync.SRPStats{Known: true, TimeSinceToken: 120 * time.Millisecond, MeanTokenInterval: c.Timeouts().Hold},
		Runtime: c.RuntimeValues().Runtime(),
	}
	for _, n := range c.Nodes {
		for link := range meshLinks {
			if n.ID != s.LocalID {
				s.Links = append(s.Links, corosync.LinkStatus{
					Node: n.ID, Link: link, Enabled: true, Connected: true, MTU: 65535, UpCount: 1, LatencyAvg: 100 * time.Microsecond,
				})
			}
		}
		s.Members = append(s.Members, corosync.Member{ID: n.ID, Joined: true, JoinCount: 1, ConfigVersion: 7})
		s.Quorum.Votes = append(s.Quorum.Votes, corosync.MemberVotes{ID: n.ID, Votes: 1, Name: n.Name})
	}
	d := &stillDaemon{}
	d.status.Store(&s)
	d.changed.Store(new(make(chan struct{})))
	return d, nil
}

// Run renews what ctl polls: the links every two seconds.
func (d *stillDaemon) Run(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s := *d.status.Load()
			s.At, s.LinksAt = now, now
			d.status.Store(&s)
			close(*d.changed.Swap(new(make(chan struct{}))))
		}
	}
}

func (d *stillDaemon) Status() corosync.Status  { return *d.status.Load() }
func (d *stillDaemon) Changed() <-chan struct{} { return *d.changed.Load() }
func (d *stillDaemon) Hurry()                   {}

// newPeersRole is all other nodes, without judgement: they probe node 1, answer it and send it bulletins.
func newPeersRole() (run func(context.Context) error, answer func() string, err error) {
	key, err := meshKey(nil)
	if err != nil {
		return nil, nil, err
	}
	var probers []*probe.Prober
	for node := 2; node <= meshNodes; node++ {
		p, err := probe.New(probe.Config{Network: network(), NewPacer: newPacer, Key: key, Priority: 6, TOS: 0x10})
		if err != nil {
			return nil, nil, err
		}
		var targets []probe.Target
		for link := range meshLinks {
			targets = append(targets, probe.Target{
				Path:     probe.Path{Local: netip.MustParseAddr(meshAddr(link, node)), Remote: netip.MustParseAddr(meshAddr(link, 1))},
				Interval: meshInterval, FullSize: fullSize, FullInterval: fullInterval, TOS: 0x10, Priority: 6,
			})
		}
		p.SetTargets(targets)
		probers = append(probers, p)
	}
	run = func(ctx context.Context) error {
		var wg sync.WaitGroup
		for i, p := range probers {
			wg.Go(func() { _ = p.Run(ctx) })
			wg.Go(func() { tell(ctx, p, i+2) })
		}
		wg.Wait()
		return nil
	}
	return run, func() string { return total(probers) }, nil
}

// tell renews a peer's bulletin as an agent does.
func tell(ctx context.Context, p *probe.Prober, node int) {
	tick := time.NewTicker(bulletinEvery)
	defer tick.Stop()
	began := time.Now()
	for sequence := uint32(1); ; sequence++ {
		v := healthyView(node, sequence)
		v.Fates = mesh.Fates{
			Slot: meshInterval, Next: uint64(time.Since(began) / meshInterval), Clock: uint32(p.Clock() / time.Millisecond), Window: toldSlots,
		}
		p.SetBulletin(mesh.EncodeMax(nil, v, probe.BulletinRoom(fullSize-20)))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func healthyView(node int, sequence uint32) mesh.View {
	v := mesh.View{
		Node: uint32(node), Sequence: sequence, Interval: meshInterval, Corosync: true, Quorate: true, RingRep: 1, RingSeq: 44,
		Members: meshNodes, Token: 6750 * time.Millisecond, ConfigVersion: 7,
	}
	for peer := 1; peer <= meshNodes; peer++ {
		for link := range meshLinks {
			if peer != node {
				wobble := time.Duration(20 * math.Sin(float64(sequence)+float64(peer))) // so that no two bulletins are equal
				v.Paths = append(v.Paths, mesh.Path{
					Node: uint32(peer), Link: link, State: mesh.Up, SilentFor: 20 * time.Millisecond, WorstGap: 3 * time.Millisecond,
					RTT: (100 + wobble) * time.Microsecond, In: mesh.Told{Runs: []mesh.Run{{Slots: toldSlots}}},
				})
			}
		}
	}
	return v
}

func total(probers []*probe.Prober) string {
	var sum counts
	for _, p := range probers {
		c := p.Counters()
		sum.Sent += c.Sent
		sum.Replies += c.Replies
		sum.Requests += c.Requests
		sum.Reflected += c.Reflected
	}
	text, err := json.Marshal(sum)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
