package checker

import (
	"fmt"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/corosync"
)

// daemonDown is how long a stopped or hanging Corosync is a warning before it pages: a restart takes a few seconds.
const daemonDown = 10 * time.Second

// restartTold is how long a restart of Corosync is told.
const restartTold = 5 * time.Minute

// ruleDaemon tells of the state of the local Corosync.
func ruleDaemon(j *judge) {
	s, m := &j.in.Status, &j.next.daemon
	d := draft{subject: j.local.Name, since: m.since, severity: Warning}
	lasted := j.ago(m.since)
	switch s.Daemon {
	case corosync.DaemonStopped:
		d.code, d.title = CodeCorosyncStopped, "Corosync does not run on this node"
	case corosync.DaemonHanging:
		d.code, d.title = CodeCorosyncHanging, "Corosync does not answer on this node"
	case corosync.DaemonStarting:
		d.code, d.title = CodeCorosyncStarting, "Corosync is starting or synchronising"
		if lasted < 30*time.Second {
			d.severity = Info
		}
	case corosync.DaemonAbsent:
		d.code, d.title, d.severity = CodeCorosyncAbsent, "there is no Corosync on this machine", Info
	case corosync.DaemonDenied:
		d.code, d.title = CodeCorosyncDenied, "the agent may not ask Corosync"
	case corosync.DaemonRunning:
		j.runningDaemon()
		return
	default:
		return
	}
	if (d.code == CodeCorosyncStopped || d.code == CodeCorosyncHanging) && lasted >= daemonDown {
		d.severity = Critical
		d.title += " for " + units.Time(lasted)
	}
	if s.Reason != "" {
		d.title += ": " + s.Reason
	}
	j.add(d)
}

func (j *judge) runningDaemon() {
	m := &j.next.daemon
	if j.in.Status.Stale {
		j.add(draft{
			code: CodeCorosyncStale, severity: Warning, subject: j.local.Name, since: j.in.Status.At,
			title: "Corosync has not said anything new for " + units.Time(j.ago(j.in.Status.At)) + ": membership and quorum are unknown",
		})
	}
	if !m.restarted.IsZero() && j.ago(m.restarted) < restartTold {
		j.add(draft{
			code: CodeCorosyncRestarted, severity: Info, subject: j.local.Name, since: m.restarted,
			title: "Corosync was restarted on this node " + units.Time(j.ago(m.restarted)) + " ago",
		})
	}
}

// rulePeerDaemons tells of peers whose agents say that Corosync does not run there.
func rulePeerDaemons(j *judge) {
	for i := range j.peers {
		p := &j.peers[i]
		if p.view == nil || p.view.Corosync || p.view.Leaving || p.verdict != reachable || j.ago(p.view.At) > viewFresh {
			continue
		}
		j.add(draft{
			code: CodePeerCorosync, severity: Warning, subject: p.node.Name, since: p.knetSince,
			title:    fmt.Sprintf("Corosync does not run or answer on %s; the network to it is fine", p.node.Name),
			evidence: map[string]string{"knet": p.knet.String(), "member": p.member.String()},
		})
	}
}

// ruleToken tells of tokens that Corosync lost or nearly lost.
func ruleToken(j *judge) {
	m := &j.next.daemon
	cause := j.cutAt(m.evidence)
	told := func(t time.Time) bool { return !t.IsZero() && j.ago(t) < j.stablePeriod() }
	if told(m.lostAt) || !m.lostAt.IsZero() && told(m.evidence) && m.evidence.Sub(m.lostAt) < 3*j.token {
		j.add(draft{
			code: CodeTokenLost, severity: Warning, subject: "ring", since: m.lostAt, cause: cause,
			title:    "Corosync lost its token " + units.Time(j.ago(m.lostAt)) + " ago; the ring re-forms" + j.membershipNote(),
			evidence: map[string]string{"token": units.Time(j.token), "losses_since_start": fmt.Sprint(m.lost)},
		})
		return
	}
	if told(m.evidence) {
		j.add(draft{
			code: CodeTokenWarning, severity: Warning, subject: "ring", since: m.evidence, cause: cause,
			title:    fmt.Sprintf("Corosync waited for its token for %s or more, %s ago", units.Time(j.tokenWarning()), units.Time(j.ago(m.evidence))),
			evidence: map[string]string{"token": units.Time(j.token), "warning_at": units.Time(j.tokenWarning())},
		})
	}
}

// membershipNote says whether anybody is missing after a token loss.
func (j *judge) membershipNote() string {
	if j.status.members == nil {
		return ""
	}
	var gone []string
	for i := range j.peers {
		if j.peers[i].member == No {
			gone = append(gone, j.peers[i].node.Name)
		}
	}
	if len(gone) == 0 {
		return "; nobody has left"
	}
	return "; not in it: " + strings.Join(gone, ", ")
}
