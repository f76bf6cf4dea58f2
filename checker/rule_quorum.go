package checker

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync/votequorum"
)

// formTime is how long a Corosync that has just started may take to find the others before its lack of quorum pages.
const formTime = 30 * time.Second

// quorum is votequorum's state for the Report.
func (j *judge) quorum() Quorum {
	s, cfg := j.in.Status.Quorum, j.in.Cluster.Quorum
	q := Quorum{Known: j.status.fresh && s.Known, WaitForAll: cfg.WaitForAll, TwoNode: cfg.TwoNode, Provider: cfg.Provider}
	if !q.Known {
		return q
	}
	q.Quorate, q.Expected, q.Highest, q.Total, q.Needed = s.Quorate, s.Expected, s.HighestExpected, s.Total, s.Quorum
	if s.Provider != "" {
		q.Provider = s.Provider
	}
	q.Flags = slices.Clone(s.Flags)
	q.TwoNode = q.TwoNode || slices.Contains(s.Flags, "2Node")
	q.WaitForAll = q.WaitForAll || slices.Contains(s.Flags, "WaitForAll")
	q.WaitingForAll = j.waitingForAll()
	q.Votes = make([]MemberVote, len(s.Votes))
	for i, v := range s.Votes {
		q.Votes[i] = MemberVote{ID: v.ID, Name: v.Name, Votes: v.Votes, Device: v.Qdevice}
		if n := j.node(v.ID); n != nil {
			q.Votes[i].Name = n.Name
		}
	}
	if d := &j.next.daemon; d.spareKnown {
		q.SpareKnown, q.SpareVotes, q.SpareNodes = true, d.spare.Votes, d.spare.Nodes
	}
	return q
}

// waitingForAll: votequorum gives no quorum before every vote was seen.
func (j *judge) waitingForAll() bool {
	q := j.in.Status.Quorum
	return j.status.fresh && q.Known && !q.Quorate && slices.Contains(q.Flags, "WaitForAll") && q.Total >= q.Quorum && q.Total < q.Expected
}

// countSpare keeps the spare votes, counted again only when something they come from has changed.
func (j *judge) countSpare(m daemonMemo) daemonMemo {
	q := &j.in.Status.Quorum
	k := spareKey{
		total: q.Total, quorum: q.Quorum, expected: q.Expected, quorate: q.Quorate, votes: first(q.Votes),
		nodes: first(j.in.Cluster.Nodes), members: len(j.status.members),
	}
	switch {
	case !j.status.fresh || !q.Known || j.status.members == nil || len(j.in.Cluster.Quorum.NodeVotes) == 0 || len(q.Votes) == 0:
		m.spareKnown = false
	case !j.votesAgree():
		// Membership comes at once, the votes a moment later: what was counted last stands until they agree again.
	case k != m.spareOf || !m.spareKnown:
		m.spareOf, m.spare, m.spareKnown = k, j.spare(), true
	}
	return m
}

// votesAgree: the votes that votequorum counts are those of the members that are known.
func (j *judge) votesAgree() bool {
	q := &j.in.Status.Quorum
	nodes, votes := 0, 0
	for _, v := range q.Votes {
		votes += v.Votes
		if v.ID != 0 {
			nodes++
		}
	}
	return nodes == len(j.status.members) && votes == q.Total
}

// first is the address of a slice's first element: the same backing array is the same content, as Inputs are not
// changed once given.
func first[T any](s []T) *T {
	if len(s) == 0 {
		return nil
	}
	return &s[0]
}

// spare is what may still be lost.
func (j *judge) spare() votequorum.Spare {
	q := j.in.Status.Quorum
	if !j.status.fresh || !q.Known || !q.Quorate {
		return votequorum.Spare{}
	}
	cfg := j.in.Cluster.Quorum
	h := votequorum.History{Quorum: q.Quorum, Expected: q.Expected, Members: j.status.members}
	s := cfg.Spare(h, j.status.members, deviceVotes(q.Votes))
	s.Votes = max(0, q.Total-q.Quorum)
	return s
}

// ruleQuorum tells of lost quorum, and of how little more may be lost.
func ruleQuorum(j *judge) {
	q := j.in.Status.Quorum
	if !j.status.fresh || !q.Known || j.in.Cluster.Quorum.Provider == "" && q.Provider == "" {
		return
	}
	if !q.Quorate {
		j.notQuorate()
		return
	}
	if s := j.next.daemon.spare; j.next.daemon.spareKnown && j.votesAgree() && s.Nodes == 0 && len(j.in.Cluster.Nodes) > 1 {
		j.noSpare(s)
	}
}

func (j *judge) notQuorate() {
	q, m := j.in.Status.Quorum, &j.next.daemon
	cause := ""
	if j.cut != nil {
		cause = j.cut.key()
	}
	if j.waitingForAll() {
		j.add(draft{
			code: CodeWaitForAll, severity: Warning, subject: "quorum", cause: cause,
			title: fmt.Sprintf("votequorum waits for all %d votes; %d are present", q.Expected, q.Total),
		})
		cause = key(CodeWaitForAll, "quorum")
	}
	d := draft{code: CodeNotQuorate, severity: Critical, subject: j.local.Name, cause: cause}
	if !m.wasQuorate && j.ago(m.runningAt) < formTime {
		d.severity = Warning // it has only just started and looks for the others
	}
	d.title = fmt.Sprintf("%s has no quorum: %d of %d votes, %d needed", j.local.Name, q.Total, q.Expected, q.Quorum)
	d.evidence = map[string]string{
		"votes": strconv.Itoa(q.Total), "expected": strconv.Itoa(q.Expected), "needed": strconv.Itoa(q.Quorum),
	}
	j.add(d)
}

func (j *judge) noSpare(s votequorum.Spare) {
	q := j.in.Status.Quorum
	d := draft{code: CodeNoSpareVotes, severity: Info, subject: "quorum"}
	d.title = fmt.Sprintf("no node may be lost any more: %d of %d votes, %d needed", q.Total, q.Expected, q.Quorum)
	for i := range j.peers {
		if j.peers[i].member == No {
			d.severity = Warning
			d.cause = key(CodeMemberMissing, j.peers[i].node.Name)
		}
	}
	if d.severity == Info {
		d.title += "; the cluster was built so"
	}
	d.evidence = map[string]string{"spare_votes": strconv.Itoa(s.Votes)}
	j.add(d)
}

// ruleMembers tells of configured nodes that are not in the membership.
func ruleMembers(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		if p.member != No {
			continue
		}
		d := draft{code: CodeMemberMissing, severity: Warning, subject: p.node.Name, since: p.memo.leftAt}
		d.title = p.node.Name + " is not in the membership"
		switch p.memo.left {
		case leftByLoss:
			d.title = p.node.Name + " was lost from the membership"
		case leftInPeace:
			d.title = p.node.Name + " has left the membership in peace"
		case notLeft:
			if j.ago(j.next.daemon.runningAt) < formTime {
				d.severity = Info
			}
		}
		if c := j.cutOf(p); c != "" {
			d.cause = c
		} else if p.view != nil && !p.view.Corosync && j.ago(p.view.At) <= viewFresh {
			d.cause = key(CodePeerCorosync, p.node.Name)
		}
		d.evidence = map[string]string{"agent": j.agentState(p).String(), "votes": strconv.Itoa(p.node.Votes)}
		j.add(d)
	}
}
