package ctl

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// stream is a tool that goes on and on.
type stream int

const (
	streamTrack   stream = 1 + iota // cmap keys as they change: members, reloads
	streamMonitor                   // votequorum as it decides
	streamLog                       // Corosync's log
	streamCount
)

// streamState is how a stream goes.
type streamState struct {
	running bool
	cancel  context.CancelFunc // while it runs
	started time.Time
	absent  bool // its tool does not exist: it is tried ever again, but seldom
}

// tool is the command of a stream; "" if it is not wanted.
func (l *loop) tool(which stream) (name string, args []string) {
	switch {
	case which == streamTrack:
		return "corosync-cmapctl", []string{"-T", membersPrefix, "runtime.votequorum.", "runtime.config.", "config."}
	case which == streamMonitor:
		return "corosync-quorumtool", []string{"-m", "-i"}
	case l.log == nil || l.log.None:
		return "", nil
	case l.log.File != "":
		return "tail", []string{"-n", "0", "-F", l.log.File}
	default:
		return "journalctl", []string{"-f", "-n", "0", "-o", "short-unix", "-u", cmp.Or(l.log.Unit, "corosync.service")}
	}
}

// pause is the least time between two starts of a stream.
func (s streamState) pause(which stream) time.Duration {
	switch {
	case s.absent:
		return time.Minute
	case which == streamLog:
		return logPause
	default:
		return streamPause
	}
}

// wanted tells whether a stream should run: the log's always, the daemon's while it answers.
func (l *loop) wanted(which stream) bool {
	name, _ := l.tool(which)
	return name != "" && (which == streamLog || l.running())
}

// tendStreams starts what should run and does not.
func (l *loop) tendStreams(now time.Time) {
	for which := streamTrack; which < streamCount; which++ {
		s := &l.streams[which]
		if s.running || !l.wanted(which) || !s.started.IsZero() && now.Sub(s.started) < s.pause(which) {
			continue
		}
		ctx, cancel := context.WithCancel(l.ctx)
		s.running, s.started, s.cancel = true, now, cancel
		name, args := l.tool(which)
		l.f.beside.Go(func() {
			line := func(text string) { l.f.tell(report{stream: which, line: text}) }
			out, err := l.f.cfg.Runner.Stream(ctx, line, name, args...)
			l.f.tell(report{stream: which, ended: true, out: out, err: err})
		})
	}
}

// nextStream is when the next stream may be started.
func (l *loop) nextStream() time.Time {
	var t time.Time
	for which := streamTrack; which < streamCount; which++ {
		s := l.streams[which]
		if s.running || !l.wanted(which) {
			continue
		}
		if at := s.started.Add(s.pause(which)); t.IsZero() || at.Before(t) {
			t = at
		}
	}
	return t
}

// streamEnded asks the daemon at once whether it still answers: its end is how its clients' connections end.
func (l *loop) streamEnded(r report, now time.Time) {
	s := &l.streams[r.stream]
	s.cancel()
	s.running, s.absent = false, errors.Is(r.err, ErrAbsent)
	if r.stream == streamLog && !l.cur.LogSince.IsZero() {
		l.cur.LogSince, l.dirty = time.Time{}, true
	}
	if r.stream == streamLog || s.absent {
		return
	}
	l.jobs.want(jobPing, now)
	if l.running() { // perhaps another daemon by now
		l.everything(now)
	}
}

// logsTo has the log followed where LogNow says that it is.
func (l *loop) logsTo(r report) {
	at := r.log
	if r.err != nil {
		at = l.f.cfg.Log
	}
	if l.log != nil && (r.err != nil || *l.log == at) {
		return
	}
	l.log = &at
	s := &l.streams[streamLog]
	s.started, s.absent = time.Time{}, false // the new one need not wait
	if s.running {
		s.cancel()
	}
}

// streamLine handles what was pushed.
func (l *loop) streamLine(r report, now time.Time) {
	switch r.stream {
	case streamTrack:
		l.pushed(r.line, now)
	case streamMonitor:
		if strings.HasPrefix(r.line, "Quorum information") {
			l.jobs.want(jobQuorum, now)
		}
	case streamLog:
		e, ok := corosync.ParseLog(r.line, now)
		if ok && ordinary(e.What) && l.cur.LogSince.IsZero() {
			l.cur.LogSince, l.dirty = now, true
		}
		if ok && e.What != nil {
			l.logged(e, now)
		}
	}
}

// ordinary: a line as weighty as the warning that the token is late, notice, or less. A log that has it is not limited to worse.
func ordinary(what corosync.Occurrence) bool {
	switch what.(type) {
	case corosync.NewMembership, corosync.TokenWarning, corosync.TokenLost, corosync.LinkDown, corosync.LinkUp, corosync.LinkReset:
		return true
	}
	return false
}

// pushed handles a line of the tracking corosync-cmapctl.
func (l *loop) pushed(line string, now time.Time) {
	c, ok := corosync.ParseChange(line)
	if !l.running() {
		return
	}
	if !ok { // its greeting: from now on nothing is missed, but something may have been
		l.jobs.want(jobMembers, now)
		return
	}
	switch {
	case strings.HasPrefix(c.Key, membersPrefix):
		c.Apply(l.members)
		l.jobs.want(jobQuorum, now)
		if l.jobs[jobMembers].running {
			l.jobs.want(jobMembers, now)
		}
		l.cur.At = now
		l.membersChanged(now)
	case strings.HasPrefix(c.Key, "runtime.votequorum."):
		l.jobs.want(jobQuorum, now)
	default: // a reload, or a value set by hand
		l.linkKeys, l.linksAll = nil, false
		l.jobs.want(jobLog, now.Add(reloadSettle))
		l.jobs.want(jobRuntime, now.Add(reloadSettle))
		l.jobs.want(jobLinks, now.Add(reloadSettle))
		l.jobs.want(jobQuorum, now.Add(reloadSettle))
	}
}

// logged handles a line of the log: it is an event for those who listen, and a hint where to look.
func (l *loop) logged(e corosync.Event, now time.Time) {
	if e.At.IsZero() {
		e.At = now
	}
	l.f.pass(e)
	switch w := e.What.(type) {
	case corosync.DaemonStart, corosync.DaemonExit:
		l.jobs.want(jobPing, now)
	case corosync.TokenWarning:
		l.cur.TokenAt.Warned, l.dirty = e.At, true
	case corosync.TokenLost:
		l.cur.TokenAt.Lost, l.dirty = e.At, true
		l.wantRunning(jobSRP, now)
	case corosync.NewMembership, corosync.SyncDone, corosync.PrimaryComponent, corosync.QdeviceLost:
		l.wantRunning(jobQuorum, now)
	case corosync.ConfigReload:
		l.wantRunning(jobRuntime, now.Add(reloadSettle))
	case corosync.LinkDown:
		l.linkNews(w.Node, w.Link, false, now)
	case corosync.LinkUp:
		l.linkNews(w.Node, w.Link, true, now)
	case corosync.LinkReset:
		l.linkNews(w.Node, w.Link, true, now)
	}
}

func (l *loop) wantRunning(which job, t time.Time) {
	if l.running() {
		l.jobs.want(which, t)
	}
}

// linkNews notes a link's state as the log tells it, and has the rest of it read soon.
func (l *loop) linkNews(node uint32, link int, up bool, now time.Time) {
	if !l.running() {
		return
	}
	l.jobs.want(jobLinks, maxTime(now, l.linkRead.Add(linkNews)))
	i := slices.IndexFunc(l.cur.Links, func(k corosync.LinkStatus) bool {
		return k.Node == node && k.Link == link
	})
	if i < 0 || l.cur.Links[i].Connected == up {
		return
	}
	links := slices.Clone(l.cur.Links)
	links[i].Connected = up
	l.cur.Links, l.cur.LinksAt, l.dirty = links, now, true
}
