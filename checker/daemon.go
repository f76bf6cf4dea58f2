package checker

import (
	"slices"
	"time"

	"github.com/quorumwatch/quorumwatch/corosync"
)

// daemonStatus is what may be believed of the local Corosync now.
type daemonStatus struct {
	fresh   bool      // it runs and its answers are current
	linksAt time.Time // when knet's link states were read
	members []uint32  // joined, ascending; nil: unknown
	restart bool      // the daemon was restarted since the last Step
}

// readDaemon sorts out the status of the local daemon, and remembers what changes.
func (j *judge) readDaemon() {
	s, m := &j.in.Status, j.prev.daemon
	d := &j.status
	d.fresh = s.Daemon == corosync.DaemonRunning && !s.Stale
	d.linksAt = s.LinksAt
	if d.linksAt.IsZero() {
		d.linksAt = s.At
	}
	if d.fresh && len(s.Members) > 0 {
		d.members = make([]uint32, 0, len(s.Members))
		for _, member := range s.Members {
			if member.Joined {
				d.members = append(d.members, member.ID)
			}
		}
		slices.Sort(d.members)
	}
	m = j.daemonRun(m)
	m = j.tokenNews(m)
	m.joins = j.joinNews(m.joins)
	m = j.countSpare(m)
	if d.fresh && s.Quorum.Known && s.Quorum.Quorate {
		m.wasQuorate = true
	}
	j.next.daemon = m
}

// daemonRun follows the daemon's states and notices restarts.
func (j *judge) daemonRun(m daemonMemo) daemonMemo {
	s := &j.in.Status
	if s.Daemon == corosync.DaemonUnknown {
		return m
	}
	if !m.seen || m.state != int(s.Daemon) {
		m.since = j.now()
		m.state = int(s.Daemon)
	}
	running := s.Daemon == corosync.DaemonRunning
	stepped := m.lostKnown && s.SRP.Known && s.SRP.OperationalTokenLost < m.lost
	if running && (!m.running || stepped) {
		j.status.restart = m.seen
		m.runningAt = j.now()
		if m.seen && (stepped || m.wasQuorate || m.lostKnown) {
			m.restarted = j.now()
		}
		m.wasQuorate, m.lostKnown = false, false
	}
	if s.Daemon == corosync.DaemonStopped {
		m.running = false
	}
	m.running = running || m.running && s.Daemon != corosync.DaemonStopped
	m.seen = true
	return m
}

// tokenNews gathers signs that the token is late or lost: counters, age and log lines.
func (j *judge) tokenNews(m daemonMemo) daemonMemo {
	s := &j.in.Status
	if j.status.fresh && s.SRP.Known {
		if m.lostKnown && s.SRP.OperationalTokenLost > m.lost {
			m.lostAt = s.At
		}
		m.lost, m.lostKnown = s.SRP.OperationalTokenLost, true
		if s.SRP.TimeSinceToken >= j.tokenWarning() {
			m.evidence = later(m.evidence, s.At)
		}
	}
	if lost := s.TokenAt.Lost; !lost.Equal(m.logged.Lost) {
		m.lostAt = later(m.lostAt, j.logged(lost))
	}
	if warned := s.TokenAt.Warned; !warned.Equal(m.logged.Warned) {
		m.evidence = later(m.evidence, j.logged(warned))
	}
	m.logged = s.TokenAt
	m.evidence = later(m.evidence, m.lostAt)
	return m
}

// logged turns the instant of a log line that has just come in into one of our own clock: the log's is a wall clock, which
// may have been stepped. Lines come in at once; what seems older than two seconds, or younger than now, has a wrong time.
func (j *judge) logged(at time.Time) time.Time {
	if age := j.now().Sub(at); age > 0 && age < 2*time.Second {
		return j.now().Add(-age)
	}
	return j.now()
}

// tokenWarning is when Corosync itself complains; three quarters of the token when that is switched off.
func (j *judge) tokenWarning() time.Duration {
	if w := j.in.Cluster.Timeouts.TokenWarning; w > 0 {
		return w
	}
	return j.token * 3 / 4
}

// member tells whether a node is in the membership.
func (j *judge) member(id uint32) Tri {
	switch {
	case j.status.members == nil:
		return Unknown
	case slices.Contains(j.status.members, id):
		return Yes
	}
	return No
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
