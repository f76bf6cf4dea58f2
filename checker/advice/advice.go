package advice

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/risk"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/corosync/totem"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// Input is what advice rests on. Equal inputs give equal advice.
type Input struct {
	Name    string            // of the file, for messages
	Conf    []byte            // text of the corosync.conf that the advice would change
	Trace   *trace.Trace      // what was measured
	Sites   map[string]string // by node name; those of the trace count where this has none
	Libknet string            // version; "": that of the trace
	Seed    uint64
}

// Verdict is what the advice comes to.
type Verdict string

// The verdicts.
const (
	Change    Verdict = "change"          // Advice.Proposed helps
	Nothing   Verdict = "nothing"         // nothing to change: no token loss, both bounds hold
	NotEnough Verdict = "not-enough-data" // the record is too short, or knows too little
	NoSetting Verdict = "no-setting"      // there is trouble, and no setting tried helps: the path itself must be repaired
)

// Advice is the answer.
type Advice struct {
	Verdict  Verdict
	Why      []string // in sentences: what is wrong, or why there is nothing to say
	Limit    string   // what breaks first under the present settings; "" if nothing does
	Partly   bool     // the change helps, but leaves token losses: the path itself must be repaired too
	Evidence Evidence
	Before   Trial
	Tried    []Trial // candidates, in the order of preference
	Proposed *Trial  // of Tried; nil unless Verdict is Change
	Text     []byte  // the edited file; nil unless Verdict is Change
	Steps    []string
	Remarks  []Remark
}

// Evidence is what was measured, as far as advice rests on it.
type Evidence struct {
	Length  time.Duration // of the record
	Known   float64       // share of the samples whose fate is known, over the paths of the cluster
	Loss    []PathLoss    // the worst path of each link, by link
	Stall   Stall         // the longest time in which nothing got through from one node to another, on any link; outages left out
	Outages []Stall       // stalls that no token bridges, oldest first; the trials leave them out
	Model   time.Duration // how long rings were run, all trials together
}

// PathLoss is the loss of one path.
type PathLoss struct {
	Path trace.Path
	Loss float64
}

// Stall is a time in which nothing from one node arrived at another.
type Stall struct {
	From, To uint32
	At       time.Duration // since the record's start
	Length   time.Duration
}

// Trial is a set of settings and what the model made of it.
type Trial struct {
	Name     string // in a few words
	Edits    []corosync.Edit
	Refused  string // why it is out of the question; "" if it is not
	Tested   bool   // Figures are there
	Figures  Figures
	Bounds   Bounds
	Drill    *Drill         // nil: not drilled
	Forecast *risk.Forecast // on networks as the record leaves them open, of which it is only one; nil: not made
}

// Bounds are the two between which a token must lie.
type Bounds struct {
	Token      time.Duration // effective
	Least      time.Duration // worst measured stall x Safety
	Membership time.Duration // token + consensus + synchronization: how long the death of a node or path freezes all
	Most       time.Duration // the part of the fence budget that Membership may take
}

// LowerHolds says whether the token bridges the stalls that were measured, with Safety.
func (b Bounds) LowerHolds() bool { return b.Least < b.Token }

// UpperHolds says whether a new membership comes well before watchdogs expire.
func (b Bounds) UpperHolds() bool { return b.Membership <= b.Most }

// Figures are what the model did over the record.
type Figures struct {
	TokenLosses Rate          // times in which the ring re-formed, whoever was in it then
	Splits      Rate          // of those: nodes left
	LinkDowns   Rate          // each end counts
	WorstGap    time.Duration // longest time without the token, at any node
	Broken      float64       // share of the time in which not all nodes were in service in one ring
	Simulated   time.Duration // ring time behind the figures
}

// Rate is per hour, with the interval in which it lies with nine chances of ten if what happens happens at random.
type Rate struct{ PerHour, Low, High float64 }

// Drill is what happens on a healthy network when something dies, over many phases of Corosync's timers.
type Drill struct {
	Links        int           // 1: no failover is possible, and the figures of it are zero
	Failover     time.Duration // longest time without the token when the preferred link dies
	Lost         float64       // ratio of those deaths that cost the token
	LostBackedUp float64       // the same when the link had flapped six seconds before: knet's back-off
	DeadNode     time.Duration // longest time from the silence of a node to a membership without it
	Declared     bool          // it was declared in every trial
}

// Remark is advice that no record can prove: on what assumption it rests is part of it.
type Remark struct {
	About  string // "second link", "quorum device", "outage"
	Text   string
	Before *Figures // nil: not a matter of figures
	After  *Figures
}

// Advise looks for the smallest change that helps. An error means that the file or the record cannot be used at all.
//
// Where no token would help to bridge the longest stalls, or only one that is far longer would bridge a single one, they count as outages,
// and what else is wrong is looked at without them.
func Advise(in Input) (Advice, error) {
	s, err := newSearch(in, 0)
	if err != nil {
		return Advice{}, err
	}
	a, err := s.run()
	if err != nil || a.Before.Bounds.LowerHolds() || a.Verdict == NotEnough {
		return a, err
	}
	token := a.Before.Bounds.Token
	far := a.Verdict == Change && a.Proposed.Bounds.Token > farLonger*token
	if a.Verdict == Change && !far {
		return a, nil
	}
	if s, err = newSearch(in, token/Safety-in.Trace.Slot); err != nil {
		return Advice{}, err
	}
	single := far && occasions(s.out.Evidence.Outages) == 1
	if a.Verdict == Change && !single {
		return a, nil
	}
	b, err := s.run()
	if err != nil || b.Verdict == Change || single && b.Verdict == Nothing || b.Verdict == NoSetting && !a.tested() {
		return b, err
	}
	return a, nil
}

// tested says whether any candidate came as far as the model.
func (a Advice) tested() bool {
	return slices.ContainsFunc(a.Tried, func(t Trial) bool { return t.Tested })
}

// occasions counts stalls, those of one moment once.
func occasions(stalls []Stall) (n int) {
	end := time.Duration(-1)
	for _, s := range stalls { // oldest first
		if n == 0 || s.At > end {
			n++
		}
		end = max(end, s.At+s.Length+sameMoment)
	}
	return n
}

// clusterOf is a configuration as the model takes it.
func (in Input) clusterOf(c *corosync.Config) (risk.Cluster, error) {
	sites, libknet := map[string]string{}, in.Libknet
	for _, n := range in.Trace.Nodes {
		for i := range c.Nodes { // the record may know it by another name
			if c.Nodes[i].ID == n.ID && c.Nodes[i].Name != "" {
				sites[c.Nodes[i].Name] = n.Site
			}
		}
	}
	for name, site := range in.Sites {
		sites[name] = site
	}
	if libknet == "" {
		libknet = in.Trace.Libknet
	}
	return risk.FromConfig(c, sites, libknet)
}

// boundsOf are the bounds of a configuration.
func boundsOf(t totem.Timeouts, device bool, stall time.Duration) Bounds {
	sync := syncTime
	if device {
		sync = syncTimeDevice
	}
	return Bounds{Token: t.Token, Least: stall * Safety, Membership: t.Membership() + sync, Most: MembershipBudget}
}
