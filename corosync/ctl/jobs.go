package ctl

import (
	"context"
	"errors"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// job is one question to the daemon.
type job int

const (
	jobPing    job = iota // does it answer, and if not, why? The only one whose failure decides the state
	jobQuorum             // ring id, votes, quorum
	jobMembers            // runtime.members
	jobLinks              // knet per link
	jobSRP                // Totem's counters, stalls
	jobRuntime            // effective values, the file as the daemon has it
	jobVersion            // the version of the installed daemon
	jobLibknet            // and of libknet, which no tool of Corosync tells
	jobLog                // where it logs: LogNow tells
	jobCount
)

// jobState is when a job is due and how it goes.
type jobState struct {
	period  time.Duration // 0: only on demand
	due     time.Time     // zero: not
	running bool
	again   bool      // asked for while it ran
	slow    bool      // the running call has taken longer than patience, and that was acted upon
	started time.Time // of the running or the last call
	read    time.Time // when it last succeeded
}

type jobs [jobCount]jobState

func newJobs(cfg Config) *jobs {
	var j jobs
	j[jobQuorum].period = cfg.Quorum
	j[jobMembers].period = cfg.Quorum
	j[jobLinks].period = cfg.Links
	j[jobSRP].period = cfg.SRP
	j[jobRuntime].period = cfg.Runtime
	return &j
}

// want makes a job due at t at the latest.
func (j *jobs) want(which job, t time.Time) {
	s := &j[which]
	if s.running {
		s.again = true
		return
	}
	if s.due.IsZero() || t.Before(s.due) {
		s.due = t
	}
}

// idle forgets all plans.
func (j *jobs) idle() {
	for i := range j {
		j[i].due, j[i].again = time.Time{}, false
	}
}

// next is the earliest time at which something is to be done about a job: zero for none.
func (j *jobs) next(deadline time.Duration) time.Time {
	var t time.Time
	busy := j.busy()
	for i := range j {
		s := &j[i]
		at := s.due
		if busy && large(job(i)) {
			at = time.Time{} // its turn comes with the other's report
		}
		if s.running {
			at = time.Time{}
			if !s.slow {
				at = s.started.Add(patience(job(i), deadline))
			}
		}
		if !at.IsZero() && (t.IsZero() || at.Before(t)) {
			t = at
		}
	}
	return t
}

// large tells the readings that come one at a time.
func large(which job) bool { return which == jobLinks || which == jobSRP || which == jobRuntime }

// busy tells whether a large reading runs.
func (j *jobs) busy() bool {
	return j[jobLinks].running || j[jobSRP].running || j[jobRuntime].running
}

// patience is how long a call may take before that is suspect. The question whether the daemon answers is over at its
// deadline, unless even killing the tool did not end it.
func patience(which job, deadline time.Duration) time.Duration {
	if which == jobPing {
		return deadline + 2*killWait
	}
	return deadline / 3
}

// command is how a job asks.
func (l *loop) command(which job) (name string, args []string) {
	switch which {
	case jobPing:
		return "corosync-cfgtool", []string{"-s"}
	case jobQuorum:
		return "corosync-quorumtool", []string{"-s", "-i"} // -i: no look-up in the DNS, which may hang too
	case jobMembers:
		return "corosync-cmapctl", []string{membersPrefix}
	case jobLinks:
		if len(l.linkKeys) == 0 { // -g wants keys
			return "corosync-cmapctl", []string{"-m", "stats", "stats.knet.node"}
		}
		return "corosync-cmapctl", append([]string{"-m", "stats", "-g"}, l.linkKeys...)
	case jobSRP:
		return "corosync-cmapctl", []string{"-m", "stats", "stats.srp.", "stats.schedmiss."}
	case jobRuntime:
		return "corosync-cmapctl", []string{"runtime.config.", "runtime.votequorum.", "config.", "totem.", "nodelist.", "quorum.", "system."}
	case jobLibknet: // the package of Debian 12 and before, and the one since
		return "dpkg-query", []string{"--show", `--showformat=${Version}\n`, "libknet1", "libknet1t64"}
	default:
		return "corosync", []string{"-v"}
	}
}

const membersPrefix = "runtime.members."

// report is what comes back to the loop: an answer to a job, or something of a stream.
type report struct {
	job    job
	out    Output
	err    error
	stream stream // 0: a job's
	line   string
	log    LogSource
	ended  bool // of the stream
}

// start runs a job beside the loop.
func (l *loop) start(which job, now time.Time) {
	s := &l.jobs[which]
	s.running, s.again, s.slow, s.due, s.started = true, false, false, time.Time{}, now
	if which == jobLog {
		l.f.beside.Go(func() {
			at, err := l.f.cfg.LogNow()
			l.f.tell(report{job: which, log: at, err: err})
		})
		return
	}
	name, args := l.command(which)
	if which == jobLinks {
		l.linksAll = len(l.linkKeys) == 0
	}
	l.f.beside.Go(func() {
		ctx, cancel := context.WithTimeout(l.ctx, l.f.cfg.Deadline)
		defer cancel()
		out, err := l.f.cfg.Runner.Run(ctx, name, args...)
		l.f.tell(report{job: which, out: out, err: err})
	})
}

// stateOf tells from a failed call in what state the daemon is. DaemonUnknown: it does not say.
func stateOf(out Output, err error) (corosync.Daemon, string) {
	switch {
	case errors.Is(err, ErrAbsent):
		return corosync.DaemonAbsent, err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return corosync.DaemonHanging, err.Error()
	case err != nil:
		return corosync.DaemonUnknown, err.Error()
	}
	return corosync.Fault(out.Stderr), firstLine(out.Stderr)
}
