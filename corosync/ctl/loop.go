package ctl

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// loop is the one goroutine that owns what is known. Everything else runs beside it and reports.
type loop struct {
	f       *Follower
	ctx     context.Context
	jobs    *jobs
	streams [streamCount]streamState
	log     *LogSource // nil: not known yet

	cur      corosync.Status // published when changed
	dirty    bool
	members  corosync.Map // runtime.members.*
	names    map[uint32]string
	linkKeys []string // the keys that the links are read by; none: to be found out
	linksAll bool     // the reading of the links that runs is of all keys, and nothing has changed since it began

	backoff  time.Duration
	settle   time.Duration // until the next reading of a quorum that does not agree with the members; 0: it agrees
	settleBy time.Time
	linkRead time.Time
}

// follow runs until the context ends.
func (l *loop) follow() {
	now := time.Now()
	l.jobs.want(jobPing, now)
	l.jobs.want(jobLog, now)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now = time.Now()
		l.tend(now)
		if l.dirty {
			l.dirty = false
			l.f.publish(l.cur)
		}
		timer.Reset(l.wake(now).Sub(now))
		select {
		case <-l.ctx.Done():
			return
		case r := <-l.f.reports:
			l.take(r, time.Now())
		case <-l.f.hurry:
			l.hurried(time.Now())
		case <-timer.C:
		}
	}
}

// tend starts what is due and looks after what takes too long.
func (l *loop) tend(now time.Time) {
	l.tendStreams(now)
	for i := range l.jobs {
		which, s := job(i), &l.jobs[i]
		if s.running {
			if !s.slow && now.Sub(s.started) >= patience(which, l.f.cfg.Deadline) {
				s.slow = true
				l.suspect(which, now)
			}
			continue
		}
		if s.due.IsZero() || now.Before(s.due) {
			continue
		}
		if !large(which) || !l.jobs.busy() {
			l.start(which, now)
		}
	}
	l.judgeAge(now)
}

// suspect acts on a call that does not return.
func (l *loop) suspect(which job, now time.Time) {
	if which == jobPing {
		l.setDaemon(corosync.DaemonHanging, "no answer, and the tool that asks cannot be killed", now)
		return
	}
	l.jobs.want(jobPing, now)
}

// wake is when the loop has to look again.
func (l *loop) wake(now time.Time) time.Time {
	t := now.Add(time.Second)
	for _, at := range []time.Time{l.jobs.next(l.f.cfg.Deadline), l.nextStream()} {
		if !at.IsZero() && at.Before(t) {
			t = at
		}
	}
	return t
}

// take handles a report.
func (l *loop) take(r report, now time.Time) {
	switch {
	case r.ended:
		l.streamEnded(r, now)
	case r.stream != 0:
		l.streamLine(r, now)
	default:
		l.jobEnded(r, now)
	}
}

// jobEnded handles the answer to a job and plans the next.
func (l *loop) jobEnded(r report, now time.Time) {
	s := &l.jobs[r.job]
	took := now.Sub(s.started)
	s.running = false
	switch {
	case r.job == jobPing:
		l.pinged(r, now)
	case r.job == jobLog:
		l.logsTo(r)
	case r.job == jobMembers && s.again: // a push has overtaken it
	case l.running():
		l.answered(r, now)
	}
	if !l.running() {
		return
	}
	switch {
	case s.again:
		l.jobs.want(r.job, now)
	case s.period > 0:
		period := s.period
		if r.job == jobLinks {
			period = max(period, linkShare*took)
		}
		l.jobs.want(r.job, s.started.Add(period))
	}
}

func (l *loop) running() bool { return l.cur.Daemon == corosync.DaemonRunning }

// pinged decides the state of the daemon.
func (l *loop) pinged(r report, now time.Time) {
	if r.err == nil {
		if report, err := corosync.ParseCfgTool(r.out.Stdout); err == nil {
			l.alive(report.Local, now)
			return
		}
	}
	state, reason := stateOf(r.out, r.err)
	if reason == "" {
		reason = fmt.Sprintf("corosync-cfgtool ended with %d", r.out.Code)
	}
	l.setDaemon(state, reason, now)
}

// alive starts or goes on reading everything.
func (l *loop) alive(local uint32, now time.Time) {
	if l.cur.LocalID != local {
		l.cur.LocalID, l.dirty = local, true
	}
	if l.running() {
		return
	}
	l.setDaemon(corosync.DaemonRunning, "", now)
	l.everything(now)
	l.jobs.want(jobVersion, now)
	l.jobs.want(jobLibknet, now)
}

// everything is asked of a daemon that has come up.
func (l *loop) everything(now time.Time) {
	l.linkKeys, l.linksAll = nil, false
	for _, which := range []job{jobQuorum, jobMembers, jobLinks, jobSRP, jobRuntime, jobLog} {
		l.jobs.want(which, now)
	}
}

// setDaemon notes the state. A change is published once; a daemon that does not run is asked again, ever less often.
func (l *loop) setDaemon(state corosync.Daemon, reason string, now time.Time) {
	if l.cur.Daemon != state {
		l.cur.Daemon, l.cur.Since, l.dirty = state, now, true
		l.backoff = 0
	}
	if l.cur.Reason != reason {
		l.cur.Reason, l.dirty = reason, true
	}
	if state == corosync.DaemonRunning {
		l.backoff = 0
		return
	}
	l.settle = 0
	l.jobs.idle()
	l.backoff = min(max(2*l.backoff, minBackoff), maxBackoff)
	l.jobs.want(jobPing, now.Add(l.backoff))
}

// judgeAge marks values as old when they were not renewed.
func (l *loop) judgeAge(now time.Time) {
	stale := false
	switch {
	case l.cur.At.IsZero(): // nothing there that could be old
	case !l.running():
		stale = true
	default:
		for i := range l.jobs {
			if s := &l.jobs[i]; s.period > 0 {
				allowed := 3*s.period + l.f.cfg.Deadline
				stale = stale || now.Sub(maxTime(s.read, l.cur.Since)) > allowed
			}
		}
	}
	if l.cur.Stale != stale {
		l.cur.Stale, l.dirty = stale, true
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// firstLine is what a tool complained of, short enough to print.
func firstLine(s string) string {
	const longest = 200
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line[:min(len(line), longest)]
}
