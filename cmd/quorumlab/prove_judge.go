//go:build linux

package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/corosync/lab"
)

// requirement is one promise and how often it was kept.
type requirement struct {
	Text    string
	Met, Of int
	Least   int  // how often is enough; 0: each time
	Idle    bool // never having been tried is no failure
	Note    string
}

// ok: kept often enough, and there was a time.
func (r requirement) ok() bool {
	switch {
	case r.Of == 0:
		return r.Idle
	case r.Least > 0:
		return r.Met >= r.Least
	}
	return r.Met == r.Of
}

// String is one item of a Markdown list.
func (r requirement) String() string {
	verdict := "met"
	if r.Of == 0 && r.Idle {
		verdict = "not tried"
	} else if !r.ok() {
		verdict = "**NOT met**"
	}
	text := fmt.Sprintf("- %s, %d of %d: %s", verdict, r.Met, r.Of, r.Text)
	if r.Note != "" {
		text += " (" + r.Note + ")"
	}
	return text
}

// require counts in how many of the cases a promise was kept.
func require[T any](text string, cases []T, kept func(T) bool) requirement {
	r := requirement{Text: text, Of: len(cases)}
	for _, c := range cases {
		if kept(c) {
			r.Met++
		}
	}
	return r
}

// partition is a set of nodes that are members of one ring, with or without quorum.
type partition struct {
	Nodes   []string
	Quorate bool
}

// partitions in a canonical order.
type partitions []partition

// String is the canonical form, by which two of them are compared.
func (p partitions) String() string {
	if len(p) == 0 {
		return "none"
	}
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = strings.Join(one.Nodes, " ") + map[bool]string{true: " with quorum", false: " without"}[one.Quorate]
	}
	return strings.Join(parts, ", ")
}

// canonical sorts and removes what is there twice.
func canonical(p partitions) partitions {
	for i := range p {
		slices.Sort(p[i].Nodes)
	}
	order := func(a, b partition) int {
		return cmp.Or(slices.Compare(a.Nodes, b.Nodes), cmp.Compare(fmt.Sprint(a.Quorate), fmt.Sprint(b.Quorate)))
	}
	slices.SortFunc(p, order)
	return slices.CompactFunc(p, func(a, b partition) bool { return order(a, b) == 0 })
}

// named are the partitions of which an agent speaks. Lists of who keeps and who loses quorum that contradict them count as named, too, so
// that they cannot equal anything real.
func named(o *checker.Outcome) partitions {
	if o == nil {
		return nil
	}
	var p partitions
	var keeps []string
	for _, part := range o.Partitions {
		nodes := nodeNames(part.Nodes)
		p = append(p, partition{nodes, part.Quorate})
		if part.Quorate {
			keeps = append(keeps, nodes...)
		}
	}
	told := nodeNames(o.Keeps)
	slices.Sort(keeps)
	slices.Sort(told)
	if !slices.Equal(keeps, told) {
		p = append(p, partition{told, true})
	}
	return canonical(p)
}

func nodeNames(refs []checker.NodeRef) []string {
	list := make([]string, len(refs))
	for i, r := range refs {
		list[i] = r.Name
	}
	return list
}

// shown are the partitions that the nodes' own Corosync shows.
func shown(views []lab.Membership, names map[uint32]string) partitions {
	var p partitions
	for _, m := range views {
		var nodes []string
		for _, id := range m.Members {
			nodes = append(nodes, names[id])
		}
		p = append(p, partition{nodes, m.Quorate})
	}
	return canonical(p)
}

// blackout is what was recorded of one cut that split the cluster.
type blackout struct {
	Number   int
	Interval time.Duration
	FirstAny time.Time // the first packet of any kind that the cut took
	Nodes    []witness
	Did      []lab.Line // what Corosync logged on all nodes, in order of time
	Shown    partitions // after the split
	Doubts   []string
}

// witness is one node in a cut.
type witness struct {
	Name   string
	Far    []string  // nodes of the other site
	First  time.Time // the first probe packet that the cut took on a path of this node, its own or one to it; zero: none
	RTT    time.Duration
	Said   []saying   // what its agent logged of its findings from the cut on, in order of time
	Named  partitions // what its last report before the split said
	Proper bool       // that report had its own node in the first of them, and did not call the split a fact
}

// never is a duration that stands for something that did not happen.
const never = time.Duration(-1 << 62)

// account is what one node made of a blackout. Times count from the first lost packet of any kind unless it says otherwise.
type account struct {
	Node     string
	Own      time.Duration // its own first lost probe packet
	Finding  time.Duration // its first finding, counted from Own
	Code     string        // of that
	Share    float64       // (Finding - RTT) / interval
	AfterAny time.Duration // its first finding
	// StrictShare is (AfterAny - RTT) / interval: a node is charged even with what others lost before it.
	StrictShare float64
	Critical    time.Duration
	Split       time.Duration // its new membership
	Agrees      bool          // named = shown
	Named       partitions
}

// row is what a blackout came to.
type row struct {
	Number    int
	Accounts  []account
	Warning   time.Duration // Corosync's first "Token has not been received"
	Lost      time.Duration // Corosync's first "token timed out"
	Split     time.Duration // the first new membership without the other side
	LastSplit time.Duration
	Shown     partitions
	Doubtful  bool
}

// judgeBlackout makes the row.
func judgeBlackout(b blackout) row {
	r := row{Number: b.Number, Shown: b.Shown, Doubtful: len(b.Doubts) > 0}
	r.Warning = b.first(func(l lab.Line) bool { return l.Event == lab.EventTokenWarning })
	r.Lost = b.first(func(l lab.Line) bool { return l.Event == lab.EventTokenLost && l.For > 0 })
	r.Split, r.LastSplit = never, never
	for _, w := range b.Nodes {
		a := b.account(w)
		r.Accounts = append(r.Accounts, a)
		if a.Split != never && (r.Split == never || a.Split < r.Split) {
			r.Split = a.Split
		}
		r.LastSplit = max(r.LastSplit, a.Split)
	}
	return r
}

func (b *blackout) first(match func(lab.Line) bool) time.Duration {
	i := slices.IndexFunc(b.Did, match)
	if i < 0 {
		return never
	}
	return b.Did[i].At.Sub(b.FirstAny)
}

func (b *blackout) account(w witness) account {
	a := account{Node: w.Name, Own: never, Finding: never, AfterAny: never, Critical: never, Named: w.Named}
	a.Split = b.first(func(l lab.Line) bool { return l.Node == w.Name && l.Event == lab.EventMembership && len(l.Left) > 0 })
	a.Agrees = w.Proper && w.Named.String() == b.Shown.String()
	if !w.First.IsZero() {
		a.Own = w.First.Sub(b.FirstAny)
	}
	if s, ok := firstOf(w.Said, func(s saying) bool { return s.live() && s.about(w.Far) }); ok {
		a.Code, a.AfterAny = s.Code, s.At.Sub(b.FirstAny)
		a.StrictShare = float64(a.AfterAny-w.RTT) / float64(b.Interval)
		if !w.First.IsZero() {
			a.Finding = s.At.Sub(w.First)
			a.Share = float64(a.Finding-w.RTT) / float64(b.Interval)
		}
	}
	if s, ok := firstOf(w.Said, func(s saying) bool { return s.live() && isCut(s.Code) && s.Severity == checker.Critical }); ok {
		a.Critical = s.At.Sub(b.FirstAny)
	}
	return a
}

// intervals is how many probe intervals, beside a round trip, a finding may take.
const intervals = 3

// quick: on every node a finding stood within 3 probe intervals and a round trip of its first lost probe.
func (r row) quick() bool {
	return r.all(func(a account) bool { return a.Finding != never && a.Share <= intervals })
}

// beforeLost: on every node a finding stood before the first "token timed out" of any.
func (r row) beforeLost() bool {
	return r.Lost != never && r.all(func(a account) bool { return a.AfterAny != never && a.AfterAny < r.Lost })
}

// beforeSplit: critical stood on every node before the first of them had a new membership.
func (r row) beforeSplit() bool {
	return r.Split != never && r.all(func(a account) bool { return a.Critical != never && a.Critical < r.Split })
}

// agrees: every node named the partitions, and who keeps quorum, as Corosync showed them afterwards.
func (r row) agrees() bool {
	return len(r.Shown) > 1 && r.all(func(a account) bool { return a.Agrees })
}

func (r row) ok() bool { return r.quick() && r.beforeLost() && r.beforeSplit() && r.agrees() }

func (r row) all(kept func(account) bool) bool {
	return len(r.Accounts) > 0 && !slices.ContainsFunc(r.Accounts, func(a account) bool { return !kept(a) })
}

// requireBlackouts are the promises about cuts that split the cluster.
func requireBlackouts(rows []row) []requirement {
	list := []requirement{
		require("on every node a finding stands within 3 probe intervals and a round trip of the first probe packet lost on its paths", rows, row.quick),
		require("and before Corosync's first \"token timed out\"", rows, row.beforeLost),
		require("critical stands on every node before the first membership changes", rows, row.beforeSplit),
		require("the partitions and who keeps quorum, as every node named them before the split, are what Corosync then shows", rows, row.agrees),
	}
	list[0].Note = fmt.Sprintf("worst: %s intervals beyond the round trip; from the first packet of any kind lost anywhere: %s",
		worstOf(rows, shareOf), worstOf(rows, strictShareOf))
	return list
}

func shareOf(a account) float64       { return a.Share }
func strictShareOf(a account) float64 { return a.StrictShare }

func worstOf(rows []row, what func(account) float64) string {
	worst := 0.0
	for _, r := range rows {
		for _, a := range r.Accounts {
			if a.Finding == never {
				return "never"
			}
			worst = max(worst, what(a))
		}
	}
	return fmt.Sprintf("%.2f", worst)
}
