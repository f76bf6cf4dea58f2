package proxmox

import (
	"strings"
	"time"
)

// FenceLog is what a node's log told about its fence since it last was safe. The zero value: nothing. Only lines of the present boot
// belong into it: a reset ends what was said before.
type FenceLog struct {
	LostQuorum time.Time // pmxcfs: "node lost quorum"
	LostLock   time.Time // pve-ha-lrm: "lost lock 'ha_agent_NODE_lock"
	Warned     time.Time // watchdog-mux: "client watchdog is about to expire"
	Expired    time.Time // watchdog-mux: "client watchdog expired - disable watchdog updates"
	Abandoned  time.Time // watchdog-mux: "client did not stop watchdog - disable watchdog updates"
}

// Add takes a line of the log, of any daemon, and tells whether it meant something. Lines come in the order in which they were
// written.
func (l *FenceLog) Add(at time.Time, line string) bool {
	has := func(s string) bool { return strings.Contains(line, s) }
	switch {
	case has("node lost quorum"):
		l.LostQuorum = at
	case has("node has quorum"):
		l.LostQuorum = time.Time{}
	case has("lost lock 'ha_agent_"):
		l.LostLock = at
	case has("successfully acquired lock 'ha_agent_"):
		l.LostLock = time.Time{}
	case has("watchdog is about to expire"):
		l.Warned = at
	case has("watchdog was updated before expiring"):
		l.Warned, l.LostLock = time.Time{}, time.Time{}
	case has("watchdog expired - disable watchdog updates"):
		l.Expired = at
	case has("did not stop watchdog - disable watchdog updates"):
		l.Abandoned = at
	case has("Watchdog driver '"): // watchdog-mux has been started anew, and got the device: the old countdown came to nothing
		l.Warned, l.Expired, l.Abandoned = time.Time{}, time.Time{}, time.Time{}
	default:
		return false
	}
	return true
}

// expired is when watchdog-mux stopped feeding the watchdog, for one reason or the other; zero if it has not.
func (l *FenceLog) expired() time.Time {
	if l.Expired.IsZero() || !l.Abandoned.IsZero() && l.Abandoned.Before(l.Expired) {
		return l.Abandoned
	}
	return l.Expired
}

func (l *FenceLog) lostQuorum() Span {
	if l.LostQuorum.IsZero() {
		return Span{}
	}
	return around(l.LostQuorum, time.Second, 0)
}
