package ctl

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// answered takes the answer to a job other than ping. If there is none, ping is to tell why.
func (l *loop) answered(r report, now time.Time) {
	if r.job == jobLibknet { // it says nothing of the daemon, and is not there on every system
		if v := corosync.ParseLibknet(r.out.Stdout); v != l.cur.Libknet && r.err == nil {
			l.cur.Libknet, l.dirty = v, true
		}
		return
	}
	if r.err != nil || !l.apply(r, now) {
		l.jobs.want(jobPing, now)
		return
	}
	l.jobs[r.job].read = now
	if r.job != jobVersion {
		l.cur.At = now
	}
	l.dirty = true
}

// apply puts an answer into the Status. False: it is no answer.
func (l *loop) apply(r report, now time.Time) bool {
	switch r.job {
	case jobQuorum:
		return l.applyQuorum(r.out.Stdout, now)
	case jobVersion:
		l.cur.Software = corosync.ParseVersion(r.out.Stdout)
		return true
	}
	m, _ := corosync.ParseMap(r.out.Stdout) // what is no entry is not for us
	if r.job == jobLinks {
		return l.applyLinks(m, r.out, now)
	}
	if len(m) == 0 {
		return false
	}
	switch r.job {
	case jobMembers:
		l.members = m
		l.membersChanged(now)
	case jobSRP:
		l.cur.SRP, l.cur.Stalls = m.SRP(), m.Stalls()
	case jobRuntime:
		l.cur.Runtime = m.Runtime()
		l.names = m.NodeNames()
		l.nameVotes()
	}
	return true
}

// applyQuorum takes what corosync-quorumtool says. As long as it speaks of other members than cmap, it is asked again.
func (l *loop) applyQuorum(out []byte, now time.Time) bool {
	q, err := corosync.ParseQuorumTool(out)
	if err != nil {
		return false
	}
	l.cur.LocalID, l.cur.RingID, l.cur.Quorum = q.Local, q.Ring, q.Quorum
	l.nameVotes()
	l.settleQuorum(now)
	return true
}

// membersChanged makes the Status of the members anew.
func (l *loop) membersChanged(now time.Time) {
	members := l.members.Members()
	if slices.Equal(members, l.cur.Members) {
		return
	}
	l.cur.Members, l.dirty = members, true
	l.settleQuorum(now)
}

// settleQuorum plans to read the quorum again if it is not of the present members.
func (l *loop) settleQuorum(now time.Time) {
	if l.agree() {
		l.settle = 0
		return
	}
	if l.settle == 0 {
		l.settle, l.settleBy = firstSettle, now.Add(settleWithin)
	} else {
		l.settle = min(2*l.settle, maxSettle)
	}
	if now.Before(l.settleBy) {
		l.jobs.want(jobQuorum, now.Add(l.settle))
	}
}

// agree tells whether votequorum's members are those of runtime.members.
func (l *loop) agree() bool {
	if len(l.cur.Members) == 0 || !l.cur.Quorum.Known {
		return true // not read yet
	}
	joined := map[uint32]bool{}
	for _, m := range l.cur.Members {
		if m.Joined {
			joined[m.ID] = true
		}
	}
	voting := map[uint32]bool{}
	for _, v := range l.cur.Quorum.Votes {
		if v.ID != 0 {
			voting[v.ID] = true
		}
	}
	return maps.Equal(joined, voting)
}

// nameVotes puts the nodelist's names where corosync-quorumtool -i prints addresses.
func (l *loop) nameVotes() {
	if len(l.names) == 0 {
		return
	}
	votes := slices.Clone(l.cur.Quorum.Votes)
	for i, v := range votes {
		if name := l.names[v.ID]; name != "" {
			votes[i].Name = name
		}
	}
	l.cur.Quorum.Votes = votes
}

// applyLinks takes knet's values. The first reading is of all keys; it shows which there are, and the next ask for the
// needed ones only. When one of those is gone, a link was removed and all are read again. Nothing printed, and nothing complained
// of: there are no links, as without knet.
func (l *loop) applyLinks(m corosync.Map, out Output, now time.Time) bool {
	l.linkRead = now
	if strings.Contains(out.Stderr, "CS_ERR_NOT_EXIST") {
		l.linkKeys = nil
		l.jobs.want(jobLinks, now)
		return true
	}
	if len(m) == 0 && (len(out.Stdout) > 0 || out.Stderr != "") {
		return false
	}
	l.cur.Links, l.cur.LinksAt = m.KnetLinks(l.cur.LocalID), now
	if l.linksAll {
		for _, k := range l.cur.Links {
			prefix := "stats.knet.node" + strconv.FormatUint(uint64(k.Node), 10) + ".link" + strconv.Itoa(k.Link) + "."
			for _, name := range corosync.KnetLinkKeys() {
				l.linkKeys = append(l.linkKeys, prefix+name)
			}
		}
	}
	return true
}
