package checker

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/quorumwatch/quorumwatch/checker/units"
	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/proxmox"
)

// disarmedLong is how long HA may be disarmed before somebody may have forgotten it.
const disarmedLong = time.Hour

// ruleFence counts down to the resets of nodes without quorum.
func ruleFence(j *judge) {
	if j.ha == nil {
		return
	}
	for i, n := range j.ha.Nodes {
		if n.Counting != Yes {
			continue
		}
		d := draft{code: CodeFence, severity: Critical, subject: n.Name, title: fenceTitle(n)}
		d.evidence = map[string]string{"reason": n.Reason, "basis": n.Basis, "guests": strconv.Itoa(n.Guests)}
		if n.Reset != nil {
			d.evidence["reset_in"] = untilText(*n.Reset)
		}
		if n.NoReturn != nil {
			d.evidence["no_return_in"] = untilText(*n.NoReturn)
		}
		d.cause = j.fenceCause(i)
		j.add(d)
	}
}

// fenceCause is why a node's watchdog is not renewed: the incident that cut it off, or what ails its own Corosync.
func (j *judge) fenceCause(i int) string {
	f := &j.fences[i]
	if f.cut != "" {
		return f.cut
	}
	if f.in.Node == j.local.Name {
		switch s := &j.in.Status; {
		case s.Daemon == corosync.DaemonStopped:
			return key(CodeCorosyncStopped, j.local.Name)
		case s.Daemon == corosync.DaemonHanging:
			return key(CodeCorosyncHanging, j.local.Name)
		case j.status.fresh && s.Quorum.Known && !s.Quorum.Quorate:
			return key(CodeNotQuorate, j.local.Name)
		}
		return ""
	}
	for k := range j.peers {
		switch p := &j.peers[k]; {
		case p.node.Name != f.in.Node:
		case p.view != nil && !p.view.Corosync && j.ago(p.view.At) <= viewFresh:
			return key(CodePeerCorosync, p.node.Name)
		case p.member == No:
			return key(CodeMemberMissing, p.node.Name)
		}
	}
	return ""
}

func fenceTitle(n HANode) string {
	guests := ""
	if n.Guests > 0 {
		guests = fmt.Sprintf(", with %d guests", n.Guests)
	}
	switch {
	case n.Reset == nil:
		return fmt.Sprintf("%s has no quorum and its watchdog is armed: it resets within about a minute%s", n.Name, guests)
	case n.Reset.Latest <= 0:
		return fmt.Sprintf("%s should have reset by now%s", n.Name, guests)
	case n.NoReturn != nil && n.NoReturn.Latest <= 0:
		return fmt.Sprintf("%s resets in %s, and nothing stops it any more%s", n.Name, untilText(*n.Reset), guests)
	case n.NoReturn != nil:
		return fmt.Sprintf("%s resets in %s unless it has quorum again within %s%s", n.Name, untilText(*n.Reset), wholeSeconds(max(0, n.NoReturn.Earliest)), guests)
	}
	return fmt.Sprintf("%s resets in %s%s", n.Name, untilText(*n.Reset), guests)
}

// untilText is "41 s" or "36 to 46 s".
func untilText(u Until) string {
	low, high := max(0, u.Earliest), max(0, u.Latest)
	if high.Duration()-low.Duration() < 2*time.Second {
		return wholeSeconds(max(0, u.Likely))
	}
	return fmt.Sprintf("%d to %s", int(low.Duration().Round(time.Second).Seconds()), wholeSeconds(high))
}

func wholeSeconds(s Seconds) string {
	return fmt.Sprintf("%d s", int(s.Duration().Round(time.Second).Seconds()))
}

// ruleDisarmed tells of HA that fences nothing.
func ruleDisarmed(j *judge) {
	if j.ha == nil || j.ha.State != string(proxmox.HADisarmed) && j.ha.State != string(proxmox.HADisarming) {
		return
	}
	d := draft{code: CodeDisarmed, severity: Info, subject: "HA", title: "HA is " + j.ha.State + ": nothing is fenced, nothing recovered"}
	if long := j.ago(j.ha.Since); long >= disarmedLong {
		d.severity = Warning
		d.title = fmt.Sprintf("HA has been %s for %s: nothing is fenced, nothing recovered", j.ha.State, units.Time(long.Truncate(time.Minute)))
	}
	j.add(d)
}

// ruleProxmox tells of what Proxmox VE would not say.
func ruleProxmox(j *judge) {
	for _, f := range j.in.Proxmox.Faults {
		if f.Harmless() || f.Kind == proxmox.NotProxmox {
			continue
		}
		d := draft{code: CodeProxmox, severity: Info, subject: string(f.Source) + " " + f.Where, title: f.Error(), advice: f.Hint}
		switch f.Kind {
		default:
			if f.Part != proxmox.PartAccess && !j.in.Proxmox.Known(f.Part) {
				d.severity = Warning // and nobody else tells
			}
		case proxmox.Hanging, proxmox.PmxcfsDown, proxmox.Detached, proxmox.Certificate, proxmox.TokenRefused, proxmox.TokenExpired, proxmox.TooStrong, proxmox.TokenExposed:
			d.severity = Warning
		}
		d.evidence = map[string]string{"kind": string(f.Kind), "part": f.Part.String()}
		j.add(d)
	}
}

// tollText goes after an Outcome's own words: "b1 b2 reset in 61 to 70 s; 14 guests go down, 9 services start elsewhere".
func tollText(t *Toll) string {
	if t == nil || len(t.Resets) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "; %s %s", names(t.Resets), verb(len(t.Resets) == 1, "resets", "reset"))
	switch {
	case t.In == nil:
	case t.In.Latest <= 0:
		b.Reset()
		fmt.Fprintf(&b, "; %s should have reset by now", names(t.Resets))
	default:
		b.WriteString(" in " + untilText(*t.In))
	}
	if t.Guests > 0 {
		fmt.Fprintf(&b, ": %d %s down", t.Guests, verb(t.Guests == 1, "guest goes", "guests go"))
	}
	if t.Restarts > 0 {
		fmt.Fprintf(&b, ", %d %s elsewhere", t.Restarts, verb(t.Restarts == 1, "starts again", "start again"))
	}
	if t.Stuck > 0 {
		fmt.Fprintf(&b, ", %d can start nowhere", t.Stuck)
	}
	return b.String()
}
