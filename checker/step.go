package checker

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/checker/topology"
)

// Step judges in, with what earlier Steps left behind. It is pure: equal arguments give equal results, and prev is not
// changed. What in points to must not be changed afterwards: the Report shares parts of it. It is meant to be called about
// 20 times a second.
func Step(prev State, in Input) (State, Report) {
	j := &judge{prev: &prev, in: &in}
	j.begin()
	j.readDaemon()
	j.readPaths()
	j.readPeers()
	j.readCut()
	j.readHA()
	j.readMesh()
	for _, rule := range rules {
		rule(j)
	}
	j.track()
	return j.next, j.report()
}

// rules are all of the rules; each drafts the findings that hold now. Their order does not matter.
var rules = []func(*judge){
	ruleConfig, ruleKey, ruleDisagreements, ruleDaemon, rulePeerDaemons, ruleToken, ruleJoins, ruleQuorum, ruleMembers, ruleHost, ruleLocalLink,
	ruleGap, ruleLinkDown, ruleCut, ruleAgent, ruleKnet, ruleRemoteCut, ruleLoss, ruleDelay, ruleMTU, ruleMargin, ruleForecast, ruleProbing,
	ruleFence, ruleDisarmed, ruleProxmox,
}

// Shares of the effective token T that decide, for a cluster with one link. Measured: an outage of the only link of up to
// 0.15 T never lost the token, one of 0.4 T always did (kronosnet takes the link down and is slow to take it up again).
const (
	safeShare  = 0.15
	fatalShare = 0.4
)

// defaultToken is taken when nothing tells the effective token: Corosync's own default (exec/totemconfig.c TOKEN_TIMEOUT).
const defaultToken = 3 * time.Second

// defaultInterval between probes, when an Observation does not tell.
const defaultInterval = 50 * time.Millisecond

// judge is one Step at work.
type judge struct {
	prev *State
	in   *Input
	next State

	token  time.Duration // effective, or defaultToken
	views  []*PeerView   // by node
	paths  []path        // by node and link
	peers  []peer        // by node: all but the local one
	local  topology.Node
	status daemonStatus
	cuts   []*cut // the present incidents, oldest first
	cut    *cut   // the newest of them
	drafts []draft

	ha     *HA         // nil: nothing is known of it
	fences []nodeFence // as HA.Nodes

	virtual   *risk.Margin // what the virtual token says, if that is to be gone by
	noVirtual string       // else why not
}

func (j *judge) now() time.Time { return j.in.Now }

// ago is how long t is past; 0 for a zero t.
func (j *judge) ago(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return max(0, j.now().Sub(t))
}

func (j *judge) begin() {
	j.next.started = j.prev.started
	if j.next.started.IsZero() {
		j.next.started = j.now()
	}
	j.token = j.in.Cluster.Timeouts.Token
	if j.token <= 0 {
		j.token = defaultToken
	}
	j.local, _ = j.in.Cluster.Node(j.in.Cluster.Local)
	j.virtual, j.noVirtual = j.virtualToken()
	j.views = make([]*PeerView, len(j.in.Views))
	for i := range j.in.Views {
		j.views[i] = &j.in.Views[i]
	}
	slices.SortStableFunc(j.views, func(a, b *PeerView) int { return cmp.Compare(a.Node, b.Node) })
}

// share is that share of the effective token.
func (j *judge) share(s float64) time.Duration { return time.Duration(s * float64(j.token)) }

// warnAfter is how long an outage with no other link may last before it is a warning: what is surely safe, but never less
// than five probes.
func (j *judge) warnAfter(interval time.Duration) time.Duration {
	return max(j.share(safeShare), 5*interval)
}

// nodeName is the name of a node, or its id as words.
func (j *judge) nodeName(id uint32) string {
	if n := j.node(id); n != nil && n.Name != "" {
		return n.Name
	}
	return fmt.Sprintf("node %d", id)
}

// node finds a node without copying it; nil if there is none.
func (j *judge) node(id uint32) *topology.Node {
	nodes := j.in.Cluster.Nodes
	i, found := slices.BinarySearchFunc(nodes, id, func(n topology.Node, id uint32) int { return cmp.Compare(n.ID, id) })
	if !found {
		return nil
	}
	return &nodes[i]
}

func (j *judge) ref(id uint32) NodeRef { return NodeRef{id, j.nodeName(id)} }
