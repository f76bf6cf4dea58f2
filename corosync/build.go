package corosync

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

const (
	maxLink        = 7                        // INTERFACE_MAX - 1
	defaultPort    = 5405                     // DEFAULT_PORT, exec/totemconfig.c
	defaultKeyFile = "/etc/corosync/authkey"  // totem_config_keyread
	maxNodes       = 384                      // PROCESSOR_COUNT_MAX
	maxKnetNodeID  = 65535                    // KNET_MAX_HOST - 1
	lmsWindow      = 10000 * time.Millisecond // DEFAULT_LMS_WIN, exec/votequorum.c
	deviceTimeout  = 10000 * time.Millisecond // VOTEQUORUM_QDEVICE_DEFAULT_TIMEOUT
	deviceSync     = 30000 * time.Millisecond // VOTEQUORUM_QDEVICE_DEFAULT_SYNC_TIMEOUT
)

// build makes a Config of what the parser stored, as totem_config_read of exec/totemconfig.c does.
func build(file string, values Map, lines map[string]int) *Config {
	c := &Config{File: file, Values: values, Lines: lines}
	c.ClusterName, _ = values.str("totem.cluster_name")
	c.Version, _ = values.unsigned("totem.config_version", typeU64)
	c.Transport = stringOr(values, "totem.transport", "knet")
	c.LinkMode = stringOr(values, "totem.link_mode", "passive")
	c.IPVersion = ipVersion(values, c.Transport)
	cipher, hash := cryptoOf(values)
	c.Crypto = cipher != "none" || hash != "none"
	c.KeyFile = stringOr(values, "totem.keyfile", defaultKeyFile)
	if n, ok := values.unsigned("totem.ip_dscp", typeU8); ok {
		c.DSCP = new(int(n))
	}
	c.NetMTU = int(values.u32Or("totem.knet_mtu", 0))
	c.Nodes = nodesOf(values, c.Transport)
	members := membersOf(c)
	c.Totem = totemParams(values, members)
	c.Links = linksOf(values, members, c.Nodes)
	c.Quorum = quorumOf(values, c.Nodes)
	return c
}

func stringOr(values Map, key, def string) string {
	if s, ok := values.str(key); ok {
		return s
	}
	return def
}

func millis(values Map, key string) time.Duration {
	return time.Duration(values.u32Or(key, 0)) * time.Millisecond
}

// ipVersion is totem_config_get_ip_version.
func ipVersion(values Map, transport string) string {
	def := "ipv6-4"
	if transport == "udp" {
		def = "ipv4"
	}
	v := stringOr(values, "totem.ip_version", def)
	if !slices.Contains(wordsOf("totem.ip_version"), v) {
		return def
	}
	return v
}

// cryptoOf is totem_get_crypto of a build that allows unencrypted clusters, as all releases up to 3.1.10 are.
func cryptoOf(values Map) (cipher, hash string) {
	cipher, hash = "none", "none"
	if s, _ := values.str("totem.secauth"); s == "on" {
		cipher, hash = "aes256", "sha256"
	}
	if s, _ := values.str("totem.crypto_cipher"); slices.Contains(wordsOf("totem.crypto_cipher"), s) {
		cipher = s
	}
	if s, _ := values.str("totem.crypto_hash"); slices.Contains(wordsOf("totem.crypto_hash"), s) {
		hash = s
	}
	return cipher, hash
}

// nodesOf collects every position of the nodelist that has a key.
func nodesOf(values Map, transport string) []Node {
	byPosition := map[int]*Node{}
	for key := range values {
		position, name, ok := nodeKey(key)
		if !ok {
			continue
		}
		n := byPosition[position]
		if n == nil {
			n = &Node{Position: position, Votes: 1, Addrs: map[int]string{}}
			byPosition[position] = n
		}
		switch link, isAddr := ringNumber(name); {
		case isAddr:
			if s, ok := values.str(key); ok {
				n.Addrs[link] = s
			}
		case name == "name":
			n.Name, _ = values.str(key)
		case name == "nodeid":
			n.ID = values.u32Or(key, 0)
		case name == "quorum_votes":
			n.Votes = int(values.u32Or(key, 1))
		}
	}
	nodes := make([]Node, 0, len(byPosition))
	for _, position := range slices.Sorted(maps.Keys(byPosition)) {
		n := byPosition[position]
		if n.ID == 0 && transport != "knet" {
			n.ID = generatedID(n.Addrs[0], values)
		}
		nodes = append(nodes, *n)
	}
	return nodes
}

// generatedID is generate_nodeid: without knet a missing nodeid is made of the IPv4 address of link 0. Host names are not
// looked up here: their nodes keep 0.
func generatedID(addr string, values Map) uint32 {
	a, ok := parseLiteral(addr)
	if !ok || !a.Is4() {
		return 0
	}
	b := a.As4()
	id := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	if s, _ := values.str("totem.clear_node_high_bit"); s == "yes" {
		id &= 0x7FFFFFFF
	}
	return id
}

// membersOf counts the nodes with an address on each link: member_count of put_nodelist_members_to_config. Corosync does
// not look at the nodelist at all if its first node has neither name nor ring0_addr.
func membersOf(c *Config) map[int]int {
	members := map[int]int{}
	if nodelistIgnored(c.Values) {
		return members
	}
	for key, v := range c.Values {
		if _, name, ok := nodeKey(key); ok && v.Type == typeString {
			if link, ok := ringNumber(name); ok {
				members[link]++
			}
		}
	}
	return members
}

func nodelistIgnored(values Map) bool {
	_, name := values.str("nodelist.node.0.name")
	_, addr := values.str("nodelist.node.0.ring0_addr")
	return !name && !addr
}

func totemParams(values Map, members map[int]int) totem.Params {
	p := totem.Params{
		Nodes:                           members[0],
		HasLink0:                        members[0] > 0,
		Token:                           millis(values, "totem.token"),
		TokenRetransmitsBeforeLossConst: int(values.u32Or("totem.token_retransmits_before_loss_const", 0)),
		TokenRetransmit:                 millis(values, "totem.token_retransmit"),
		Hold:                            millis(values, "totem.hold"),
		Join:                            millis(values, "totem.join"),
		SendJoin:                        millis(values, "totem.send_join"),
		Consensus:                       millis(values, "totem.consensus"),
		Merge:                           millis(values, "totem.merge"),
		Downcheck:                       millis(values, "totem.downcheck"),
		FailRecvConst:                   int(values.u32Or("totem.fail_recv_const", 0)),
		SeqnoUnchangedConst:             int(values.u32Or("totem.seqno_unchanged_const", 0)),
		HeartbeatFailuresAllowed:        int(values.u32Or("totem.heartbeat_failures_allowed", 0)),
		MaxNetworkDelay:                 millis(values, "totem.max_network_delay"),
		WindowSize:                      int(values.u32Or("totem.window_size", 0)),
		MaxMessages:                     int(values.u32Or("totem.max_messages", 0)),
		MissCountConst:                  int(values.u32Or("totem.miss_count_const", 0)),
	}
	if _, ok := values.u32("totem.token_coefficient"); ok {
		p.TokenCoefficient = new(millis(values, "totem.token_coefficient"))
	}
	if n, ok := values.u32("totem.token_warning"); ok {
		p.TokenWarning = new(int(n))
	}
	return p
}

// linksOf gives the links that are "configured": those with a node's address and those with a key in interface{}.
func linksOf(values Map, members map[int]int, nodes []Node) []Link {
	configured := map[int]bool{}
	for link := range members {
		configured[link] = true
	}
	for _, n := range nodes { // the local node's are configured even if Corosync ignores the nodelist; which that is, is open
		for link := range n.Addrs {
			configured[link] = true
		}
	}
	firstBroadcast := maxLink + 1
	for key := range values {
		link, name, ok := interfaceKey(key)
		if !ok {
			continue
		}
		configured[link] = true
		if s, _ := values.str(key); name == "broadcast" && s == "yes" {
			firstBroadcast = min(firstBroadcast, link)
		}
	}
	var links []Link
	for _, n := range slices.Sorted(maps.Keys(configured)) {
		port := defaultPort + n
		if n >= firstBroadcast { // broadcast_use is global, and read link by link
			port = defaultPort + 2*n
		}
		links = append(links, linkOf(values, n, uint16(port)))
	}
	return links
}

// interfaceKey splits "totem.interface.1.ttl" as Corosync's sscanf and atoi do: a number that is none counts as 0.
func interfaceKey(key string) (link int, name string, ok bool) {
	rest, ok := strings.CutPrefix(key, "totem.interface.")
	if !ok {
		return 0, "", false
	}
	number, name, ok := strings.Cut(rest, ".")
	if !ok || number == "" || name == "" {
		return 0, "", false
	}
	end := strings.IndexFunc(number, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(number)
	}
	n, _ := strconv.ParseUint(number[:end], 10, 31)
	return int(n), name, true
}

func linkOf(values Map, n int, port uint16) Link {
	prefix := "totem.interface." + strconv.Itoa(n) + "."
	l := Link{Number: n, Transport: stringOr(values, prefix+"knet_transport", "udp"), Port: port, Priority: 1}
	if v, ok := values.unsigned(prefix+"mcastport", typeU16); ok && v != 0 {
		l.Port = uint16(v)
	}
	if v, ok := values.unsigned(prefix+"knet_link_priority", typeU8); ok && v != 0 {
		l.Priority = int(v)
	}
	l.Params = totem.LinkParams{
		PingInterval:  millis(values, prefix+"knet_ping_interval"),
		PingTimeout:   millis(values, prefix+"knet_ping_timeout"),
		PingPrecision: int(values.u32Or(prefix+"knet_ping_precision", 0)),
		PongCount:     int(values.u32Or(prefix+"knet_pong_count", 0)),
	}
	return l
}

// quorumOf fills the quorum configuration as votequorum_readconfig of exec/votequorum.c reads it, without its decisions.
func quorumOf(values Map, nodes []Node) votequorum.Config {
	q := votequorum.Config{
		Provider:              stringOr(values, "quorum.provider", ""),
		ExpectedVotes:         int(values.u32Or("quorum.expected_votes", 0)),
		NodeVotes:             map[uint32]int{},
		TwoNode:               values.flag("quorum.two_node"),
		AutoTieBreaker:        values.flag("quorum.auto_tie_breaker"),
		AutoTieBreakerNode:    stringOr(values, "quorum.auto_tie_breaker_node", "lowest"),
		LastManStanding:       values.flag("quorum.last_man_standing"),
		LastManStandingWindow: time.Duration(values.u32Or("quorum.last_man_standing_window", uint32(lmsWindow/time.Millisecond))) * time.Millisecond,
		AllowDownscale:        values.flag("quorum.allow_downscale"),
		ExpectedVotesTracking: values.flag("quorum.expected_votes_tracking"),
		WaitForAll:            values.flag("quorum.wait_for_all"),
	}
	if _, written := values.unsigned("quorum.wait_for_all", typeU8); !written {
		q.WaitForAll = q.TwoNode
	}
	sum := 0
	for _, n := range nodes {
		q.NodeVotes[n.ID] = n.Votes
		sum += n.Votes
	}
	if len(q.NodeVotes) < len(nodes) && q.ExpectedVotes == 0 {
		q.ExpectedVotes = sum // Corosync counts positions: nodes without an id, or with the same, count each
	}
	if model, _ := values.str("quorum.device.model"); model != "" {
		q.Device = deviceOf(values, model)
	}
	return q
}

func deviceOf(values Map, model string) *votequorum.Device {
	return &votequorum.Device{
		Model:      model,
		Votes:      int(values.u32Or("quorum.device.votes", 0)),
		Algorithm:  stringOr(values, "quorum.device.net.algorithm", ""),
		TieBreaker: stringOr(values, "quorum.device.net.tie_breaker", ""),
		Host:       stringOr(values, "quorum.device.net.host", ""),
		ForgetActive: slices.Contains([]string{"no", "off", "0"}, // qdevices/utils.c utils_parse_bool_str
			strings.ToLower(stringOr(values, "quorum.device.net.keep_active_partition_tie_breaker", ""))),
		Timeout:     time.Duration(values.u32Or("quorum.device.timeout", uint32(deviceTimeout/time.Millisecond))) * time.Millisecond,
		SyncTimeout: time.Duration(values.u32Or("quorum.device.sync_timeout", uint32(deviceSync/time.Millisecond))) * time.Millisecond,
	}
}

// literalOf gives the address that a ringN_addr spells out, if it does.
func literalOf(addr, ipVersion string) (netip.Addr, bool) {
	a, ok := parseLiteral(addr)
	if ok && ipVersion == "ipv4" {
		a = a.Unmap()
	}
	return a, ok
}
