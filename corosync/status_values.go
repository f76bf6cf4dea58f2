package corosync

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
)

// Members reads the entries of runtime.members (exec/main.c member_object_joined, member_object_left), ascending by id.
func (m Map) Members() []Member {
	byID := map[uint32]*Member{}
	for key, v := range m {
		id, name, ok := numbered(key, "runtime.members.")
		if !ok {
			continue
		}
		e := byID[id]
		if e == nil {
			e = &Member{ID: id}
			byID[id] = e
		}
		switch name {
		case "status":
			e.Joined = v.Text == "joined"
		case "join_count":
			e.JoinCount = uint32(v.uint())
		case "config_version":
			e.ConfigVersion = v.uint()
		case "ip":
			e.IP = strings.TrimSpace(v.Text)
		}
	}
	members := make([]Member, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		members = append(members, *byID[id])
	}
	return members
}

// KnetLinks reads stats.knet.nodeN.linkL.* of the stats map (exec/stats.c cs_knet_stats), without the local node's entry,
// ascending by node and link.
func (m Map) KnetLinks(local uint32) []LinkStatus {
	type place struct {
		node uint32
		link int
	}
	found := map[place]*LinkStatus{}
	for key, v := range m {
		node, rest, ok := numbered(key, "stats.knet.node")
		if !ok || node == local {
			continue
		}
		link, name, ok := numbered(rest, "link")
		if !ok || link >= totem.MaxLinks {
			continue
		}
		p := place{node, int(link)}
		l := found[p]
		if l == nil {
			l = &LinkStatus{Node: node, Link: int(link)}
			found[p] = l
		}
		l.set(name, v.uint())
	}
	links := make([]LinkStatus, 0, len(found))
	for _, l := range found {
		links = append(links, *l)
	}
	slices.SortFunc(links, func(a, b LinkStatus) int {
		return cmp.Or(cmp.Compare(a.Node, b.Node), cmp.Compare(a.Link, b.Link))
	})
	return links
}

// set takes one value of stats.knet.nodeN.linkL.
func (l *LinkStatus) set(name string, n uint64) {
	switch name {
	case "enabled":
		l.Enabled = n != 0
	case "connected":
		l.Connected = n != 0
	case "mtu":
		l.MTU = int(n)
	case "down_count":
		l.DownCount = n
	case "up_count":
		l.UpCount = n
	case "tx_ping_packets":
		l.TxPing = n
	case "rx_pong_packets":
		l.RxPong = n
	case "tx_total_errors":
		l.TxErrors = n
	case "latency_ave":
		l.LatencyAvg = time.Duration(uint32(n)) * time.Microsecond
	}
}

// KnetLinkKeys are the names below stats.knet.nodeN.linkL that LinkStatus is made of.
func KnetLinkKeys() []string {
	return []string{
		"enabled", "connected", "mtu", "down_count", "up_count", "tx_ping_packets", "rx_pong_packets", "tx_total_errors",
		"latency_ave",
	}
}

// SRP reads stats.srp.* of the stats map (exec/stats.c cs_srp_stats).
func (m Map) SRP() SRPStats {
	n := func(name string) uint64 { return m["stats.srp."+name].uint() }
	ms := func(name string) time.Duration { return milliseconds(n(name)) }
	_, known := m["stats.srp.operational_token_lost"]
	return SRPStats{
		Known:                known,
		OperationalTokenLost: n("operational_token_lost"),
		GatherEntered:        n("gather_entered"),
		CommitTokenLost:      n("commit_token_lost"),
		JoinsSent:            n("memb_join_tx"),
		ConsensusTimeouts:    n("consensus_timeouts"),
		McastRetx:            n("mcast_retx"),
		MessagesDropped:      n("rx_msg_dropped"),
		TimeSinceToken:       ms("time_since_token_last_received"),
		MeanTokenInterval:    ms("mtt_rx_token"),
	}
}

// Stalls reads stats.schedmiss.* of the stats map, newest first: the ten last times Corosync's main loop was not
// scheduled for more than 0.8 of the token (exec/stats.c, since 3.0.4).
func (m Map) Stalls() []Stall {
	var stalls []Stall
	for i := range 10 {
		prefix := "stats.schedmiss." + strconv.Itoa(i) + "."
		at, ok := m[prefix+"timestamp"]
		if !ok {
			break
		}
		ms, err := strconv.ParseFloat(m[prefix+"delay"].Text, 64)
		if err != nil || !(ms >= 0 && ms < 1e12) || at.uint() > 1<<52 {
			continue
		}
		stalls = append(stalls, Stall{At: time.UnixMilli(int64(at.uint())), For: time.Duration(ms * float64(time.Millisecond))})
	}
	return stalls
}

// Runtime reads the effective values (runtime.config.totem.*, exec/totemconfig.c). Values is m itself.
func (m Map) Runtime() Runtime {
	n := func(name string) uint64 { return m["runtime.config.totem."+name].uint() }
	count := func(name string) int { return int(uint32(n(name))) }
	ms := func(name string) time.Duration { return milliseconds(n(name)) }
	_, known := m["runtime.config.totem.token"]
	return Runtime{
		Known: known,
		Timeouts: totem.Timeouts{
			Token:                           ms("token"),
			TokenWarning:                    milliseconds(n("token") * min(n("token_warning"), 100) / 100), // exec/totemsrp.c reset_token_warning
			TokenRetransmitsBeforeLossConst: count("token_retransmits_before_loss_const"),
			TokenRetransmit:                 ms("token_retransmit"),
			Hold:                            ms("hold"),
			Join:                            ms("join"),
			SendJoin:                        ms("send_join"),
			Consensus:                       ms("consensus"),
			Merge:                           ms("merge"),
			Downcheck:                       ms("downcheck"),
			FailRecvConst:                   count("fail_recv_const"),
			SeqnoUnchangedConst:             count("seqno_unchanged_const"),
			HeartbeatFailuresAllowed:        count("heartbeat_failures_allowed"),
			MaxNetworkDelay:                 ms("max_network_delay"),
			WindowSize:                      count("window_size"),
			MaxMessages:                     count("max_messages"),
			MissCountConst:                  count("miss_count_const"),
		},
		Links:  m.runtimeLinks(),
		Values: m,
	}
}

// runtimeLinks reads runtime.config.totem.interface.N.knet_ping_*. Pong count and precision are not among the effective
// values: they come from the file's copy in totem.interface.N, or are Corosync's defaults.
func (m Map) runtimeLinks() map[int]totem.LinkTimeouts {
	links := map[int]totem.LinkTimeouts{}
	for key := range m {
		n, name, ok := numbered(key, "runtime.config.totem.interface.")
		if !ok || n >= totem.MaxLinks || name != "knet_ping_timeout" {
			continue
		}
		prefix := "interface." + strconv.Itoa(int(n)) + "."
		ms := func(name string) time.Duration { return milliseconds(m["runtime.config.totem."+prefix+name].uint()) }
		written := func(name string) int { return int(uint32(m["totem."+prefix+name].uint())) }
		l := totem.LinkParams{
			PingInterval:  ms("knet_ping_interval"),
			PingTimeout:   ms("knet_ping_timeout"),
			PingPrecision: written("knet_ping_precision"),
			PongCount:     written("knet_pong_count"),
		}
		links[int(n)] = l.Timeouts(milliseconds(m["runtime.config.totem.token"].uint()))
	}
	return links
}

// NodeNames reads the names of the nodelist, by node id.
func (m Map) NodeNames() map[uint32]string {
	names := map[uint32]string{}
	for key, v := range m {
		rest, ok := strings.CutSuffix(key, ".nodeid")
		if !ok || !strings.HasPrefix(key, "nodelist.node.") {
			continue
		}
		if name := m[rest+".name"].Text; name != "" {
			names[uint32(v.uint())] = name
		}
	}
	return names
}

// uint is the number that v holds, 0 if it holds none.
func (v Value) uint() uint64 {
	n, err := strconv.ParseUint(v.Text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// milliseconds keeps within what a u32 of milliseconds can say, so that nothing overflows.
func milliseconds(n uint64) time.Duration {
	const longest = 1 << 32
	return time.Duration(min(n, longest)) * time.Millisecond
}

// numbered splits "stats.knet.node12.link0.mtu" behind prefix "stats.knet.node" into 12 and "link0.mtu".
func numbered(key, prefix string) (uint32, string, bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return 0, "", false
	}
	digits, name, ok := strings.Cut(rest, ".")
	if !ok {
		return 0, "", false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), name, err == nil
}
