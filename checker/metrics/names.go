package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Label sets.
var (
	pathLabels = []string{"peer", "link"}
	nodeLabels = []string{"node", "node_id"}
)

// names are the descriptions of all metrics: this is the one place where they are named. Base units, ratios in [0,1]; what is
// unknown has no series.
type names struct {
	buildInfo, reportTime, severity, findings *prometheus.Desc

	token, tokenWarning, consensus, membership, safeOutage, fatalOutage *prometheus.Desc
	margin, worstGap, marginBasis, marginCoverage                       *prometheus.Desc
	tokenGap, virtualLosses, virtualLinkDowns                           *prometheus.Desc
	forecastEnough, forecastWindow, forecastTime                        *prometheus.Desc
	forecastEvery, forecastLeast, forecastMost                          *prometheus.Desc

	quorate, votes, spareNodes      *prometheus.Desc
	nodeMember, nodeReachable       *prometheus.Desc
	nodeAgent, nodeSite             *prometheus.Desc
	corosyncUp, corosyncInfo        *prometheus.Desc
	tokenLosses, retransmits, age   *prometheus.Desc
	hostPause, hostWorstPause       *prometheus.Desc
	linkPingTimeout, linkPingPeriod *prometheus.Desc

	cutPresent, cutHappened, cutLosing, cutTokenLoss, cutMembership *prometheus.Desc

	haInfo, haArmed, cutResets, cutGuests    *prometheus.Desc
	fenceCounting, fenceReset, fenceNoReturn *prometheus.Desc

	pathUp, pathDegraded, pathKnet, pathKnetDowns      *prometheus.Desc
	pathGap, pathGapRatio, pathDirectionGap            *prometheus.Desc
	pathWorstGap, pathDirectionWorstGap, pathLossRatio *prometheus.Desc
	pathSent, pathReceived, pathLost                   *prometheus.Desc
	pathLate, pathReordered, pathDuplicated            *prometheus.Desc
	pathCorrupt, pathHostPaused                        *prometheus.Desc
	pathRTT, pathRTTSmoothed, pathJitter, pathFullSize *prometheus.Desc

	probesAuthenticated, probeDrops *prometheus.Desc

	haQuorate, haVotes, haMemberVotes, haRings, haRingErrors *prometheus.Desc
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("quorumwatch_"+name, help, labels, nil)
}

// haDesc names a family of ha_cluster_exporter, so that boards made for that one work with this.
func haDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("ha_cluster_corosync_"+name, help, labels, nil)
}

func newNames() *names {
	n := &names{}
	n.cluster()
	n.quorum()
	n.ha()
	n.path()
	n.probe()
	n.compatible()
	return n
}

func (n *names) cluster() {
	n.buildInfo = desc("build_info", "Always 1; the version of quorumwatch.", "version")
	n.reportTime = desc("report_timestamp_seconds", "When the judgement was made that these metrics show, in Unix time.")
	n.severity = desc("severity", "Severity of the worst finding: 0 none, 1 info, 2 warning, 3 critical.")
	n.findings = desc("findings", "Findings that stand, by code and severity.", "code", "severity")
	n.token = desc("token_timeout_seconds", "The effective token timeout.")
	n.tokenWarning = desc("token_warning_seconds", "When Corosync itself first complains of a late token; absent if never.")
	n.consensus = desc("consensus_timeout_seconds", "Totem's consensus timeout.")
	n.membership = desc("membership_timeout_seconds", "Token plus consensus timeout: from the last token to a membership without the lost nodes.")
	n.safeOutage = desc("safe_outage_seconds", "Outage of the only link that is surely safe.")
	n.fatalOutage = desc("fatal_outage_seconds", "Outage of the only link from which on the token is lost.")
	n.margin = desc("margin_ratio", "1 - worst gap / effective token; window now, 1m, 10m, and with the virtual token 1h and 24h.", "window")
	n.worstGap = desc("worst_gap_seconds", "Worst gap of the last ten minutes that the margin rests on.")
	n.marginBasis = desc("margin_basis", "Always 1; what the margin rests on: virtual-token, or delivery-gap where that cannot tell.", "basis")
	n.marginCoverage = desc("margin_coverage_ratio", "Share of the directed paths between members that the virtual token knows.")
	n.tokenGap = desc("token_gap_seconds", "Worst time without the virtual token in a window; ring median or worst of those that run side by side.", "window", "ring")
	n.virtualLosses = desc("virtual_token_losses", "Losses of the virtual token in a window, mean of the rings.", "window")
	n.virtualLinkDowns = desc("virtual_link_downs", "Virtual knet links that went down in a window, each end counting, mean of the rings.", "window")
	n.forecastEnough = desc("forecast_enough", "Whether the probes are enough for a forecast.")
	n.forecastWindow = desc("forecast_window_seconds", "Length of the record that the forecast rests on.")
	n.forecastTime = desc("forecast_timestamp_seconds", "When the forecast was made, in Unix time.")
	n.forecastEvery = desc("forecast_interval_seconds", "Expected time from one link-flap, token-loss, split or quorum-loss to the next; absent if too rare to tell.", "event")
	n.forecastLeast = desc("forecast_interval_low_seconds", "Shortest such time that is likely (5 %).", "event")
	n.forecastMost = desc("forecast_interval_high_seconds", "Longest such time that is likely (95 %); absent without bound.", "event")
	n.hostPause = desc("host_pause_seconds", "Longest stall of this host in the last 10 s.")
	n.hostWorstPause = desc("host_worst_pause_seconds", "Longest stall of this host in the last 10 min.")
	n.linkPingTimeout = desc("link_ping_timeout_seconds", "knet's effective ping timeout of a link.", "link")
	n.linkPingPeriod = desc("link_ping_interval_seconds", "knet's ping interval of a link as really run.", "link")
}

func (n *names) quorum() {
	n.quorate = desc("quorate", "Whether this node has quorum; absent if unknown.")
	n.votes = desc("votes", "Votes; type expected, highest_expected, total, needed or spare (may still be lost).", "type")
	n.spareNodes = desc("spare_nodes", "Nodes, whichever they are, that may still be lost at once.")
	n.nodeSite = desc("node_site", "Always 1; where a node is, and who says so: configuration, or round-trips by which it was found.", "node", "node_id", "site", "source")
	n.nodeMember = desc("node_member", "Whether a node is in Corosync's membership; absent if unknown.", nodeLabels...)
	n.nodeReachable = desc("node_reachable", "Whether probes reach a peer on a link at least; absent if unknown.", nodeLabels...)
	n.nodeAgent = desc("node_agent", "Always 1; the state of a peer's agent: heard, stopped (it said so), silent (though its node lives) or unknown.", append(slices.Clone(nodeLabels), "state")...)
	n.corosyncUp = desc("corosync_up", "Whether the local Corosync runs and answers; absent if unknown.")
	n.corosyncInfo = desc("corosync_info", "Always 1; version and state of the local Corosync.", "version", "state")
	n.tokenLosses = desc("corosync_token_losses_total", "Tokens lost while operational since Corosync started.")
	n.retransmits = desc("corosync_retransmits_total", "Messages sent again since Corosync started.")
	n.age = desc("corosync_token_age_seconds", "Time since the last token, as Corosync last said.")
	n.cutPresent = desc("cut", "Whether a finding peer-cut, group-cut, site-cut or isolated holds; the others of this family are absent while no change of membership follows from it.")
	n.cutHappened = desc("cut_happened", "Whether Corosync's membership has already lost them; absent without a cut.")
	n.cutLosing = desc("cut_losing_nodes", "Nodes that lose quorum by the present cut; absent without a cut.")
	n.cutTokenLoss = desc("cut_token_loss_seconds", "Time until the token may be lost by the present cut; absent without a cut.")
	n.cutMembership = desc("cut_membership_seconds", "Time until a membership without the lost nodes may form; absent without a cut.")
}

func (n *names) ha() {
	n.haInfo = desc("ha_info", "Always 1; state of Proxmox VE's HA: standby, armed, disarming or disarmed.", "state")
	n.haArmed = desc("ha_armed", "Whether a node resets itself about a minute after losing quorum; absent if unknown.", "node")
	n.fenceCounting = desc("fence_counting", "Whether a node's watchdog counts down; absent if unknown.", "node")
	n.fenceReset = desc("fence_reset_seconds", "Time until a node resets; bound earliest, likely or latest; absent while it does not count down.", "node", "bound")
	n.fenceNoReturn = desc("fence_no_return_seconds", "Time until nothing saves a node from its reset; bound earliest, likely or latest.", "node", "bound")
	n.cutResets = desc("cut_resetting_nodes", "Armed nodes that lose quorum by the present cut; absent without one, or where HA is not known.")
	n.cutGuests = desc("cut_guests", "Guests on the armed nodes that lose quorum by the present cut; absent if not all are known.")
}

func (n *names) path() {
	path := func(name, help string, more ...string) *prometheus.Desc {
		return desc("path_"+name, help, append(append([]string{}, pathLabels...), more...)...)
	}
	n.pathUp = path("up", "Whether a path works; absent if unknown. It is 0 once the gap is longer than 0.15 of the token timeout and five probes: see path_gap_seconds for what is sooner.")
	n.pathDegraded = path("degraded", "Whether a path works badly; absent if unknown.")
	n.pathKnet = path("knet_connected", "Whether the local knet has the link connected; absent if unknown.")
	n.pathKnetDowns = path("knet_downs_total", "Times that the local knet took the link down since Corosync started.")
	n.pathGap = path("gap_seconds", "Present time without a round trip; 0 without an outage.")
	n.pathGapRatio = path("gap_token_ratio", "Present gap as a share of the effective token.")
	n.pathDirectionGap = path("direction_gap_seconds", "Present delivery gap of one direction in an outage, where it is known.", "direction")
	n.pathWorstGap = path("worst_gap_seconds", "Longest time without a round trip in a window.", "window")
	n.pathDirectionWorstGap = path("direction_worst_gap_seconds", "Longest delivery gap of one direction in a window.", "direction", "window")
	n.pathLossRatio = path("loss_ratio", "Share of probes lost in a window.", "window")
	n.pathSent = path("probes_sent_total", "Probes sent.")
	n.pathReceived = path("probes_received_total", "Probes answered in time.")
	n.pathLost = path("probes_lost_total", "Probes lost, by direction as far as it could be told.", "direction")
	n.pathLate = path("probes_late_total", "Probes answered too late.")
	n.pathReordered = path("probes_reordered_total", "Answers that overtook each other.")
	n.pathDuplicated = path("probes_duplicated_total", "Answers that came more than once.")
	n.pathCorrupt = path("probes_corrupt_total", "Answers that were damaged.")
	n.pathHostPaused = path("probes_host_paused_total", "Probes that do not count because a host stalled.")
	n.pathRTT = path("rtt_seconds", "Round trips of the last minute, less the reflector's residence; stat min, p50, p90, p99, p999, max or mean.", "stat")
	n.pathRTTSmoothed = path("rtt_smoothed_seconds", "Smoothed round trip (RFC 6298), less the reflector's residence.")
	n.pathJitter = path("jitter_seconds", "Interarrival jitter (RFC 3550 section 6.4.1) from round trips.")
	n.pathFullSize = path("full_size_received_ratio", "Share of full-size probes of the last 10 s that were answered.")
}

func (n *names) probe() {
	n.probesAuthenticated = desc("probes_authenticated", "Whether probes are authenticated.")
	n.probeDrops = desc("probe_drops_total", "Received probe packets that were thrown away, by reason.", "reason")
}

func (n *names) compatible() {
	n.haQuorate = haDesc("quorate", "Whether or not the cluster is quorate")
	n.haVotes = haDesc("quorum_votes", "Cluster quorum votes; one line per type", "type")
	n.haMemberVotes = haDesc("member_votes", "How many votes each member node has contributed with to the current quorum", "node_id", "node", "local")
	n.haRings = haDesc("rings", "The status of each Corosync ring; 1 means healthy, 0 means faulty.", "ring_id", "node_id", "number", "address")
	n.haRingErrors = haDesc("ring_errors", "The total number of faulty corosync rings")
}
