package checker

import (
	"net/netip"
	"time"
)

// SchemaVersion is the version of the JSON form of a Report. It grows when a field changes meaning or goes away; new fields do
// not raise it.
const SchemaVersion = 1

// Report is one immutable judgement of the cluster as one node sees it. Durations are seconds in JSON, ratios are in [0,1].
// docs/report-schema.md describes every field.
type Report struct {
	Schema   int       `json:"schema"`
	At       time.Time `json:"at"`
	Software string    `json:"software"` // quorumwatch version
	Node     NodeRef   `json:"node"`     // who reports
	Cluster  Cluster   `json:"cluster"`
	Corosync Corosync  `json:"corosync"`
	Timeouts Timeouts  `json:"timeouts"`
	Quorum   Quorum    `json:"quorum"`
	Host     Host      `json:"host"`
	Paths    []Path    `json:"paths"`             // this node's own, by peer and link
	Mesh     []MeshRow `json:"mesh,omitempty"`    // what peers said of theirs
	Outcome  *Outcome  `json:"outcome,omitempty"` // what the present cut, if any, would do or did
	HA       *HA       `json:"ha,omitempty"`      // Proxmox VE's HA; absent: nothing is known of it
	Margin   Margin    `json:"margin"`
	Forecast *Forecast `json:"forecast,omitempty"` // what is to be expected of the network; absent before the first
	Probes   Probes    `json:"probes"`
	Findings []Finding `json:"findings"` // worst first
	Severity Severity  `json:"severity"` // of the worst finding
}

// NodeRef names a node.
type NodeRef struct {
	ID   uint32 `json:"id"`
	Name string `json:"name"`
}

// Cluster is the cluster as configured, with what is known of each node now.
type Cluster struct {
	Name          string `json:"name"`
	ConfigVersion uint64 `json:"config_version"`
	Nodes         []Node `json:"nodes"` // ascending by id
	Links         []Link `json:"links"` // ascending by number
	Sites         []Site `json:"sites,omitempty"`
}

// Site is a place with nodes that share its fate. Where the configuration names none, sites are found by round trips.
type Site struct {
	Name    string   `json:"name"`
	Nodes   []uint32 `json:"nodes"`                 // ascending
	Found   bool     `json:"found"`                 // by round trips
	Within  Seconds  `json:"rtt_within,omitempty"`  // longest usual round trip between two of its nodes; found sites only; 0: not known
	Between Seconds  `json:"rtt_between,omitempty"` // shortest to a node of another site
}

// Node is one configured node.
type Node struct {
	NodeRef
	Site      string   `json:"site,omitempty"`
	Votes     int      `json:"votes"`
	Local     bool     `json:"local,omitempty"`
	Addresses []string `json:"addresses"` // ring addresses, by link
	Member    Tri      `json:"member"`    // of the local Corosync's membership
	Reach     Reach    `json:"reach"`     // what the probes say of it
	Agent     Agent    `json:"agent"`
}

// Link is one knet link with its effective timers.
type Link struct {
	Number            int     `json:"number"`
	Port              uint16  `json:"port"`
	Priority          int     `json:"priority"`
	PingInterval      Seconds `json:"ping_interval"` // as really run, rounded up to knet's 200 ms tick
	PingTimeout       Seconds `json:"ping_timeout"`
	PongCount         int     `json:"pong_count"`
	DetectionEarliest Seconds `json:"detection_earliest"` // silent loss to link down, at the earliest
	DetectionLatest   Seconds `json:"detection_latest"`   // and at the latest, without back-off
}

// Corosync is the local daemon and what it says of its ring.
type Corosync struct {
	State       string    `json:"state"` // unknown, running, starting, stopped, hanging, absent, denied
	Reason      string    `json:"reason,omitempty"`
	Since       time.Time `json:"since,omitzero"`
	Version     string    `json:"version,omitempty"`
	At          time.Time `json:"at,omitzero"` // when it was last read
	Fresh       bool      `json:"fresh"`       // the daemon runs and the values are current
	RingID      string    `json:"ring_id,omitempty"`
	Members     []uint32  `json:"members"`            // joined ones, ascending; null: unknown
	TokenAge    *Seconds  `json:"token_age"`          // since the last token, as Corosync last said; null: unknown
	TokenLost   uint64    `json:"token_losses"`       // since the daemon started
	Retransmits uint64    `json:"retransmits"`        // messages sent again since the daemon started
	LastLoss    time.Time `json:"last_loss,omitzero"` // when a token loss was last seen
}

// Timeouts is the chain of budgets: gap, token, membership.
type Timeouts struct {
	From         string  `json:"from"`          // runtime or corosync.conf; "" unknown
	Token        Seconds `json:"token"`         // the effective token timeout T
	TokenWarning Seconds `json:"token_warning"` // when Corosync itself first complains; 0: never
	Retransmit   Seconds `json:"token_retransmit"`
	Hold         Seconds `json:"hold"`
	Consensus    Seconds `json:"consensus"`
	Membership   Seconds `json:"membership"`   // T + consensus
	SafeOutage   Seconds `json:"safe_outage"`  // 0.15 T: with one link, an outage up to this is safe
	FatalOutage  Seconds `json:"fatal_outage"` // 0.4 T: with one link, an outage from this on loses the token
}

// Quorum is votequorum's state.
type Quorum struct {
	Known         bool         `json:"known"`   // false: nothing below is current
	Quorate       bool         `json:"quorate"` // valid with Known
	Provider      string       `json:"provider,omitempty"`
	Expected      int          `json:"expected_votes"`
	Highest       int          `json:"highest_expected"`
	Total         int          `json:"total_votes"`
	Needed        int          `json:"needed_votes"`
	SpareKnown    bool         `json:"spare_known"` // the next two are known
	SpareVotes    int          `json:"spare_votes"` // votes that may still be lost
	SpareNodes    int          `json:"spare_nodes"` // nodes, whichever they are, that may still be lost at once
	Flags         []string     `json:"flags,omitempty"`
	TwoNode       bool         `json:"two_node,omitempty"`
	WaitForAll    bool         `json:"wait_for_all,omitempty"`
	WaitingForAll bool         `json:"waiting_for_all,omitempty"` // no quorum until every node was seen
	Votes         []MemberVote `json:"votes,omitempty"`
}

// MemberVote is one voter as votequorum counts it; ID 0 is the quorum device.
type MemberVote struct {
	ID     uint32 `json:"id"`
	Name   string `json:"name"`
	Votes  int    `json:"votes"`
	Device string `json:"device,omitempty"` // quorumtool's column, e.g. A,V,NMW
}

// Host is this machine's own health, as far as it matters for measuring.
type Host struct {
	Pause      Seconds   `json:"pause"`             // longest stall in the last 10 s
	PauseAt    time.Time `json:"pause_at,omitzero"` // when the newest one ended
	WorstPause Seconds   `json:"worst_pause"`       // of the last 10 min
}

// Path is one link to one peer, both directions.
type Path struct {
	Peer          NodeRef    `json:"peer"`
	Link          int        `json:"link"`
	Local         netip.Addr `json:"local"`
	Remote        netip.Addr `json:"remote"`
	State         PathState  `json:"state"`
	Reason        string     `json:"reason,omitempty"` // why it is not up
	Knet          KnetState  `json:"knet"`             // what the local knet says of this link
	KnetDowns     uint64     `json:"knet_downs"`       // since the daemon started
	Gap           Seconds    `json:"gap"`              // present time without a round trip; 0: none
	GapShare      float64    `json:"gap_share"`        // of the effective token
	GapDirection  Which      `json:"gap_direction"`    // which direction is dead
	GapForward    Seconds    `json:"gap_forward"`      // present delivery gap towards the peer
	GapBackward   Seconds    `json:"gap_backward"`
	Outage        time.Time  `json:"outage_since,omitzero"`
	LastHeard     time.Time  `json:"last_heard,omitzero"`
	RTT           RTT        `json:"rtt"`
	Windows       []Window   `json:"windows"` // ascending length
	Total         Counters   `json:"total"`
	Full          FullSize   `json:"full_size"`
	Authenticated bool       `json:"authenticated"`
}

// RTT is the round-trip estimate, less the reflector's residence, smoothed as in RFC 6298.
type RTT struct {
	Known    bool    `json:"known"`
	Smoothed Seconds `json:"smoothed"`
	Var      Seconds `json:"var"`
	Latest   Seconds `json:"latest"`
	Min      Seconds `json:"min"`
}

// Window is a sliding window that ends at Report.At.
type Window struct {
	Length           Seconds   `json:"length"`
	Covered          Seconds   `json:"covered"`
	Counters                   // inlined
	LossRatio        float64   `json:"loss_ratio"`
	WorstGap         Seconds   `json:"worst_gap"`
	WorstGapForward  Seconds   `json:"worst_gap_forward"`
	WorstGapBackward Seconds   `json:"worst_gap_backward"`
	WorstGapShare    float64   `json:"worst_gap_share"` // of the effective token
	RTT              Quantiles `json:"rtt"`
	Jitter           Seconds   `json:"jitter"`           // RFC 3550 section 6.4.1, from RTT differences
	Bursts           []uint64  `json:"bursts,omitempty"` // [i]: runs of i+1 lost probes in a row; the last: that many or more
}

// Counters count probes whose fate is decided.
type Counters struct {
	Sent         uint64 `json:"sent"`
	Received     uint64 `json:"received"`
	Lost         uint64 `json:"lost"`
	LostForward  uint64 `json:"lost_forward"`
	LostBackward uint64 `json:"lost_backward"`
	Late         uint64 `json:"late"`
	Reordered    uint64 `json:"reordered"`
	Duplicated   uint64 `json:"duplicated"`
	Corrupt      uint64 `json:"corrupt"`
	HostPaused   uint64 `json:"host_paused"`
}

// Quantiles of the RTT in a window.
type Quantiles struct {
	Count uint64  `json:"count"`
	Min   Seconds `json:"min"`
	P50   Seconds `json:"p50"`
	P90   Seconds `json:"p90"`
	P99   Seconds `json:"p99"`
	P999  Seconds `json:"p999"`
	Max   Seconds `json:"max"`
	Mean  Seconds `json:"mean"`
}

// FullSize is the fate of full-size probes in the last 10 s.
type FullSize struct {
	Bytes    int    `json:"bytes"` // UDP payload; 0: none are sent
	Sent     uint64 `json:"sent"`
	Received uint64 `json:"received"`
	Error    string `json:"error,omitempty"` // why none can be sent
	MTU      int    `json:"mtu,omitempty"`   // of the path, if the network told one
}

// MeshRow is one peer's account of one of its paths, as it rode in its probes.
type MeshRow struct {
	From      NodeRef   `json:"from"`
	To        NodeRef   `json:"to"`
	Link      int       `json:"link"`
	At        time.Time `json:"at"` // when the account came in
	State     PathState `json:"state"`
	KnetDown  bool      `json:"knet_down,omitempty"`
	Gap       Seconds   `json:"gap"`
	WorstGap  Seconds   `json:"worst_gap"` // of the last minute
	RTT       Seconds   `json:"rtt"`
	LossRatio float64   `json:"loss_ratio"` // of the last 10 s
}

// Outcome is what the present cut would do if it lasted, or did.
type Outcome struct {
	Happened     bool        `json:"happened"`       // Corosync's own membership says so; false: it would happen if the cut lasted
	Since        time.Time   `json:"since"`          // when the cut began
	Partitions   []Partition `json:"partitions"`     // the local one first
	Keeps        []NodeRef   `json:"keeps"`          // nodes that keep (or have) quorum
	Loses        []NodeRef   `json:"loses"`          // nodes that lose it
	Transitive   bool        `json:"transitive"`     // false: some nodes reach both sides; the ring cannot agree and re-forms again and again
	TokenLossIn  Seconds     `json:"token_loss_in"`  // earliest, from now; 0: due or over
	MembershipIn Seconds     `json:"membership_in"`  // earliest new membership without the other side
	Toll         *Toll       `json:"toll,omitempty"` // what the resets would cost; absent: nothing is known of Proxmox VE's HA
	Text         string      `json:"text"`
}

// Partition is one set of nodes that hear each other.
type Partition struct {
	Nodes   []NodeRef `json:"nodes"`
	Local   bool      `json:"local,omitempty"`
	Quorate bool      `json:"quorate"`
	Votes   int       `json:"votes"`
	Needed  int       `json:"needed"`
	Reason  string    `json:"reason"`
}

// Margin is how far the cluster was from losing its token: 1 - worst gap / effective token.
type Margin struct {
	Known    bool           `json:"known"`
	Basis    string         `json:"basis"`            // virtual-token, or delivery-gap where the virtual token cannot tell
	Reason   string         `json:"reason,omitempty"` // why it cannot
	Now      float64        `json:"now"`              // virtual-token: of the last ten seconds; else from present gaps
	Minute   float64        `json:"minute"`           // from the worst gap of the last minute
	TenMin   float64        `json:"ten_minutes"`
	WorstGap Seconds        `json:"worst_gap"` // of the last 10 min
	Peer     NodeRef        `json:"peer,omitzero"`
	Link     int            `json:"link"`
	Coverage float64        `json:"coverage,omitempty"` // share of the directed paths between members that the virtual token knows
	Rings    int            `json:"rings,omitempty"`    // virtual rings that run side by side, in different phases
	At       time.Time      `json:"at,omitzero"`        // up to when they have run
	Windows  []MarginWindow `json:"windows,omitempty"`  // ascending length: 10 s, a minute, 10 min, an hour, a day
	Trend    *MarginTrend   `json:"trend,omitempty"`    // null: not enough to compare
}

// MarginWindow is what happened to the virtual rings in a window that ends at Margin.At.
type MarginWindow struct {
	Length        Seconds   `json:"length"`
	Covered       Seconds   `json:"covered"`
	Margin        float64   `json:"margin"`    // by Gap; 0 after a token that Corosync really lost
	Low           float64   `json:"low"`       // by WorstGap
	Gap           Seconds   `json:"gap"`       // worst token gap of the ring in the middle, of those held to what knet did, or a longer one that Corosync itself told of
	WorstGap      Seconds   `json:"worst_gap"` // of the worst ring
	At            time.Time `json:"at,omitzero"`
	Cause         string    `json:"cause,omitempty"` // of the worst one: lost (on the path From, To, Link), link-down, none
	From          NodeRef   `json:"from,omitzero"`
	To            NodeRef   `json:"to,omitzero"`
	Link          int       `json:"link"`
	LinkDowns     float64   `json:"link_downs"`     // of a ring, each end counting: mean of the rings
	Near          float64   `json:"near"`           // gaps of 0.85 of the token and longer: mean of the rings
	Spells        int       `json:"spells"`         // times apart in which any ring had one
	Losses        float64   `json:"losses"`         // virtual token losses: mean of the rings
	LossShare     float64   `json:"loss_share"`     // share of the rings that lost the token
	TokenLosses   int       `json:"token_losses"`   // that Corosync here really told of
	TokenWarnings int       `json:"token_warnings"` // the same
}

// MarginTrend compares the margin of late with the one of the hour before.
type MarginTrend struct {
	Before  float64 `json:"before"` // usual margin of five minutes
	Now     float64 `json:"now"`    // the better one of the last two stretches of five minutes
	Falling bool    `json:"falling"`
}

// Probes says what the local prober and reflector did with packets.
type Probes struct {
	Authenticated bool   `json:"authenticated"`
	Drops         []Drop `json:"drops,omitempty"`
}

// Drop counts received packets that were thrown away, by reason, since the agent started.
type Drop struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}

// Finding is one judgement: code, severity, subject, evidence, cause, advice.
type Finding struct {
	Code     string            `json:"code"` // from the catalogue, stable
	Severity Severity          `json:"severity"`
	Subject  string            `json:"subject"` // what it is about: a path, link, node or the cluster
	Title    string            `json:"title"`   // one line for people
	Since    time.Time         `json:"since"`   // first seen
	Evidence map[string]string `json:"evidence,omitempty"`
	Cause    string            `json:"cause,omitempty"`    // Key of the finding that explains this one
	Advice   string            `json:"advice,omitempty"`   // what to do next
	Key      string            `json:"key"`                // stable identity: code and subject
	Clearing bool              `json:"clearing,omitempty"` // the condition is gone; stands until the stable period is over
	Runbook  string            `json:"runbook,omitempty"`
}
