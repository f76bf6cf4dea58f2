package checker

import (
	"cmp"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/lint"
)

// RunbookBase is where Finding.Runbook points to, followed by # and the code.
const RunbookBase = "https://github.com/quorumwatch/quorumwatch/blob/main/docs/findings.md"

// Entry declares one kind of finding. docs/findings.md, or docs/lint.md, has a section for each.
type Entry struct {
	Code     string
	Title    string   // what it says, in general
	Severity Severity // the highest it is given
	Advice   string   // what to do next
	delay    time.Duration
	hold     hold
	family   family
	page     string // of its runbook; "": RunbookBase
}

// Runbook is where the way out is described.
func (e Entry) Runbook() string { return cmp.Or(e.page, RunbookBase) + "#" + e.Code }

// hold says how long a finding stands, as Clearing, after its condition is gone.
type hold int

const (
	holdStable hold = iota // the stable period: max(5 s, 3 T)
	holdNone               // lint and states: gone is gone
)

// family groups findings of which one replaces the other when more becomes known.
type family int

const (
	familyNone family = iota
	familyCut
	familyDaemon
)

// The codes of findings.
const (
	CodePathGap           = "path-gap"
	CodeLinkDown          = "link-down"
	CodePeerCut           = "peer-cut"
	CodeGroupCut          = "group-cut"
	CodeSiteCut           = "site-cut"
	CodeIsolated          = "isolated"
	CodeRemoteCut         = "remote-cut"
	CodeAgentSilent       = "agent-silent"
	CodeAgentStopped      = "agent-stopped"
	CodeKnetDown          = "knet-down"
	CodeLocalLink         = "local-link"
	CodePathLoss          = "path-loss"
	CodePathDelay         = "path-delay"
	CodeMTU               = "mtu-black-hole"
	CodeLowMargin         = "low-margin"
	CodeMarginFalling     = "margin-falling"
	CodeLossForecast      = "token-loss-forecast"
	CodeHostPause         = "host-pause"
	CodePeerPause         = "peer-pause"
	CodeUnauthenticated   = "unauthenticated"
	CodeProbeDrops        = "probe-drops"
	CodeCorosyncStopped   = "corosync-stopped"
	CodeCorosyncHanging   = "corosync-hanging"
	CodeCorosyncStarting  = "corosync-starting"
	CodeCorosyncAbsent    = "corosync-absent"
	CodeCorosyncDenied    = "corosync-denied"
	CodeCorosyncStale     = "corosync-stale"
	CodeCorosyncRestarted = "corosync-restarted"
	CodePeerCorosync      = "peer-corosync"
	CodeTokenLost         = "token-lost"
	CodeTokenWarning      = "token-warning"
	CodeJoinStorm         = "join-storm"
	CodeNotQuorate        = "not-quorate"
	CodeWaitForAll        = "wait-for-all"
	CodeMemberMissing     = "member-missing"
	CodeNoSpareVotes      = "no-spare-votes"
	CodeConfigError       = "config-error"
	CodeProbeKey          = "probe-key"
	CodeConfigWarning     = "config-warning"
	CodeFence             = "fence-countdown"
	CodeDisarmed          = "ha-disarmed"
	CodeProxmox           = "proxmox-unread"
)

// settle is how long a disagreement of sources must stand before it is told: a reload in progress is none.
const settle = 10 * time.Second

// catalogue is sorted by subject matter. Findings of package topology have its codes.
var catalogue = append([]Entry{
	{Code: CodePathGap, Title: "no answer on a path", Severity: Warning,
		Advice: "watch whether the other paths to this peer and the other peers on this link are out as well; look at switches, cables and tunnels in between"},
	{Code: CodeLinkDown, Title: "a link is out while another one still carries", Severity: Warning,
		Advice: "repair the link before the one that is left fails: `corosync-cfgtool -n` shows what knet thinks of it"},
	{Code: CodePeerCut, Title: "a node is out of reach on every link", Severity: Critical, family: familyCut,
		Advice: "see whether the node is off (console, IPMI) or its paths are; do not restart Corosync elsewhere"},
	{Code: CodeGroupCut, Title: "several nodes are out of reach on every link", Severity: Critical, family: familyCut,
		Advice: "look for what these nodes share: switch, uplink, power, hypervisor"},
	{Code: CodeSiteCut, Title: "a whole site is out of reach", Severity: Critical, family: familyCut,
		Advice: "the path between the sites is the suspect: provider line, tunnel, router; call the provider now"},
	{Code: CodeIsolated, Title: "this node reaches nobody", Severity: Critical, family: familyCut,
		Advice: "suspect this node first: its network card, bond, cable, switch port, firewall; `ip -br link; ip -br addr`"},
	{Code: CodeRemoteCut, Title: "two other nodes have lost each other", Severity: Critical, delay: time.Second,
		Advice: "one bad pair on the only link stops the whole ring: look at the path between these two"},
	{Code: CodeAgentSilent, Title: "a peer does not answer probes, but Corosync still hears it", Severity: Info,
		Advice: "see on the peer: `systemctl status quorumwatch`; a firewall must let UDP port 5412 through between the ring addresses"},
	{Code: CodeAgentStopped, Title: "a peer's agent was stopped", Severity: Info,
		Advice: "start it again when the work there is done: `systemctl start quorumwatch`"},
	{Code: CodeKnetDown, Title: "knet says that a link is down, but probes pass", Severity: Critical,
		Advice: "`corosync-cfgtool -n` and the log of Corosync at both ends; something may block its ports 5405 to 5412 only"},
	{Code: CodeLocalLink, Title: "this node cannot send on a link", Severity: Warning,
		Advice: "the ring address is gone from this host, or its interface or route is: `ip -br addr; ip route`"},
	{Code: CodePathLoss, Title: "a path loses packets", Severity: Warning, delay: 2 * time.Second,
		Advice: "with one link each lost heartbeat mutes the pair for a while: `quorumwatch advise` tells which settings bear it; look for errors and drops with `ip -s link`, `ethtool -S`; add a second link"},
	{Code: CodePathDelay, Title: "a path is slow or uneven", Severity: Warning, delay: 2 * time.Second,
		Advice: "see what else uses the line (backup, replication, migration), and give Corosync a link of its own"},
	{Code: CodeMTU, Title: "full-size packets die on a path that small ones pass", Severity: Warning, delay: 2 * time.Second,
		Advice: "some hop has a smaller MTU and says nothing: correct it, or set knet_mtu (Corosync 3.1.7 and later) or netmtu"},
	{Code: CodeLowMargin, Title: "the token has come close to its timeout", Severity: Critical,
		Advice: "look after the path that is named before the next gap is longer: errors and drops with `ip -s link`, what else uses the line; `quorumwatch advise` tells whether other settings help; a second, independent link helps most"},
	{Code: CodeMarginFalling, Title: "the margin has halved within the hour", Severity: Info,
		Advice: "see what has changed on the path that is named: load, route, equipment"},
	{Code: CodeLossForecast, Title: "a token loss is to be expected", Severity: Warning, delay: 3 * time.Minute,
		Advice: "repair the part of the network that is named; a second, independent link helps most; `quorumwatch advise` tries other settings in the model"},
	{Code: CodeHostPause, Title: "this host stalled", Severity: Warning,
		Advice: "look for CPU or I/O starvation: `cat /proc/pressure/*`, steal time in `top`, overcommitted hypervisor; Corosync stalls as this agent did"},
	{Code: CodePeerPause, Title: "a peer's host stalled", Severity: Info,
		Advice: "look for CPU or I/O starvation on that host"},
	{Code: CodeUnauthenticated, Title: "probes are not authenticated", Severity: Info, hold: holdNone,
		Advice: "anybody on the network can forge answers: let the agent read /etc/corosync/authkey, or give it a key file"},
	{Code: CodeProbeDrops, Title: "received probe packets were thrown away", Severity: Warning,
		Advice: "different keys, different clusters on one network, or somebody who sends what is not theirs: compare /etc/corosync/authkey on all nodes"},
	{Code: CodeCorosyncStopped, Title: "Corosync does not run on this node", Severity: Critical, family: familyDaemon,
		Advice: "`journalctl -u corosync -b` tells why; start it with `systemctl start corosync` when the cause is known"},
	{Code: CodeCorosyncHanging, Title: "Corosync does not answer on this node", Severity: Critical, family: familyDaemon,
		Advice: "`journalctl -u corosync -b`; look for host stalls; a restart of Corosync loses this node's membership"},
	{Code: CodeCorosyncStarting, Title: "Corosync is starting or synchronising", Severity: Warning, hold: holdNone, family: familyDaemon,
		Advice: "wait; if it lasts, `journalctl -u corosync -b`"},
	{Code: CodeCorosyncAbsent, Title: "there is no Corosync on this machine", Severity: Info, hold: holdNone, family: familyDaemon,
		Advice: "nothing to do if this machine is to answer probes only"},
	{Code: CodeCorosyncDenied, Title: "the agent may not ask Corosync", Severity: Warning, hold: holdNone, family: familyDaemon,
		Advice: "run the agent as root, or add its user with a uidgid{} section"},
	{Code: CodeCorosyncStale, Title: "what Corosync said is old", Severity: Warning, delay: 3 * time.Second,
		Advice: "membership, quorum and link states are unknown until Corosync answers again: see its log and the agent's"},
	{Code: CodeCorosyncRestarted, Title: "Corosync was restarted on this node", Severity: Info, hold: holdNone,
		Advice: "nothing to do if it was on purpose"},
	{Code: CodePeerCorosync, Title: "Corosync does not run on a peer", Severity: Warning, delay: 5 * time.Second,
		Advice: "`journalctl -u corosync -b` on that node"},
	{Code: CodeTokenLost, Title: "the token was lost and the ring re-formed", Severity: Warning, hold: holdNone,
		Advice: "see the findings about paths and host pauses of the same second"},
	{Code: CodeTokenWarning, Title: "Corosync waited for its token for most of the timeout", Severity: Warning, hold: holdNone,
		Advice: "see the findings about paths and host pauses of the same second"},
	{Code: CodeJoinStorm, Title: "Corosync floods the ring with join messages", Severity: Warning,
		Advice: "the nodes answer each other without end and form no ring: mend the paths that lose packets; if it outlasts them, restart Corosync on one node of the smallest group"},
	{Code: CodeNotQuorate, Title: "this node has no quorum", Severity: Critical,
		Advice: "nodes with active HA reset about a minute after this began; restore the paths or bring nodes back; `pvecm expected` only when the others are surely off"},
	{Code: CodeWaitForAll, Title: "votequorum waits for all nodes", Severity: Warning, hold: holdNone,
		Advice: "start the missing nodes; if one is gone for good: `corosync-cmapctl -s quorum.cancel_wait_for_all u8 1`"},
	{Code: CodeMemberMissing, Title: "a configured node is not in the membership", Severity: Warning,
		Advice: "bring it back, or remove it from the cluster if it is gone for good: its vote counts as lost"},
	{Code: CodeNoSpareVotes, Title: "one more lost node stops the cluster", Severity: Warning,
		Advice: "bring missing nodes back before touching another; an even number of nodes wants a quorum device"},
	{Code: CodeConfigError, Title: "the newest corosync.conf cannot be used", Severity: Warning, hold: holdNone,
		Advice: "correct the file; `corosync -t` tells what Corosync makes of it. The agent goes on with the last good one"},
	{Code: CodeProbeKey, Title: "the key for probes cannot be used", Severity: Warning, hold: holdNone,
		Advice: "make the file readable for the agent, the same on all nodes; or set probe.auth and probe.key_file"},
	{Code: CodeConfigWarning, Title: "corosync.conf says something that does not do what it seems to", Severity: Info, hold: holdNone,
		Advice: "correct the key, raise config_version, and reload"},
	{Code: CodeFence, Title: "a node without quorum counts down to its reset", Severity: Critical, hold: holdNone,
		Advice: "bring its network back before the point of no return; nothing done on the node itself stops the watchdog safely, least of all killing pve-ha-lrm"},
	{Code: CodeDisarmed, Title: "Proxmox VE's HA is disarmed", Severity: Warning, hold: holdNone,
		Advice: "when the work is done: `ha-manager crm-command arm-ha`"},
	{Code: CodeProxmox, Title: "something of Proxmox VE could not be read", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "without it, resets and guests are not known; all else goes on"},
	{Code: "local-unknown", Title: "this host is not in the nodelist", Severity: Warning, hold: holdNone,
		Advice: "name or ring0_addr of one node{} must be this host's"},
	{Code: "member-unknown", Title: "Corosync has a member that the file has not", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "compare corosync.conf on all nodes"},
	{Code: "runtime-drift", Title: "Corosync runs with another value than the file gives", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "`corosync-cfgtool -R` reloads; some keys need a restart; Corosync before 3.1.10-pve1 applies derived knet timers only at the second reload"},
	{Code: "config-version", Title: "config_version differs", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "compare the files before any Corosync is restarted: a node with an older version may be refused, or stop the others"},
	{Code: "token-differs", Title: "nodes run different effective tokens", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "reload with `corosync-cfgtool -R`; compare corosync.conf on all nodes"},
	{Code: "expected-votes", Title: "expected votes were changed by hand", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "bring the missing nodes back and restore the number: a lowered one lets two halves both have quorum"},
	{Code: "node-votes", Title: "a node's running votes are not the file's", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "compare quorum_votes on all nodes, then reload"},
	{Code: "quorum-options", Title: "quorum options exclude each other", Severity: Warning, hold: holdNone,
		Advice: "see votequorum(5); drop one of the options"},
	{Code: "proxmox-config", Title: "Proxmox VE and Corosync have different corosync.conf", Severity: Warning, delay: 3 * settle, hold: holdNone,
		Advice: "`diff /etc/pve/corosync.conf /etc/corosync/corosync.conf`; the one in /etc/pve counts, with a higher config_version pmxcfs copies it: `systemctl status pve-cluster`"},
	{Code: "proxmox-nodes", Title: "Proxmox VE and the nodelist have different nodes", Severity: Warning, delay: 3 * settle, hold: holdNone,
		Advice: "compare `pvecm nodes`, /etc/pve/nodes and the nodelist; a node that was removed leaves its directory behind"},
	{Code: "proxmox-members", Title: "pmxcfs does not reach a member of the ring", Severity: Warning, delay: 2 * settle, hold: holdNone,
		Advice: "on that node: `systemctl status pve-cluster`"},
	{Code: "proxmox-quorum", Title: "pmxcfs and votequorum do not agree on quorum", Severity: Warning, delay: 2 * settle, hold: holdNone,
		Advice: "`cat /etc/pve/.members` and `corosync-quorumtool -s`; restarting pve-cluster makes it ask again"},
	{Code: "proxmox-status", Title: "Proxmox VE's API says what is not so of quorum", Severity: Info, delay: 2 * settle, hold: holdNone,
		Advice: "do not believe GET /cluster/status; `pvecm status` is right"},
	{Code: "address-unresolved", Title: "a ring address does not resolve", Severity: Warning, delay: settle, hold: holdNone,
		Advice: "use addresses instead of names, or put the name into /etc/hosts on every node"},
	{Code: "address-duplicate", Title: "two nodes or links share an address", Severity: Warning, hold: holdNone,
		Advice: "give each its own address"},
	{Code: "address-not-local", Title: "a ring address is on no interface of this host", Severity: Warning, delay: 2 * time.Second, hold: holdNone,
		Advice: "bring the interface up or correct the file: `ip -br addr`"},
}, lintEntries()...)

// lintEntries are the kinds of findings of package lint. What is wrong there is wrong until somebody mends it: gone is gone.
func lintEntries() []Entry {
	var out []Entry
	for _, r := range lint.Rules() {
		out = append(out, Entry{Code: r.Code, Title: r.Says, Severity: Warning, Advice: r.Fix, hold: holdNone, page: lint.RunbookBase})
	}
	return out
}

// Catalogue returns all kinds of findings.
func Catalogue() []Entry { return slices.Clone(catalogue) }

// lookup returns the entry of code; the zero Entry if there is none.
func lookup(code string) *Entry {
	for i := range catalogue {
		if catalogue[i].Code == code {
			return &catalogue[i]
		}
	}
	return &Entry{Code: code}
}
